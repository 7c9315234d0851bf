"""Official update files with a random fault each, read by dcmcfg and by ``ldapmodify -n`` (``DCMCFG_UPSTREAM``)."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.dn import DN
from dcmcfg.errors import LdifError
from dcmcfg.files.ldif import read_files
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from tests.sampling import LONG

FOLDERS = [folder for name in ("DCMCFG_UPSTREAM", "DCMCFG_RELEASES") if (folder := os.environ.get(name))]
FILES = sorted(file for folder in FOLDERS for file in Path(folder).rglob("update-*.ldif"))
RECORDS = list(dict.fromkeys(text for file in FILES for text in file.read_bytes().strip(b"\n").split(b"\n\n") if text))
NUMBER = 5000 if LONG else 300

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FILES, reason="DCMCFG_UPSTREAM names no folder with update files"),
]

_PIECES = (
    b" ",
    b"\t",
    b"\n",
    b"\n ",
    b"\n \n",
    b"\n\n",
    b"\0",
    b"\r",
    b":",
    b"::",
    b"-",
    b"\\",
    b",",
    b"#",
    b"<",
    b"=",
)
_WORDS = (b";", b"-\n", b"x", b"\xc3", b"\xc3\xa4", b"changetype: add\n", b"dn: ")
#: A line break with a blank in front of the colon, or after the '-' that closes a modification.
_FOLDED_NAME = re.compile(rb"^(?:[^:\n<]*\r?\n [^:\n]*(?:\r?\n )*:|-\r?\n )", re.MULTILINE)


def _lines_changed(text: bytes, chance: random.Random) -> bytes:
    lines = text.split(b"\n")
    index, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(6):
        case 0:
            del lines[index]
        case 1:
            lines.insert(index, lines[index])
        case 2:
            lines[index], lines[other] = lines[other], lines[index]
        case 3:
            cut = chance.randint(0, len(lines[index]))
            lines[index] = lines[index][:cut] + b"\n " + lines[index][cut:]
        case 4:
            lines[index] += chance.choice((b" ", b"  ", b"\t", b"\r", b"\n "))
        case _:
            lines[index : index + 2] = [b"".join(lines[index : index + 2])]
    return b"\n".join(lines)


def _octets_changed(text: bytes, chance: random.Random) -> bytes:
    octets, index = bytearray(text), chance.randint(0, len(text))
    match chance.randrange(4):
        case 0:
            octets[index : index + 1] = bytes((chance.randrange(256),))
        case 1:
            octets[index:index] = chance.choice(_PIECES + _WORDS)
        case 2:
            del octets[index : index + chance.choice((1, 2, 5))]
        case _:
            octets[index : index + 8] = bytes(octets[index : index + 8]).swapcase()
    return bytes(octets)


_KINDS: tuple[Callable[[bytes, random.Random], bytes], ...] = (_lines_changed, _octets_changed)


def mutated(chance: random.Random) -> tuple[bytes, bytes]:
    """Return the octets of a file with one fault, and the record that has it."""
    chosen = [chance.choice(RECORDS) for _ in range(chance.choice((1, 2, 3)))]
    index = chance.randrange(len(chosen))
    chosen[index] = chance.choice(_KINDS)(chosen[index], chance)
    return b"\n\n".join(chosen) + b"\n", chosen[index]


def announced(change: Change) -> list[bytes]:
    """What ``ldapmodify -n -v`` prints for *change*, the line with the DN as :func:`by_name` has it."""
    match change:
        case Add(entry):
            lines = [line for each in entry.attributes for line in _announced("add", each.name, each.values)]
            return [*lines, f"!adding new entry {change.dn}".encode()]
        case Modify():
            changed = change.modifications
            lines = [line for each in changed for line in _announced(each.operation.value, each.name, each.values)]
            return [*lines, f"!modifying entry {change.dn}".encode()]
        case Delete():
            return [f"!deleting entry {change.dn}".encode()]
        case Rename(delete_old_rdn=delete):
            message = b"do not keep existing values" if delete else b"keep existing values"
            new = f'\tnew RDN: "{change.new_rdn}" '.encode()
            return [f"!modifying rdn of entry {change.dn}".encode(), new + b"(%b)" % message]


def _announced(word: str, name: str, values: tuple[bytes, ...]) -> list[bytes]:
    shown = [b"\t" + value if value.isascii() else f"\tNOT ASCII ({len(value)} bytes)".encode() for value in values]
    return [f"{word} {name}:".lower().encode(), *shown]


def by_name(line: bytes) -> bytes:
    """Return *line* of what ``ldapmodify`` prints: a DN as :class:`DN` writes it, attribute names in lower case."""
    match = re.fullmatch(rb'(!.* entry) "(.*)"', line)
    if match:
        return match[1] + b" " + str(DN.parse(match[2].decode())).encode()
    return line if line.startswith((b"\t", b"!")) else line.lower()


def test_a_faulty_update_file_means_to_dcmcfg_what_it_means_to_ldapmodify_or_is_refused(tmp_path: Path) -> None:
    """The files that only dcmcfg accepts are listed here with the reason, and in docs/reference/ldif-differences.md."""
    (tmp_path / "vendor-data.zip").write_bytes(b"PK")
    path, chance = tmp_path / "update.ldif", random.Random(5351)
    counted: Counter[str] = Counter()
    for number in range(NUMBER):
        text, fault = mutated(chance)
        path.write_bytes(text)
        done = subprocess.run(
            ["/usr/bin/ldapmodify", "-n", "-v", "-f", str(path)], capture_output=True, cwd=tmp_path, check=False
        )
        try:
            ((_, records),) = read_files([path], file_urls=True, allow_mixed=False)
        except LdifError:
            counted["refused by both" if done.returncode else "refused by dcmcfg alone"] += 1
            continue
        verdict = _compared(records, done)
        if verdict == "different":
            # A line of RFC 2849 may be folded anywhere; ldapmodify takes the fold for a part of the name.
            assert _FOLDED_NAME.search(fault), (number, fault, done)
            verdict = "folded in a name or after '-'"
        counted[verdict] += 1
    print(dict(counted))
    assert counted["the same"] > NUMBER / 3


def _compared(records: tuple[Record, ...], done: subprocess.CompletedProcess[bytes]) -> str:
    if not records:
        return "the same" if not done.stdout else "different"
    if all(isinstance(record, ContentRecord) for record in records):
        return "entries only, the desired state; ldapmodify wants -a"
    changes = [record.change for record in records if isinstance(record, ChangeRecord)]
    ours = [line for change in changes for line in announced(change)]
    theirs = [by_name(line) for line in done.stdout.split(b"\n") if line]
    return "the same" if done.returncode == 0 and ours == theirs else "different"
