"""The entries that a plan writes are checked with the schema files of the release."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from dcmcfg.changes import Add, Change, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.files.release_schema import read_release_schema
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.upgrade.new_problems import find_new_problems
from dcmcfg.upgrade.schema.release_schema import ReleaseSchema
from dcmcfg.upgrade.schema.target_schema import find_schema_problems, make_schema
from tests.trees import ARCHIVE, network_ae, site_entries, tree
from tests.upgrade.customised import TARGET, Releases

NOW = datetime(2024, 1, 1, tzinfo=UTC)
FILES = {
    "dicom": "attributetype ( 1.2.840.10008.15.0.3.1 NAME 'dicomDeviceName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 "
    "SINGLE-VALUE )\n"
    "objectclass ( 1.2.840.10008.15.0.4.1 NAME 'dicomDevice' SUP top STRUCTURAL MUST dicomDeviceName MAY cn )\n",
    "dcm4che": "",
    "dcm4chee-archive": "",
    "dcm4chee-archive-ui": "",
}


def read_small(folder: Path) -> ReleaseSchema:
    path = folder / "5.99.0" / "schema"
    path.mkdir(parents=True)
    for name, text in FILES.items():
        (path / f"{name}.schema").write_text(text)
    return read_release_schema(folder / "5.99.0")


def find(release: ReleaseSchema, *changes: Change) -> list[str]:
    plan = make_plan(tree(*site_entries()), [DesiredChange(each) for each in changes])
    return [f"{each.rule.name} {each.attribute}" for each in find_schema_problems(plan, make_schema(release))]


def set_value(name: str, *values: bytes) -> Modify:
    return Modify(DN.parse(ARCHIVE), (Modification(Operation.REPLACE, name, values),))


def test_only_what_the_release_defines_is_allowed(tmp_path: Path) -> None:
    release = read_small(tmp_path)
    found = find(release, set_value("cn", b"standard"), set_value("dicomDescription", b"x"))
    # The other attributes of the entry are not in this schema either, but the plan does not bring them.
    assert [each.rpartition(" ")[2] for each in found] == ["dicomDescription"]
    assert all(each.startswith("unknown") for each in find(release, Add(network_ae(ARCHIVE, "NEW"))))


def test_problems_name_the_release(tmp_path: Path) -> None:
    plan = make_plan(tree(*site_entries()), [DesiredChange(set_value("dicomDescription", b"x"))])
    assert find_new_problems(plan, NOW) == ()
    (problem,) = find_new_problems(plan, NOW, read_small(tmp_path))
    assert problem.startswith(ARCHIVE)
    assert problem.endswith("(schema of release 5.99.0)")


def test_the_schema_of_a_real_release_allows_its_own_default(releases: Releases) -> None:
    release = releases.read(TARGET)
    empty = tree(*release.entries[:1])
    plan = make_plan(empty, [DesiredChange(Add(each)) for each in release.entries[1:]])
    schema = make_schema(read_release_schema(releases.find_folder(TARGET)))
    assert list(find_schema_problems(plan, schema)) == []
