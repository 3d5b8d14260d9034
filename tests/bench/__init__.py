"""What Headwater does in a second, measured on real servers: `python -m tests.bench`."""
