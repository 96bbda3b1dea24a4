"""Files in Microsoft's compound format (.xls, .msg, .doc): a file system of named streams, which no library here writes."""

from __future__ import annotations

import struct
from collections.abc import Mapping

SECTOR = 512
SMALL = 4096
"""A stream below this size would have to be in smaller sectors, so every stream is filled up to it."""
END, FREE, TABLE, NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
STREAM, ROOT = 2, 5


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file with these streams, as [MS-CFB] describes version 3."""
    streams = {name: content.ljust(SMALL, b"\0") for name, content in streams.items()}
    names = sorted(streams, key=lambda name: (len(name), name.upper()))
    folders = -(-(len(names) + 1) // (SECTOR // 128))
    chains = [folders, *(-(-len(streams[name]) // SECTOR) for name in names)]
    tables = -(-(sum(chains) + 1) * 4 // SECTOR)
    table, starts = [TABLE] * tables, list[int]()
    for count in chains:
        starts.append(len(table))
        table += [*range(len(table) + 1, len(table) + count), END][:count]
    table += [FREE] * (tables * SECTOR // 4 - len(table))
    entries = [_entry("Root Entry", ROOT, child=1 if names else NONE)]
    for number, name in enumerate(names, 1):
        after = number + 1 if number < len(names) else NONE
        entries.append(_entry(name, STREAM, right=after, start=starts[number], size=len(streams[name])))
    header = struct.pack("<8s16xHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0,
                         tables, starts[0], 0, SMALL, END, 0, END, 0)  # fmt: skip
    header += struct.pack("<109I", *range(tables), *[FREE] * (109 - tables))
    parts = [struct.pack(f"<{len(table)}I", *table), b"".join(entries), *(streams[name] for name in names)]
    return header + b"".join(part + b"\0" * (-len(part) % SECTOR) for part in parts)


def _entry(name: str, kind: int, *, right: int = NONE, child: int = NONE, start: int = END, size: int = 0) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    return struct.pack("<64sHBBIII16xI16xIQ", text, len(text), kind, 1, NONE, right, child, 0, start, size)


def workbook(rows: list[str]) -> bytes:
    """An Excel 97 workbook with a text in the first cell of each row: [MS-XLS] records with type, length and content."""
    cells = [_record(0x0204, struct.pack("<HHHHB", row, 0, 0, len(text), 0) + text.encode("latin-1"))
             for row, text in enumerate(rows)]  # fmt: skip
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)) + b"".join(cells) + _record(0x000A)
    start = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    name = struct.pack("<IHBB", 0, 0, 4, 0) + b"Zoo1"
    place = len(start) + len(_record(0x0085, name)) + len(_record(0x000A))
    listed = struct.pack("<I", place) + name[4:]
    made = start + _record(0x0085, listed) + _record(0x000A) + sheet
    return compound({"Workbook": made + _record(0, bytes(SMALL - len(made) - 4))})


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def outlook_message(subject: str, body: str) -> bytes:
    """An Outlook message: [MS-OXMSG] keeps each text in a stream that is named by its property, and lists all in another."""
    texts = {0x001A: "IPM.Note", 0x0037: subject, 0x1000: body, 0x0C1A: "ann@example.com"}
    # Spaces, since the end of a text is the end of its stream.
    streams = {f"__substg1.0_{tag:04X}001F": text.ljust(SMALL).encode("utf-16-le") for tag, text in texts.items()}
    listed = b"".join(struct.pack("<IIII", tag << 16 | 0x001F, 6, 2 * len(text) + 2, 0) for tag, text in texts.items())
    return compound({"__properties_version1.0": b"\0" * 32 + listed, **streams})
