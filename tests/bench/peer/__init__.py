"""The `eventsourcing` library doing the same, in the way of its documentation that is fastest.

Events and aggregates are msgspec structs with a mapper for them (its example "Aggregate 9"), appends use its database
function (POSTGRES_ENABLE_DB_FUNCTIONS, as its own speed runs do), aggregates are cached and not fast-forwarded, and the
C-accelerated psycopg has a pool of connections.
"""

from importlib.util import find_spec


def installed() -> bool:
    """Whether the extra `bench` is there."""
    return all(find_spec(name) for name in ("eventsourcing", "psycopg", "psycopg_pool"))
