"""Hybrid search: passages that mean what was asked or say it in the same words, best first."""

from infra.retrieval.hybrid import Hit, Query, Scope, search
from infra.retrieval.index import Index, index_name, index_of

__all__ = ["Hit", "Index", "Query", "Scope", "index_name", "index_of", "search"]
