"""The intent to copy a device: new names where names are unique, the rest as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.changes import Add
from dcmcfg.dn import DN
from dcmcfg.edits.devices import CloneNames, clone_device, remove_device
from dcmcfg.edits.edit import Edit
from dcmcfg.errors import MalformedInput, NotFound, Refused
from dcmcfg.lint.linter import lint
from dcmcfg.model.devices import Configuration
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.lint.breaking import ARCHIVE, DEVICES, NOW, valid_tree
from tests.lint.test_stock import EXPECTED, UPS, stock, summaries

ARC2 = f"dicomDeviceName=arc2,{DEVICES}"
ARCHIVE_NAMES = CloneNames("arc2", {EntityKind.AE: {"IOCM_REGULAR_USE": "IOCM2"}}, suffix="2")


def clone(device: str, names: CloneNames) -> tuple[Edit, Tree]:
    tree = valid_tree()
    configuration = Configuration(tree)
    edit = clone_device(configuration, configuration.get_device(device), names)
    return edit, make_plan(tree, [DesiredChange(change) for change in edit.changes]).after


def test_an_archive_is_copied_with_all_in_it_and_lint_finds_nothing_new() -> None:
    edit, after = clone("dcm4chee-arc", ARCHIVE_NAMES)
    assert len(after.subtree(DN.parse(ARC2))) == len(valid_tree().subtree(DN.parse(ARCHIVE)))
    assert lint(after, NOW) == lint(valid_tree(), NOW)
    assert edit.warnings[0].startswith("the copy has the same addresses as dcm4chee-arc (dicom ")


def test_what_refers_to_the_device_or_its_own_parts_refers_to_the_copy() -> None:
    _, after = clone("dcm4chee-arc", ARCHIVE_NAMES)
    old_titles = {"DCM4CHEE", "AS_RECEIVED", "IOCM_REGULAR_USE", "WORKLIST"}
    for entry in after.subtree(DN.parse(ARC2)):
        for attribute in entry.attributes:
            for text in entry.texts(attribute.name):
                assert "dicomDeviceName=dcm4chee-arc" not in text, (str(entry.dn), attribute.name)
                assert text not in old_titles, (str(entry.dn), attribute.name)
    ae = after.get(DN.parse(f"dicomAETitle=DCM4CHEE2,{ARC2}"))
    assert ae is not None
    assert f"cn=dicom,{ARC2}" in ae.texts("dicomNetworkConnectionReference")
    app = after.get(DN.parse(f"dcmWebAppName=DCM4CHEE2,{ARC2}"))
    assert app is not None
    assert "/aets/DCM4CHEE2/" in (app.text("dcmWebServicePath") or "")


def test_what_is_elsewhere_is_left_alone() -> None:
    edit, after = clone("storescp", CloneNames("store2", {EntityKind.AE: {"STORESCP": "STORE2"}}))
    assert all(isinstance(change, Add) for change in edit.changes)
    assert {key: after.entries[key] for key in valid_tree().entries} == dict(valid_tree().entries)


@pytest.mark.parametrize("release", EXPECTED)
def test_of_the_default_configuration_a_copy_has_the_findings_of_its_original(
    upstream: Path, release: str, tmp_path: Path
) -> None:
    tree = stock(upstream, release, tmp_path)
    configuration = Configuration(tree)
    device = configuration.get_device("dcm4chee-arc")
    titles = {ae.title: ae.title[:14] + "_2" for ae in device.network_aes}
    edit = clone_device(configuration, device, CloneNames("arc2", {EntityKind.AE: titles}, suffix="2"))
    after = make_plan(tree, [DesiredChange(change) for change in edit.changes]).after
    assert sorted(summaries(after)) == sorted((*EXPECTED[release], *UPS))
    back = remove_device(Configuration(after).get_device("arc2"))
    assert back.warnings == ()
    assert make_plan(after, [DesiredChange(change) for change in back.changes]).after == tree


@pytest.mark.parametrize(
    ("device", "names", "error", "problem"),
    [
        ("storescp", CloneNames("longterm"), Refused, "a device longterm already exists"),
        ("storescp", CloneNames("STORESCP"), Refused, "a device STORESCP already exists"),
        ("storescp", CloneNames("a,b", suffix="2"), Refused, "the device name a,b contains one of"),
        (
            "storescp",
            CloneNames("x"),
            Refused,
            "the names must be unique: AE STORESCP — specify a suffix for all names with --suffix TEXT, or specify "
            "each name: --ae STORESCP=NEW",
        ),
        ("storescp", CloneNames("a=b", suffix="2"), Refused, "the device name a=b contains ="),
        ("storescp", CloneNames("x", {EntityKind.AE: {"NO": "Y"}}), NotFound, "has no AE NO"),
        (
            "storescp",
            CloneNames("x", {EntityKind.AE: {"STORESCP": "LONGTERM"}}),
            Refused,
            "the AE name LONGTERM is already used",
        ),
        ("storescp", CloneNames("x", {EntityKind.AE: {"STORESCP": "STORESCP"}}), Refused, "must be unique"),
        ("storescp", CloneNames("x", {EntityKind.AE: {"STORESCP": "A*"}}), Refused, "cannot find the AE"),
        ("storescp", CloneNames("x", suffix="-123456789"), MalformedInput, "the title has 18 characters"),
        ("storescp", CloneNames("x", suffix=" "), MalformedInput, "ends with a space"),
        (
            "dcm4chee-arc",
            CloneNames("x", {EntityKind.AE: {"DCM4CHEE": "SAME", "WORKLIST": "SAME"}}, suffix="2"),
            Refused,
            "the AE name SAME is already used",
        ),
    ],
)
def test_names_that_are_missing_taken_or_impossible(
    device: str, names: CloneNames, error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        clone(device, names)
