"""Real files of every kind, and bad ones, through the whole."""

import shutil

import aiohttp

from tests.documents import files
from tests.knowledge.asking import ask, collection, over, upload

GOOD = {
    "report.pdf": lambda: files.pdf("First page here.", "Second page there."),
    "letter.docx": files.docx,
    "list.xlsx": files.xlsx,
    "slides.pptx": files.pptx,
    "page.html": files.html,
    "note.eml": files.mail,
    "table.csv": lambda: b"item,count\ndoor,3\nwindow,5\n",
    "readme.md": lambda: b"# Doors\n\nThree are hung.\n\n# Windows\n\nFive are not.\n",
}
BAD = {
    "locked.pdf": files.locked,
    "cut.pdf": lambda: files.half(files.pdf("Some page.")),
    "bomb.docx": files.bomb,
    "junk.bin": files.junk,
}


async def test_files_of_every_kind_can_be_read(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    taken = await upload(http, *((each, make()) for each, make in GOOD.items()), collection=name)
    for each in taken["documents"]:
        told = await over(http, each["ingestionId"], taken["position"])
        assert told["status"] == "completed", told
    listed = await ask(http, "GET", f"/v1/documents?collection={name}&status=completed")
    assert {each["fileName"] for each in listed["items"]} == set(GOOD)
    assert all(each["chunks"] for each in listed["items"])
    pdf = next(each for each in listed["items"] if each["fileName"] == "report.pdf")
    chunks = (await ask(http, "GET", f"/v1/documents/{pdf['id']}/chunks"))["items"]
    assert [(each["page"], each["text"]) for each in chunks] == [
        (1, "First page here."),
        (2, "Second page there."),
    ]
    [hit] = (await ask(http, "GET", f"/v1/search?q=second+page&limit=1&documentId={pdf['id']}"))["hits"]
    assert (hit["page"], hit["documentId"]) == (2, pdf["id"])
    found = await ask(http, "GET", f"/v1/documents?collection={name}&text=DOCX")
    assert [each["fileName"] for each in found["items"]] == ["letter.docx"]


async def test_a_bad_file_fails_with_a_clear_word_and_can_be_retried(http: aiohttp.ClientSession) -> None:
    name = await collection(http)
    taken = await upload(http, *((each, make()) for each, make in BAD.items()), collection=name)
    codes = {}
    for each in taken["documents"]:
        told = await over(http, each["ingestionId"], taken["position"])
        assert (told["status"], told["stage"]) == ("failed", "parsing"), told
        codes[each["fileName"]] = told["stages"][0]["error"]["code"]
    assert len(set(codes.values())) >= 3, codes
    assert all(code.startswith(("DOCUMENT_", "OCR_")) for code in codes.values()), codes
    last = taken["documents"][-1]["ingestionId"]
    again = await ask(http, "POST", f"/v1/ingestions/{last}/retry", status=202)
    assert (await over(http, last, again["position"]))["status"] == "failed"
    statistics = await ask(http, "GET", "/v1/ingestions/statistics")
    assert statistics["byStatus"]["failed"] >= len(BAD)
    assert set(codes.values()) <= set(statistics["failures"])
    failed = await ask(http, "GET", f"/v1/ingestions?collection={name}&status=failed")
    assert len(failed["items"]) == len(BAD)


async def test_a_picture_is_read_where_that_is_possible_and_else_a_clear_word_says_why(
    http: aiohttp.ClientSession,
) -> None:
    name = await collection(http)
    taken = await upload(http, ("photo.png", files.picture()), collection=name)
    told = await over(http, taken["documents"][0]["ingestionId"], taken["position"])
    if shutil.which("tesseract") is None:
        assert told["status"] == "failed"
        assert "tesseract" in told["stages"][0]["error"]["detail"].lower()
