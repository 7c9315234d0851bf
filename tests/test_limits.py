"""Limits on what peers send: their option, and that the documentation has them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dcmcfg.limits import LDAP_ENTRIES, LDAP_OCTETS, LIMITS, override_limits, parse_limit

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "limits.md"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("ldap-entries=5", ("ldap-entries", 5)),
        ("ldap-octets=5", ("ldap-octets", 5)),
        ("ldap-octets=3k", ("ldap-octets", 3 << 10)),
        ("http-body=1M", ("http-body", 1 << 20)),
        ("stored-file=10G", ("stored-file", 10 << 30)),
    ],
)
def test_a_limit_is_a_name_and_a_number(text: str, limit: tuple[str, int]) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nothing=5", "unknown limit 'nothing'; known limits: ldap-setup, "),
        ("", "unknown limit ''"),
        ("ldap-entries", "ldap-entries must be a positive integer"),
        ("ldap-entries=0", "ldap-entries must be a positive integer"),
        ("ldap-entries=1K", "ldap-entries must be a positive integer"),
        ("ldap-octets=-1", "ldap-octets must be a positive integer, optionally with the suffix K, M or G"),
        ("ldap-octets=K", "ldap-octets must be a positive integer"),
        ("ldap-octets=" + "9" * 5000, "ldap-octets must be a positive integer"),
    ],
)
def test_what_is_no_limit_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_limit(text)


def test_a_limit_is_raised_until_the_block_ends() -> None:
    with override_limits({"ldap-octets": 3 << 20}):
        assert (LDAP_OCTETS.maximum, LDAP_OCTETS.format_maximum()) == (3 << 20, "3M")
        assert LDAP_OCTETS.next_step.endswith("repeat the command with --max ldap-octets=6M")
        assert LDAP_ENTRIES.maximum == LDAP_ENTRIES.default
    assert (LDAP_OCTETS.maximum, LDAP_OCTETS.format_maximum()) == (LDAP_OCTETS.default, "512M")


def test_the_option_that_a_message_names_is_understood() -> None:
    for limit in LIMITS:
        name, number = parse_limit(limit.next_step.rpartition("--max ")[2])
        assert (name, number) == (limit.name, 2 * limit.default)


def test_the_documentation_has_each_limit_with_its_default() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([0-9]+[KMG]?) \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == [(limit.name, limit.format_maximum(), limit.description) for limit in LIMITS]
