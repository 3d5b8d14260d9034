"""Documents of every kind become text with exact places; bad ones say what is wrong with them and hurt nobody."""

import asyncio
import resource
import shutil
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from infra.documents import Limits, Parsed, Parsers, ParserUnavailable, UnusableDocument, tiffs
from infra.documents.extraction import extract
from infra.documents.kinds import guessed
from infra.documents.ocr import installed
from infra.documents.parsing import _outcome
from tests.documents import files

QUICK = Limits(seconds=20)
PARSERS = Parsers()
parse = PARSERS.parse


@pytest.fixture(autouse=True, scope="module")
async def _ended() -> AsyncIterator[None]:
    yield
    await PARSERS.close()
    assert not _forkservers()


async def refused(content: bytes, name: str, limits: Limits = QUICK) -> str:
    """The code of the refusal."""
    with pytest.raises(UnusableDocument) as caught:
        await parse(content, name=name, limits=limits)
    assert caught.value.detail.endswith(".")
    assert "/tmp" not in caught.value.detail
    return caught.value.code


def pages_of(parsed: Parsed) -> list[str]:
    return [parsed.text[page.start_char : page.end_char] for page in parsed.pages]


async def test_a_pdf_has_pages_with_exact_places() -> None:
    parsed = await parse(files.pdf(), name="plan.pdf")
    assert parsed.media_type == "application/pdf"
    assert (parsed.title, parsed.metadata["author"]) == ("Boiler plan", "Ann Hendricks")
    assert [page.number for page in parsed.pages] == [1, 2, 3]
    first, second, third = pages_of(parsed)
    assert ("Twelve sheets of drywall" in first, second) == (True, "Second page: four valves.")
    assert third == "Third page: é ü ß."
    assert "created" in parsed.metadata


async def test_a_word_document_keeps_headings_tables_and_pages() -> None:
    parsed = await parse(files.docx(), name="notes.docx")
    first, second = pages_of(parsed)
    assert first.startswith("# Boiler room\n")
    assert "| Valves | 4 |" in first
    assert second == "The second page."
    assert (parsed.title, parsed.metadata["author"]) == ("Site notes", "Bob")


async def test_sheets_and_slides_are_pages() -> None:
    sheets = await parse(files.xlsx())
    slides = await parse(files.pptx())
    assert [each.splitlines()[0] for each in pages_of(sheets)] == ["## Plan", "## More"]
    assert "| Drywall | 12 |" in pages_of(sheets)[0]
    assert "Twelve sheets on the Second slide" in pages_of(slides)[1]


async def test_footnotes_stand_on_the_page_that_refers_to_them() -> None:
    first, second = pages_of(await parse(files.noted_docx(), name="notes.docx"))
    assert ("One." in first, first.endswith("By Miller.")) == (True, True)
    assert ("Two." in second, second.endswith("By Hendricks.")) == (True, True)


async def test_headers_and_footers_are_read_once() -> None:
    assert pages_of(await parse(files.headed_docx(), name="letter.docx")) == [
        "Hendricks Builders File 4711\n\nThe first page.",
        "The second page.\n\nConfidential",
    ]


async def test_slides_are_told_as_they_are_shown_each_with_what_its_speaker_is_to_say() -> None:
    slides = pages_of(await parse(files.spoken_pptx(), name="talk.pptx"))
    assert [slide.splitlines()[0] for slide in slides] == [f"## Slide {n}" for n in (*range(2, 12), 1)]
    assert slides[0] == "## Slide 2\n\nSay it\nslowly, 2 times."
    assert slides[9] == "## Slide 11\n\nSay it\nslowly, 11 times."
    assert sum("slowly" in slide for slide in slides) == 2


async def test_a_web_page_is_its_text_and_nothing_of_its_scripts_and_pictures() -> None:
    parsed = await parse(files.html(), name="plan.html")
    assert parsed.text.startswith("# Boiler\n\nTwelve **sheets** & 4 valves")
    assert ("alert" in parsed.text, "127.0.0.1" in parsed.text) == (False, False)
    assert (parsed.title, parsed.language, parsed.metadata["author"]) == ("Plan", "en", "Ann")


@pytest.mark.parametrize(
    ("depth", "tags"),
    [
        (512, ("div",)),
        (128, ("table", "tbody", "tr", "td")),
        (256, ("ul", "li")),
        (512, ("blockquote",)),
        (512, ("b",)),
    ],
)
async def test_what_stands_deep_in_a_web_page_is_read(depth: int, tags: tuple[str, ...]) -> None:
    assert "needle" in (await parse(files.deep(depth, *tags), name="plan.html")).text
    assert await refused(files.deep(depth + 1, *tags), "plan.html") == "DOCUMENT_TOO_DEEP"


