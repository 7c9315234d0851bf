"""The schema as slapd.conf text, and whether real slapd accepts the archive's own data with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.schema.definitions import AttributeType, ObjectClass, Schema, load_bundled_schema
from dcmcfg.schema.slapd import format_slapd_schema
from tests.conftest import UPSTREAM_FILES
from tests.running_slapd import RunningSlapd


def test_attributes_stand_before_classes_and_built_in_ones_are_left_out() -> None:
    schema = Schema(
        (
            AttributeType("cn", "2.5.4.3", "DirectoryString", "caseIgnoreMatch", aliases=("commonName",)),
            AttributeType(
                "o",
                "2.5.4.10",
                "DirectoryString",
                "caseIgnoreMatch",
                substring_rule=None,
                single_valued=False,
                aliases=("organizationName",),
            ),
            AttributeType(
                "dcmOne",
                "1.2.3",
                "IA5String",
                "caseExactIA5Match",
                substring_rule="caseExactSubstringsMatch",
                single_valued=True,
            ),
            AttributeType("dcmData", "1.2.4", "Binary"),
        ),
        (ObjectClass("dcmThing", "1.2.5", "auxiliary", must=("cn", "dcmOne"), may=("dcmData",)),),
    )

    assert format_slapd_schema(schema) == (
        "attributetype ( 2.5.4.10 NAME ( 'o' 'organizationName' ) EQUALITY caseIgnoreMatch\n"
        "  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )\n"
        "attributetype ( 1.2.3 NAME ( 'dcmOne' ) EQUALITY caseExactIA5Match SUBSTR caseExactSubstringsMatch\n"
        "  SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 SINGLE-VALUE )\n"
        "attributetype ( 1.2.4 NAME ( 'dcmData' ) SYNTAX 1.3.6.1.4.1.1466.115.121.1.5 )\n"
        "objectclass ( 2.5.6.4 NAME ( 'organization' ) SUP ( top ) STRUCTURAL MUST ( o ) MAY ( userPassword\n"
        "  $ description ) )\n"
        "objectclass ( 1.3.6.1.4.1.1466.344 NAME ( 'dcObject' ) SUP ( top ) AUXILIARY MUST ( dc ) )\n"
        "objectclass ( 1.2.5 NAME ( 'dcmThing' ) SUP ( top ) AUXILIARY MUST ( cn $ dcmOne ) MAY ( dcmData ) )\n"
    )


def test_no_line_is_longer_than_slapd_reads() -> None:
    assert max(map(len, format_slapd_schema(load_bundled_schema()).splitlines())) <= 102


@pytest.mark.real
def test_server_publishes_each_bundled_definition(empty_slapd: RunningSlapd) -> None:
    published = empty_slapd.run_client(
        "ldapsearch",
        "-LLL",
        "-o",
        "ldif-wrap=no",
        "-b",
        "cn=Subschema",
        "-s",
        "base",
        "attributeTypes",
        "objectClasses",
    ).stdout

    schema = load_bundled_schema()
    oids = [known.oid for known in schema.attributes] + [known.oid for known in schema.object_classes]
    missing = [oid for oid in oids if f"( {oid} " not in published]
    assert missing == []


@pytest.mark.real
@pytest.mark.parametrize("release", ["5.29.0", "5.31.0", "5.33.1"])
def test_archives_default_configuration_is_accepted(empty_slapd: RunningSlapd, upstream: Path, release: str) -> None:
    for name in UPSTREAM_FILES[1:]:
        added = empty_slapd.run_client("ldapadd", "-f", str(upstream / release / name))
        assert added.returncode == 0, added.stderr

    assert len(empty_slapd.entries()) > 1_300
