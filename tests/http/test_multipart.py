"""Uploads: fields and one file, in any order, in any pieces, never more than allowed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest
from aiohttp import ClientResponse, FormData
from hypothesis import given
from hypothesis import strategies as st

from app.http.parts import parts
from app.http.problems import Malformed
from tests.http.site import LIMIT, Site
from tests.http.test_problems import problem

JOB = "01890a5d-ac96-774b-bcce-b302099a8057"


def form(*fields: tuple[str, object], filename: str = "a.wav") -> FormData:
    made = FormData(default_to_multipart=True)
    for name, value in fields:
        if isinstance(value, bytes):
            made.add_field(name, value, filename=filename, content_type="audio/wav")
        else:
            made.add_field(name, str(value))
    return made


def encoded(*fields: tuple[str, bytes], boundary: str = "b") -> bytes:
    disposition = 'Content-Disposition: form-data; name="{}"\r\n\r\n'
    return (
        b"".join(
            f"--{boundary}\r\n{disposition.format(name)}".encode() + value + b"\r\n" for name, value in fields
        )
        + f"--{boundary}--\r\n".encode()
    )


async def post(
    site: Site, body: object, content_type: str | None = "multipart/form-data; boundary=b"
) -> ClientResponse:
    headers = site.auth | (
        {"Content-Type": content_type} if content_type and not isinstance(body, FormData) else {}
    )
    return await site.client.post("/v1/files", headers=headers, data=body)


async def test_fields_may_stand_before_and_after_the_file(site: Site):
    body = form(
        ("jobId", JOB),
        ("file", b"x" * 200_000),
        ("title", " Tuesday "),
        ("recordedAt", "2025-06-01T12:00:00Z"),
    )
    async with await post(site, body) as response:
        answer = await response.json()
    assert answer["fields"] == {"jobId": JOB, "title": "Tuesday", "recordedAt": "2025-06-01T12:00:00Z"}
    assert (answer["bytes"], answer["name"]) == (200_000, "a.wav")
    assert answer["largest"] <= 1 << 18


async def test_an_empty_field_counts_as_left_out(site: Site):
    async with await post(site, form(("jobId", ""), ("file", b"x"))) as response:
        assert (await response.json())["fields"]["jobId"] is None


async def test_an_empty_file_is_a_file(site: Site):
    async with await post(site, form(("file", b""))) as response:
        assert (response.status, (await response.json())["bytes"]) == (202, 0)


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ([("title", "x")], 400, "FILE_MISSING", "file"),
        ([], 400, "FILE_MISSING", "file"),
        ([("file", b"x"), ("file", b"y")], 400, "DUPLICATE_FIELD", "file"),
        ([("title", "x"), ("title", "y"), ("file", b"x")], 400, "DUPLICATE_FIELD", "title"),
        ([("titel", "x"), ("file", b"x")], 400, "UNKNOWN_FIELD", "titel"),
        ([("upload", b"x")], 400, "UNKNOWN_FIELD", "upload"),
        ([("jobId", "x"), ("file", b"x")], 400, "INVALID_PARAMETER", "jobId"),
        ([("file", b"x"), ("recordedAt", "2025-06-01T12:00:00")], 400, "INVALID_PARAMETER", "recordedAt"),
        ([("title", "a\0b"), ("file", b"x")], 400, "INVALID_PARAMETER", "title"),
        ([("title", "x" * 70_000), ("file", b"x")], 413, "FIELD_TOO_LARGE", "title"),
        ([("file", b"x" * (LIMIT + 1))], 413, "FILE_TOO_LARGE", "file"),
    ],
)
async def test_a_bad_upload_is_refused(
    site: Site, fields: list[tuple[str, object]], status: int, code: str, field: str
):
    async with await post(site, form(*fields)) as response:
        assert (await problem(response, status, code))["field"] == field


async def test_a_file_of_exactly_the_limit_is_taken(site: Site):
    async with await post(site, form(("file", b"x" * LIMIT))) as response:
        assert (await response.json())["bytes"] == LIMIT


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (encoded(("file", b"x")), "application/json", 415, "MULTIPART_EXPECTED"),
        (encoded(("file", b"x")), "multipart/mixed; boundary=b", 415, "MULTIPART_EXPECTED"),
        (encoded(("file", b"x")), "multipart/form-data", 400, "MALFORMED_MULTIPART"),
        (encoded(("file", b"x")), f"multipart/form-data; boundary={'b' * 71}", 400, "MALFORMED_MULTIPART"),
        (encoded(("file", b"x")), "multipart/form-data; boundary=c", 400, "MALFORMED_MULTIPART"),
        (encoded(("file", b"x"))[:-4], "multipart/form-data; boundary=b", 400, "MALFORMED_MULTIPART"),
        (encoded(("file", b"x"))[:40], "multipart/form-data; boundary=b", 400, "MALFORMED_MULTIPART"),
        (b"", "multipart/form-data; boundary=b", 400, "MALFORMED_MULTIPART"),
        (b"--b\r\nno colon\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", 400, "MALFORMED_MULTIPART"),
        (b"--b\r\nX: \xff\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", 400, "MALFORMED_MULTIPART"),
        (b"--b\r\nX: y\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", 400, "MALFORMED_MULTIPART"),
        (b"--b junk\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", 400, "MALFORMED_MULTIPART"),
        (
            b"--b\r\nX: " + b"y" * 9000 + b"\r\n\r\nx\r\n--b--",
            "multipart/form-data; boundary=b",
            400,
            "MALFORMED_MULTIPART",
        ),
    ],
)
async def test_what_is_not_a_form_is_refused(
    site: Site, body: bytes, content_type: str, status: int, code: str
):
    async with await post(site, body, content_type) as response:
        await problem(response, status, code)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\\\fakepath\\\\a.wav", "a.wav"),
        ("../../etc/passwd", "passwd"),
        ("Aufnahme läuft.ogg", "Aufnahme läuft.ogg"),
        ('say \\"hi\\".mp3', 'say "hi".mp3'),
        ("", ""),
    ],
)
async def test_a_filename_is_a_name_and_no_path(site: Site, sent: str, kept: str):
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{sent}"\r\n\r\n'
    async with await post(site, head.encode() + b"x\r\n--b--") as response:
        assert (await response.json())["name"] == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('filename="Aufnahme%20l%C3%A4uft.ogg"', "Aufnahme läuft.ogg"),
        ('filename="..%2F..%2Fa%0A.wav"', "a.wav"),
        ('filename="100%.txt"', "100%.txt"),
        ('filename="a%20b c.txt"', "a%20b c.txt"),
        ('filename="a%FF.txt"', "a%FF.txt"),
        ("filename*=UTF-8''Aufnahme%20l%C3%A4uft.ogg", "Aufnahme läuft.ogg"),
        ("filename=\"=?utf-8?B?w6Q=?=\"; filename*=utf-8'de'%C3%A4.wav", "ä.wav"),
    ],
)
async def test_a_filename_is_read_however_its_client_writes_other_letters(site: Site, sent: str, kept: str):
    head = f'--b\r\nContent-Disposition: form-data; name="file"; {sent}\r\n\r\n'
    async with await post(site, head.encode() + b"x\r\n--b--") as response:
        assert (await response.json())["name"] == kept


async def test_an_upload_that_is_too_large_is_refused_without_being_read(site: Site):
    head = f"POST /v1/files HTTP/1.1\r\nHost: x\r\nX-Api-Key: {site.key}\r\nContent-Length: 10737418240\r\n"
    head += "Content-Type: multipart/form-data; boundary=b\r\n"
    for expect in ("", "Expect: 100-continue\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(f"{head}{expect}\r\n".encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 60)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 413")


async def test_an_endless_upload_is_refused_at_the_limit(site: Site):
    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 100_000

    headers = {**site.auth, "Content-Type": "multipart/form-data; boundary=b"}
    async with site.client.post("/v1/files", headers=headers, data=endless()) as response:
        await problem(response, 413, "FILE_TOO_LARGE")


async def test_an_endless_preamble_is_refused_at_the_limit(site: Site):
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"nothing\r\n" * 10_000

    headers = {**site.auth, "Content-Type": "multipart/form-data; boundary=b"}
    async with site.client.post("/v1/files", headers=headers, data=endless()) as response:
        await problem(response, 413, "BODY_TOO_LARGE")


async def test_a_client_that_asks_first_is_invited_only_when_its_upload_is_wanted(site: Site):
    body = encoded(("file", b"x"))
    head = f"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n"
    head += "Content-Type: multipart/form-data; boundary=b\r\nConnection: close\r\n"
    for key, first in (
        (site.key, b"HTTP/1.1 100 Continue\r\n"),
        ("hw_nobody", b"HTTP/1.1 401 Unauthorized\r\n"),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(f"{head}X-Api-Key: {key}\r\n\r\n".encode())
        assert await asyncio.wait_for(reader.readuntil(b"\r\n"), 60) == first
        if key == site.key:
            writer.write(body)
            assert b"HTTP/1.1 202" in await asyncio.wait_for(reader.read(), 60)
        writer.close()


async def pieces(body: bytes, cuts: Sequence[int]) -> AsyncIterator[bytes]:
    at = 0
    for cut in [*sorted(cut % (len(body) + 1) for cut in cuts), len(body)]:
        if cut > at:
            yield body[at:cut]
            at = cut


nearly = st.lists(
    st.sampled_from([b"\r\n", b"--", b"b", b"\r", b"\n--b", b"\r\n--", b"\r\n--c", b"x" * 50, b"\0"])
).map(b"".join)


@given(
    contents=st.lists(nearly, max_size=4),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
    preamble=st.booleans(),
)
async def test_parts_are_the_same_however_the_body_is_cut(
    contents: list[bytes], cuts: list[int], preamble: bool
):
    contents = [each for each in contents if b"\r\n--b" not in b"\r\n" + each]
    body = (b"hello\r\n" if preamble else b"") + encoded(
        *((f"n{n}", each) for n, each in enumerate(contents))
    )
    found = []
    async for part in parts(pieces(body, cuts), b"b"):
        found.append((part.name, b"".join([chunk async for chunk in part.content])))
    assert found == [(f"n{n}", each) for n, each in enumerate(contents)]


@given(contents=st.lists(nearly, min_size=1, max_size=4), cuts=st.lists(st.integers(0, 2000), max_size=12))
async def test_what_is_left_of_a_part_is_skipped(contents: list[bytes], cuts: list[int]):
    contents = [each for each in contents if b"\r\n--b" not in b"\r\n" + each]
    body = encoded(*((f"n{n}", each) for n, each in enumerate(contents)))
    names = []
    async for part in parts(pieces(body, cuts), b"b"):
        names.append(part.name)
        await anext(part.content, None)
    assert names == [f"n{n}" for n in range(len(contents))]


@given(body=nearly, cuts=st.lists(st.integers(0, 200), max_size=5))
async def test_junk_is_refused_or_ends(body: bytes, cuts: list[int]):
    with suppress(Malformed):
        async for part in parts(pieces(body, cuts), b"b"):
            async for _ in part.content:
                pass