async def test_elements_that_are_alone_or_need_no_end_are_not_deep() -> None:
    page = b"<html><body>" + b"<p>one<br><img src=x><li>two" * 3000 + b"<div>needle</div></body></html>"
    assert "needle" in (await parse(page, name="plan.html")).text


async def test_a_mail_is_its_headers_and_its_text() -> None:
    parsed = await parse(files.mail())
    assert parsed.media_type == "message/rfc822"
    assert "Twelve sheets of drywall." in parsed.text
    assert (parsed.title, parsed.metadata["author"]) == ("Boiler", "Ann")


@pytest.mark.parametrize(
    ("content", "name", "declared", "media_type", "text"),
    [
        (b"# Plan\r\n\r\nTwelve", "plan.md", "", "text/markdown", "# Plan\n\nTwelve"),
        (b"item,count\ndrywall,12", "", "text/csv; header=present", "text/csv", "item,count\ndrywall,12"),
        ("Größe: 90 cm — naïve".encode("cp1252"), "a.txt", "", "text/plain", "Größe: 90 cm — naïve"),
        ("Zwölf 😀".encode("utf-16"), "", "", "text/plain", "Zwölf 😀"),
        ("Zwölf mal".encode("utf-16-be"), "a.txt", "", "text/plain", "Zwölf mal"),
        ("Zwölf 😀".encode("utf-32"), "a.txt", "", "text/plain", "Zwölf 😀"),
        (b"<html>as it is", "page.txt", "", "text/plain", "<html>as it is"),
        (b"A PDF begins with %PDF-1.7", "a.md", "", "text/markdown", "A PDF begins with %PDF-1.7"),
    ],
)
def test_texts_stay_as_they_are(content: bytes, name: str, declared: str, media_type: str, text: str) -> None:
    parsed = extract(content, name, declared, QUICK, lambda: None)
    assert (parsed.media_type, parsed.text) == (media_type, text)


@pytest.mark.parametrize(
    ("charset", "encoding", "text"),
    [
        ("iso-8859-1", "cp1252", "Größe “so”"),
        ("Shift_JIS", "shift_jis", "日本語テキスト"),
        ("windows-1251", "cp1251", "Привет, мир"),
        ("utf-8", "utf-16", "Größe 😀"),
    ],
)
def test_a_web_page_is_read_in_the_encoding_that_it_names(charset: str, encoding: str, text: str) -> None:
    page = f"<html><head><meta charset={charset}><title>{text}</title></head><body>{text}</body></html>"
    parsed = extract(page.encode(encoding), "page.html", "", QUICK, lambda: None)
    assert (parsed.title, parsed.text) == (text, text)


def test_a_mail_is_what_its_reader_sees() -> None:
    page = b"<style>p { color: red }</style><script>alert()</script><p>Twelve <b>sheets</b></p>"
    parsed = extract(files.MAIL + b"Content-Type: text/html\r\n\r\n" + page, "a.eml", "", QUICK, lambda: None)
    assert "Twelve sheets" in parsed.text
    assert ("color" in parsed.text, "alert" in parsed.text) == (False, False)


