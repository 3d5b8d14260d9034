"""Hybrid search: passages that mean what was asked or say it in the same words, best first."""

from infra.retrieval.asked import Query, Scope, Target, Vector
from infra.retrieval.hybrid import Found, Hit, Plan, explore, search
from infra.retrieval.index import KEY, Index, Kind, index_name, index_of

__all__ = [
    "KEY",
    "Found",
    "Hit",
    "Index",
    "Kind",
    "Plan",
    "Query",
    "Scope",
    "Target",
    "Vector",
    "explore",
    "index_name",
    "index_of",
    "search",
]
