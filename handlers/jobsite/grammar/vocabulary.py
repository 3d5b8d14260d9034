"""The words that the spoken grammar goes by. `infra/docs/SPOKEN.md` tells what they do."""

FILLERS = frozenset(
    (
        "ah alright also and er erm hello hey hi hm hmm like mhm now oh ok okay please right so then uh uhm um "
        "well yeah yes"
    ).split()
)
"""What may stand before a command and means nothing."""

INTRODUCTIONS = tuple(
    tuple(each.split())
    for each in (
        "this is for|this is the|this is|this is at|this is on|it is|it's|we are at|we're at|we are on|we're on|"
        "i am at|i'm at|i am on|i'm on|here at|here on|at|on|for|for the|the|new|next|another|add|add an|add new|"
        "make a|make an|take a|take an|quick|a|an"
    ).split("|")
)
"""What may stand between the beginning of a sentence and a command's name."""
ARTICLES = frozenset({"the", "a", "an"})

NO_NAMES = frozenset(
    (
        "a about after all also am an and any are as ask asked asks at be been before being below but by call "
        "called calls came can come comes confirmed costs could did didn't do does doesn't doing done each either "
        "every everything fair finally for from get gets getting go goes going good got great had has hasn't have "
        "he her here his how i i'd i'll i'm if in into isn't it it's its just later looks made make makes market "
        "may maybe me might my need needs never nicely nobody not of off offer on or our out over paid poorly "
        "promised really requirements right said sales says security seems sent she should site sites so some "
        "somebody someone starts still task than that that's the their them then there these they they're thing "
        "things this those title to today told tomorrow too under until up us very wanted wants was wasn't we "
        "we'd we'll we're well went were what when where which while who whose will with won't work would yard "
        "yesterday yet you your agreed thinks thought left brought quality quit wise related opening description "
        "one"
    ).split()
)
"""What no name of a job or builder begins with."""

NAME_STOPS = frozenset(
    (
        "also and are because but by can could did does for had has have he her here i i'd i'll i'm if in is "
        "isn't it it's just let let's looks me my need needs now okay our please said says she should since so "
        "starts that that's the then there there's these they they're this today tomorrow was we we'd we'll we're "
        "we've went were what when where which while who will with would yesterday you your um uh er on at to"
    ).split()
)
"""What ends a name where nothing is written large."""

VERBS = frozenset(
    (
        "are called came can comes could did does had has have is isn't looks must needs said says seems should "
        "starts told wanted wants was wasn't went were will won't would"
    ).split()
)
"""What makes an ordinary sentence of a name: `job Maple Street is late`."""

ADDRESSES = frozenset(
    (
        "avenue boulevard bridge building circle close court crescent drive farm garage gardens hall highway "
        "hospital house lane lodge mall mill park place plaza road school square station street terrace tower "
        "towers way works"
    ).split()
)
"""What a name often ends with: `job maple street we poured the slab`."""
FIRMS = frozenset({"brothers", "co", "company", "daughter", "daughters", "partners", "son", "sons"})
"""What an `and` inside a name is followed by."""
LONGEST_NAME = 5
"""Words."""
MOST_PIECES = 30
"""Of a name, whose words may have several: `4B-12C` has five."""

NOT_BEFORE = frozenset(
    (
        "a all an any as each every first her his its last my no old of one open other our previous second some "
        "that the their these third this those was your were is are more final only same"
    ).split()
)
"""What makes an ordinary noun of `action item` and `note to office`."""
NOT_AFTER_ITEM = frozenset(
    ("about are came does from has have in is list lists on that was were which who will with would").split()
)
"""The same, behind them."""

CLAUSES = frozenset(
    (
        "also and anyway but he i it now okay she so the then there they this today tomorrow we yesterday"
    ).split()
)
"""What begins something else after a date, where no mark ends a sentence."""
JOINTS = frozenset({"also", "and", "but", "so", "then"})
"""Those of them that go on with the same thing where marks are written: `call him today and ask about the valve.`"""
NO_OWNERS = frozenset(
    (
        "a able about according add addition again all an and any anybody anyone as ask attach back be begin call "
        "close come connect continue decide deliver do down due email everybody everyone everything fasten fix "
        "forget get give glue go going got had has have he her him how i in it lead like listen make me move nail "
        "need needs next now offer on order our over point prior promise put reach read ready refer remember "
        "remind report return screw send she ship show someone something somebody speak start stick supposed sure "
        "switch take talk that the them then these they this those tie time try trying turn up us used want wants "
        "way we what when where which who whole whom will work write you your"
    ).split()
)
"""What is nobody's name: `talk to Mike` is not Talk's to do."""
ENDS = (
    ("end", "of", "item"),
    ("end", "item"),
    ("end", "of", "action", "item"),
    ("end", "of", "note"),
    ("end", "note"),
)
"""What ends a command that nothing else ends."""
