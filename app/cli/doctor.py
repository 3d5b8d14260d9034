"""`headwater doctor`: every dependency, one line each: what is wrong and how to mend it."""

import shutil
import tempfile
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from app import contexts, models
from app.cli.doctor_documents import documents
from app.cli.doctor_models import generation, traces
from app.cli.wrong import Wrong, because
from app.kernel import blob_store
from app.places import NothingRuns, Places, places
from app.settings import Settings
from events.catalogue import Undecodable
from infra import jetstream, streams
from infra.blobs import once
from infra.delivery import Undelivered
from infra.embedded import embedded
from infra.embedding import EmbeddingUnavailable
from infra.jetstream import ApiError, LogUnavailable
from infra.speech import SpeechUnavailable, UnusableAudio

Check = Callable[[], Awaitable[str]]
RESTART = "Stop Headwater here and start it again."
"""What mends a server that Headwater runs itself."""
NEEDED = 1 << 30
"""Bytes free below which the disk is reported."""


async def doctor(settings: Settings) -> int:
    """Check everything; 1 when something is wrong. Starts the embedded servers for a moment if none run."""
    try:
        return await _examine(settings, places(settings))
    except NothingRuns:
        async with embedded(
            settings.home,
            sync=settings.sync,
            nats=settings.nats_url is None,
            postgres=settings.database_url is None,
        ) as servers:
            return await _examine(settings, places(settings, servers))


async def _examine(settings: Settings, where: Places) -> int:
    checks: dict[str, Check] = {
        "settings": lambda: _settings(settings),
        "disk": lambda: _disk(settings),
        "log": lambda: _log(settings, where),
        "erasure": lambda: _erasure(where),
        "database": lambda: _database(settings, where),
        "blobs": lambda: _blobs(settings, where),
        "transcription": lambda: _transcription(settings),
        "embeddings": lambda: _embeddings(settings),
        "documents": lambda: documents(settings),
        "generation": lambda: generation(settings),
        "mail": lambda: _mail(settings),
        "traces": lambda: traces(settings),
    }
    wrong = 0
    for name, check in checks.items():
        try:
            print(f"ok     {name:<14} {await check()}")
        except Wrong as found:
            wrong += 1
            print(f"WRONG  {name:<14} {found}")
        except LogUnavailable:
            wrong += 1
            print(f"WRONG  {name:<14} the log does not answer, and this needs it.")
        except Exception as failure:
            wrong += 1
            print(f"WRONG  {name:<14} {type(failure).__name__}: {failure}")
    return 1 if wrong else 0


async def _settings(settings: Settings) -> str:
    chosen = {
        "log": "NATS_URL" if settings.nats_url else "embedded",
        "database": "DATABASE_URL" if settings.database_url else "embedded",
        "blobs": "S3" if settings.s3 else "JetStream object store",
        "transcription": "Whisper server" if settings.whisper else "pocketsphinx",
        "models": "Ollama" if settings.ollama else "embedded",
    }
    return ", ".join(f"{what}: {which}" for what, which in chosen.items())


async def _disk(settings: Settings) -> str:
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free
    if free < NEEDED:
        raise Wrong(
            f"{free >> 20} MiB are free in {settings.home}. Free some room, or set HEADWATER_HOME elsewhere."
        )
    return f"{free >> 30} GiB free in {settings.home}"


async def _log(settings: Settings, where: Places) -> str:
    try:
        nc = await jetstream.connect(where.nats, name="headwater doctor")
    except LogUnavailable as away:
        mend = "Check NATS_URL, the user and its password." if settings.nats_url else RESTART
        raise because(away, mend) from away
    try:
        account = await jetstream.api(nc, "INFO")
        wanted = streams.all_streams(contexts.NAMES, settings.stream_replicas)
        missing, drifts = await streams.compare(nc, wanted)
    finally:
        await nc.close()
    if drifts:
        raise Wrong("; ".join(str(drift) for drift in drifts) + ". Mend it with `nats stream edit`.")
    to_come = f"; the next start makes {', '.join(missing)}" if missing else ""
    return f"JetStream with {account['streams']} streams, {account['storage'] >> 20} MiB on disk{to_come}"


async def _erasure(where: Places) -> str:
    nc = await jetstream.connect(where.nats, name="headwater doctor")
    eraser = await jetstream.connect(where.eraser, name="headwater doctor")
    try:
        try:
            await jetstream.api(nc, "STREAM.MSG.DELETE.LIVE", {"seq": 1 << 60}, timeout=1)
        except ApiError:
            return await _may_erase_too(where)
        except LogUnavailable:  # a denied publish is answered by nobody
            pass
        try:
            await jetstream.api(eraser, "STREAM.MSG.DELETE.LIVE", {"seq": 1 << 60}, timeout=1)
        except ApiError:
            return "only the eraser's user may delete messages"
        except LogUnavailable as denied:
            raise Wrong(
                "the eraser's user may not delete messages: see nats.conf, and NATS_ERASER_URL."
            ) from denied
        return "only the eraser's user may delete messages"
    finally:
        await nc.close()
        await eraser.close()


