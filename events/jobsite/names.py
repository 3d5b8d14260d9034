"""When two names are the same: capitals, accents, punctuation and spaces make no difference."""

import re
import unicodedata


def normalised(name: str) -> str:
    """`Maple  Street.` and `maple street` are one: what names are compared and claimed by."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter)).replace("'", "")
    return " ".join(re.findall(r"\w+", plain))
