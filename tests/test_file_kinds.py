"""What a file is, by how it begins."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from pathlib import Path

import pytest
import yaml
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from dcmcfg import file_kinds
from dcmcfg.file_kinds import HEADER_LENGTH, FileKind, detect_file_kind
from dcmcfg.lab.tree import list_example_files, list_site_files

AES = {"aes": [{"title": "CT1", "host": "ct1", "port": 104}]}
LDIF = b"version: 1\n\ndn: cn=a\ncn: a\n"


def zipped() -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        archive.writestr("a", "b")
    return octets.getvalue()


def dicom() -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    octets = io.BytesIO()
    FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128).save_as(octets, enforce_file_format=True)
    return octets.getvalue()


def database(folder: Path) -> bytes:
    with sqlite3.connect(folder / "results") as connection:
        connection.execute("create table a (b)")
    return (folder / "results").read_bytes()


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"title,host,port\nCT1,ct1,104\n", file_kinds.CSV),
        (b"\xef\xbb\xbf# from the ward\ntitle;host;port\r\nCT1;ct1;104\r\n", file_kinds.CSV),
        (b"sep=;\ntitle;host\n", file_kinds.CSV),
        (b'"AE title"\t"IP address"\nCT1\t10.0.0.1\n', file_kinds.CSV),
        (b"Study Instance UID,Patient\n1.2.3,x\n", file_kinds.STUDY_LIST),
        (json.dumps(AES).encode(), file_kinds.JSON),
        (b"\n[\n  1\n]", file_kinds.JSON),
        (b"{}\n", file_kinds.JSON),
        (yaml.safe_dump(AES).encode(), file_kinds.YAML),
        (yaml.safe_dump(AES["aes"]).encode(), file_kinds.YAML),
        (b"---\ntitle: X\n", file_kinds.YAML),
        (b"site: x\naes:\n  - title: X\n", None),
        (b"<?xml version='1.0'?>\n<dcm/>", file_kinds.XML),
        (b"<device>\n", file_kinds.XML),
        (b"<!DOCTYPE html>\n<html>", file_kinds.HTML),
        (zipped(), file_kinds.ZIP),
        (gzip.compress(LDIF, mtime=0), file_kinds.GZIP),
        (b"\xd4\xc3\xb2\xa1\2\0\4\0", file_kinds.PCAP),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0", file_kinds.PCAP),
        (dicom(), file_kinds.DICOM),
        (b"-----BEGIN CERTIFICATE-----\nMII", file_kinds.PEM),
        (b"%PDF-1.7\n", file_kinds.PDF),
        (b"a\0b", file_kinds.BINARY),
        (b"# dcmcfg snapshot 1\n# ...\n", file_kinds.SNAPSHOT),
        (LDIF, file_kinds.LDIF),
        (b"\xef\xbb\xbf# comment\ndn: cn=a\ncn: a\n", file_kinds.LDIF),
        (b"cn: cn=a\nchangetype: add\n", file_kinds.LDIF),
    ],
)
def test_a_kind_is_known_by_its_beginning(octets: bytes, kind: FileKind | None) -> None:
    assert detect_file_kind(octets[:HEADER_LENGTH]) == kind


@pytest.mark.parametrize(
    "octets",
    [
        *(b"", b"\n\n", b"nonsense\n", b"cn: x\n", b"description: long\n folded\n", b"cn=a,o=b\n"),
        *(b"Dear colleague, hello\nx\n", LDIF.decode().encode("utf-16")),
        b"# dcmcfg\n\ndcmcfg configures an archive. It shows each change, and\ncan revert it, too.\n",
    ],
)
def test_what_is_not_clear_has_no_kind(octets: bytes) -> None:
    assert detect_file_kind(octets) is None


def test_the_results_of_verify_are_sqlite(tmp_path: Path) -> None:
    assert detect_file_kind(database(tmp_path)) == file_kinds.SQLITE


def test_each_ldif_file_that_comes_with_dcmcfg_is_ldif() -> None:
    assert {
        detect_file_kind(file.read_bytes()[:HEADER_LENGTH]) for file in (*list_site_files(), *list_example_files())
    } == {file_kinds.LDIF}


def test_a_next_step_quotes_the_name() -> None:
    assert file_kinds.CSV.next_step("a b.csv") == "to add the AEs of this file: dcmcfg import 'a b.csv'"
