"""Schema descriptions, as the RFC writes them and as servers send them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.errors import MalformedInput
from dcmcfg.schema.subschema import SchemaDescriptions, parse_description


def terms(text: str) -> dict[str, tuple[str, ...]]:
    found = parse_description(text.encode())
    return dict(found.terms) | {"": (found.oid,)}


def test_a_description_is_taken_apart() -> None:
    assert terms(
        "( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'a name (SUP of 1)' SUP name OBSOLETE "
        "SYNTAX 1.3.6{64} SINGLE-VALUE USAGE dSAOperation X-ORIGIN ( 'RFC 4519' 'user' ) )"
    ) == {
        "": ("2.5.4.3",),
        "NAME": ("cn", "commonName"),
        "DESC": ("a name (SUP of 1)",),
        "SUP": ("name",),
        "OBSOLETE": (),
        "SYNTAX": ("1.3.6{64}",),
        "SINGLE-VALUE": (),
        "USAGE": ("dSAOperation",),
        "X-ORIGIN": ("RFC 4519", "user"),
    }


def test_lists_of_oids_are_divided_by_dollars() -> None:
    found = terms("( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( userPassword$seeAlso ) )")
    assert (found["MUST"], found["MAY"], found["STRUCTURAL"]) == (("sn", "cn"), ("userPassword", "seeAlso"), ())


@pytest.mark.parametrize(
    ("text", "keyword", "words"),
    [
        ("(1.2 NAME 'a' SYNTAX 1.3)", "SYNTAX", ("1.3",)),
        ("( 1.2 name 'a' Syntax '1.3' )", "SYNTAX", ("1.3",)),
        ("( 1.2 NAME a )", "NAME", ("a",)),
        ("( 1.2 NAME 'a' DESC 'the user's own' SYNTAX 1.3 )", "SYNTAX", ("1.3",)),
        ("( 1.2 NAME 'a' DESC 'it\\27s \\5Chere\\5c' )", "DESC", ("it's \\here\\",)),
        ("( 1.2 NAME 'a' DESC '' SYNTAX 1.3 )", "DESC", ("",)),
        ("( 1.2 NAME ) SYNTAX 1.3", "NAME", ()),
        ("( 1.2 NAME () SYNTAX 1.3 )", "SYNTAX", ("1.3",)),
        ("( nsOwn-oid NAME 'a' )", "", ("nsOwn-oid",)),
        ("( '1.2' NAME 'a' )", "", ("1.2",)),
        ("( 1.2 NAME 'a' X-ODD ) SYNTAX 1.3", "SYNTAX", None),
    ],
)
def test_what_servers_really_send_is_understood(text: str, keyword: str, words: tuple[str, ...] | None) -> None:
    assert terms(text).get(keyword) == words


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense",
        b"()",
        b"( )",
        b"( (",
        b"2.5.4.3 NAME 'cn'",
        b"( 2.5.4.4",
        b"( 1 NAME ( 'sn'",
        b"( 1 SUP ( \xff",
    ],
)
def test_what_is_no_description_is_told(text: bytes) -> None:
    with pytest.raises(MalformedInput, match="not a schema definition"):
        parse_description(text)
    assert list(SchemaDescriptions([text, b"( 1.2 NAME 'a' )"])) == [parse_description(b"( 1.2 NAME 'a' )")]


def test_those_above_come_with_a_definition_and_no_others() -> None:
    name, sn, person = (
        b"( 2.5.4.41 NAME 'name' )",
        b"( 2.5.4.4 NAME ( 'sn' 'surname' ) SUP name )",
        b"( 2.5.6.6 NAME 'x' )",
    )
    known = SchemaDescriptions((sn, name, person))
    assert [each.text for each in known.with_superiors(["Surname", "unknown"])] == [name, sn]
    assert "2.5.4.41" in known
    assert "dcmNoSuch" not in known


@given(st.text(alphabet=st.sampled_from("()'$\\ 27aNAMEDSC.{}\t\n"), max_size=60))
def test_no_text_is_too_odd(text: str) -> None:
    with suppress(MalformedInput):
        assert parse_description(text.encode()).oid
    assert parse_description(f"( 1.2 NAME 'a' X-Y '{text}' ) )".encode()).oid == "1.2"