async def _may_erase_too(where: Places) -> str:
    if where.nats == where.eraser:
        return "NATS_ERASER_URL is not set: the application's own user may delete messages"
    raise Wrong("the application's user may delete messages: deny it as nats.conf does.")


async def _database(settings: Settings, where: Places) -> str:
    try:
        connection = await asyncpg.connect(where.database, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
        raise Wrong(
            f"Postgres does not answer ({': '.join(filter(None, (type(away).__name__, str(away))))}). "
            f"{'Check DATABASE_URL.' if settings.database_url else RESTART}"
        ) from away
    try:
        version = await connection.fetchval("show server_version")
        vector = await connection.fetchval(
            "select default_version from pg_available_extensions where name = 'vector'"
        )
        halted = await _halted(connection)
        missing = await _missing(connection)
    finally:
        await connection.close()
    if int(version.split(".")[0]) < 16:
        raise Wrong(f"this is Postgres {version}; 16 or later is needed.")
    if vector is None:
        raise Wrong("the extension pgvector is not installed there. Debian has it as postgresql-16-pgvector.")
    if halted:
        raise Wrong("; ".join(halted))
    if missing == list(contexts.READ_MODELS):
        return f"Postgres {version} with pgvector {vector}; the next start makes the read models"
    if missing:
        raise Wrong(
            f"read models are missing: {', '.join(missing)}. `headwater migrate` makes them from the log."
        )
    return f"Postgres {version} with pgvector {vector}"


async def _missing(connection: asyncpg.Connection) -> list[str]:
    names = await connection.fetch("select nspname::text from pg_namespace")
    there = {row[0] for row in names}
    return [name for name in contexts.READ_MODELS if name not in there]


async def _halted(connection: asyncpg.Connection) -> list[str]:
    if await connection.fetchval("select to_regclass('headwater.checkpoints')") is None:
        return []
    rows = await connection.fetch(
        "select projection, stream, halted_position, halted_error from headwater.checkpoints "
        "where halted_position is not null"
    )
    return [
        f"projection {row[0]} has halted at {row[1]}@{row[2]}: {row[3]}. "
        f"{_mending(*row[1:4])}; it goes on by itself."
        for row in rows
    ]


def _mending(stream: str, position: int, error: str) -> str:
    if not error.startswith(f"{Undecodable.__name__}: "):
        return "Mend the cause"
    return f"A newer version may read it; if another tool wrote it, delete it: `nats stream rmm {stream} {position}`"


async def _blobs(settings: Settings, where: Places) -> str:
    nc = await jetstream.connect(where.nats, name="headwater doctor")
    eraser = await jetstream.connect(where.eraser, name="headwater doctor")
    store = blob_store(settings, where, nc, eraser)
    try:
        await store.prepare()
        blob = await store.put(once(b"headwater doctor"), media_type="text/plain")
        if await store.get(blob.key) != b"headwater doctor":
            raise Wrong("what was stored did not come back. Check S3_ENDPOINT and S3_BUCKET.")
        await store.delete(blob.key)
    except ConnectionError as away:
        mend = "Check S3_ENDPOINT, S3_BUCKET and the keys." if settings.s3 else RESTART
        raise because(away, mend) from away
    finally:
        await store.close()
        await nc.close()
        await eraser.close()
    return "stored, read and erased a blob"


async def _transcription(settings: Settings) -> str:
    speech, at_once = models.speech(settings)
    try:
        with tempfile.TemporaryDirectory() as folder:
            silence = Path(folder) / "silence.wav"
            _write_silence(silence)
            await speech.transcribe(silence, progress=lambda _: None)
    except UnusableAudio:
        pass  # it has listened, which is what we want to know
    except SpeechUnavailable as away:
        raise because(away, "Check WHISPER_URL and WHISPER_MODEL.") from away
    finally:
        await speech.close()
    return f"{speech.model}, {at_once} at once"


def _write_silence(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(32000))


async def _embeddings(settings: Settings) -> str:
    try:
        embedder = await models.embedder(settings)
        try:
            (vector,) = await embedder.embed(["a boiler room"])
        finally:
            await embedder.close()
    except EmbeddingUnavailable as away:
        raise because(away, "Check OLLAMA_URL and OLLAMA_EMBED_MODEL.") from away
    return f"{embedder.name}, {len(vector)} dimensions"


async def _mail(settings: Settings) -> str:
    mailer = models.mailer(settings)
    if mailer is None:
        return "none set: mail is kept in the outbox; SMTP_HOST and SMTP_FROM would send it"
    try:
        await mailer.check()
    except Undelivered as away:
        raise because(away.detail, "Check SMTP_HOST, SMTP_PORT, SMTP_USER and SMTP_PASS.") from away
    return f"a server takes mail from {mailer.sender.address}"
