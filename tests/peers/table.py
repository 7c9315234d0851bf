"""The peers and what ``verify`` says of them, as the tables in ``docs/reference/verify-peers.md``.

``python -m tests.peers.table`` writes them there, from the answers that the tests compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from tests.peers.archives import EVERY_ARCHIVE
from tests.peers.destinations import EVERY_DESTINATION
from tests.peers.externals import ReturnRoute, met_on
from tests.peers.orthancs import EVERY_ORTHANC
from tests.peers.outputs import read_expected_output

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "verify-peers.md"
#: Where the tables begin and end.
_FIRST, _LAST = "<!-- Written by tests/peers/table.py -->\n", "<!-- up to here -->\n"


class Described(Protocol):
    """A peer with a name, and a sentence about what it does."""

    @property
    def name(self) -> str: ...

    @property
    def does(self) -> str: ...


#: Whose table it is.
TABLES: dict[str, tuple[Described, ...]] = {
    "the archive": EVERY_ARCHIVE,
    "the destination of dcmtk's archive, without `--receive`": EVERY_DESTINATION,
    "the external archive, if it must send straight to the destination": met_on(ReturnRoute.STRAIGHT),
    "the external archive, if it must send back to the archive": met_on(ReturnRoute.BACK),
    "Orthanc, as": EVERY_ORTHANC,
}


def with_tables(page: str) -> str:
    """Return *page* with the tables as the answers have them now."""
    before, _, rest = page.partition(_FIRST)
    _, _, after = rest.partition(_LAST)
    tables = "\n".join(_table(who, peers) for who, peers in TABLES.items())
    return f"{before}{_FIRST}\n{tables}\n{_LAST}{after}"


def _table(who: str, peers: Iterable[Described]) -> str:
    head = f"| {who} | first line of `verify` | exit code |\n|---|---|---|\n"
    return head + "".join(_rows(peers))


def _rows(peers: Iterable[Described]) -> Iterator[str]:
    for peer in peers:
        told = read_expected_output(peer.name)
        yield f"| {peer.does} | {told.headline.removeprefix('dcmcfg: ')} | {told.exit_code} |\n"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
