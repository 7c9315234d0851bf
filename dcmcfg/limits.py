"""Limits for the data that one peer can make dcmcfg keep or read; ``--max NAME=NUMBER`` raises one.

No real site reaches them. They apply to the whole process with all its threads, as those of setrlimit(2) do.
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
    """The limit ``name``: the maximum number (``default``) of ``description``, in octets or items."""

    name: str
    default: int
    description: str
    counts_octets: bool = True

    @property
    def maximum(self) -> int:
        """The current limit: the number of ``--max``, or the default."""
        return _overrides.get(self.name, self.default)

    @property
    def next_step(self) -> str:
        """The suggested action if more data is legitimate."""
        return f"If you expect this amount of data, repeat the command with --max {self.name}={self.format_maximum(2)}"

    def format_maximum(self, factor: int = 1) -> str:
        """Return the current limit, multiplied by *factor*, in the syntax of the option."""
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


LDAP_SETUP = Limit("ldap-setup", _M, "octets in the directory server's responses to StartTLS and bind")
LDAP_ENTRIES = Limit("ldap-entries", 1_000_000, "entries in one search result", counts_octets=False)
LDAP_OCTETS = Limit("ldap-octets", 512 * _M, "octets in all responses to one search, plus 48 octets for each value")
LDAP_MESSAGES = Limit(
    "ldap-messages",
    100_000,
    "responses to one search that are not entries: references, notices, and the response at the end of each page",
    counts_octets=False,
)
HTTP_BODY = Limit("http-body", 256 * _K, "octets in one response of the archive's web interface or the token issuer")
DEVICE_BODY = Limit("device-body", 32 * _M, "octets in the archive's JSON of one device")
QIDO_BODY = Limit("qido-body", 8 * _M, "octets in one result page of the archive's database")
QIDO_OCTETS = Limit("qido-octets", 256 * _M, "octets in all result pages of one search in the archive's database")
QIDO_INSTANCES = Limit(
    "qido-instances",
    50_000,
    "instances of one study in the archive's database (for more than about 100,000, also raise qido-octets)",
    counts_octets=False,
)
FIND_RESPONSE = Limit("find-response", 64 * _K, "octets in one C-FIND response")
FIND_RESPONSES = Limit(
    "find-responses", 1_000_000, "responses in total to the C-FIND requests of one query", counts_octets=False
)
FIND_OCTETS = Limit("find-octets", 256 * _M, "octets in total in the responses to the C-FIND requests of one query")
MOVE_RESPONSES = Limit("move-responses", 1_000_000, "pending responses to one C-MOVE", counts_octets=False)
INSTANCES = Limit("instances", 1_000_000, "instances that the receiver records for the result", counts_octets=False)
INFLATED_DATA_SET = Limit(
    "inflated-data-set",
    256 * _M,
    "octets in one deflated data set after decompression, when --keep reads the file again",
)
STORED_FILE = Limit("stored-file", 4 * _G, "octets in one file that --keep reads again")
ELEMENTS = Limit(
    "elements",
    1_000_000,
    "elements and items, including those in sequences, in one file that --keep reads again (an element "
    "with many values counts as 1 more for each 10 values)",
    counts_octets=False,
)

LIMITS = (
    LDAP_SETUP,
    LDAP_ENTRIES,
    LDAP_OCTETS,
    LDAP_MESSAGES,
    HTTP_BODY,
    DEVICE_BODY,
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
    """Return the name and the number in *text*, ``NAME=NUMBER``; a number of octets may end in K, M or G.

    Raises :class:`ValueError` with the reason for the user.
    """
    name, _, written = text.partition("=")
    limit = next((each for each in LIMITS if each.name == name), None)
    if limit is None:
        raise ValueError(f"unknown limit {name!r}; known limits: {', '.join(each.name for each in LIMITS)}")
    digits, multiplier = written, 1
    if limit.counts_octets and written[-1:].upper() in _UNITS:
        digits, multiplier = written[:-1], _UNITS[written[-1:].upper()]
    # Python refuses to convert numbers of thousands of digits.
    number = int(digits) * multiplier if digits.isascii() and digits.isdecimal() and len(digits) < 16 else 0
    if not number:
        units = ", optionally with the suffix K, M or G" if limit.counts_octets else ""
        raise ValueError(f"{name} must be a positive integer{units}")
    return name, number


@contextmanager
def override_limits(overrides: Mapping[str, int]) -> Iterator[None]:
    """Set the limits in *overrides* (name → number) inside the block."""
    previous = dict(_overrides)
    _overrides.update(overrides)
    try:
        yield
    finally:
        _overrides.clear()
        _overrides.update(previous)
