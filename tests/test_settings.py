"""Settings from the environment."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.environment import BadSettings
from app.settings import S3, Ollama, Settings, Smtp, Whisper

MAIL = {"SMTP_HOST": "mail", "SMTP_FROM": "Headwater <reports@example.com>"}
BUCKET = {"S3_BUCKET": "blobs", "S3_ACCESS_KEY": "AKIA-access", "S3_SECRET_KEY": "very-secret"}


def mistakes(**environ: str) -> dict[str, str]:
    with pytest.raises(BadSettings) as caught:
        Settings.read(environ)
    return {each.name: f"{each.wrong}; {each.expected}" for each in caught.value.mistakes}


def test_an_empty_environment_means_everything_embedded():
    settings = Settings.read({})
    assert (settings.host, settings.port, settings.home) == ("127.0.0.1", 8080, Path(".headwater"))
    assert settings.api_key is settings.nats_url is settings.nats_eraser_url is settings.database_url is None
    assert (
        settings.s3
        is settings.public_url
        is settings.whisper
        is settings.ollama
        is settings.claude
        is settings.otel_endpoint
        is None
    )
    assert (settings.stream_replicas, settings.sync, settings.log_level) == (1, "always", "info")
    assert (settings.rate_limit_rps, settings.rate_limit_burst) == (50, 100)
    assert (settings.ws_ping_interval, settings.ws_pong_timeout) == (30, 60)
    assert settings.context_message_limit == 20
    assert settings.cors_origins == frozenset()
    assert (settings.handler_attempts, settings.handler_ack_wait) == (6, 30)


def test_empty_strings_count_as_unset():
    names = ("PORT", "API_KEY", "NATS_URL", "S3_BUCKET", "WHISPER_URL", "SYNC", "CORS_ORIGINS", "LOG_LEVEL")
    assert Settings.read(dict.fromkeys(names, " ")) == Settings.read({})


def test_everything_can_be_set():
    settings = Settings.read(
        {
            "HOST": "0.0.0.0",
            "PORT": "0",
            "PUBLIC_URL": "https://headwater.example.com",
            "HEADWATER_HOME": "/srv/headwater",
            "API_KEY": "a-key-of-my-own",
            "NATS_URL": "nats://app:pw@a:4222,nats://app:pw@b:4222",
            "NATS_ERASER_URL": "tls://eraser:pw@a:4222",
            "DATABASE_URL": "postgresql://me:pw@a:5432,b:5432/headwater",
            "STREAM_REPLICAS": "3",
            "SYNC": "RELAXED",
            "WHISPER_URL": "http://whisper:8000/v1",
            "WHISPER_MODEL": "large",
            "OLLAMA_URL": "http://ollama:11434",
            "OLLAMA_EMBED_MODEL": "nomic-embed-text",
            "CLAUDE_API_KEY": "a-key-of-claude",
            "CLAUDE_MODEL": "claude-x",
            "CLAUDE_MAX_TOKENS": "100",
            "CONTEXT_MESSAGE_LIMIT": "5",
            "RATE_LIMIT_RPS": "0",
            "CORS_ORIGINS": "https://App.example.com, http://localhost:3000",
            "LOG_LEVEL": "debug",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318",
            **BUCKET,
        }
    )
    assert settings.stream_replicas == 3
    assert settings.public_url == "https://headwater.example.com"
    assert settings.sync == "relaxed"
    assert settings.whisper == Whisper(url=settings.whisper.url, model="large")
    assert settings.ollama == Ollama(url=settings.ollama.url, model=None, embed_model="nomic-embed-text")
    assert (settings.claude.model, settings.claude.max_tokens) == ("claude-x", 100)
    assert settings.context_message_limit == 5
    assert settings.cors_origins == {"https://app.example.com", "http://localhost:3000"}
    assert settings.s3 == S3(
        endpoint=None,
        region="us-east-1",
        bucket="blobs",
        access_key=settings.s3.access_key,
        secret_key=settings.s3.secret_key,
        path_style=False,
        presign_ttl=3600,
    )


def test_mail_needs_a_server_and_a_sender_and_may_need_credentials():
    plain = Settings.read(MAIL).smtp
    assert plain == Smtp(
        host="mail", port=587, user=None, password=None, sender=("Headwater", "reports@example.com")
    )
    full = {
        **MAIL,
        "SMTP_PORT": "465",
        "SMTP_USER": "me",
        "SMTP_PASS": "hunter2",
        "SMTP_FROM": "a@example.com",
    }
    signed_in = Settings.read(full).smtp
    assert (signed_in.port, signed_in.user, signed_in.sender) == (465, "me", ("", "a@example.com"))
    assert "hunter2" not in repr(signed_in)


def test_who_gets_what_is_meant_for_nobody_and_what_webhooks_may_do():
    assert Settings.read({}).smtp_to == ()
    assert Settings.read({"SMTP_TO": "a@example.com, b@example.com,"}).smtp_to == (
        "a@example.com",
        "b@example.com",
    )
    assert (Settings.read({}).webhook_allow_private, Settings.read({}).delivery_backoff) == (False, 30)
    assert Settings.read({"WEBHOOK_ALLOW_PRIVATE": "yes"}).webhook_allow_private


def test_the_eraser_uses_the_same_nats_unless_it_has_its_own():
    settings = Settings.read({"NATS_URL": "nats://a:4222"})
    assert settings.nats_eraser_url == settings.nats_url


def test_an_s3_endpoint_of_ones_own_means_path_style_unless_told_otherwise():
    own = {**BUCKET, "S3_ENDPOINT": "http://minio:9000"}
    assert Settings.read(own).s3.path_style
    assert not Settings.read({**own, "S3_USE_PATH_STYLE": "no"}).s3.path_style


def test_every_mistake_is_in_one_message():
    with pytest.raises(BadSettings) as caught:
        Settings.read({"PORT": "eighty", "SYNC": "never", "RATE_LIMIT_RPS": "-1", "LOG_LEVEL": "loud"})
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert " ".join(lines[1].split()) == "PORT is 'eighty'; expected a whole number from 0 to 65535"


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"PORT": "65536"}, "PORT"),
        ({"API_KEY": "short"}, "API_KEY"),
        ({"API_KEY": "with a space"}, "API_KEY"),
        ({"NATS_URL": "http://a"}, "NATS_URL"),
        ({"NATS_URL": "nats://a:port"}, "NATS_URL"),
        ({"NATS_ERASER_URL": "nats://a"}, "NATS_ERASER_URL"),
        ({"DATABASE_URL": "mysql://a/b"}, "DATABASE_URL"),
        ({"STREAM_REPLICAS": "2"}, "STREAM_REPLICAS"),
        ({"STREAM_REPLICAS": "3"}, "STREAM_REPLICAS"),
        ({"S3_BUCKET": "b", "S3_ACCESS_KEY": "a"}, "S3_SECRET_KEY"),
        ({**BUCKET, "S3_USE_PATH_STYLE": "maybe"}, "S3_USE_PATH_STYLE"),
        ({**BUCKET, "S3_PRESIGN_TTL": "0"}, "S3_PRESIGN_TTL"),
        ({"WHISPER_MODEL": "large"}, "WHISPER_URL"),
        ({"SMTP_HOST": "mail"}, "SMTP_FROM"),
        ({"SMTP_PORT": "25", "SMTP_FROM": "a@example.com"}, "SMTP_HOST"),
        ({**MAIL, "SMTP_FROM": "nobody"}, "SMTP_FROM"),
        ({**MAIL, "SMTP_PORT": "0"}, "SMTP_PORT"),
        ({**MAIL, "SMTP_USER": "me"}, "SMTP_PASS"),
        ({"SMTP_TO": "a@example.com, nobody"}, "SMTP_TO"),
        ({"WEBHOOK_ALLOW_PRIVATE": "maybe"}, "WEBHOOK_ALLOW_PRIVATE"),
        ({"DELIVERY_BACKOFF": "0"}, "DELIVERY_BACKOFF"),
        ({"OLLAMA_URL": "http://a"}, "OLLAMA_URL"),
        ({"OLLAMA_MODEL": "llama"}, "OLLAMA_URL"),
        ({"CLAUDE_MODEL": "claude-x"}, "CLAUDE_API_KEY"),
        ({"CLAUDE_API_KEY": "hunter2-claude", "CLAUDE_MAX_TOKENS": "0"}, "CLAUDE_MAX_TOKENS"),
        ({"CONTEXT_MESSAGE_LIMIT": "0"}, "CONTEXT_MESSAGE_LIMIT"),
        ({"RATE_LIMIT_BURST": "0"}, "RATE_LIMIT_BURST"),
        ({"CORS_ORIGINS": "https://a.example/"}, "CORS_ORIGINS"),
        ({"CORS_ORIGINS": "*,https://a.example"}, "CORS_ORIGINS"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "otel:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ],
)
def test_a_mistake_names_its_setting(environ: dict[str, str], name: str):
    assert set(mistakes(**environ)) == {name}


def test_mistakes_do_not_repeat_secrets():
    told = str(mistakes(API_KEY="pass word", NATS_URL="http://me:hunter2@a", DATABASE_URL="x://me:hunter2@a"))
    assert "hunter2" not in told
    assert "pass word" not in told


def test_the_representation_shows_no_secret():
    shown = repr(
        Settings.read(
            {
                "API_KEY": "hunter2-api-key",
                "CLAUDE_API_KEY": "hunter2-claude-key",
                "NATS_URL": "nats://app:hunter2@a:4222,nats://app:hunter2@b:4222",
                "DATABASE_URL": "postgresql://me:hunter2@ss/x@a/db?sslpassword=hunter2&x=1",
                **BUCKET,
            }
        )
    )
    assert "hunter2" not in shown
    assert "very-secret" not in shown
    assert "AKIA" not in shown
    assert "blobs" in shown


@given(
    st.dictionaries(st.sampled_from([*BUCKET, "PORT", "HOST", "NATS_URL", "DATABASE_URL", "SYNC"]), st.text())
)
def test_no_environment_breaks_the_reader(environ: dict[str, str]):
    with suppress(BadSettings):
        Settings.read(environ)


def test_compute_servers_come_with_the_key_that_opens_them():
    several = Settings.read({"COMPUTE_URL": "http://a:8080, http://b:8080", "API_KEY": "a-key-of-my-own"})
    assert several.compute_urls == ("http://a:8080", "http://b:8080")
    assert Settings.read({}).compute_urls == ()
    assert "without API_KEY" in mistakes(COMPUTE_URL="http://a:8080")["COMPUTE_URL"]


def test_the_index_before_a_promotion_is_kept_for_a_day_unless_set():
    assert Settings.read({}).reindex_grace == 86_400
    assert Settings.read({"REINDEX_GRACE": "0"}).reindex_grace == 0
    assert "REINDEX_GRACE" in mistakes(REINDEX_GRACE="soon")
