"""One small file of each format, all with the same sentence: run by an interpreter that has Open WebUI's packages.

``python documents.py FOLDER`` writes ``sample.<extension>`` for each. What no library of the application writes is made by hand.
"""

from __future__ import annotations

import email.message
import sys
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.open_webui.compound import outlook_message, workbook

SENTENCE = "The deputy of the zebra enclosure is Ludmilla, and she feeds the animals every morning."
SECOND = "The old gate has not been seen since the flood; it was probably carried away by the river."
PARAGRAPHS = (SENTENCE, SECOND)
ALONE = "This sentence is in a separate cell, far from every table."


def _library(name: str) -> Any:  # noqa: ANN401 - only the interpreter that runs this has it
    return import_module(name)


def _docx(path: Path) -> None:
    document = _library("docx").Document()
    document.add_heading("The zoo", 1)
    for text in PARAGRAPHS:
        document.add_paragraph(text)
    document.save(str(path))


def _pptx(path: Path) -> None:
    presentation = _library("pptx").Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "The zoo"
    slide.placeholders[1].text = "\n".join(PARAGRAPHS)
    presentation.save(str(path))


def _xlsx(path: Path) -> None:
    book = _library("openpyxl").Workbook()
    for text in PARAGRAPHS:
        book.active.append(["note", text])
    # A sentence outside a table is read in another way than a table.
    book.active.cell(6, 5, ALONE)
    book.save(path)


def _xls(path: Path) -> None:
    path.write_bytes(workbook(list(PARAGRAPHS)))


def _msg(path: Path) -> None:
    path.write_bytes(outlook_message("The zoo", "\r\n".join(PARAGRAPHS)))


def _pdf(path: Path) -> None:
    lines = b"BT /F1 9 Tf 20 700 Td 14 TL " + b" ".join(f"({text}) Tj T*".encode() for text in PARAGRAPHS) + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(lines), lines),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", [0]
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places[1:])
    head = b"xref\n0 6\n0000000000 65535 f \n" + table
    path.write_bytes(made + head + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(made))


def _odt(path: Path) -> None:
    names = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    body = "".join(f"<text:p>{text}</text:p>" for text in PARAGRAPHS)
    kind = "application/vnd.oasis.opendocument.text"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
            '<manifest:file-entry manifest:full-path="styles.xml" manifest:media-type="text/xml"/></manifest:manifest>',
        )
        archive.writestr(
            "styles.xml",
            f'<?xml version="1.0"?><office:document-styles {names} office:version="1.2"><office:styles/></office:document-styles>',
        )
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content {names} office:version="1.2"><office:body><office:text>{body}'
            "</office:text></office:body></office:document-content>",
        )


def _epub(path: Path) -> None:
    page = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        archive.writestr(
            "book.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">zoo</dc:identifier><dc:title>The zoo</dc:title>'
            "<dc:language>en</dc:language></metadata><manifest>"
            '<item id="page" href="page.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="page"/></spine></package>',
        )
        archive.writestr(
            "page.xhtml",
            f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>The zoo</title></head><body>{page}</body></html>',
        )


def _eml(path: Path) -> None:
    message = email.message.EmailMessage()
    message["Subject"], message["From"], message["To"] = "The zoo", "ann@example.com", "ben@example.com"
    message.set_content("\n".join(PARAGRAPHS))
    path.write_bytes(bytes(message))


def _text(before: str = "", after: str = "", between: str = "\n") -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(before + between.join(PARAGRAPHS) + after + "\n", encoding="utf-8")

    return write


MADE: dict[str, Callable[[Path], None]] = {
    "docx": _docx,
    "pptx": _pptx,
    "xlsx": _xlsx,
    "xls": _xls,
    "msg": _msg,
    "pdf": _pdf,
    "odt": _odt,
    "epub": _epub,
    "eml": _eml,
    "csv": _text('note,text\n1,"', '"', '"\n2,"'),
    "html": _text("<html><body><p>", "</p></body></html>", "</p><p>"),
    "htm": _text("<html><body><p>", "</p></body></html>", "</p><p>"),
    "xml": _text('<?xml version="1.0"?>\n<zoo><p>', "</p></zoo>", "</p><p>"),
    "rst": _text("The zoo\n=======\n\n", "", "\n\n"),
    "md": _text("# The zoo\n\n", "", "\n\n"),
    "json": _text('["', '"]', '", "'),
    "svg": _text('<svg xmlns="http://www.w3.org/2000/svg"><text>', "</text></svg>", "</text><text>"),
}
"""Extension → how a file is written. Every other extension gets the sentences as plain text."""


def main(folder: Path, extensions: list[str]) -> None:
    """Write a file for each extension."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in extensions:
        MADE.get(one, _text())(folder / f"sample.{one}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
