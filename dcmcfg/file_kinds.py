"""Detection of the kind of a file by its first octets, for commands that were given a file of the wrong kind."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

#: The number of octets at the start of a file that are enough to detect its kind.
HEADER_LENGTH = 4096

_LDIF = re.compile(rb"^(?:version: *1|dn::? *\S|changetype: *\w)", re.MULTILINE)
_SNAPSHOT = re.compile(rb"# dcmcfg snapshot [0-9]")
_JSON = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]0-9])")
_HTML = re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE)
_XML = re.compile(rb"\s*<(?:\?xml\b|!--|!DOCTYPE\b|[A-Za-z][\w:.-]*[\s/>])")
_YAML = re.compile(
    rb"""%YAML|---[ \t]*\r?\n|-\ \w[\w -]*:
    |[A-Za-z_][\w -]*:[ \t]*\r?\n(?:[ \t]+[\w"'-]|-\ )
    |[A-Za-z_][\w -]*:[ \t]+\S.*\n[ \t]+[\w-]+:""",
    re.VERBOSE,
)
#: A column name has up to five words. With more words, the text between two commas is a part of a sentence.
_CELL = re.compile(rb"\"?\w[\w./()-]*(?: +[\w./()-]+){0,4}\"?", re.ASCII)
_STUDY_COLUMN = re.compile(rb"study[ _]?instance[ _]?uid", re.IGNORECASE)
_COMMENT = re.compile(rb"\s*(?:#.*)?(?:\r?\n|$)")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DICOM_PREAMBLE = 128


@dataclass(frozen=True)
class FileKind:
    """A kind of file: its name for a message ("a CSV file"), and the suggested action for such a file.

    ``advice`` has ``{file}`` as the placeholder for the file name.
    """

    name: str
    advice: str

    def next_step(self, file: str) -> str:
        """Return the suggested action for the file *file*, which may be ``-``."""
        return self.advice.format(file=shlex.quote(file))


LDIF = FileKind("an LDIF file", "to apply this file: dcmcfg apply {file}")
SNAPSHOT = FileKind("a snapshot of dcmcfg", "to restore the snapshot: dcmcfg restore {file}")
CSV = FileKind("a CSV file", "to add the AEs of this file: dcmcfg import {file}")
STUDY_LIST = FileKind("a list of studies", "to retrieve these studies: dcmcfg verify --studies {file}")
JSON = FileKind("a JSON file", "to add the AEs of this file: dcmcfg import {file}")
YAML = FileKind("a YAML file", "to add the AEs of this file: dcmcfg import {file}")
_NO_COMMAND = "no dcmcfg command can read a file of this kind"
XML = FileKind("an XML file", f"{_NO_COMMAND}; to write a configuration as LDIF: dcmcfg export-ldif")
HTML = FileKind("an HTML page", "the file may be a login page: download the file again")
ZIP = FileKind(
    "a ZIP file", "unpack the file, or set the file as vendor data: dcmcfg set DEVICE dicomVendorData=@{file}"
)
GZIP = FileKind("a gzip file", "decompress the file first: gunzip {file}")
PCAP = FileKind("a packet capture", _NO_COMMAND)
DICOM = FileKind("a DICOM file", f"{_NO_COMMAND}; to verify the study of this file: dcmcfg verify --study UID")
PEM = FileKind("a PEM file", "if the file is a CA certificate, use the option --ca-file {file}")
PDF = FileKind("a PDF file", _NO_COMMAND)
SQLITE = FileKind(
    "an SQLite file", "if the file contains results of dcmcfg verify, specify it with dcmcfg verify --results {file}"
)
BINARY = FileKind("a binary file", _NO_COMMAND)

_SIGNATURES = (
    (b"PK\x03\x04", ZIP),
    # An empty ZIP file has only this end record.
    (b"PK\x05\x06", ZIP),
    (b"\x1f\x8b", GZIP),
    # The signatures of pcap differ by byte order and by the unit of time; the last one is that of pcapng.
    (b"\xd4\xc3\xb2\xa1", PCAP),
    (b"\xa1\xb2\xc3\xd4", PCAP),
    (b"\x4d\x3c\xb2\xa1", PCAP),
    (b"\xa1\xb2\x3c\x4d", PCAP),
    (b"\x0a\x0d\x0d\x0a", PCAP),
    (b"%PDF-", PDF),
    (b"SQLite format 3\0", SQLITE),
    (b"-----BEGIN ", PEM),
)


def detect_file_kind(header: bytes) -> FileKind | None:
    """Return the kind of the file that starts with *header* (up to :data:`HEADER_LENGTH` octets).

    Returns None if the kind is not clear.
    """
    for signature, kind in _SIGNATURES:
        if header.startswith(signature):
            return kind
    if header[_DICOM_PREAMBLE : _DICOM_PREAMBLE + 4] == b"DICM":
        return DICOM
    text = header.removeprefix(_BYTE_ORDER_MARK)
    # A snapshot is LDIF too, so it comes before LDIF.
    if _SNAPSHOT.match(text):
        return SNAPSHOT
    if _LDIF.search(text):
        return LDIF
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):  # text in UTF-16 contains NULs
        return None
    if b"\0" in text:
        return BINARY
    for pattern, kind in ((_JSON, JSON), (_HTML, HTML), (_XML, XML)):
        if pattern.match(text):
            return kind
    return _detect_text_kind(_skip_comments(text))


def _skip_comments(text: bytes) -> bytes:
    offset = 0
    while (comment := _COMMENT.match(text, offset)) is not None and comment.end() > offset:
        offset = comment.end()
    return text[offset:]


def _detect_text_kind(text: bytes) -> FileKind | None:
    """Return the kind of *text*, whose leading comments were removed."""
    first, *rest = (line.strip() for line in text.split(b"\n"))
    if _YAML.match(text):
        return YAML
    if _STUDY_COLUMN.search(first):
        return STUDY_LIST
    if first.startswith(b"sep="):
        return CSV
    # A line of prose may look like a header, so the next line must contain the delimiter too.
    second = next(filter(None, rest), b"")
    for delimiter in (b",", b";", b"\t", b"|"):
        cells = [cell.strip() for cell in first.split(delimiter)]
        if len(cells) > 1 and all(map(_CELL.fullmatch, cells)) and (not second or delimiter in second):
            return CSV
    return None
