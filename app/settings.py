"""Settings: one frozen struct, read once from the environment, every mistake in one message."""

import re
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Literal

import msgspec

from app.environment import Address, Environment, Secret

NATS = ("nats", "tls", "ws", "wss")
WEB = ("http", "https")
MAILBOX = re.compile(r"[!-~]{1,64}@[^@\s,;<>]{1,190}")
CLAUDE = "claude-sonnet-4-5"
"""The model of Anthropic's that is asked where no other is set."""


class S3(msgspec.Struct, frozen=True, kw_only=True):
    """The bucket that holds the blobs."""

    endpoint: Address | None
    region: str
    bucket: str
    access_key: Secret
    secret_key: Secret
    path_style: bool
    presign_ttl: int
    """Seconds."""


class Whisper(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAI-compatible transcription server."""

    url: Address
    model: str


class Ollama(msgspec.Struct, frozen=True, kw_only=True):
    """A model server; what has no model here stays embedded."""

    url: Address
    model: str | None
    embed_model: str | None


class Claude(msgspec.Struct, frozen=True, kw_only=True):
    """Anthropic's models."""

    api_key: Secret
    model: str
    max_tokens: int
    """Of one answer."""
    url: Address | None
    """Another place that speaks the same protocol."""


class Smtp(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server."""

    host: str
    port: int
    user: str | None
    password: Secret | None
    sender: tuple[str, str]
    """Name and address."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set; None means the embedded default."""

    host: str
    port: int
    public_url: Address | None
    """Where clients reach the API, when that is not the host they name in their requests: behind a TLS proxy."""
    home: Path
    api_key: Secret | None
    nats_url: Address | None
    nats_eraser_url: Address | None
    """For the one NATS user that may delete messages; the same as `nats_url` unless set."""
    database_url: Address | None
    stream_replicas: int
    sync: Literal["always", "relaxed"]
    s3: S3 | None
    whisper: Whisper | None
    ollama: Ollama | None
    claude: Claude | None
    reindex_grace: int
    """Seconds for which the index before a promotion is kept, so that it can be reverted."""
    compute_urls: tuple[Address, ...]
    """Servers that do the stateless work in the workers' place; they take the same `API_KEY`."""
    smtp: Smtp | None
    smtp_to: tuple[str, ...]
    """Who gets the mail for which nobody is named."""
    delivery_backoff: int
    """Seconds until mail or a webhook that failed is tried again the first time."""
    webhook_allow_private: bool
    """Whether webhooks may lead to addresses that are not public."""
    rate_limit_rps: int
    """Requests a second; 0 switches the limit off."""
    rate_limit_burst: int
    cors_origins: frozenset[str]
    handler_attempts: int
    """Tries after which a handler gives an event up and it becomes a dead letter."""
    handler_ack_wait: int
    """Seconds after which an event whose worker has fallen silent is given to another."""
    log_level: Literal["debug", "info", "warning", "error"]
    otel_endpoint: Address | None
    context_message_limit: int
    """Messages of a conversation that a model is shown."""
    ws_ping_interval: int
    """Seconds."""
    ws_pong_timeout: int
    """Seconds."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """The settings in an environment; raises `BadSettings` that lists all mistakes in it."""
        env = Environment(environ)
        nats_url = env.address("NATS_URL", *NATS)
        eraser_url = env.address("NATS_ERASER_URL", *NATS)
        settings = cls(
            host=env.text("HOST", "127.0.0.1"),
            port=env.number("PORT", 8080, 0, 65535),
            public_url=env.address("PUBLIC_URL", *WEB),
            home=Path(env.text("HEADWATER_HOME", ".headwater")),
            api_key=env.secret("API_KEY", r"[!-~]{8,255}", "8 to 255 visible ASCII characters"),
            nats_url=nats_url,
            nats_eraser_url=eraser_url or nats_url,
            database_url=env.address("DATABASE_URL", "postgresql", "postgres"),
            stream_replicas=int(env.choice("STREAM_REPLICAS", "1", ("1", "3"))),
            sync=env.choice("SYNC", "always", ("always", "relaxed")),
            s3=_s3(env),
            whisper=_whisper(env),
            ollama=_ollama(env),
            claude=_claude(env),
            reindex_grace=env.number("REINDEX_GRACE", 86_400, 0, 31_536_000),
            compute_urls=_compute(env),
            smtp=_smtp(env),
            smtp_to=env.parsed("SMTP_TO", (), _addresses, "mail addresses, comma separated"),
            delivery_backoff=env.number("DELIVERY_BACKOFF", 30, 1, 3600),
            webhook_allow_private=env.flag("WEBHOOK_ALLOW_PRIVATE", False),
            rate_limit_rps=env.number("RATE_LIMIT_RPS", 50, 0, 1_000_000),
            rate_limit_burst=env.number("RATE_LIMIT_BURST", 100, 1, 1_000_000),
            cors_origins=env.parsed(
                "CORS_ORIGINS", frozenset(), _origins, "https://app.example.com, comma separated, or *"
            ),
            handler_attempts=env.number("HANDLER_ATTEMPTS", 6, 1, 100),
            handler_ack_wait=env.number("HANDLER_ACK_WAIT", 30, 1, 3600),
            log_level=env.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
            otel_endpoint=env.address("OTEL_EXPORTER_OTLP_ENDPOINT", *WEB),
            context_message_limit=env.number("CONTEXT_MESSAGE_LIMIT", 20, 1, 1000),
            ws_ping_interval=env.number("WS_PING_INTERVAL", 30, 1, 3600),
            ws_pong_timeout=env.number("WS_PONG_TIMEOUT", 60, 1, 3600),
        )
        if eraser_url and not nats_url:
            env.wrong("NATS_ERASER_URL", "is set without NATS_URL", "both, or neither")
        if settings.stream_replicas > 1 and not nats_url:
            env.wrong("STREAM_REPLICAS", "is 3 without NATS_URL", "a cluster, or 1 for the embedded server")
        if settings.compute_urls and not settings.api_key:
            env.wrong("COMPUTE_URL", "is set without API_KEY", "the key that those servers were started with")
        env.check()
        return settings


def _s3(env: Environment) -> S3 | None:
    needed = ("S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY")
    if not env.complete(needed, "S3_ENDPOINT", "S3_REGION", "S3_USE_PATH_STYLE", "S3_PRESIGN_TTL"):
        return None
    endpoint = env.address("S3_ENDPOINT", *WEB)
    return S3(
        endpoint=endpoint,
        region=env.text("S3_REGION", "us-east-1"),
        bucket=env.text("S3_BUCKET", ""),
        access_key=Secret(env.text("S3_ACCESS_KEY", "")),
        secret_key=Secret(env.text("S3_SECRET_KEY", "")),
        path_style=env.flag("S3_USE_PATH_STYLE", endpoint is not None),
        presign_ttl=env.number("S3_PRESIGN_TTL", 3600, 1, 604_800),
    )


def _whisper(env: Environment) -> Whisper | None:
    if not env.complete(("WHISPER_URL",), "WHISPER_MODEL"):
        return None
    url = env.address("WHISPER_URL", *WEB)
    return Whisper(url=url, model=env.text("WHISPER_MODEL", "whisper-1")) if url else None


def _ollama(env: Environment) -> Ollama | None:
    if not env.complete(("OLLAMA_URL",), "OLLAMA_MODEL", "OLLAMA_EMBED_MODEL"):
        return None
    url = env.address("OLLAMA_URL", *WEB)
    model, embed_model = env.text("OLLAMA_MODEL", ""), env.text("OLLAMA_EMBED_MODEL", "")
    if not model and not embed_model:
        env.wrong(
            "OLLAMA_URL", "is set without a model", "OLLAMA_MODEL, OLLAMA_EMBED_MODEL or both beside it"
        )
    return Ollama(url=url, model=model or None, embed_model=embed_model or None) if url else None


def _claude(env: Environment) -> Claude | None:
    optional = ("CLAUDE_MODEL", "CLAUDE_MAX_TOKENS", "CLAUDE_URL")
    if not env.complete(("CLAUDE_API_KEY",), *optional):
        return None
    key = env.secret("CLAUDE_API_KEY", r"[!-~]{8,512}", "8 to 512 visible ASCII characters")
    model, most = env.text("CLAUDE_MODEL", CLAUDE), env.number("CLAUDE_MAX_TOKENS", 4096, 1, 1_000_000)
    url = env.address("CLAUDE_URL", *WEB)
    return Claude(api_key=key, model=model, max_tokens=most, url=url) if key else None


def _compute(env: Environment) -> tuple[Address, ...]:
    several = env.address("COMPUTE_URL", *WEB)
    return tuple(Address(url.strip()) for url in several.split(",")) if several else ()


def _smtp(env: Environment) -> Smtp | None:
    signs_in = env.complete(("SMTP_USER", "SMTP_PASS"))
    if not env.complete(("SMTP_HOST", "SMTP_FROM"), "SMTP_PORT", "SMTP_USER", "SMTP_PASS"):
        return None
    password = env.text("SMTP_PASS", "")
    return Smtp(
        host=env.text("SMTP_HOST", ""),
        port=env.number("SMTP_PORT", 587, 1, 65535),
        user=env.text("SMTP_USER", "") if signs_in else None,
        password=Secret(password) if signs_in else None,
        sender=env.parsed("SMTP_FROM", ("", ""), _sender, "an address, or Name <address>"),
    )


def _sender(text: str) -> tuple[str, str]:
    name, address = parseaddr(text)
    if not MAILBOX.fullmatch(address):
        raise ValueError(text)
    return name, address


def _addresses(text: str) -> tuple[str, ...]:
    addresses = tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))
    if not all(MAILBOX.fullmatch(each) for each in addresses):
        raise ValueError(text)
    return addresses


def _origins(text: str) -> frozenset[str]:
    origins = frozenset(each.strip().lower() for each in text.split(",") if each.strip())
    if origins != {"*"} and not all(
        re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#@\s*]+", each) for each in origins
    ):
        raise ValueError(text)
    return origins
