"""Definitions as servers publish them."""

from __future__ import annotations

import pytest

from dcmcfg.errors import MalformedInput
from dcmcfg.schema.definitions import bundled
from dcmcfg.schema.subschema import Descriptions, parse_description, with_descriptions
from tests.running_slapd import RunningSlapd

#: OIDs of the archive's own attributes; slapd has the others built in, with more to them.
DICOM_AND_DCM4CHE = ("1.2.840.10008.", "1.2.40.")
STRING = b"SYNTAX 1.3.6.1.4.1.1466.115.121.1.15"
NAME = b"( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch " + STRING + b"{32768} )"
SN = b"( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'RFC2256: last (family) $ name(s)' SUP name )"
PERSON = b"( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( surname $ cn ) MAY ( userPassword$description ) )"


def test_a_type_takes_syntax_and_rules_from_the_one_above_it() -> None:
    schema = with_descriptions(bundled(), (SN, NAME), ())
    found = schema.attribute("SURNAME")
    assert found is not None
    assert (found.name, found.aliases, found.oid) == ("sn", ("surname",), "2.5.4.4")
    assert (found.syntax, found.equality, found.single_valued) == ("DirectoryString", "caseIgnoreMatch", False)


def test_a_class_names_its_attributes_by_their_first_names() -> None:
    found = with_descriptions(bundled(), (SN, NAME), (PERSON,)).object_class("person")
    assert found is not None
    assert (found.kind, found.superiors) == ("structural", ("top",))
    assert (found.must, found.may) == (("sn", "cn"), ("userPassword", "description"))


def test_what_is_published_wins_over_what_is_bundled() -> None:
    own = b"( 1.2.840.10008.15.0.3.1 NAME 'dicomDeviceName' EQUALITY caseExactMatch " + STRING + b" )"
    before, after = bundled(), with_descriptions(bundled(), (own,), ())
    assert before.normal_value("dicomDeviceName", b"A") == before.normal_value("dicomDeviceName", b"a")
    assert after.normal_value("dicomDeviceName", b"A") != after.normal_value("dicomDeviceName", b"a")


def test_those_above_come_with_a_definition_and_no_others() -> None:
    known = Descriptions((SN, NAME, PERSON))
    assert [each.text for each in known.with_superiors(["Surname", "unknown"])] == [NAME, SN]
    assert "2.5.4.41" in known
    assert "dcmNoSuch" not in known


@pytest.mark.parametrize(
    "text", [b"", b"2.5.4.4", b"( 2.5.4.4", b"( 2.5.4.4 NAME ( 'sn'", b"( 2.5.4.4 NAME )", b"( 1 SUP ( \xff"]
)
def test_what_is_no_definition_is_told(text: bytes) -> None:
    with pytest.raises(MalformedInput, match="not a definition"):
        parse_description(text)


@pytest.mark.real
def test_what_slapd_publishes_of_the_bundled_schema_is_the_bundled_schema(slapd: RunningSlapd) -> None:
    found = slapd.run_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", "cn=Subschema", "-s", "base", "+")
    lines = found.stdout.splitlines()
    attributes, classes = (
        [line.removeprefix(f"{kind}: ").encode() for line in lines if line.startswith(f"{kind}: ")]
        for kind in ("attributeTypes", "objectClasses")
    )
    assert len(attributes) > 700
    read = with_descriptions(type(bundled())((), ()), attributes, classes)
    for attribute in bundled().attributes:
        got = read.attribute(attribute.name)
        assert got is not None, attribute.name
        assert got == attribute or not attribute.oid.startswith(DICOM_AND_DCM4CHE)
    for known in bundled().object_classes:
        got_class = read.object_class(known.name)
        assert got_class is not None, known.name
        assert got_class.kind == known.kind
        assert {name.lower() for name in got_class.must} == {name.lower() for name in known.must}
        assert {name.lower() for name in got_class.may} == {name.lower() for name in known.may}
