"""Documents as people send them, any of them as text with its pages."""

from infra.documents.description import Description, described
from infra.documents.parsed import Limits, Page, Parsed, ParserUnavailable, UnusableDocument
from infra.documents.parsing import Parsers

__all__ = [
    "Description",
    "Limits",
    "Page",
    "Parsed",
    "ParserUnavailable",
    "Parsers",
    "UnusableDocument",
    "described",
]
