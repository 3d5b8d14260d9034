"""What the command line says before it does anything."""

from pathlib import Path

import pytest

from tests.deployment import bare_environment, headwater

COMMANDS = (
    "up",
    "serve",
    "work",
    "project",
    "migrate",
    "rebuild",
    "streams",
    "dead-letters",
    "keys",
    "doctor",
)


async def test_help_names_every_command(tmp_path: Path) -> None:
    helped = await headwater("--help", environment=bare_environment(tmp_path))
    assert helped.status == 0
    assert [each for each in COMMANDS if f"\n    {each}" not in helped.out] == []


async def test_every_wrong_setting_is_named_at_once_and_no_secret_is_shown(tmp_path: Path) -> None:
    wrong = bare_environment(
        tmp_path,
        PORT="eighty",
        API_KEY="short",
        SYNC="never",
        DATABASE_URL="mysql://me:hidden@db/x",
        S3_BUCKET="b",
    )
    started = await headwater("serve", environment=wrong)
    assert started.status == 2
    for name in ("PORT", "API_KEY", "SYNC", "DATABASE_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY"):
        assert f"  {name} " in started.err
    assert "short" not in started.err
    assert "hidden" not in started.err
    assert "Traceback" not in started.err


@pytest.mark.parametrize("arguments", [("keys", "list"), ("serve",), ("rebuild", "all")])
async def test_without_a_running_headwater_commands_say_how_to_get_one(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    alone = await headwater(*arguments, environment=bare_environment(tmp_path))
    assert alone.status == 1
    assert alone.err == (
        f"No Headwater runs in {tmp_path}. Start one with `headwater up`, "
        "or set NATS_URL and DATABASE_URL to servers that run elsewhere.\n"
    )


async def test_what_cannot_be_understood_is_status_two(tmp_path: Path) -> None:
    for arguments in ((), ("fly",), ("dead-letters",), ("keys", "issue", "phones")):
        misunderstood = await headwater(*arguments, environment=bare_environment(tmp_path))
        assert (misunderstood.status, "usage:" in misunderstood.err) == (2, True), arguments


@pytest.mark.parametrize(
    "command", [("doctor",), ("keys", "list"), ("serve",), ("streams",), ("upload", __file__)]
)
async def test_a_home_that_is_none_is_told_in_a_line(command: tuple[str, ...], tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.touch()
    told = await headwater(*command, environment=bare_environment(tmp_path, HEADWATER_HOME=str(home)))
    assert told.status in {1, 2}
    assert f"{home} cannot be used: Not a directory." in told.err, told
    assert "Traceback" not in told.err
