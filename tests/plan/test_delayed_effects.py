"""What of a plan a reload does not put in force, and what the archive loads by itself."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.plan.delayed_effects import describe_delayed_effects, find_restart_attributes, warn_about_automatic_loading
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.route.sites import ARCHIVE, DCM4CHEE, DEVICES, LONGTERM, lab, put
from tests.trees import network_ae

MASQUERADE = "dcmMasqueradeCalledAETitle"
RESTART = "after a restart of the archive; a reload keeps the old value"
DELAY = (
    "after a reload and a delay. The delay is dcmSchedulerMinStartDelay (60 s if absent) plus a random part of the "
    "interval"
)


def storage(name: str, **values: str) -> Add:
    dn = ARCHIVE.child("dcmStorageID", name)
    return Add(
        Entry.from_values(str(dn), {"objectClass": "dcmStorage", "dcmStorageID": name, "dcmURI": "file:/x", **values})
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [put(MASQUERADE, "LONGTERM:TAPE", on=DCM4CHEE)],
            [f"{MASQUERADE} (dicomAETitle=DCM4CHEE) takes effect {RESTART}"],
        ),
        (
            [Add(network_ae(str(ARCHIVE), "NEW", dcmMasqueradeCalledAETitle="LONGTERM:TAPE"))],
            [f"{MASQUERADE} (dicomAETitle=NEW) takes effect {RESTART}"],
        ),
        (
            [put("dcmTaskPollingInterval", "PT3S"), put("dcmPurgeStoragePollingInterval", "PT4S")],
            [
                "dcmPurgeStoragePollingInterval, dcmTaskPollingInterval (dicomDeviceName=dcm4chee-arc) takes effect "
                f"{DELAY}"
            ],
        ),
        ([put(MASQUERADE, "DCM4CHEE:X", on=LONGTERM)], []),
        ([put("dcmRetrieveTimeout", "4000", on=ARCHIVE.child("cn", "dicom"))], []),
        (
            [put("dcmRetrieveTimeoutTotal", "TRUE", on=ARCHIVE.child("cn", "dicom"))],
            ["dcmRetrieveTimeoutTotal (cn=dicom) takes effect after a restart of the archive; a reload is not enough"],
        ),
        (
            [put("hl7OutgoingLogFilePattern", "/x", on=ARCHIVE.child("hl7ApplicationName", "*"))],
            [],  # of the application, not of the device
        ),
        ([put("dcmExternalRetrieveAEDestination", "DCM4CHEE")], []),
        ([Delete(ARCHIVE.child("dcmExporterID", "LONGTERM"))], []),
    ],
)
def test_changes_that_a_reload_does_not_activate_are_reported(changes: list[Change], expected: list[str]) -> None:
    assert list(describe_delayed_effects(make_plan(lab(), [DesiredChange(each) for each in changes]))) == expected


def test_the_removal_of_a_masqueraded_title_takes_a_restart_too() -> None:
    tree = lab().with_changes([put(MASQUERADE, "LONGTERM:TAPE", on=DCM4CHEE)])
    removal = make_plan(tree, [DesiredChange(put(MASQUERADE, on=DCM4CHEE))])
    assert find_restart_attributes(removal) == (MASQUERADE,)
    assert find_restart_attributes(make_plan(tree, [DesiredChange(put("dcmTaskPollingInterval", "PT3S"))])) == ()


def test_an_archive_that_a_plan_adds_has_nothing_to_restart() -> None:
    device = DEVICES.child("dicomDeviceName", "node2")
    values = {
        "objectClass": ("dicomDevice", "dcmDevice", "dcmArchiveDevice"),
        "dicomDeviceName": "node2",
        "dicomInstalled": "TRUE",
        "dcmFuzzyAlgorithmClass": "org.dcm4che3.soundex.ESoundex",
        "dcmTaskPollingInterval": "PT3S",
    }
    assert (
        list(describe_delayed_effects(make_plan(lab(), [DesiredChange(Add(Entry.from_values(str(device), values)))])))
        == []
    )


def test_of_many_entries_the_first_are_named() -> None:
    aes = [Add(network_ae(str(ARCHIVE), f"NEW{n}", dcmMasqueradeCalledAETitle="LONGTERM:TAPE")) for n in range(5)]
    (effect,) = describe_delayed_effects(make_plan(lab(), [DesiredChange(each) for each in aes]))
    assert "(dicomAETitle=NEW0, dicomAETitle=NEW1, dicomAETitle=NEW2 and 2 more)" in effect


def test_a_storage_that_another_one_takes_over_from_makes_the_archive_load_a_change_by_itself() -> None:
    fs1 = DN.parse(f"dcmStorageID=fs1,{ARCHIVE}")
    second = lab().with_changes([storage("fs2"), put("dcmObjectStorageID", "fs1", "fs2", on=DCM4CHEE)])
    limited = [put("dcmStorageThreshold", "10GB", on=fs1)]
    assert list(warn_about_automatic_loading(second.with_changes(limited))) == [
        "if DCM4CHEE receives a C-STORE while the free space of fs1 is below dcmStorageThreshold, the archive might "
        "load this change before you reload the archive"
    ]
    assert list(warn_about_automatic_loading(second)) == []
    assert (
        list(warn_about_automatic_loading(lab().with_changes(limited))) == []
    )  # no other storage: C-STOREs are refused
