"""Laws of distinguished names."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.dn import DN, RDN, _Parser, normalise_ignoring_case
from dcmcfg.errors import MalformedInput
from tests.ldif.strategies import dns, rdns

few = settings(max_examples=100, deadline=None)
dn_like_text = st.text('ac=,+;"\\# <>0C4=\ud800ä', max_size=16)


def parsed(text: str) -> DN | None:
    with contextlib.suppress(MalformedInput):
        return DN.parse(text)
    return None


@few
@given(dns)
def test_a_printed_dn_parses_to_itself(dn: DN) -> None:
    assert DN.parse(str(dn)) == dn


@few
@given(rdns)
def test_a_printed_rdn_parses_to_itself(rdn: RDN) -> None:
    assert RDN.parse(str(rdn)) == rdn


@few
@given(dns)
def test_a_dn_prints_on_one_line_as_valid_utf8(dn: DN) -> None:
    str(dn).encode()
    assert "\n" not in str(dn)
    assert "\0" not in str(dn)


@few
@given(dn_like_text)
def test_any_text_is_a_dn_or_malformed_input(text: str) -> None:
    dn = parsed(text)
    assert dn is None or DN.parse(str(dn)) == dn


@few
@given(dn_like_text | dns.map(str))
def test_the_fast_path_agrees_with_the_parser(text: str) -> None:
    try:
        expected = _Parser(text).parse_dn()
    except MalformedInput:
        assert parsed(text) is None
    else:
        assert parsed(text) == expected


@few
@given(st.text())
def test_the_normal_form_of_a_value_is_its_own_normal_form(value: str) -> None:
    assert normalise_ignoring_case("cn", normalise_ignoring_case("cn", value)) == normalise_ignoring_case("cn", value)


@few
@given(dns)
def test_the_order_of_the_parts_of_an_rdn_means_nothing(dn: DN) -> None:
    reversed_parts = DN(tuple(RDN(rdn.parts[::-1]) for rdn in dn.rdns))
    assert reversed_parts.normalised() == dn.normalised()


@few
@given(dns, dns)
def test_a_dn_is_below_what_it_ends_with(below: DN, above: DN) -> None:
    joined = DN(below.rdns + above.rdns)
    assert joined.is_below(above)
    assert above.is_below(joined) == (not below.rdns)


@few
@given(dns, dns, dns)
def test_rebasing_there_and_back_changes_nothing(leaf: DN, old: DN, new: DN) -> None:
    dn = DN(leaf.rdns + old.rdns)
    assert dn.rebased(old, new) == DN(leaf.rdns + new.rdns)
    assert dn.rebased(old, new).rebased(new, old) == dn
