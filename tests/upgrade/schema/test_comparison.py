"""Which release's schema a server has, and the uses of definitions that go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.files.release_schema import read_release_schema
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.model.tree import Tree
from dcmcfg.schema.comparable import DefinitionKind, parse_definition
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.schema.configured import ATTRIBUTE_OF_KIND
from dcmcfg.upgrade.schema.obsolete_values import plan_deletion
from dcmcfg.upgrade.schema.release_schema import ReleaseSchema, compare_schema, find_releases
from dcmcfg.upgrade.schema.usage import (
    DataUse,
    RemovedNames,
    find_configuration_uses,
    find_data_uses,
)
from tests.upgrade.customised import Releases

VERSIONS = ("5.14.1", "5.23.0", "5.29.0", "5.31.0", "5.33.1")
DATABASE = "olcDatabase={1}mdb,cn=config"
REMOVED = RemovedNames({"dcmuicountaet": "dcmuiCountAET"}, {"dcmold": "dcmOld", "dcmside": "dcmSide"})


@pytest.fixture(scope="module")
def schemas(releases: Releases) -> dict[str, ReleaseSchema]:
    folders = {each: [root / each / "schema" for root in (releases.upstream, releases.more)] for each in VERSIONS}
    return {each: read_release_schema(next(path for path in paths if path.exists())) for each, paths in folders.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_each_release_is_recognised(schemas: dict[str, ReleaseSchema], version: str) -> None:
    comparisons = [compare_schema(schemas[version].definitions, each) for each in schemas.values()]
    assert [each.label for each in find_releases(comparisons)] == [version]


def test_releases_with_the_same_schema_are_a_range_and_an_unknown_schema_is_none(
    schemas: dict[str, ReleaseSchema],
) -> None:
    neighbour = replace(schemas["5.31.0"], label="5.31.1")
    given = [schemas["5.29.0"], schemas["5.31.0"], neighbour]
    found = find_releases([compare_schema(schemas["5.31.0"].definitions, each) for each in given])
    assert [each.label for each in found] == ["5.31.0", "5.31.1"]
    definitions = tuple(schemas["5.31.0"].definitions)[1:]
    comparisons = [compare_schema(definitions, each) for each in given]
    assert find_releases(comparisons) == ()
    assert [(len(each.missing), len(each.different)) for each in comparisons[1:]] == [(1, 0), (1, 0)]


def test_the_files_for_slapd_conf_are_those_for_cn_config(
    releases: Releases, schemas: dict[str, ReleaseSchema]
) -> None:
    """The release has its schema in two forms, of which dcmcfg reads only one."""
    for file in schemas["5.33.1"].files:
        path = releases.more / "5.33.1" / "slapd" / f"{file.name}.ldif"
        (record,) = (each for each in read_all([path.read_bytes()], path.name) if isinstance(each, ContentRecord))
        found = [
            parse_definition(kind, value)
            for kind, name in ATTRIBUTE_OF_KIND.items()
            for value in record.entry.values(name)
        ]
        assert [(each.oid, each.shape) for each in found] == [(each.oid, each.shape) for each in file.definitions]


def test_uses_in_cn_config_are_found_without_showing_values() -> None:
    entries = [
        Entry.from_values(DATABASE, {"olcDbIndex": ["dcmuiCountAET,cn eq"], "olcRootPW": "dcmuiCountAETx"}),
        Entry.from_values("cn={7}x,cn=schema,cn=config", {"olcObjectClasses": ["( 1 NAME 'x' MAY dcmuiCountAET )"]}),
        Entry.from_values("cn={8}y,cn=schema,cn=config", {"olcDitContentRules": "{0}( 1.2 NAME 'y' AUX dcmSide )"}),
        Entry.from_values("olcDatabase={2}mdb,cn=config", {"olcAccess": ["{0}to attrs=@DCMOLD by * read"]}),
        Entry.from_values(f"olcOverlay={{0}}unique,{DATABASE}", {"olcUniqueURI": "ldap:///?dcmuicountaet?sub"}),
    ]
    found = [(str(each.dn.rdn), each.attribute, each.names) for each in find_configuration_uses(entries, REMOVED)]
    assert found == [
        ("olcDatabase={1}mdb", "olcDbIndex", ("dcmuiCountAET",)),
        ("cn={8}y", "olcDitContentRules", ("dcmSide",)),
        ("olcDatabase={2}mdb", "olcAccess", ("dcmOld",)),
        ("olcOverlay={0}unique", "olcUniqueURI", ("dcmuiCountAET",)),
    ]


def entry(name: str, **values: str | list[str]) -> Entry:
    return Entry.from_values(f"cn={name},dc=x", {"cn": name, **values})


def test_values_are_deleted_where_the_entry_remains_valid() -> None:
    first = entry("a", objectClass=["dcmMain", "dcmSide"], dcmuiCountAET=["X", "Y"], **{"dcmuiCountAET;lang-de": "Z"})
    entries = [first, entry("b", objectClass="dcmMain")]
    (use,) = find_data_uses(entries, REMOVED)
    assert use == DataUse(first.dn, ("dcmuiCountAET", "dcmuiCountAET;lang-de"), ("dcmSide",))
    side = parse_definition(DefinitionKind.CLASS, b"( 1.2.3 NAME 'dcmSide' SUP top AUXILIARY MAY dcmuiCountAET )")
    plan = plan_deletion(Tree.from_entries(load_bundled_schema(), entries), [use], [side])
    (step,) = plan.steps
    assert step.after == entry("a", objectClass=["dcmMain"])


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        (DataUse(DN.parse("cn=other,dc=y"), ("dcmuiCountAET",), ()), "not below the base DN"),
        (DataUse(DN.parse("cn=a,dc=x"), (), ("dcmOld",)), "dcmOld is the structural object class"),
        (DataUse(DN.parse("cn=a,dc=x"), ("cn",), ()), "cn is part of the name"),
        (DataUse(DN.parse("cn=a,dc=x"), ("dcmuiCountAET",), ()), "an object class requires dcmuiCountAET"),
    ],
)
def test_what_no_deletion_of_values_can_end_is_refused(use: DataUse, reason: str) -> None:
    tree = Tree.from_entries(load_bundled_schema(), [entry("a", objectClass=["dcmOld"], dcmuiCountAET="X")])
    old = parse_definition(DefinitionKind.CLASS, b"( 1.2.3 NAME 'dcmOld' SUP dcmBase STRUCTURAL )")
    base = parse_definition(DefinitionKind.CLASS, b"( 1.2.4 NAME 'dcmBase' SUP top MUST dcmuiCountAET )")
    with pytest.raises(Refused) as refused:
        plan_deletion(tree, [use], [old, base])
    assert reason in refused.value.details[0]


def test_paths_of_the_files_are_named(releases: Releases) -> None:
    folder = releases.upstream / "5.33.1"
    assert read_release_schema(folder).paths[0] == f"{folder}/schema/dicom.schema"
    assert Path(read_release_schema(folder).paths[3]).exists()
