"""How fast LDIF is read and written beside python-ldap's ``ldif`` module, on the archive's default configuration.

python-ldap is not needed by dcmcfg, and its wheel has to be built. Its ``ldif`` module alone is plain Python, so its
unpacked source is enough, named with ``--python-ldap`` or in PYTHON_LDAP_SOURCE. ``make bench`` fetches it, with
``pip download --no-deps --no-binary :all: python-ldap``. Reading is to a list of all records, writing from such a list
to one text. The best of some runs made in turn counts, in seconds of this process.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import os
import sys
import time
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from dcmcfg.lab.tree import list_site_files
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import VERSION_LINE, format_entry

LIMIT = 3
HOW = "left out: the comparison with python-ldap, whose source is not there; next: make bench fetches it, or see --help"


def text() -> tuple[str, bytes]:
    """Return what is read, with what it is called."""
    upstream = os.environ.get("DCMCFG_UPSTREAM")
    if upstream:
        file = max(Path(upstream).glob("*/default-config.ldif"), key=lambda path: path.parent.name)
        return f"{file.parent.name}/{file.name}", file.read_bytes()
    parts = (file.read_bytes().removeprefix(VERSION_LINE.encode()) for file in list_site_files())
    whole = b"".join((VERSION_LINE.encode(), *parts))  # python-ldap takes one version line only
    return "the lab's own tree, as DCMCFG_UPSTREAM is not set", whole


def python_ldap(source: str | None) -> ModuleType | None:
    """Return python-ldap's ``ldif`` module, installed or from its *source*; None where there is none."""
    places = [str(Path(source) / "Lib")] if source else sys.path[1:]  # the first is this folder
    spec = PathFinder.find_spec("ldif", places)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module if hasattr(module, "LDIFRecordList") else None


class Best:
    """The shortest of the times that something took."""

    def __init__(self) -> None:
        self.seconds = float("inf")

    def take(self, work: Callable[[], object]) -> None:
        begun = time.process_time()
        work()
        self.seconds = min(self.seconds, time.process_time() - begun)


def main() -> None:
    """Print the times and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30, help="of each")
    parser.add_argument("--python-ldap", metavar="FOLDER", default=os.environ.get("PYTHON_LDAP_SOURCE"))
    asked = parser.parse_args()
    name, octets = text()
    theirs = python_ldap(asked.python_ldap)
    records = [] if theirs is None else read_theirs(theirs, octets)
    best = {side: (Best(), Best()) for side in ("dcmcfg", "python-ldap")}
    for _ in range(asked.runs):
        reading, writing = best["dcmcfg"]
        reading.take(lambda: read_all(io.BytesIO(octets), name))
        # Read anew, as names are printed once and kept.
        entries = [each.entry for each in read_all([octets], name) if isinstance(each, ContentRecord)]
        writing.take(lambda entries=entries: "".join(map(format_entry, entries)))  # type: ignore[misc]
        if theirs is not None:
            reading, writing = best["python-ldap"]
            reading.take(lambda: read_theirs(theirs, octets))
            writing.take(lambda: write_theirs(theirs, records))
    print(f"  {name}: {len(octets)} octets, {len(entries)} entries; best of {asked.runs}")
    for side, (reading, writing) in best.items():
        if reading.seconds < float("inf"):
            print(f"  {side:<12} read {reading.seconds * 1000:6.1f} ms   write {writing.seconds * 1000:6.1f} ms")
    if theirs is None:
        print(f"  {HOW}")
        return
    read, write = (t.seconds / o.seconds for t, o in zip(best["python-ldap"], best["dcmcfg"], strict=True))
    print(f"  ratio        read {read:6.2f}      write {write:6.2f}      (at least {LIMIT})")


def read_theirs(module: ModuleType, octets: bytes) -> list[tuple[str, dict[str, list[bytes]]]]:
    parser = module.LDIFRecordList(io.BytesIO(octets))
    parser.parse()
    return list(parser.all_records)


def write_theirs(module: ModuleType, records: list[tuple[str, dict[str, list[bytes]]]]) -> str:
    file = io.StringIO()
    writer = module.LDIFWriter(file)
    for dn, entry in records:
        writer.unparse(dn, entry)
    return file.getvalue()


if __name__ == "__main__":
    main()
