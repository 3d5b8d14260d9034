"""The command line: `headwater up`, and each part of it alone."""

import argparse
import os
import sys

from app.environment import BadSettings
from app.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status. 2 means that it was asked wrongly or is set up wrongly."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        settings = Settings.read(os.environ)
    except BadSettings as mistakes:
        print(mistakes, file=sys.stderr)
        return 2
    return _run(asked, settings)


def _run(asked: argparse.Namespace, settings: Settings) -> int:
    """Import what the command needs, and only that: `--help` is instant and a command starts in a moment."""
    from app.cli import running

    if asked.command == "up":
        from app.cli.up import up

        return running.until_stopped(up(settings, demo=asked.demo))
    if asked.command == "doctor":
        from app.cli.doctor import doctor

        return running.once(doctor(settings))
    if asked.command in {"serve", "work", "project", "compute"}:
        from app.cli import parts

        return running.until_stopped(parts.PARTS[asked.command](settings))
    if asked.command == "upload":
        from app.cli.upload import upload

        return running.once(upload(settings, asked))
    if asked.command == "ingest":
        from app.cli.ingest import ingest

        return running.once(ingest(settings, asked))
    from app.cli import keys, letters, models, streams

    commands = {
        "migrate": models.migrate,
        "rebuild": models.rebuild,
        "streams": streams.show_streams,
        "keys": keys.keys,
        "dead-letters": letters.dead_letters,
    }
    return running.once(commands[asked.command](settings, asked))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headwater",
        description="One event-sourced backend. Settings come from the environment: see README.md.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run everything: embedded servers, API, handlers and projections")
    up.add_argument("--demo", action="store_true", help="show what it does with the bundled recording")
    commands.add_parser("serve", help="run the API")
    commands.add_parser("work", help="run the handlers")
    commands.add_parser("project", help="run the projections")
    commands.add_parser(
        "compute", help="run the stateless work on documents and texts, for workers elsewhere"
    )
    commands.add_parser(
        "migrate", help="make the schemas of the read models; rebuild those of an older shape"
    )
    rebuild = commands.add_parser(
        "rebuild", help="rebuild a read model from the log, beside the one that serves"
    )
    rebuild.add_argument("projection", help="its name, or `all`")
    rebuild.add_argument("--dry-run", action="store_true", help="only compare the two")
    streams = commands.add_parser("streams", help="make missing streams; show all, and where one has drifted")
    streams.add_argument("--json", action="store_true", help="for programs")
    _dead_letters(commands.add_parser("dead-letters", help="events that a handler could not deal with"))
    _keys(commands.add_parser("keys", help="API keys"))
    _upload(commands.add_parser("upload", help="upload recordings to a Headwater, here or elsewhere"))
    _ingest(commands.add_parser("ingest", help="put files and folders into a collection of documents"))
    commands.add_parser("doctor", help="check every dependency and say how to mend what is wrong")
    return parser


def _ingest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder with all that is in it")
    parser.add_argument("--collection", required=True, help="where the documents go")
    parser.add_argument("--create", action="store_true", help="make the collection if there is none")
    parser.add_argument(
        "--pattern", action="append", default=[], metavar="GLOB", help="only such names, as *.pdf; repeatable"
    )
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="no such names; repeatable"
    )
    parser.add_argument("--strategy", help="how texts are cut: sentences, headings, recursive or tokens")
    parser.add_argument("--size", type=int, help="of a chunk")
    parser.add_argument("--overlap", type=int, help="of two chunks")
    parser.add_argument("--metadata", help="what is said of every document: a JSON object")
    parser.add_argument("--wait", action="store_true", help="until every document can be found")
    parser.add_argument("--url", help="where Headwater is; else PUBLIC_URL, or HOST and PORT")
    parser.add_argument("--key", help="an API key; else API_KEY, or the one in HEADWATER_HOME")


def _upload(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a recording")
    parser.add_argument("--job", help="the id of the job it belongs to")
    parser.add_argument("--title")
    parser.add_argument("--recorded", help="when it was recorded, such as 2026-11-16T07:30:00Z")
    parser.add_argument("--notify", help="who gets the report by mail")
    parser.add_argument(
        "--attach", action="append", default=[], metavar="FILE", help="a file that belongs to it; repeatable"
    )
    parser.add_argument("--wait", action="store_true", help="until all stages have ended")
    parser.add_argument(
        "--again", action="store_true", help="as another recording, though this file was uploaded before"
    )
    parser.add_argument("--url", help="where Headwater is; else PUBLIC_URL, or HOST and PORT")
    parser.add_argument("--key", help="an API key; else API_KEY, or the one in HEADWATER_HOME")


def _dead_letters(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="list them, in the order of their events")
    listing.add_argument(
        "--status", default="open", choices=("open", "redriving", "resolved", "discarded", "all")
    )
    listing.add_argument("--handler", help="only those of this handler")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    show = verbs.add_parser("show", help="one of them, with its event")
    show.add_argument("id")
    redrive = verbs.add_parser("redrive", help="handle its event again")
    redrive.add_argument("id", nargs="?")
    redrive.add_argument("--all", action="store_true", help="every open one, in the order of their events")
    redrive.add_argument("--handler", help="with --all: only those of this handler")
    discard = verbs.add_parser("discard", help="decide that its event need not be handled")
    discard.add_argument("id")
    discard.add_argument("--reason", default="")


def _keys(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="list the keys in force")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    issue = verbs.add_parser("issue", help="make a key; its secret is printed once")
    issue.add_argument("name")
    issue.add_argument(
        "--scope", action="append", required=True, help="such as jobsite:read, or *; repeatable"
    )
    issue.add_argument("--expires", help="when it stops working, such as 2027-01-31T00:00:00Z")
    revoke = verbs.add_parser("revoke", help="make a key worthless")
    revoke.add_argument("id")
