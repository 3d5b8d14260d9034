"""Documents of every kind, good and bad, made when they are asked for."""

import zipfile
from collections.abc import Sequence
from io import BytesIO
from typing import Any

PLAN = "Boiler room plan.\nTwelve sheets of drywall."
WORD_BODY = (
    b'<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    b"<w:body>%s</w:body></w:document>"
)
MAIL = (
    b"From: Ann <ann@example.com>\r\nTo: bob@example.com\r\nSubject: Boiler\r\n"
    b"Date: Mon, 16 Nov 2026 07:30:00 +0000\r\nMIME-Version: 1.0\r\n"
)


def pdf(*pages: str) -> bytes:
    """A PDF with these pages."""
    from fpdf import FPDF

    made = FPDF()
    made.set_title("Boiler plan")
    made.set_author("Ann Hendricks")
    for text in pages or (PLAN, "Second page: four valves.", "Third page: é ü ß."):
        made.add_page()
        made.set_font("helvetica", size=12)
        made.multi_cell(0, 8, text)
    return bytes(made.output())


def many_pages(count: int) -> bytes:
    """A PDF of very many pages, written by hand: all of them show the same."""
    kids = b" ".join(b"%d 0 R" % (4 + n) for n in range(count))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids),
        b"<</Length 0>>stream\n\nendstream",
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 3 0 R>>"] * count,
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for n, each in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (n, each)
    table = b"".join(b"%010d 00000 n \n" % at for at in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    out += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def locked(password: str = "secret") -> bytes:
    """A PDF that opens with a password."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf())))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    return _saved(writer.write)


def scan(text: str = "") -> bytes:
    """A PDF that is a picture of text, behind a page of text if there is one."""
    from fpdf import FPDF

    made = FPDF()
    if text:
        made.add_page()
        made.set_font("helvetica", size=12)
        made.multi_cell(0, 8, text)
    made.add_page()
    made.image(BytesIO(picture()), w=150)
    return bytes(made.output())


def picture(form: str = "PNG") -> bytes:
    """A picture of text."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (600, 200), "white")
    ImageDraw.Draw(image).text((20, 50), "Twelve sheets of drywall", fill="black", font_size=40)
    return _saved(lambda file: image.save(file, form))


def faxed() -> bytes:
    """A TIFF of two pages, and between them a picture made smaller."""
    from PIL import Image, ImageDraw
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    made = []
    for text in ("Twelve sheets of drywall", "", "Four valves"):
        image = Image.new("RGB", (600, 200) if text else (60, 20), "white")
        ImageDraw.Draw(image).text((20, 50), text, fill="black", font_size=40)
        kind = ImageFileDirectory_v2()
        kind[254] = 0 if text else 1
        image.encoderinfo = {"tiffinfo": kind}
        made.append(image)
    first, *others = made
    return _saved(lambda file: first.save(file, "TIFF", save_all=True, append_images=others))


def docx() -> bytes:
    """A Word document of two pages with a heading and a table."""
    import docx as word

    made = word.Document()
    made.core_properties.title, made.core_properties.author = "Site notes", "Bob"
    made.add_heading("Boiler room", 1)
    made.add_paragraph("Twelve sheets of drywall 😀 are needed.")
    table = made.add_table(2, 2)
    for n, text in enumerate(("Item", "Count", "Valves", "4")):
        table.cell(n // 2, n % 2).text = text
    made.add_page_break()
    made.add_paragraph("The second page.")
    return _saved(made.save)


def xlsx() -> bytes:
    """A workbook of two sheets."""
    import openpyxl

    made = openpyxl.Workbook()
    made.active.title = "Plan"
    for row in (("Item", "Count"), ("Drywall", 12)):
        made.active.append(row)
    made.create_sheet("More").append(("Valve", 4))
    return _saved(made.save)


def empty_xlsx() -> bytes:
    """A workbook of two sheets with nothing in them."""
    import openpyxl

    made = openpyxl.Workbook()
    made.create_sheet("Site plan")
    return _saved(made.save)


def pptx() -> bytes:
    """Two slides."""
    from pptx import Presentation

    made = Presentation()
    for title in ("First slide", "Second slide"):
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = f"Twelve sheets on the {title}"
    return _saved(made.save)


def headed_docx() -> bytes:
    """A Word document of two pages with a header and a footer, each twice: the first page has its own."""
    import docx as word

    made = word.Document()
    made.add_paragraph("The first page.")
    made.add_page_break()
    made.add_paragraph("The second page.")
    [section] = made.sections
    section.different_first_page_header_footer = True
    for header in (section.header, section.first_page_header):
        header.paragraphs[0].text = "Hendricks Builders\tFile 4711"
    section.footer.paragraphs[0].text = "Confidential"
    section.first_page_footer.paragraphs[0].text = "1"
    return _saved(made.save)


def noted_docx() -> bytes:
    """A Word document of two pages, each with a footnote."""
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    office = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"

    def page(text: str, n: int) -> str:
        return f'<w:p><w:r><w:t>{text}</w:t></w:r><w:r><w:footnoteReference w:id="{n}"/></w:r></w:p>'

    turn = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
    body = f"{page('One.', 1)}{turn}{page('Two.', 2)}"
    notes = "".join(
        f'<w:footnote w:id="{n}"><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:footnote>'
        for n, text in ((1, "By Miller."), (2, "By Hendricks."))
    )
    whole = zipfile.ZipFile(BytesIO(docx()))
    files = {name: whole.read(name) for name in whole.namelist()}
    kinds, relations = files["[Content_Types].xml"], files["word/_rels/document.xml.rels"]
    kind = f'<Override PartName="/word/footnotes.xml" ContentType="{office}"/></Types>'
    relation = f'<Relationship Id="rId99" Type="{related}" Target="footnotes.xml"/></Relationships>'
    return word_of(
        body.encode(),
        **{
            "[Content_Types].xml": kinds.replace(b"</Types>", kind.encode()),
            "word/_rels/document.xml.rels": relations.replace(b"</Relationships>", relation.encode()),
            "word/footnotes.xml": f"<w:footnotes {space}>{notes}</w:footnotes>".encode(),
        },
    )


def spoken_pptx() -> bytes:
    """Eleven slides, the first moved behind the others; what the speaker is to say to two of them."""
    from pptx import Presentation

    made = Presentation()
    for n in range(1, 12):
        slide = made.slides.add_slide(made.slide_layouts[5])
        slide.shapes.title.text = f"Slide {n}"
        if n in {2, 11}:
            slide.notes_slide.notes_text_frame.text = f"Say it\nslowly, {n} times."
    shown = made.slides._sldIdLst
    shown.append(shown[0])
    return _saved(made.save)


def html() -> bytes:
    return (
        b"<!doctype html><html lang=en><head><title>Plan</title><meta name=author content=Ann>"
        b"<script>alert(1)</script></head><body><h1>Boiler</h1><p>Twelve <b>sheets</b> &amp; 4 valves</p>"
        b"<img src=http://127.0.0.1:9/x.png></body></html>"
    )


def deep(depth: int, *tags: str) -> bytes:
    """A web page with a word so many times as deep as `tags` stand in one another."""
    opened, closed = "".join(f"<{tag}>" for tag in tags), "".join(f"</{tag}>" for tag in reversed(tags))
    return f"<html><body>before{opened * depth}needle{closed * depth}after</body></html>".encode()


def mail() -> bytes:
    return MAIL + b"Content-Type: text/plain; charset=utf-8\r\n\r\nTwelve sheets of drywall.\r\n"


def cut_mail() -> bytes:
    """An e-mail in parts whose last part does not end."""
    return MAIL + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nTwelve sheets of"


def word_of(body: bytes, **more: bytes) -> bytes:
    """A Word document with this body, and other files in it."""
    whole = zipfile.ZipFile(BytesIO(docx()))
    files = {name: whole.read(name) for name in whole.namelist()}
    return archive(**files | {"word/document.xml": WORD_BODY % body} | more)


def archive(**files: bytes) -> bytes:
    """A zip archive."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


def bomb(megabytes: int = 60) -> bytes:
    """A Word document that swells a thousandfold."""
    return word_of(b"A" * (megabytes << 20))


def entities() -> bytes:
    """A Word document that declares what a parser would have to unfold, or to fetch."""
    declared = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "&a;&a;">]><d>&b;</d>'
    return word_of(b"", **{"customXml/item1.xml": declared})


def tiresome() -> bytes:
    """A Word document of very many paragraphs, within all limits but those of time and memory."""
    return word_of(b"".join(b"<w:p><w:r><w:t>%d</w:t></w:r></w:p>" % n for n in range(500_000)))


def nested(depth: int = 5) -> bytes:
    """Archives within archives, the outermost a Word document."""
    inner = b"nothing"
    for _ in range(depth):
        inner = archive(inner=inner)
    return word_of(b"", **{"word/embeddings/inner.bin": inner})


def lying() -> bytes:
    """A Word document whose directory says that its text has ten bytes."""
    content = bytearray(word_of(b"A" * (1 << 20)))
    at = content.rindex(b"word/document.xml") - 46
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(content)


def locked_office() -> bytes:
    """What Office makes of a document with a password: another container."""
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(999)
    )


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def junk(seed: int = 1, size: int = 20_000) -> bytes:
    """Bytes at random, the same each time."""
    import random

    return random.Random(seed).randbytes(size)


def _saved(save: Any) -> bytes:
    file = BytesIO()
    save(file)
    return file.getvalue()


def numbered(count: int) -> Sequence[str]:
    """Texts of pages that can be told apart."""
    return [f"Page {n} of the plan. Twelve sheets." for n in range(1, count + 1)]
