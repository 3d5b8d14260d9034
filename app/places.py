"""Where the servers are: as set, or those that a `headwater up` runs in our home."""

from dataclasses import dataclass, field

from app.settings import Settings
from infra.embedded.home import Secrets, Servers, running


class NothingRuns(Exception):
    """There is no server to attach to; the message says what to do."""


@dataclass(frozen=True)
class Places:
    """URLs with their passwords: never logged."""

    nats: str = field(repr=False)
    eraser: str = field(repr=False)
    operator: str = field(repr=False)
    database: str = field(repr=False)
    signing_secret: bytes = field(repr=False)
    """With what download links are signed."""
    webhook_secret: bytes = field(repr=False)
    """What the secrets of webhooks are derived from, and of keys that are made with an idempotency key."""


def places(settings: Settings, embedded: Servers | None = None) -> Places:
    """Where to connect. Raises `NothingRuns` when a server is neither set nor running here."""
    here = embedded or running(settings.home)
    if here is None and not (settings.nats_url and settings.database_url):
        missing = " and ".join(
            name
            for name, url in (("NATS_URL", settings.nats_url), ("DATABASE_URL", settings.database_url))
            if not url
        )
        raise NothingRuns(
            f"No Headwater runs in {settings.home}. Start one with `headwater up`, or set {missing} to servers "
            "that run elsewhere."
        )
    here = here or Servers("", "", "", "")
    nats = str(settings.nats_url) if settings.nats_url else here.nats_url
    secrets = Secrets(settings.home / "secrets")
    return Places(
        nats=nats,
        eraser=str(settings.nats_eraser_url) if settings.nats_eraser_url else here.eraser_url,
        operator=nats if settings.nats_url else here.operator_url,
        database=str(settings.database_url) if settings.database_url else here.dsn,
        signing_secret=secrets.get("downloads").encode(),
        webhook_secret=secrets.get("webhooks").encode(),
    )
