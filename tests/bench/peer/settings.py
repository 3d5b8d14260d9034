"""Where and how an application of the `eventsourcing` library keeps its events."""

from urllib.parse import urlsplit

import asyncpg

DURABILITY = {True: "every commit synced", False: "synced within 0.6 s"}
"""What `synchronous_commit` on and off mean for an acknowledged event (three times `wal_writer_delay` at most)."""

CONNECTIONS = 16
"""Of 2, 5, 16 and 64 the best for 64 threads."""


def environment(dsn: str, *, connections: int) -> dict[str, str]:
    """The library's settings for a database."""
    url = urlsplit(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_HOST": str(url.hostname),
        "POSTGRES_PORT": str(url.port),
        "POSTGRES_DBNAME": url.path.strip("/"),
        "POSTGRES_USER": str(url.username),
        "POSTGRES_PASSWORD": str(url.password),
        "POSTGRES_POOL_SIZE": str(connections),
        "POSTGRES_MAX_OVERFLOW": "0",
        "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
        "AGGREGATE_CACHE_MAXSIZE": "20000",
        "AGGREGATE_CACHE_FASTFORWARD": "n",
        "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",
    }


async def commit(dsn: str, *, waits: bool) -> None:
    """Whether commits to this database wait for the disk, on connections made from now on."""
    name, setting = urlsplit(dsn).path.strip("/"), "on" if waits else "off"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"alter database {name} set synchronous_commit = {setting}")
    finally:
        await connection.close()
