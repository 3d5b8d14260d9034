"""Units of measure and of packing, by all their names; lengths, areas, volumes and weights can be converted."""

from typing import NamedTuple


class Unit(NamedTuple):
    """A unit: what it measures, and how many of that dimension's first unit it is."""

    name: str
    dimension: str
    factor: float = 1.0


_MEASURES: dict[str, tuple[str, float, str]] = {
    "inch": ("length", 0.0254, 'inch inches in " ″'),
    "foot": ("length", 0.3048, "foot feet ft ' ′"),
    "yard": ("length", 0.9144, "yard yards yd yds"),
    "millimetre": ("length", 0.001, "millimetre millimetres millimeter millimeters mm"),
    "centimetre": ("length", 0.01, "centimetre centimetres centimeter centimeters cm"),
    "metre": ("length", 1.0, "metre metres meter meters m"),
    "square foot": ("area", 0.09290304, "sqft sf ft²"),
    "square yard": ("area", 0.83612736, "sqyd"),
    "square metre": ("area", 1.0, "sqm m²"),
    "cubic yard": ("volume", 0.764554858, "cuyd cy"),
    "cubic foot": ("volume", 0.0283168466, "cuft"),
    "cubic metre": ("volume", 1.0, "m³"),
    "gallon": ("volume", 0.003785411784, "gallon gallons gal gals"),
    "quart": ("volume", 0.000946352946, "quart quarts qt"),
    "litre": ("volume", 0.001, "litre litres liter liters l"),
    "pound": ("weight", 0.45359237, "pound pounds lb lbs"),
    "kilogram": ("weight", 1.0, "kilogram kilograms kilo kilos kg"),
    "ton": ("weight", 907.18474, "ton tons"),
    "tonne": ("weight", 1000.0, "tonne tonnes"),
    "watt": ("power", 1.0, "watt watts"),
    "kilowatt": ("power", 1000.0, "kilowatt kilowatts kw"),
    "amp": ("current", 1.0, "amp amps ampere amperes"),
    "volt": ("voltage", 1.0, "volt volts"),
}
_PACKED = (
    "bag batch board box bucket bundle can carton case coil crate drum length load pack pair pallet panel piece roll "
    "sack set sheet tube"
)
_COUNTS = "each ea pc pcs piece pieces unit units"

NAMES: dict[str, Unit] = {
    spelling: Unit(name, dimension, factor)
    for name, (dimension, factor, spellings) in _MEASURES.items()
    for spelling in spellings.split()
}
PACKED = {
    spelling: Unit(name, name)
    for name in _PACKED.split()
    for spelling in (name, f"{name}es" if name.endswith(("x", "ch")) else f"{name}s")
}
COUNT = Unit("", "count")
NAMES |= PACKED | dict.fromkeys(_COUNTS.split(), COUNT)
_POWERS = {"square": "square", "sq": "square", "cubic": "cubic", "cu": "cubic"}


def unit_of(word: str, before: str = "") -> Unit | None:
    """The unit that a word names; `before` is `square` or `cubic` where that was said."""
    if power := _POWERS.get(before):
        base = NAMES.get(word)
        measure = _MEASURES.get(f"{power} {base.name}") if base else None
        return Unit(f"{power} {base.name}", measure[0], measure[1]) if base and measure else None
    return NAMES.get(word)


RATINGS = frozenset({"power", "current", "voltage"})
"""What a thing is said to have without saying of what: `the boiler is 24 kilowatts`."""

MEASURES = frozenset({"length", "area", "volume", "weight"})
"""The same where nothing more follows: `the pipe is 22 millimetres`, but not `… from the wall`."""


def is_power(word: str) -> bool:
    return word in _POWERS


def plural(name: str) -> str:
    """Several of a unit: `feet`, `boxes`, `square metres`."""
    if name.endswith("foot"):
        return f"{name.removesuffix('foot')}feet"
    return f"{name}es" if name.endswith(("ch", "x")) else f"{name}s"
