"""A server's own schema from its descriptions."""

from __future__ import annotations

import dataclasses

from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.schema.subschema import merge_descriptions, merge_schemas, parse_subschema

NAME = (
    "( 2.5.4.41 NAME 'name' EQUALITY 2.5.13.2 SUBSTR caseIgnoreSubstringsMatch "
    "SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{9} )"
)
RULE = "( 2.5.13.2 NAME 'caseIgnoreMatch' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )"


def schema(*types: str, classes: tuple[str, ...] = ()) -> Schema:
    values = {"attributeTypes": (NAME, *types), "objectClasses": classes, "matchingRules": RULE}
    return parse_subschema(Entry.from_values("cn=Subschema", values), load_bundled_schema())


def test_syntax_and_rules_come_from_the_supertype_with_rules_named_by_oid() -> None:
    found = schema("( 1.2 NAME ( 'nick' 'alias' ) SUP NAME DESC 'said' SINGLE-VALUE )").attribute("ALIAS")
    assert found is not None
    assert dataclasses.astuple(found) == (
        *("nick", "1.2", "DirectoryString", "caseIgnoreMatch", "caseIgnoreSubstringsMatch", True),
        *(("alias",), "said", False),
    )
    assert schema("( 1.2 NAME 'a' SUP 2.5.4.41 )").normalise_value("a", b"X  Y ") == b"x y"


def test_supertypes_in_a_circle_or_missing_are_survived() -> None:
    odd = schema("( 1.2 NAME 'a' SUP b )", "( 1.3 NAME 'b' SUP a )", "( 1.4 NAME 'c' SUP gone )")
    assert [(each.syntax, each.equality_rule) for each in odd.attributes[1:]] == [("", None)] * 3


def test_an_unknown_syntax_goes_by_its_oid_and_a_nameless_type_by_its_own() -> None:
    found = schema("( 1.2.3 SYNTAX 1.3.6.1.1.16.1 USAGE directoryOperation )").attribute("1.2.3")
    assert found is not None
    assert (found.name, found.syntax, found.operational) == ("1.2.3", "1.3.6.1.1.16.1", True)


def test_what_is_known_by_oid_keeps_its_name() -> None:
    found = schema("( 2.5.4.3 NAME ( 'commonName' 'CN' ) SUP name )", classes=("( 1.9 NAME 'x' MUST COMMONNAME )",))
    cn = found.attribute("commonname")
    assert cn is not None
    assert (cn.name, cn.aliases) == ("cn", ("commonName",))
    assert found.object_classes[0].must == ("cn",)


def test_classes_have_kinds_superiors_and_several_names() -> None:
    found = schema(
        classes=(
            "( 1.1 NAME ( 'one' 'uno' ) SUP ( top $ two ) AUXILIARY MUST name MAY ( cn $ other ) )",
            "( 1.2 NAME 'two' ABSTRACT )",
            "( 1.3 NAME 'three' DESC 'default kind' )",
        )
    )
    one, two, three = found.object_classes
    assert found.object_class("UNO") is one
    assert (one.kind, two.kind, three.kind) == ("auxiliary", "abstract", "structural")
    assert (one.superiors, one.must, one.may) == (("top", "two"), ("name",), ("cn", "other"))
    assert three.description == "default kind"


def test_descriptions_that_are_none_are_passed_over() -> None:
    assert [each.name for each in schema("nonsense", "( 1.2 NAME 'a' )").attributes] == ["name", "a"]


def test_the_server_wins_where_both_know_and_each_adds_what_only_it_knows() -> None:
    server = schema("( 2.5.4.3 NAME 'cn' SUP name DESC 'the server says' )", "( 1.2 NAME 'new' )")
    both = merge_schemas(server, load_bundled_schema())
    cn, ours = both.attribute("cn"), both.attribute("dicomAETitle")
    assert cn is not None
    assert cn.description == "the server says"
    assert both.attribute("new") is not None
    assert ours is load_bundled_schema().attribute("dicomAETitle")
    assert len(both.attributes) == len(load_bundled_schema().attributes) + 2
    assert len({each.name.lower() for each in both.attributes}) == len(both.attributes)


def test_what_is_published_wins_over_what_is_bundled() -> None:
    own = (
        b"( 1.2.840.10008.15.0.3.1 NAME 'dicomDeviceName' EQUALITY caseExactMatch "
        + b"SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )"
    )
    before, after = load_bundled_schema(), merge_descriptions(load_bundled_schema(), (own,), ())
    assert before.normalise_value("dicomDeviceName", b"A") == before.normalise_value("dicomDeviceName", b"a")
    assert after.normalise_value("dicomDeviceName", b"A") != after.normalise_value("dicomDeviceName", b"a")
