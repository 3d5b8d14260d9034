"""Reading pictures of text, where Debian's or anybody's tesseract is installed; nothing is ever downloaded for it."""

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from xberg import OcrConfig

MOST = 3
"""Languages that are read at once, English first: each takes time."""
_FOLDER = re.compile(r'in "([^"]+)"')


class Ocr(NamedTuple):
    """Where tesseract keeps its languages, and which there are."""

    folder: str
    languages: tuple[str, ...]

    def config(self) -> "OcrConfig":
        from xberg import OcrConfig  # noqa: PLC0415 (40 MB that only the process that reads documents should pay)

        return OcrConfig(backend="tesseract", language=list(self.languages), tessdata_path=self.folder)


def installed() -> Ocr | None:
    """The tesseract of this machine; None if there is none, or none that knows a language."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    try:
        told = subprocess.run(  # noqa: S603 - the program is the one that PATH names
            [program, "--list-langs"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    first, *languages = (told.stdout or told.stderr).splitlines() or [""]
    folder = _FOLDER.search(first)
    known = tuple(each for each in languages if each and each != "osd")
    ordered = sorted(known, key=lambda each: each != "eng")
    return Ocr(folder[1], tuple(ordered[:MOST])) if folder and known else None
