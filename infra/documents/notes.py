"""What stands beside the pages of an Office document: footnotes, headers, and what a speaker is to say to a slide."""

import re
import zipfile
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from posixpath import join, normpath, split
from xml.etree import ElementTree

Written = Sequence[tuple[int, str]]
"""Pages by their numbers."""
FOOTNOTE = re.compile(r"^\[\^\d+\]:\n {4}(.+)$", re.MULTILINE)
"""In the whole text."""
LABEL = re.compile(r"^\[\^\d+\]:[ \t]*$", re.MULTILINE)
"""On a page, where the note itself is missing."""
_MARGIN = re.compile(r"word/(header|footer)\d*\.xml")
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SHOW = "ppt/presentation.xml"
_BY = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SLIDE = re.compile(r"ppt/slides/slide(\d+)\.xml")
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SHOWN = "{http://schemas.openxmlformats.org/presentationml/2006/main}"


def with_footnotes(pages: Written, whole: str) -> Written:
    """Each note on the page that refers to it, in their common order; on the last one where pages do not tell."""
    notes = FOOTNOTE.findall(whole)
    if not notes or not pages:
        return pages
    if sum(len(LABEL.findall(text)) for _, text in pages) != len(notes):
        *others, (number, text) = pages
        return [*others, (number, "\n\n".join((text, *notes)).strip())]
    left = iter(notes)
    return [(number, LABEL.sub(lambda label: f"{label[0]} {next(left)}", text)) for number, text in pages]


def with_margins(pages: Written, content: bytes) -> Written:
    """Headers above the first page and footers below the last: once, though readers see them on every page."""
    lines: dict[str, dict[str, None]] = {"header": {}, "footer": {}}
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for file in sorted(archive.namelist()):
            if margin := _MARGIN.fullmatch(file):
                lines[margin[1]] |= dict.fromkeys(_lines(archive.read(file)))
    above, below = "\n".join(lines["header"]), "\n".join(lines["footer"])
    last = len(pages) - 1
    return [
        (number, "\n\n".join(filter(None, (above if n == 0 else "", text, below if n == last else ""))))
        for n, (number, text) in enumerate(pages)
    ]


def _lines(margin: bytes) -> Iterator[str]:
    """Its paragraphs, without those that only count pages."""
    for element in _elements(margin):
        if element.tag == f"{_WORD}p":
            written = {f"{_WORD}t", f"{_WORD}tab"}
            line = "".join(each.text or " " for each in element.iter() if each.tag in written).strip()
            if any(map(str.isalpha, line)):
                yield line


def with_spoken(pages: Written, content: bytes) -> Written:
    """Each slide with its speaker's notes below, in the order in which they are shown.

    The parser's is that of the files' numbers, which a tool that moves slides need not change.
    """
    with zipfile.ZipFile(BytesIO(content)) as archive:
        names = set(archive.namelist())
        files = [
            file
            for _, file in sorted((int(each[1]), each[0]) for each in map(_SLIDE.fullmatch, names) if each)
        ]
        if len(files) != len(pages):
            return pages
        told = {
            file: "\n\n".join(filter(None, (text, _spoken(archive, names, file))))
            for file, (_, text) in zip(files, pages, strict=True)
        }
        shown = list(dict.fromkeys(file for file in _order(archive, names) if file in told))
    return list(enumerate((told[file] for file in (shown if len(shown) == len(files) else files)), start=1))


def _order(archive: zipfile.ZipFile, names: Container[str]) -> Iterator[str]:
    """The files of slides as they are shown."""
    if _SHOW not in names:
        return
    files = dict(_related(archive, names, _SHOW, "/slide"))
    for each in _elements(archive.read(_SHOW)):
        if each.tag == f"{_SHOWN}sldId":
            yield files.get(each.get(_BY, ""), "")


def _spoken(archive: zipfile.ZipFile, names: Container[str], slide: str) -> str:
    """A speaker's notes to a slide."""
    notes = (file for _, file in _related(archive, names, slide, "/notesSlide") if file in names)
    return "\n".join(filter(None, (_body(archive.read(file)) for file in notes)))


def _related(
    archive: zipfile.ZipFile, names: Container[str], file: str, kind: str
) -> Iterator[tuple[str, str]]:
    """Files that this one refers to, by its names for them."""
    folder, name = split(file)
    relations = f"{folder}/_rels/{name}.rels"
    if relations in names:
        for each in _elements(archive.read(relations)):
            if each.get("Type", "").endswith(kind):
                yield each.get("Id", ""), normpath(join(folder, each.get("Target", ""))).removeprefix("/")


def _body(notes: bytes) -> str:
    """The paragraphs of the notes, without the slide's number, date and picture that stand beside them."""
    lines = []
    for shape in _elements(notes):
        place = shape.find(f".//{_SHOWN}ph") if shape.tag == f"{_SHOWN}sp" else None
        if place is not None and place.get("type") == "body":
            paragraphs = shape.iter(f"{_DRAWING}p")
            lines += ["".join(run.text or "" for run in each.iter(f"{_DRAWING}t")) for each in paragraphs]
    return "\n".join(lines).strip()


def _elements(content: bytes) -> Iterator[ElementTree.Element]:
    """None of what is no XML: for its notes alone no document is refused."""
    with suppress(ElementTree.ParseError):
        yield from ElementTree.fromstring(content).iter()  # noqa: S314 - what declares entities is refused before