BAD: list[tuple[str, Callable[[], bytes], str, str]] = [
    ("nothing at all", lambda: b"", "plan.pdf", "DOCUMENT_EMPTY"),
    ("a PDF with a password", files.locked, "plan.pdf", "DOCUMENT_ENCRYPTED"),
    ("an Office file with a password", files.locked_office, "plan.docx", "DOCUMENT_ENCRYPTED"),
    ("half a PDF", lambda: files.half(files.pdf()), "plan.pdf", "DOCUMENT_DAMAGED"),
    ("nearly a PDF", lambda: files.pdf()[:-60], "plan.pdf", "DOCUMENT_DAMAGED"),
    ("half a Word document", lambda: files.half(files.docx()), "plan.docx", "DOCUMENT_DAMAGED"),
    ("an empty workbook", files.empty_xlsx, "plan.xlsx", "DOCUMENT_NO_TEXT"),
    ("half a workbook", lambda: files.half(files.xlsx()), "plan.xlsx", "DOCUMENT_DAMAGED"),
    ("half a picture", lambda: files.half(files.picture()), "plan.png", "DOCUMENT_DAMAGED"),
    ("half a mail", files.cut_mail, "plan.eml", "DOCUMENT_DAMAGED"),
    ("junk after a PDF's head", lambda: b"%PDF-1.7\n" + files.junk() + b"%%EOF", "a.pdf", "DOCUMENT_DAMAGED"),
    ("junk", files.junk, "plan.pdf", "DOCUMENT_MISLABELLED"),
    ("junk without a name", files.junk, "", "DOCUMENT_UNSUPPORTED"),
    ("a program", lambda: b"\x7fELF" + files.junk(), "plan.exe", "DOCUMENT_UNSUPPORTED"),
    ("a picture called PDF", files.picture, "plan.pdf", "DOCUMENT_MISLABELLED"),
    ("a PDF called text", files.pdf, "plan.txt", "DOCUMENT_MISLABELLED"),
    ("a late PDF called text", lambda: b"\0\n" + files.pdf(), "plan.txt", "DOCUMENT_MISLABELLED"),
    ("a workbook called DOCX", files.xlsx, "plan.docx", "DOCUMENT_MISLABELLED"),
    ("text called PDF", lambda: b"not a PDF", "plan.pdf", "DOCUMENT_MISLABELLED"),
    ("an archive called DOCX", lambda: files.archive(a=b"b"), "plan.docx", "DOCUMENT_MISLABELLED"),
    ("a bomb", files.bomb, "plan.docx", "DOCUMENT_BOMB"),
    ("archives within archives", files.nested, "plan.docx", "DOCUMENT_BOMB"),
    ("an XML bomb", files.entities, "plan.docx", "DOCUMENT_BOMB"),
    ("a text in no known encoding", lambda: "Привет".encode("cp1251"), "a.txt", "DOCUMENT_MISLABELLED"),
    ("an archive that lies", files.lying, "plan.docx", "DOCUMENT_DAMAGED"),
    ("a page far too deep", lambda: files.deep(200_000, "div"), "plan.html", "DOCUMENT_TOO_DEEP"),
    ("10,000 pages", lambda: files.many_pages(10_000), "plan.pdf", "DOCUMENT_TOO_LONG"),
    ("an empty page", lambda: files.pdf(" "), "plan.pdf", "DOCUMENT_NO_TEXT"),
    ("spaces", lambda: b" \n\t " * 9, "plan.txt", "DOCUMENT_NO_TEXT"),
    ("a picture", files.picture, "plan.png", "OCR_UNAVAILABLE"),
    ("a scan", files.scan, "plan.pdf", "OCR_UNAVAILABLE"),
]


@pytest.mark.parametrize(
    ("content", "name", "code"), [each[1:] for each in BAD], ids=[each[0] for each in BAD]
)
def test_a_bad_file_says_what_is_wrong_with_it(content: Callable[[], bytes], name: str, code: str) -> None:
    with pytest.raises(UnusableDocument) as caught:
        extract(content(), name, "", QUICK, lambda: None)
    assert (caught.value.code, caught.value.detail[-1]) == (code, ".")


async def test_a_bad_file_ends_in_a_process_of_its_own() -> None:
    assert await refused(files.bomb(), "plan.docx") == "DOCUMENT_BOMB"
    assert await refused(files.half(files.pdf()), "plan.pdf") == "DOCUMENT_DAMAGED"


async def test_a_page_that_is_a_picture_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    without_tesseract = Parsers()
    parsed = await without_tesseract.parse(files.scan("Four é valves."), name="plan.pdf")
    await without_tesseract.close()
    assert pages_of(parsed) == ["Four é valves.", ""]
    assert parsed.metadata["pagesWithoutText"] == "1"
    assert parsed.metadata["unread"] == (
        "1 of 2 pages has no text; reading pictures of it needs tesseract, which is not installed on the server."
    )


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="reads pictures, which needs tesseract")
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
async def test_pictures_are_read_and_text_beside_them_stays_as_it_is(form: str) -> None:
    assert (await parse(files.picture(form))).text == "Twelve sheets of drywall"
    pages = pages_of(await parse(files.scan("Four é valves."), name="plan.pdf"))
    assert pages == ["Four é valves.", "Twelve sheets of drywall"]


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="reads pictures, which needs tesseract")
async def test_every_page_of_a_fax_is_read() -> None:
    assert pages_of(await parse(files.faxed())) == ["Twelve sheets of drywall", "Four valves"]


def test_each_picture_of_a_fax_is_alone_and_a_circle_of_them_ends() -> None:
    made = bytearray(files.faxed())
    alone = list(tiffs.pages(bytes(made)))
    assert [next(iter(tiffs.pages(each))) for each in alone] == alone
    assert [len(list(tiffs.pages(each))) for each in alone] == [1, 1]
    (first,) = struct.unpack_from("<I", made, 4)
    (entries,) = struct.unpack_from("<H", made, first)
    struct.pack_into("<I", made, first + 2 + 12 * entries, first)
    assert len(list(tiffs.pages(bytes(made)))) == 1
    assert not list(tiffs.pages(made[:9]))


