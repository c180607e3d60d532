"""Parses small xml files that may be hostile: no entity is ever expanded, and nothing is fetched."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from pdx_core.errors import DataError

MAX_BYTES = 64 << 20  # of one annotation file
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)""")


class XmlError(DataError):
    """A file that is refused; `code` names the kind of defect for programs."""

    def __init__(self, message: str, code: str, place: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.place = place


def parse_xml(data: bytes) -> Element:
    """The root element of an xml document.

    Raises XmlError for what is empty, too large, not well formed, not in the encoding it claims, or declares entities
    (which is how a few hundred bytes become gigabytes).
    """
    if not data.strip():
        raise XmlError("the file is empty", "xml-empty")
    if len(data) > MAX_BYTES:
        raise XmlError(f"the file has {len(data) >> 20} MB, which is no annotation", "xml-too-large")
    _check_encoding(data)
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = _refuse_entity
    parser.ExternalEntityRefHandler = _refuse_entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise XmlError(f"is not valid xml: {expat.ErrorString(error.code)}", "xml-syntax", place) from error
    except (ValueError, LookupError) as error:  # an encoding nobody knows
        raise XmlError(f"cannot be decoded: {error}", "xml-encoding") from error
    return builder.close()


def _check_encoding(data: bytes) -> None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return  # UTF-16 with its mark, which expat reads
    declared = _DECLARED.match(data[:200])
    encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
    if encoding not in ("utf-8", "utf8"):
        return
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        claim = "says it is UTF-8" if declared else "declares no encoding, so it must be UTF-8,"
        raise XmlError(f"{claim} but byte {error.start} is not", "xml-not-utf-8", f"line {line}") from error


def _refuse_entity(*_: object) -> int:
    raise XmlError("declares entities; they are refused, because they can blow a file up without end", "xml-entities")
