"""Schema files as slapd.conf has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.errors import MalformedInput
from dcmcfg.schema.comparable import DefinitionKind, parse_definition
from dcmcfg.schema.directives import parse_directives

FILE = b"""\
# A comment
  that goes on in the next line: attributetype ( 9.9 NAME 'not' )
objectIdentifier dcm 1.2.40.0.13.1.15
objectidentifier arc dcm:0.3

attributeType ( arc:1 NAME ( 'dcmOne' 'dcmFirst' )
   DESC 'SYNTAX dcm:1 is (not) a $ syntax'
\tSYNTAX 1.3.6.1.4.1.1466.115.121.1.15{64} )
ATTRIBUTETYPE ( 1.2.3
   NAME 'dcmTwo'
   SYNTAX dcm:9 SINGLE-VALUE )
objectclass ( dcm NAME 'dcmClass' SUP top AUXILIARY MUST dcmOne )
ldapsyntax ( 1.1 )
"""


def test_directives_are_joined_and_macros_expanded() -> None:
    found = parse_directives(FILE, "x.schema")
    assert found.attribute_types == (
        b"( 1.2.40.0.13.1.15.0.3.1 NAME ( 'dcmOne' 'dcmFirst' ) DESC 'SYNTAX dcm:1 is (not) a $ syntax' "
        b"SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{64} )",
        b"( 1.2.3 NAME 'dcmTwo' SYNTAX 1.2.40.0.13.1.15.9 SINGLE-VALUE )",
    )
    assert found.object_classes == (b"( 1.2.40.0.13.1.15 NAME 'dcmClass' SUP top AUXILIARY MUST dcmOne )",)
    assert parse_directives(FILE.replace(b"\n", b"\r\n"), "x.schema") == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"attributetype ( dcm:1 NAME 'x' )", "x.schema:1: the OID 'dcm:1' is neither numeric nor a defined macro"),
        (b"\n\nobjectidentifier a b:c", "x.schema:3: the OID 'b:c'"),
        (b"attributetype ( 1.2 NAME '\xff' )", "x.schema: the schema file is not UTF-8 text"),
    ],
)
def test_what_cannot_be_read_is_an_error(text: bytes, message: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        parse_directives(text, "x.schema")
    assert str(refused.value).startswith(message)


@given(st.binary(max_size=200))
def test_any_octets_are_definitions_or_an_error(octets: bytes) -> None:
    try:
        found = parse_directives(b"attributetype " + octets, "x.schema")
    except MalformedInput:
        return
    assert all(b"\n" not in each for each in found.attribute_types)


ONE = "( 1.2.3 NAME 'A' SUP ( b $ c ) STRUCTURAL MUST ( d $ e ) MAY f )"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("( 1.2.3 NAME 'a' DESC 'x' SUP ( C $ B ) MUST ( E $ d ) MAY ( f ) )", True),
        ("( 1.2.3 NAME 'a' SUP ( b $ c ) AUXILIARY MUST ( d $ e ) MAY f )", False),
        ("( 1.2.3 NAME 'a' SUP ( b $ c ) STRUCTURAL MUST d MAY ( e $ f ) )", False),
        ("( 1.2.4 NAME 'a' SUP ( b $ c ) STRUCTURAL MUST ( d $ e ) MAY f )", False),
        ("( 1.2.3 NAME 'z' SUP ( b $ c ) STRUCTURAL MUST ( d $ e ) MAY f )", False),
    ],
)
def test_classes_compare_without_descriptions_and_order(other: str, same: bool) -> None:
    one, two = (parse_definition(DefinitionKind.CLASS, each.encode()) for each in (ONE, other))
    assert one.is_same(two) is same


def test_attributes_compare_by_all_that_decides_values() -> None:
    text = "( 1.2.3 NAME 'a' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{64} SINGLE-VALUE )"
    one = parse_definition(DefinitionKind.ATTRIBUTE, text.encode())
    for old, new in (("{64}", ""), (" SINGLE-VALUE", ""), ("caseIgnoreMatch", "caseExactMatch"), ("'a'", "'b'")):
        assert not one.is_same(parse_definition(DefinitionKind.ATTRIBUTE, text.replace(old, new).encode()))
    spelt = text.replace("caseIgnoreMatch", "CASEIGNOREMATCH").replace("'a'", "'A' DESC 'x'")
    assert one.is_same(parse_definition(DefinitionKind.ATTRIBUTE, spelt.encode()))


def test_a_macro_of_the_server_is_expanded_to_compare_and_kept_as_text() -> None:
    macros = {"dcm": "1.2.3"}
    found = parse_definition(DefinitionKind.CLASS, b"( dcm:4 NAME 'a' SUP top AUXILIARY )", macros)
    assert (found.oid, found.text) == ("1.2.3.4", b"( dcm:4 NAME 'a' SUP top AUXILIARY )")
    with pytest.raises(MalformedInput):
        parse_definition(DefinitionKind.CLASS, b"( dcm:4 NAME 'a' SUP top AUXILIARY )")
