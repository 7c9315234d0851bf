"""Assertion filters in BER, and what they say of an entry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.changes import Control
from dcmcfg.entry import Entry
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import AllOf, AnyOf, Equals, Filter, Not, Present
from dcmcfg.schema.definitions import load_bundled_schema
from tests.trees import ARCHIVE

ENTRY = Entry.from_values(ARCHIVE, {"cn": ("a", "b"), "dicomDescription": "Archive"})
NAMES = st.sampled_from(["cn", "dicomDescription", "dicomInstalled"])
LEAVES: st.SearchStrategy[Filter] = st.builds(Equals, NAMES, st.binary(max_size=300)) | st.builds(Present, NAMES)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AllOf, st.lists(inner, max_size=4).map(tuple))
        | st.builds(AnyOf, st.lists(inner, max_size=4).map(tuple))
    ),
    max_leaves=8,
)


@given(FILTERS)
def test_what_is_encoded_is_read_back(assertion: Filter) -> None:
    assert (
        assertions.decode_control(Control(assertions.OID, critical=True, value=assertions.encode_filter(assertion)))
        == assertion
    )


@given(st.binary(max_size=60))
def test_octets_that_are_no_filter_are_left_to_the_server(octets: bytes) -> None:
    found = assertions.decode_control(Control(assertions.OID, critical=True, value=octets))
    assert found is None or assertions.encode_filter(found)


def test_a_filter_nested_without_end_is_left_to_the_server() -> None:
    octets = b""
    for _ in range(5000):
        octets = bytes((0xA2, 0x84)) + len(octets).to_bytes(4, "big") + octets
    assert assertions.decode_control(Control(assertions.OID, value=octets)) is None


def test_the_encoding_is_the_one_of_rfc_4511() -> None:
    # (&(cn=a)(!(cn=*))) written out by hand from RFC 4511 §4.5.1
    assert (
        assertions.encode_filter(AllOf((Equals("cn", b"a"), Not(Present("cn"))))).hex()
        == "a00fa30704" + "02636e040161" + "a204" + "8702636e"
    )


def test_values_match_by_the_rule_of_their_attribute() -> None:
    schema = load_bundled_schema()
    assert assertions.matches_filter(Equals("dicomDescription", b"ARCHIVE"), ENTRY, schema, None)
    assert not assertions.matches_filter(Not(Present("cn")), ENTRY, schema, None)
    assert assertions.matches_filter(AnyOf((Equals("cn", b"z"), Equals("cn", b"b"))), ENTRY, schema, None)


def test_a_version_that_is_not_known_is_left_to_the_server() -> None:
    schema = load_bundled_schema()
    assert assertions.matches_filter(Equals("entryCSN", b"1"), ENTRY, schema, None)
    assert not assertions.matches_filter(Equals("entryCSN", b"1"), ENTRY, schema, "2")


def test_what_is_broken_is_told_with_what_was_expected_and_what_was_found() -> None:
    assertion = AllOf((Equals("cn", b"x"), Equals("cn", b"y"), Present("dicomInstalled"), Equals("cn", b"a")))
    assert assertions.describe_failures(assertion, ENTRY, load_bundled_schema(), None) == (
        "cn (expected 'x', found 'a', 'b')",
        "cn (expected 'y', found 'a', 'b')",
        "dicomInstalled (expected a value, found none)",
    )


def test_a_broken_assertion_of_a_secret_does_not_tell_it() -> None:
    entry = Entry.from_values("cn=a", {"dcmKeyStorePin": "held"})
    (message,) = assertions.describe_failures(Equals("dcmKeyStorePin", b"expected"), entry, load_bundled_schema(), None)
    assert message == "dcmKeyStorePin (expected (secret), found (secret))"
    (message,) = assertions.describe_failures(
        Equals("1.2.40.0.13.1.15.0.3.46", b"expected"), entry, load_bundled_schema(), None
    )
    assert message.endswith("(expected (secret), found (secret))"), "under its OID neither"


def test_of_many_broken_assertions_the_first_are_listed() -> None:
    assert assertions.summarize_failures(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
