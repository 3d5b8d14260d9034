"""Which language a text is in, by its most common words; and which of its words it is about."""

import re
from collections import Counter
from collections.abc import Mapping

SAMPLE = 40_000
"""Characters of a text that are looked at for its language."""
FEWEST = 12
"""Words below which nothing is said about the language."""
SHARE = 0.12
"""Of the words of a text in a language, at least so many are among its most common ones."""
KEYWORDS = 10

COMMON: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the of and to in is that it for was on are as with be by at this from have or not an they which you "
        "we were will would there their been has had its but can all if when than so no do must",
        "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus "
        "er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor",
        "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se le ce il sont avec "
        "son aux cette d'un ou mais nous comme été elle on leur être ont ces deux même fait",
        "es": "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si "
        "sin sobre este ya entre cuando todo esta ser son dos también fue había era muy",
        "it": "di e il la che in a per un del è non una i le con si da come più dei al nel della sono alla ma gli "
        "anche questo ha o se lo su delle essere dal ed ci era due stato",
        "pt": "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou "
        "quando muito nos já eu também só pelo pela até isso ela entre",
        "nl": "de van het een en in is dat op te zijn met voor niet aan er om ook als dan maar bij uit nog naar door "
        "over ze zich hij wordt worden werd was deze dit kan geen of wel",
    }.items()
}
_WORD = re.compile(r"[^\W\d_][^\W\d_'’-]*")


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language most of a text is in; None if that cannot be told."""
    words = [word.lower() for word in _WORD.findall(text[:SAMPLE])]
    if len(words) < FEWEST:
        return None
    shares = {language: sum(word in common for word in words) for language, common in COMMON.items()}
    best = max(shares, key=lambda language: shares[language])
    return best if shares[best] >= SHARE * len(words) else None


def keywords_of(text: str) -> tuple[str, ...]:
    """The most frequent words of four letters and more that are no common ones, at most ten, most frequent first."""
    common = frozenset().union(*COMMON.values())
    counts = Counter(word.lower() for word in _WORD.findall(text) if len(word) > 3)
    ranked = sorted((-count, word) for word, count in counts.items() if word not in common)
    return tuple(word for _, word in ranked[:KEYWORDS])
