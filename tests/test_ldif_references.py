"""Values from other files: which URLs are read, from where, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcmcfg import ldif_references
from dcmcfg.errors import LdifError
from dcmcfg.ldif_files import read_files
from dcmcfg.ldif_references import References


def test_a_relative_url_starts_from_the_folder_of_the_ldif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "vendor data.zip").write_bytes(b"PK\0\xff")
    monkeypatch.chdir(tmp_path)
    for url in (
        "file:vendor data.zip",
        "file:vendor%20data.zip",
        "FILE:./vendor%20data.zip",
        "file:../sub/vendor data.zip",
    ):
        assert References(Path("sub")).value(url) == b"PK\0\xff"


def test_an_absolute_url_is_that_file_wherever_the_ldif_is(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"")
    for url in (f"file:{file}", f"file://{file}"):
        assert References(None).value(url) == References(Path("/nowhere")).value(url) == b""


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://x/y", "only 'file:' URLs are read, not http://x/y"),
        ("ftp:/x", "only 'file:' URLs are read"),
        ("vendor-data.zip", "only 'file:' URLs are read"),
        ("", "only 'file:' URLs are read"),
        ("file:", "names no file"),
        ("file:a%00b", "names no file"),
        ("file://host/x", "a file on another host is not read: file://host/x"),
        ("file:missing", "missing: the file cannot be read (No such file or directory)"),
        ("file:.", "not a regular file"),
        ("file:pipe", "not a regular file"),
        ("file:/dev/zero", "/dev/zero: not a regular file"),
        ("file:" + "x" * 5000, "cannot be read"),
    ],
)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, url: str, says: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LdifError) as caught:
        References(tmp_path).value(url)
    assert says in str(caught.value)


def test_a_file_larger_than_a_value_may_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldif_references, "LARGEST_VALUE", 2 << 20)
    (tmp_path / "fits").write_bytes(b"x" * (2 << 20))
    (tmp_path / "large").write_bytes(b"x" * ((2 << 20) + 1))
    assert len(References(tmp_path).value("file:fits")) == 2 << 20
    with pytest.raises(LdifError, match="larger than 2 MiB"):
        References(tmp_path).value("file:large")


def test_an_unreadable_or_missing_file_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    ldif = tmp_path / "update.ldif"
    ldif.write_text("dn: cn=a\nreplace: dicomVendorData\ndicomVendorData:< file:gone.zip\n-\n")
    with pytest.raises(LdifError) as caught:
        read_files([ldif], file_urls=True)
    assert str(caught.value) == (
        f"{ldif}:3: dicomVendorData: {tmp_path}/gone.zip: the file cannot be read (No such file or directory)"
    )
    with pytest.raises(LdifError) as caught:
        read_files([ldif])
    assert str(caught.value) == (
        f"{ldif}:3: dicomVendorData: the value stands in another file, which is not read: file:gone.zip"
        " — --allow-file-urls reads such files"
    )
