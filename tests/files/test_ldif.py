"""Values from other files: which URLs are read, from where, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcmcfg.changes import Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.errors import LdifError, UnknownFormat
from dcmcfg.files import ldif
from dcmcfg.files.ldif import FileUrlReader, find_file_warnings, read_files
from dcmcfg.plan.ldif_output import format_undo


def refusal_of(references: FileUrlReader, url: str) -> str:
    """What is said of *url*, which is refused."""
    with pytest.raises(LdifError) as refused:
        references.read(url)
    return str(refused.value)


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
        assert FileUrlReader(Path("sub")).read(url) == b"PK\0\xff"


def test_an_absolute_url_is_read_below_the_named_folder_only(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "x").write_bytes(b"x")
    (tmp_path / "y").write_bytes(b"y")
    for prefix in ("file:", "file://"):
        for references in (FileUrlReader(None, root), FileUrlReader(Path("/nowhere"), root)):
            assert references.read(f"{prefix}{root / 'x'}") == references.read("file:x") == b"x"
            assert refusal_of(references, f"{prefix}{tmp_path / 'y'}").startswith(
                f"dcmcfg does not read the file, because it is outside the folder {root}"
            )
        assert refusal_of(FileUrlReader(root), f"{prefix}{root / 'x'}").startswith(
            "the path must be relative to the LDIF file's folder"
        )


@pytest.mark.parametrize("name", ["../secret", "link", "folder/secret", "below/../../secret", "below/link", "loop"])
@pytest.mark.parametrize("named", [True, False])
def test_no_path_and_no_link_leads_out_of_the_folder(tmp_path: Path, name: str, named: bool) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "below").mkdir(parents=True)
    outside.mkdir()
    for secret in (tmp_path / "secret", outside / "secret"):
        secret.write_bytes(b"secret")
    (inside / "link").symlink_to(outside / "secret")
    (inside / "below" / "link").symlink_to("../../secret")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to("loop")
    references = FileUrlReader(None, inside) if named else FileUrlReader(inside)
    shown = refusal_of(references, f"file:{name}")
    assert (
        "cannot read the file" in shown
        if name == "loop"
        else "dcmcfg does not read the file, because it is outside the folder" in shown
    )


def test_a_link_that_stays_in_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "v2.zip").write_bytes(b"PK")
    (tmp_path / "vendor-data.zip").symlink_to("v2.zip")
    assert FileUrlReader(tmp_path).read("file:vendor-data.zip") == b"PK"


def test_what_becomes_a_link_meanwhile_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "inside"
    (inside / "below").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    (inside / "below" / "secret").write_bytes(b"mine")
    real = os.path.realpath

    def swap(path: Path) -> str:
        found = real(path)
        if str(path).endswith("secret"):
            (inside / "below").rename(inside / "gone")
            (inside / "below").symlink_to(tmp_path)
        return found

    monkeypatch.setattr("dcmcfg.files.ldif.os.path.realpath", swap)
    assert "cannot read the file" in refusal_of(FileUrlReader(inside), "file:below/secret")


@pytest.mark.parametrize("folder", ["/proc/self", "/sys/kernel", "/dev", "/proc/self/fd"])
def test_what_the_kernel_makes_up_is_never_read(tmp_path: Path, folder: str) -> None:
    (tmp_path / "link").symlink_to("/proc/self")
    for root in (Path(folder), tmp_path / "link"):
        for references in (FileUrlReader(root), FileUrlReader(None, root)):
            assert refusal_of(references, "file:environ").startswith(
                f"{root}/environ: dcmcfg does not read the file, because it is in a virtual file system"
            )


def test_what_says_another_size_than_it_has_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldif, "_VIRTUAL_FOLDERS", ())
    assert refusal_of(FileUrlReader(Path("/proc/self")), "file:environ") == (
        "/proc/self/environ: not a file on disk, or another process is writing the file"
    )


def test_a_file_that_stands_one_folder_up_is_named_with_the_option(tmp_path: Path) -> None:
    (tmp_path / "5.33.1").mkdir()
    (tmp_path / "vendor-data.zip").write_bytes(b"PK")
    assert refusal_of(FileUrlReader(tmp_path / "5.33.1"), "file:vendor-data.zip").endswith(
        f" — to read {tmp_path}/vendor-data.zip: --file-urls-from {tmp_path}"
    )
    assert FileUrlReader(tmp_path / "5.33.1", tmp_path).read("file:vendor-data.zip") == b"PK"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://x/y", "only 'file:' URLs are supported, not http://x/y"),
        ("ftp:/x", "only 'file:' URLs are supported"),
        ("vendor-data.zip", "only 'file:' URLs are supported"),
        ("", "only 'file:' URLs are supported"),
        ("file:", "contains no file name"),
        ("file:a%00b", "contains no file name"),
        ("file://host/x", "files on another host are not supported: file://host/x"),
        ("file:missing", "missing: cannot read the file (No such file or directory)"),
        ("file:.", "not a regular file"),
        ("file:pipe", "not a regular file"),
        ("file:/dev/zero", "the path must be relative to the LDIF file's folder, not file:/dev/zero"),
        ("file:" + "x" * 5000, "cannot read the file"),
    ],
)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, url: str, says: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LdifError) as caught:
        FileUrlReader(tmp_path).read(url)
    assert says in str(caught.value)


def test_a_file_larger_than_a_value_may_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldif, "MAXIMUM_VALUE_LENGTH", 2 << 20)
    (tmp_path / "fits").write_bytes(b"x" * (2 << 20))
    (tmp_path / "large").write_bytes(b"x" * ((2 << 20) + 1))
    assert len(FileUrlReader(tmp_path).read("file:fits")) == 2 << 20
    with pytest.raises(LdifError, match="larger than 2 MiB"):
        FileUrlReader(tmp_path).read("file:large")


def test_an_unreadable_or_missing_file_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    ldif = tmp_path / "update.ldif"
    ldif.write_text("dn: cn=a\nreplace: dicomVendorData\ndicomVendorData:< file:gone.zip\n-\n")
    with pytest.raises(LdifError) as caught:
        read_files([ldif], file_urls=True)
    assert str(caught.value) == (
        f"{ldif}:3: dicomVendorData: {tmp_path}/gone.zip: cannot read the file (No such file or directory)"
        " — with --file-urls-from DIR, specify the folder that contains the file of the URL"
    )
    with pytest.raises(LdifError) as caught:
        read_files([ldif])
    assert str(caught.value) == (
        f"{ldif}:3: dicomVendorData: the value is in another file, and dcmcfg does not read that file: file:gone.zip"
        " — to read files in the folder of the LDIF file: --allow-file-urls; to read files in the folder "
        "DIR: --file-urls-from DIR"
    )


def test_a_plan_with_preconditions_in_a_later_format_is_refused_with_the_reason(tmp_path: Path) -> None:
    plan = tmp_path / "plan.ldif"
    strict = "control: 1.3.6.1.1.12 true:: hwtvYmplY3RDbGFzcw==\n"
    for record in (f"dn: cn=x\n{strict}changetype: delete\n", f"dn: cn=x\n{strict}changetype: of the future\n"):
        plan.write_text(f"version: 1\n# somebody's note\n# dcmcfg-format: 3\n# dcmcfg undo of x\n\n{record}")
        with pytest.raises(UnknownFormat, match=r"plan\.ldif: the LDIF file has format 3; .* up to 2"):
            read_files([plan])
    plan.write_text(f"version: 1\n# dcmcfg-format: 1\n\ndn: cn=x\n{strict}changetype: delete\n")
    ((_, records),) = read_files([plan])
    assert len(records) == 1


def test_a_plan_that_is_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.ldif"
    changes: list[Change] = [
        Delete(DN.parse("cn=x")),
        Modify(DN.parse("cn=y"), (Modification(Operation.REPLACE, "dicomHostname", (b"10.1.1.1",)),)),
    ]
    whole = format_undo(changes, comments=["dcmcfg undo of x"]).encode()
    path.write_bytes(whole)
    assert len(read_files([path])[0][1]) == len(changes)
    path.write_bytes(whole.replace(b"\n", b"\r\n") + b"# reviewed\r\n")
    assert len(read_files([path])[0][1]) == len(changes)
    for length in range(whole.index(b"# dcmcfg undo of"), whole.index(b"# dcmcfg-end") + len("# dcmcfg-end")):
        path.write_bytes(whole[:length])
        with pytest.raises(LdifError) as refused:
            read_files([path])
        assert refused.value.message == "the file is incomplete: it does not have the last line '# dcmcfg-end'"


def test_a_plan_of_an_older_dcmcfg_has_no_last_line(tmp_path: Path) -> None:
    path = tmp_path / "plan.ldif"
    path.write_text("version: 1\n# dcmcfg-format: 1\n\ndn: cn=x\nchangetype: delete\n")
    assert len(read_files([path])[0][1]) == 1


@pytest.mark.parametrize("head", ["", "version: 1\n", "version: 1\r\n# a note\r\n", "# a note\n"])
@pytest.mark.parametrize("number", ["3", "x"])
def test_plain_ldif_in_a_later_format_is_read_with_a_warning(tmp_path: Path, head: str, number: str) -> None:
    path = tmp_path / "rejects.ldif"
    path.write_bytes(f"{head}# dcmcfg-format: {number}\n\ndn: cn=x\nchangetype: delete\n\n# dcmcfg-end\n".encode())
    read = read_files([path])
    (warning,) = find_file_warnings(read, "ldap://pacs")
    assert warning.startswith(f"{path}: the ")
    assert "format" in warning
    assert warning.endswith("The file has no preconditions, so it is read as plain LDIF.")


@pytest.mark.parametrize(
    "text", ["# dcmcfg-format: 1\n", "\n# dcmcfg-format: 9\n", "dn: cn=y\ncn: y\n\n# dcmcfg-format: 9\n"]
)
def test_a_format_number_counts_at_the_head_of_a_file_only(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.ldif"
    path.write_text(f"{text}\ndn: cn=x\nchangetype: delete\n")
    assert list(find_file_warnings(read_files([path]), "ldap://pacs")) == []
