"""Limits on what one peer can make dcmcfg hold or read. No real site meets them; ``--max NAME=NUMBER`` raises one.

They hold for the whole process and all its threads, as those of setrlimit(2) do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

_K, _M, _G = 1 << 10, 1 << 20, 1 << 30
_UNITS = {"K": _K, "M": _M, "G": _G}
_overrides: dict[str, int] = {}


@dataclass(frozen=True)
class Limit:
    """A limit by its ``name``: of ``description`` so many, octets or things."""

    name: str
    default: int
    description: str
    counts_octets: bool = True

    @property
    def maximum(self) -> int:
        """The number in force."""
        return _overrides.get(self.name, self.default)

    @property
    def next_step(self) -> str:
        """What to do where more is right."""
        return f"If the peer is right to send more: repeat the command with --max {self.name}={self.format_maximum(2)}"

    def format_maximum(self, factor: int = 1) -> str:
        """Return the number in force, so many *factor*, as it is written in the option."""
        number = self.maximum * factor
        unit, octets = next(
            (
                (unit, octets)
                for unit, octets in reversed(_UNITS.items())
                if self.counts_octets and number % octets == 0
            ),
            ("", 1),
        )
        return f"{number // octets}{unit}"


LDAP_SETUP = Limit("ldap-setup", _M, "octets of the directory server's answers to StartTLS and bind")
LDAP_ENTRIES = Limit("ldap-entries", 1_000_000, "entries that one search finds", counts_octets=False)
LDAP_OCTETS = Limit("ldap-octets", 512 * _M, "octets of the answers to one search, and 48 more for each value")
LDAP_MESSAGES = Limit(
    "ldap-messages", 100_000, "messages without an entry in one search: pages, notices, references", counts_octets=False
)
HTTP_BODY = Limit("http-body", 256 * _K, "octets of an answer of the archive's web interface or of the token issuer")
QIDO_BODY = Limit("qido-body", 8 * _M, "octets of one page of answers of the archive's database")
QIDO_OCTETS = Limit("qido-octets", 256 * _M, "octets of all pages of one search in the archive's database")
QIDO_INSTANCES = Limit(
    "qido-instances",
    50_000,
    "instances of one study in the archive's database (at most some 100,000)",
    counts_octets=False,
)
FIND_RESPONSE = Limit("find-response", 64 * _K, "octets of one answer to a C-FIND")
FIND_RESPONSES = Limit(
    "find-responses", 1_000_000, "answers to one query, all its C-FINDs together", counts_octets=False
)
FIND_OCTETS = Limit("find-octets", 256 * _M, "octets of all answers to one query, all its C-FINDs together")
MOVE_RESPONSES = Limit("move-responses", 1_000_000, "pending responses to one C-MOVE", counts_octets=False)
INSTANCES = Limit("instances", 1_000_000, "instances that the receiver holds for the verdict", counts_octets=False)
INFLATED_DATA_SET = Limit(
    "inflated-data-set", 256 * _M, "octets of a deflated data set that --keep reads back, once it is inflated"
)
STORED_FILE = Limit("stored-file", 4 * _G, "octets of a file that --keep reads back")
ELEMENTS = Limit(
    "elements",
    1_000_000,
    "elements and items of a file that --keep reads back, in sequences too; ten values count as one",
    counts_octets=False,
)

LIMITS = (
    LDAP_SETUP,
    LDAP_ENTRIES,
    LDAP_OCTETS,
    LDAP_MESSAGES,
    HTTP_BODY,
    QIDO_BODY,
    QIDO_OCTETS,
    QIDO_INSTANCES,
    FIND_RESPONSE,
    FIND_RESPONSES,
    FIND_OCTETS,
    MOVE_RESPONSES,
    INSTANCES,
    INFLATED_DATA_SET,
    STORED_FILE,
    ELEMENTS,
)


def parse_limit(text: str) -> tuple[str, int]:
    """Return name and number of *text*, ``NAME=NUMBER``; a number of octets may end in K, M or G.

    Raises :class:`ValueError` with the reason in words.
    """
    name, _, written = text.partition("=")
    limit = next((each for each in LIMITS if each.name == name), None)
    if limit is None:
        raise ValueError(f"no limit is called {name!r}; there are {', '.join(each.name for each in LIMITS)}")
    digits, multiplier = written, 1
    if limit.counts_octets and written[-1:].upper() in _UNITS:
        digits, multiplier = written[:-1], _UNITS[written[-1:].upper()]
    number = int(digits) * multiplier if digits.isascii() and digits.isdecimal() and len(digits) < 16 else 0
    if not number:
        units = ", which may end in K, M or G" if limit.counts_octets else ""
        raise ValueError(f"{name} is a number from 1 on{units}")
    return name, number


@contextmanager
def override_limits(overrides: Mapping[str, int]) -> Iterator[None]:
    """Have the limits in *overrides*, by name, be these until the block ends."""
    previous = dict(_overrides)
    _overrides.update(overrides)
    try:
        yield
    finally:
        _overrides.clear()
        _overrides.update(previous)
