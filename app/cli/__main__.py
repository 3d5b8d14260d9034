"""`python -m app.cli` is `headwater`."""

import sys

from app.cli import main

sys.exit(main())
