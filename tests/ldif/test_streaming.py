"""A file of any size is read in little memory: what the reader holds is a chunk and a record."""

from __future__ import annotations

import subprocess
import sys

import pytest

READ = """
import sys
from pathlib import Path
from dcmcfg.errors import LdifError
from dcmcfg.ldif.reader import iter_records

megabytes, newline = int(sys.argv[1]), bytes.fromhex(sys.argv[2])

def peak():
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024

def chunks():
    filler = b"description: " + b"x" * 900
    for number in range(megabytes * 1024):
        lines = (b"dn: cn=a%d,o=x" % number, b"cn: a%d" % number, b"sn: b%d" % number, filler, b"", b"")
        yield newline.join(lines)

count = 0
for item in iter_records(chunks(), "stream"):
    if count == 0:
        begun = peak()
    assert not isinstance(item, LdifError), item
    count += 1
print(count, peak() - begun)
"""


@pytest.mark.parametrize(("megabytes", "newline"), [(100, b"\n"), (20, b"\r\n")])
def test_reading_holds_no_more_than_a_fraction_of_the_stream(megabytes: int, newline: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ, str(megabytes), newline.hex()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    count, grown = map(int, done.stdout.split())
    print(f"{megabytes} MB: {count} records, {grown} MB more")
    assert count == megabytes * 1024
    assert grown < 24