@pytest.mark.parametrize(
    ("told", "languages"),
    [
        ('List of available languages in "/data/" (3):\\ndeu\\neng\\nosd', ("eng", "deu")),
        ('List of available languages in "/data/" (1):\\nosd', None),
        ("Error opening data file", None),
    ],
)
def test_a_tesseract_is_asked_for_its_languages(
    told: str, languages: tuple[str, ...] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "tesseract"
    program.write_text(f"#!/bin/sh\nprintf '{told}\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = installed()
    assert (found and (found.folder, found.languages)) == (languages and ("/data/", languages))


async def test_what_is_too_large_or_too_long_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"x" * 2000)
    assert await refused(large.read_bytes(), "", Limits(size=1000)) == "DOCUMENT_TOO_LARGE"
    assert await refused(large.read_bytes(), "", Limits(characters=1000)) == "DOCUMENT_TOO_LONG"


async def test_a_file_that_takes_too_much_memory_or_time_is_stopped_and_this_process_stays_small() -> None:
    swelling = files.tiresome()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert await refused(swelling, "", Limits(memory=120 << 20)) == "DOCUMENT_MEMORY"
    assert await refused(swelling, "", Limits(seconds=1)) == "DOCUMENT_TIMEOUT"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10


async def test_cancelling_stops_the_work_and_leaves_no_process() -> None:
    work = asyncio.create_task(parse(files.tiresome()))
    await _begun()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not _at_work()


async def test_documents_are_read_beside_one_that_takes_long() -> None:
    long = asyncio.create_task(parse(files.tiresome()))
    await _begun()
    parsed = await asyncio.gather(*(parse(f"Document {n}.".encode(), name="a.txt") for n in range(8)))
    assert [each.text for each in parsed] == [f"Document {n}." for n in range(8)]
    assert len(_at_work()) == 1
    long.cancel()
    await asyncio.wait([long])


async def test_closing_ends_what_is_at_work() -> None:
    parsers = Parsers()
    work = asyncio.create_task(parsers.parse(files.tiresome()))
    await _begun()
    (at_work,) = _at_work()
    await parsers.close()
    with pytest.raises(ParserUnavailable):
        await work
    assert not at_work.is_running()


async def test_when_the_fork_server_is_killed_its_forks_end_and_another_is_started() -> None:
    work = asyncio.create_task(parse(files.tiresome()))
    await _begun()
    (at_work,) = _at_work()
    for server in _forkservers():
        server.kill()
    with pytest.raises(ParserUnavailable):
        await work
    async with asyncio.timeout(60):
        while at_work.is_running() and at_work.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await parse(b"It goes on.")).text == "It goes on."


@pytest.mark.parametrize("name", ["plan\udcff.txt", "plan\0.txt", "x" * 10_000, "two\nlines.txt"])
async def test_a_document_may_be_called_anything(name: str) -> None:
    assert (await parse(b"A plan.", name=name)).text == "A plan."


async def _begun() -> None:
    async with asyncio.timeout(60):
        while not _at_work():  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.01)


def _forkservers() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "infra.documents.forkserver" in each.cmdline()]


def _at_work() -> list[psutil.Process]:
    return [fork for server in _forkservers() for fork in server.children()]


def test_a_parser_that_crashes_blames_the_file_and_one_that_is_killed_does_not() -> None:
    for exit_code, said, code in (
        (-11, b"", "DOCUMENT_DAMAGED"),
        (-6, b"memory allocation of 9 bytes failed", "DOCUMENT_MEMORY"),
    ):
        with pytest.raises(UnusableDocument) as caught:
            _outcome(exit_code, said, b"")
        assert caught.value.code == code
    for exit_code, answer in ((-9, b""), (0, b""), (0, b"=junk"), (1, b"!")):
        with pytest.raises(ParserUnavailable):
            _outcome(exit_code, b"", answer)


def test_a_pdf_may_begin_late_unless_it_is_a_text_by_its_name() -> None:
    for name, media_type in (
        ("a.pdf", "application/pdf"),
        ("", "application/pdf"),
        ("a.md", "text/markdown"),
    ):
        assert guessed(b"From a scanner:\n%PDF-1.7\n", name, "") == media_type


def test_a_file_of_many_comments_is_told_at_once() -> None:
    """It is looked at by the process that answers requests."""
    comments = b"<!-- a -->" * 500
    assert guessed(comments + b"x", "", "") == "text/plain"
    assert guessed(b"<?xml version='1.0'?>\n" + comments + b"<!DOCTYPE html>", "", "") == "text/html"
