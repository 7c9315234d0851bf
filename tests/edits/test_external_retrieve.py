"""The intent to set the external retrieve destination, on a tree."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.external_retrieve import set_external_retrieve
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.devices import Configuration
from tests.trees import ARCHIVE, STORESCP, connection, network_ae, site, site_entries, storage_scp, tree

NAME = "dcmExternalRetrieveAEDestination"


def edit(
    title: str | None,
    *more: Entry,
    device: str = "dcm4chee-arc",
    ae: str | None = None,
    force: bool = False,
    **settings: str,
) -> Edit:
    configuration = Configuration(tree(*site_entries(**settings), *more))
    return set_external_retrieve(configuration, device, title, ae=ae, force_unknown=force)


def the_change(found: Edit) -> Modify:
    (change,) = found.changes
    assert isinstance(change, Modify)
    return change


def test_the_device_gets_the_value_in_the_form_that_is_right_in_each_state() -> None:
    found = edit("DCM4CHEE")
    assert str(the_change(found).dn) == ARCHIVE
    assert the_change(found).modifications == (Modification(Operation.REPLACE, NAME, (b"DCM4CHEE",)),)
    assert found.warnings == ()


def test_one_ae_gets_its_own_value() -> None:
    assert str(the_change(edit("DCM4CHEE", ae="AS_RECEIVED")).dn) == f"dicomAETitle=AS_RECEIVED,{ARCHIVE}"


def test_an_ae_without_the_archives_class_gets_it_added() -> None:
    plain = Entry.from_values(
        f"dicomAETitle=PLAIN,{ARCHIVE}", {"objectClass": ("dicomNetworkAE", "dcmNetworkAE"), "dicomAETitle": "PLAIN"}
    )
    first, _ = the_change(edit("DCM4CHEE", plain, ae="PLAIN")).modifications
    assert first == Modification(Operation.ADD, "objectClass", (b"dcmArchiveNetworkAE",))
    assert len(the_change(edit(None, plain, ae="PLAIN")).modifications) == 1, "to clear needs no class"


def test_clear_removes_the_values() -> None:
    assert the_change(edit(None)).modifications == (Modification(Operation.REPLACE, NAME),)


def test_an_unknown_title_is_refused_with_the_near_misses() -> None:
    with pytest.raises(Refused, match="no AE has the title DCM4CHE; did you mean DCM4CHEE"):
        edit("DCM4CHE")
    with pytest.raises(Refused, match="did you mean DCM4CHEE"):
        edit("dcm4chee")


def test_an_unknown_title_is_taken_when_forced() -> None:
    assert the_change(edit("NEW_AE", force=True)).modifications[0].values == (b"NEW_AE",)


def test_another_title_of_the_device_is_known() -> None:
    other = network_ae(ARCHIVE, "X", dcmOtherAETitle="OLD", dcmObjectStorageID="fs1")
    assert edit("OLD", other, storage_scp(ARCHIVE, "X")).warnings == ()


def test_any_title_is_known_where_the_device_takes_any() -> None:
    assert "accepts this title only because" in edit("ANY", network_ae(ARCHIVE, "*")).warnings[0]


def test_a_title_on_two_devices_is_warned_about() -> None:
    (warning,) = edit("DCM4CHEE", network_ae(STORESCP, "DCM4CHEE")).warnings
    assert warning.startswith("several devices have an AE DCM4CHEE: dcm4chee-arc, storescp. ")


@pytest.mark.parametrize("title", ["STORESCP", "AS_RECEIVED"])
def test_an_ae_that_cannot_play_the_role_is_left_to_the_risks_of_the_plan(title: str) -> None:
    assert edit(title).warnings == ()


def test_an_ae_with_its_own_value_is_told_when_the_device_is_set() -> None:
    own = network_ae(ARCHIVE, "OWN", dcmExternalRetrieveAEDestination="AS_RECEIVED")
    assert edit("DCM4CHEE", own).warnings == (
        "the AE OWN has its own value AS_RECEIVED, which overrides the value of the device.",
    )


def test_a_device_that_is_no_archive_is_refused() -> None:
    with pytest.raises(Refused, match="storescp is not an archive"):
        edit("DCM4CHEE", device="storescp")


def test_an_unknown_device_or_ae_is_told() -> None:
    with pytest.raises(NotFound):
        edit("DCM4CHEE", device="pacs")
    with pytest.raises(NotFound):
        edit("DCM4CHEE", ae="STORESCP")


def test_the_site_used_here_holds_what_the_tests_say() -> None:
    assert {ae.title for ae in Configuration(site()).network_aes()} == {"AS_RECEIVED", "DCM4CHEE", "STORESCP"}
    assert connection(ARCHIVE).text("dicomPort") == "11112"
