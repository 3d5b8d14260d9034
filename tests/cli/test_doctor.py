"""`headwater doctor`: one line a dependency; for what is wrong, also how to mend it."""

import asyncio

import asyncpg

from infra import jetstream
from tests.deployment import Deployment, deployed


def verdicts(out: str) -> dict[str, str]:
    return {line.split()[1]: line.split()[0] for line in out.splitlines()}


async def test_all_is_well(deployment: Deployment) -> None:
    examined = await deployment.cli("doctor")
    found = verdicts(examined.out)
    assert (examined.status, set(found.values())) == (0, {"ok"}), examined
    assert found.keys() >= {
        "settings",
        "disk",
        "log",
        "erasure",
        "database",
        "blobs",
        "transcription",
        "embeddings",
        "documents",
    }


async def test_what_is_wrong_is_said_with_what_to_do_and_the_rest_is_checked_all_the_same(
    deployment: Deployment,
) -> None:
    examined = await deployment.cli(
        "doctor",
        DATABASE_URL="postgresql://me:hidden@127.0.0.1:1/x",
        WHISPER_URL="http://127.0.0.1:1",
        OLLAMA_URL="http://127.0.0.1:1",
        OLLAMA_EMBED_MODEL="nomic-embed-text",
        OLLAMA_MODEL="llama3.2",
        SMTP_HOST="127.0.0.1",
        SMTP_PORT="1",
        SMTP_FROM="site@example.com",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
    )
    away = await deployment.cli("doctor", COMPUTE_URL="http://127.0.0.1:1")
    assert "Check COMPUTE_URL" in next(line for line in away.out.splitlines() if "WRONG" in line)
    assert examined.status == 1
    found = verdicts(examined.out)
    wrong = {name for name, verdict in found.items() if verdict == "WRONG"}
    assert wrong == {"database", "transcription", "embeddings", "generation", "mail", "traces"}
    lines = {line.split()[1]: line for line in examined.out.splitlines()}
    assert "DATABASE_URL" in lines["database"]
    assert "WHISPER_URL" in lines["transcription"]
    assert "OLLAMA_URL" in lines["embeddings"]
    assert "OLLAMA_MODEL" in lines["generation"]
    assert "SMTP_HOST" in lines["mail"]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in lines["traces"]
    assert "hidden" not in examined.out + examined.err
    assert "Traceback" not in examined.err


async def test_read_models_that_are_missing_are_told(deployment: Deployment, database: str) -> None:
    fresh = await deployment.cli("doctor", DATABASE_URL=database)
    assert "the next start makes the read models" in fresh.out
    connection = await asyncpg.connect(database)
    await connection.execute("create schema jobsite")
    await connection.close()
    half = await deployment.cli("doctor", DATABASE_URL=database)
    told = next(line for line in half.out.splitlines() if line.split()[1] == "database")
    assert told.startswith("WRONG")
    assert "knowledge, chat, notifications, operations. `headwater migrate`" in told


async def test_what_another_tool_wrote_halts_a_projection_until_it_is_deleted_as_doctor_says() -> None:
    async with deployed() as fresh:
        [node] = fresh.nats
        nc = await jetstream.connect(node.operator_url, name="another tool")
        junk = jetstream.Message("jobsite.session.7.renamed", b"{", {})
        position = (await jetstream.publish(nc, junk)).seq
        async with asyncio.timeout(60):
            while "halted" not in (said := (await fresh.cli("doctor")).out):
                pass
        assert f"`nats stream rmm JOBSITE {position}`" in said
        await jetstream.api(nc, "STREAM.MSG.DELETE.JOBSITE", {"seq": position})
        async with asyncio.timeout(60):
            while (await fresh.cli("doctor")).status:
                pass
        await nc.close()
