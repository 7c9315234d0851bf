"""LDAP requests as lines: operation, name, attributes and controls, and no value."""

from __future__ import annotations

from functools import partial

import pytest

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.messages import encode_change_request, encode_extended_request
from dcmcfg.directory.request_log import describe_request, format_result
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry

NAME = DN.parse("cn=a b,dc=x")
SECRET = b"hunter2 and more"


@pytest.mark.parametrize(
    ("change", "headline", "details"),
    [
        (
            Add(Entry(NAME, (Attribute("cn", (b"a b",)), Attribute("userPassword", (SECRET, b"another"))))),
            'add "cn=a b,dc=x"',
            ["attributes: cn (1 value), userPassword (2 values)"],
        ),
        (
            Modify(NAME, (Modification(Operation.REPLACE, "userPassword", (SECRET,)),)),
            'modify "cn=a b,dc=x"',
            ["replace userPassword (1 value)"],
        ),
        (Delete(NAME), 'delete "cn=a b,dc=x"', []),
        (Rename(NAME, RDN.of("cn", "c")), 'modify DN "cn=a b,dc=x" to "cn=c"', []),
        (
            Rename(NAME, RDN.of("cn", "c"), new_superior=DN.parse("dc=y")),
            'modify DN "cn=a b,dc=x" to "cn=c", "dc=y"',
            [],
        ),
    ],
)
def test_a_change_is_described_without_its_values(change: Change, headline: str, details: list[str]) -> None:
    encode = partial(encode_change_request, change=change, more=(Control("1.3.6.1.1.12", critical=True, value=SECRET),))
    octets = encode(300)
    description = describe_request(octets)
    assert (description.headline, description.details) == (
        headline,
        (f"message ID 300, {len(octets)} octets", *details, "controls: 1.3.6.1.1.12 (assertion)"),
    )
    assert "hunter2" not in repr(description)


def test_an_extended_request_is_described_by_its_name() -> None:
    description = describe_request(encode_extended_request(1, "1.3.6.1.1.21.3", SECRET))
    assert description.headline == "extended 1.3.6.1.1.21.3 (end transaction)"
    assert "hunter2" not in repr(description)


def test_octets_that_are_no_request_are_no_error() -> None:
    assert describe_request(b"\x30\x02\x02").headline.startswith("a request that cannot be described")


def test_results_have_their_names() -> None:
    assert (format_result(0), format_result(32), format_result(9999)) == ("success", "noSuchObject", "result 9999")
