"""Laws of matching: normal forms are stable, so that matching is an equivalence."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dcmcfg.dn import DN
from dcmcfg.schema.definitions import AttributeType, load_bundled_schema
from dcmcfg.schema.equality import normalise
from tests.ldif.strategies import dns

SCHEMA = load_bundled_schema()
RULES = sorted({attribute.equality_rule for attribute in SCHEMA.attributes if attribute.equality_rule})
STRINGS = [attribute for attribute in SCHEMA.attributes if attribute.syntax in {"IA5String", "DirectoryString"}]
rules = st.sampled_from([*RULES, None])
#: Few characters, so that values which match are common.
close_values = st.text("aAbB  éÉß01-,=", max_size=6).map(str.encode)
values = close_values | st.text(st.characters(max_codepoint=0x24F), max_size=20).map(str.encode)


@given(rules, values)
def test_normal_form_is_stable(rule: str | None, value: bytes) -> None:
    normal = normalise(rule, value)

    assert normalise(rule, normal) == normal


@given(st.sampled_from(RULES), values)
def test_coarser_rule_matches_what_the_finer_one_matches(rule: str, value: bytes) -> None:
    finer = {"caseIgnoreMatch": "caseExactMatch", "caseIgnoreIA5Match": "caseExactIA5Match"}.get(rule)

    assert normalise(rule, normalise(finer, value)) == normalise(rule, value)


@given(st.sampled_from(STRINGS), close_values, st.integers(1, 3))
def test_surplus_blanks_never_count_in_strings(attribute: AttributeType, value: bytes, count: int) -> None:
    blanks = b" " * count
    padded = blanks + value.replace(b" ", blanks) + blanks

    assume(value)
    assert SCHEMA.normalise_value(attribute.name, padded) == SCHEMA.normalise_value(attribute.name, value)


@settings(max_examples=50)
@given(dns)
def test_dn_is_equal_to_itself_however_it_is_printed(dn: DN) -> None:
    assert SCHEMA.normalise_dn(DN.parse(str(dn))) == SCHEMA.normalise_dn(dn)
