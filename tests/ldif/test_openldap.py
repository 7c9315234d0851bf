"""OpenLDAP's own ldapmodify as the judge: `-n` reads, says what it would do, contacts nobody."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmcfg.changes import Change, Delete, Modify, Rename
from dcmcfg.errors import LdifError
from dcmcfg.ldif.reader import iter_records, read_all
from dcmcfg.ldif.records import ChangeRecord
from dcmcfg.ldif.writer import VERSION_LINE, format_change
from tests.ldif.strategies import changes, modifies

pytestmark = pytest.mark.real

LDAPMODIFY = "/usr/bin/ldapmodify"
MODIFY = "dn: cn=a\nchangetype: modify\n"


def ldapmodify(text: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [LDAPMODIFY, "-n", *options], input=text, capture_output=True, timeout=30, cwd=Path("/"), check=False
    )


def announced(change: Change) -> bytes:
    """What `ldapmodify -n -v` says about a change, from its source (process_ldif_rec, domodify)."""
    match change:
        case Modify():
            steps = b"".join(
                f"{modification.operation.value} {modification.name}:\n".encode()
                + b"".join(_announced_value(value) for value in modification.values)
                for modification in change.modifications
            )
            return steps + f'!modifying entry "{change.dn}"\n\n'.encode()
        case Delete():
            return f'!deleting entry "{change.dn}"\n'.encode()
        case _:
            raise NotImplementedError


def _announced_value(value: bytes) -> bytes:
    if value.isascii():
        return b"\t" + value.partition(b"\0")[0] + b"\n"
    return f"\tNOT ASCII ({len(value)} bytes)\n".encode()


def one_control_at_most(change: Change) -> bool:
    return len(change.controls) < 2


few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


@few
@given(st.lists(modifies.filter(one_control_at_most), min_size=1, max_size=4))
def test_ldapmodify_reads_the_modifications_that_were_written(written: list[Modify]) -> None:
    done = ldapmodify((VERSION_LINE + "\n" + "".join(map(format_change, written))).encode(), "-v")
    assert done.stderr == b""
    assert done.returncode == 0
    assert done.stdout == b"".join(map(announced, written))


@few
@given(st.lists(changes.filter(one_control_at_most), min_size=1, max_size=4))
def test_ldapmodify_accepts_every_change_that_was_written(written: list[Change]) -> None:
    done = ldapmodify((VERSION_LINE + "\n" + "".join(map(format_change, written))).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n!") + done.stdout.startswith(b"!") >= len(written)


READABLE = [
    "add: a\na: 1\n",
    "add: a\na: 1\n-",
    "add: a\na:1\n-\n",
    "add: a\nA: 1\n-\n",
    "add: a\na : 1\n-\n",
    "add: a\na:\t1\n-\n",
    "add: a\na:\n-\n",
    "add: a\na:: MQ==\n-\n",
    "add: a\na:: MQ== \n-\n",
    "add: a\na:   1  \n-\n",
    "add: a\n# c\n c\na: 1\n 2\n-\n",
    "delete: a\n-\ndelete: b\nb: 1\n-\nreplace: c\n",
    "delete: userCertificate;binary\nuserCertificate;binary:: MQ==",
    "add: a\na: <1\na: :1\n",
]


@pytest.mark.parametrize("body", READABLE)
@pytest.mark.parametrize("head", ["dn: cn=a\n", MODIFY, "version: 1\ndn: cn=a\nchangetype:MODIFY\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_dialect_means_to_the_reader_what_it_means_to_ldapmodify(head: str, body: str, newline: str) -> None:
    text = (head + body).replace("\n", newline).encode()
    done = ldapmodify(text, "-v")
    if done.returncode:
        (problem,) = iter_records([text], "t")
        assert isinstance(problem, LdifError)
        return
    (record,) = read_all([text], "t")
    assert isinstance(record, ChangeRecord)
    assert announced(record.change).lower() == done.stdout.lower()


fragments = st.sampled_from(
    ["changetype: modify", "changetype: delete", "add: a", "replace: a", "delete: a", "a: 1", "A: 2", "b: 1", "-"]
) | st.sampled_from(["-", "- ", "a:: MQ==", "a:: MQ", "a:: !", " x", "# x", "junk", "control: 1.2 true", "dn: cn=b"])


@settings(max_examples=60, deadline=None)
@given(st.lists(fragments, max_size=7))
def test_what_ldapmodify_refuses_the_reader_refuses_too(lines: list[str]) -> None:
    text = "\n".join(["dn: cn=a", *lines, ""]).encode()
    refused = [ldapmodify(text, *options).returncode != 0 for options in ([], ["-a"])]
    problems = [item for item in iter_records([text], "t") if isinstance(item, LdifError)]
    several_controls = lines.count("control: 1.2 true") > 1  # RFC 2849 allows them, ldapmodify does not
    assert problems or not all(refused) or several_controls


def test_what_ldapmodify_drops_without_a_word_is_reported() -> None:
    for text in (
        b"cn: cn=a\nsn: x\n",
        MODIFY.encode(),
        MODIFY.encode() + b"add: a\n-\n",
        b"\xef\xbb\xbfdn: cn=a\ncn: a\n",
    ):
        done = ldapmodify(text, "-v")
        assert (done.returncode, done.stderr) == (0, b"")
        (problem,) = iter_records([text], "t")
        assert isinstance(problem, LdifError)


def test_a_rename_says_the_same_to_ldapmodify() -> None:
    text = b"dn: cn=a,o=x\ncontrol: 1.3.6.1.1.12 true:: MAA=\nchangetype: modrdn\nnewrdn:: Y249w6Q=\ndeleteoldrdn: 0\n"
    (record,) = read_all([text], "t")
    assert isinstance(record, ChangeRecord)
    assert isinstance(record.change, Rename)
    written = ldapmodify(format_change(record.change).encode(), "-v")
    assert written.stdout == ldapmodify(text, "-v").stdout
    assert "cn=ä" in written.stdout.decode()
