"""The words that tell where an item's name ends, and those that say that an amount is not the whole of it."""

_ENDS = """
a an the this that these those each every all any some no my your his her its our their it he she we they you i them
us him who which what there here of in on at by for from to into onto with without within over under behind before
after near around about between through until till since and or but so if when while because then than as not only
also too very just again already still yet now today tomorrow yesterday tonight morning afternoon evening next last
monday tuesday wednesday thursday friday saturday sunday week weeks month months day days hour hours minute minutes
is are was were be been being am has have had do does did will would shall should can could may might must
come came comes go goes went get gets got call calls called order orders ordered need needs needed make makes made
tell tells told say says said take takes took put puts bring brings brought ask asks asked check checks checked
please thanks action item job builder note office per plus minus more less extra total percent degree degrees
dollar dollars cent cents euro euros year years time times o'clock am pm people men man guys
"""
ENDS = frozenset(_ENDS.split())
"""A name goes no further than one of these."""

ARTICLES = frozenset("a an the this that these those each every all our your their its".split())
"""What may stand in front of an item's name."""

PREPOSITIONS = frozenset(
    "of in on at by for from to into onto with without within over under behind before after near around about "
    "between through".split()
)
"""In front of a name: it only tells of another one where that is."""

IDLE = frozenset(
    "new old small large big good standard additional missing remaining other full whole single own".split()
)
"""Adjectives that tell of an item's state, not its kind."""

HEDGES = frozenset(
    "about around approximately approx roughly nearly almost over under least most maybe perhaps up between another "
    "extra additional first every per".split()
)
"""Before a number: it is not exact, or not the whole amount."""

PARTIAL = frozenset(
    "replace replaced return returned repair repaired fix fixed broke broken remove removed left lost damaged paid "
    "sold missing".split()
)
"""Just before a number: it is of a part of them."""

LABELS = frozenset(
    "# apartment appendix bathroom bedroom building detail drawing figure floor item level lot no number page phase "
    "rev revision room section sheet step table unit version".split()
)
"""Just before a number that names one of several things instead of counting them: `page 3`, `drawing 12`."""

WANTED = frozenset("needed required ordered planned specified shown called in".split())
"""What items may be said to be (`forty sheets are needed`) for the amount to be the whole one."""

STATES = frozenset(
    "is are was were has have more extra left missing broken damaged less fewer too came".split()
)
"""Just after an item: the amount is of those in a state, unless a word of `WANTED` follows."""

ROOMS = frozenset(
    "attic basement bathroom bedroom cellar closet corridor deck den foyer garage garden hall hallway kitchen "
    "landing laundry lobby loft nursery office pantry porch roof room shed staircase stairway studio terrace toilet "
    "yard".split()
)
NUMBERED = frozenset(
    "apartment area building flat floor house level lot phase room storey story suite unit zone".split()
)
"""Places that a number or an ordinal tells apart: `second floor`, `unit 4`."""
ORDINALS = {
    word: str(n)
    for n, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth".split(), start=1
    )
} | {"ground": "ground", "top": "top", "upper": "upper", "lower": "lower", "main": "main", "master": "master"}


VAGUE = frozenset(
    "bag batch box bucket bundle can carton case coil crate drum length load pack pair pallet piece roll sack set "
    "sheet unit".split()
)
"""Packings that say nothing of what is in them."""

ATTRIBUTES = {"wide": "wide", "width": "wide", "high": "high", "tall": "high", "height": "high", "long": "long"} | {
    "length": "long", "deep": "deep", "depth": "deep", "thick": "thick", "thickness": "thick"
}  # fmt: skip
"""What a length is the length of."""

COPULAS = frozenset("is are be was were measures".split())

CLOSED = frozenset("and but not now today instead here so because".split())
"""Just after a measure: nothing more is said of what it is the measure of."""


def singular(word: str) -> str:
    """One of them: `boxes` is `box`, `studs` is `stud`, `glass` stays."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word
