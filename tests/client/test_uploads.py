"""Uploads over a network that breaks: each file is taken once, however often it was sent."""

import asyncio
from pathlib import Path

import pytest

from app.client import Headwater, Refused, Unreachable
from app.client.files import upload_of
from app.search.views import ScopeBody, SearchAnswer
from events.ids import new_id
from tests.client.conftest import HASTY
from tests.client.proxy import Proxy
from tests.deployment import KEY
from tests.jobsite.uploads import sound


def recording(folder: Path, name: str = "note.wav") -> Path:
    path = folder / name
    path.write_bytes(sound(30))
    return path


@pytest.mark.parametrize(
    ("requests", "answers"),
    [([], []), ([100], []), ([70_000], []), ([200_000, 150_000], []), ([], [10]), ([], [200, 0])],
    ids=["a good day", "at once", "early", "twice", "in the answer", "no answer, twice"],
)
async def test_a_recording_is_accepted_once_whatever_breaks(
    client: Headwater, proxy: Proxy, tmp_path: Path, requests: list[int], answers: list[int]
) -> None:
    proxy.cut_requests, proxy.cut_answers = requests, answers
    told: list[tuple[int, int]] = []
    path, job = recording(tmp_path, 'Küche "1" 100%25; b.wav'), new_id()
    taken = await client.upload(path, title="Küche", job_id=job, progress=lambda *far: told.append(far))
    size = path.stat().st_size
    assert (told[0], told[-1]) == ((0, size), (size, size))
    assert taken == await client.upload(path, title="Küche", job_id=job)
    [session] = [each async for each in client.sessions(job_id=job)]
    assert (session.id, session.file_name, session.size) == (taken.session_id, path.name, size)
    assert not proxy.cut_requests
    assert not proxy.cut_answers


async def test_the_same_file_with_other_fields_is_another_upload(client: Headwater, tmp_path: Path) -> None:
    path = recording(tmp_path)
    one = await client.upload(path)
    assert (await client.upload(path)).session_id == one.session_id
    assert (await client.upload(path, title="Other")).session_id != one.session_id
    assert (await client.upload(path, key=str(new_id()))).session_id != one.session_id


async def test_what_cannot_succeed_is_not_tried_again(
    client: Headwater, proxy: Proxy, tmp_path: Path
) -> None:
    path = tmp_path / "big.wav"
    path.write_bytes(b"no sound at all " * 500_000)
    with pytest.raises(Refused) as refused:
        await client.upload(path)
    assert (refused.value.status, refused.value.code) == (415, "AUDIO_UNSUPPORTED")
    assert refused.value.request_id
    assert len([head for head in proxy.heads if head.startswith(b"POST")]) == 1
    for key, code in (("wrong", "UNAUTHENTICATED"),):
        async with Headwater(proxy.url, key, patience=HASTY) as stranger:
            with pytest.raises(Refused) as refused:
                await stranger.session(new_id())
            assert refused.value.status == 401, code
    with pytest.raises(Refused) as refused:
        await client.session(new_id())
    assert refused.value.code == "SESSION_NOT_FOUND"


async def test_nobody_there_is_told_after_some_attempts(tmp_path: Path) -> None:
    async with Headwater("http://127.0.0.1:1", KEY, patience=HASTY) as lost:
        with pytest.raises(Unreachable) as away:
            await lost.upload(recording(tmp_path))
    assert away.value.attempts == HASTY.attempts


async def test_what_was_uploaded_can_be_read_at_once(client: Headwater, tmp_path: Path) -> None:
    for n in range(3):
        taken = await client.upload(recording(tmp_path, f"{n}.wav"))
        assert (await client.status(taken.session_id)).session_id == taken.session_id


async def test_the_body_says_how_long_it_is(tmp_path: Path) -> None:
    path = recording(tmp_path)
    upload = await upload_of(path, {"title": "x", "jobId": None})
    pieces, headers = upload.body(lambda *_: None)
    assert sum([len(each) async for each in pieces]) == int(headers["Content-Length"])


def test_waiting_gets_longer_and_heeds_the_server() -> None:
    for attempt, most in ((1, 0.02), (2, 0.04), (3, 0.08), (9, 0.1)):
        assert most / 2 <= HASTY.delay(attempt) <= most
    assert HASTY.delay(1, 7) == 7


async def found(client: Headwater, scope: ScopeBody) -> SearchAnswer:
    """Wait until what was said can be found."""
    async with asyncio.timeout(60):
        while not (answer := await client.search("order drywall", scope=scope)).hits:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return answer


async def test_what_was_said_is_found(client: Headwater, tmp_path: Path) -> None:
    taken = await client.upload(recording(tmp_path), title="Found")
    scope = ScopeBody(session_id=taken.session_id)
    assert (await found(client, scope)).hits[0].title == "Found"
    await client.delete_session(taken.session_id)
    assert (await client.search("order drywall", scope=scope)).hits == ()
