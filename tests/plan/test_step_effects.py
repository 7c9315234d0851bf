"""When each step of a plan takes effect, and what has to be done for the plan."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Change, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.step_effects import (
    StepEffect,
    TakesEffect,
    classify_steps,
    describe_required_actions,
    list_changed_attributes,
    needs_reload,
    warn_about_port_binding,
    warn_about_write_back,
)
from tests.lint.breaking import (
    ARCHIVE,
    DCM4CHEE,
    DEVICES,
    EXPORTER,
    LONGTERM_DEVICE,
    REFERENCE,
    REGISTRY,
    STORAGE,
    delete,
    new,
    put,
    valid_tree,
)

CACHE_TIME = put(ARCHIVE, dcmAECacheStaleTimeout="PT5M")
NO_CACHE_TIME = put(ARCHIVE, dcmAECacheStaleTimeout=())
DICOM, DICOM_TLS = f"cn=dicom,{ARCHIVE}", f"cn=dicom-tls,{ARCHIVE}"
NEW_AE = new(
    f"dicomAETitle=NEW,{ARCHIVE}",
    objectClass=("dicomNetworkAE", "dcmNetworkAE", "dcmArchiveNetworkAE"),
    dicomAETitle="NEW",
    dicomAssociationInitiator="TRUE",
    dicomAssociationAcceptor="TRUE",
    **{REFERENCE: DICOM},
)
RELOAD, PORT, RESTART = TakesEffect.RELOAD, TakesEffect.PORT_BINDING, TakesEffect.RESTART


def plan(*changes: Change, after: tuple[Change, ...] = (CACHE_TIME,)) -> Plan:
    """The plan of *changes* of the lab's tree after the changes *after*."""
    return make_plan(valid_tree().with_changes(after), [DesiredChange(each) for each in changes])


def classify(*changes: Change, after: tuple[Change, ...] = (CACHE_TIME,)) -> list[str]:
    return [each.describe() for each in classify_steps(plan(*changes, after=after))]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # Rows of the table of observations, in its order.
        (NEW_AE, "reload"),
        (put(DCM4CHEE, dicomDescription="x"), "reload"),
        (put(DCM4CHEE, dcmOtherAETitle="X"), "reload"),
        (put(DCM4CHEE, dicomInstalled="FALSE"), "reload"),
        (put(DCM4CHEE, dcmExternalRetrieveAEDestination="X"), "reload"),
        (put(ARCHIVE, dcmExternalRetrieveAEDestination="X"), "reload"),
        (new(f"dcmStorageID=x,{ARCHIVE}", objectClass="dcmStorage", dcmStorageID="x", dcmURI="file:/x"), "reload"),
        (put(DCM4CHEE, dcmObjectStorageID="x"), "reload"),
        (put(EXPORTER, dcmURI="dicom:X"), "reload"),
        (delete(EXPORTER), "reload"),
        (put(DICOM, dcmRetrieveTimeout="5"), "reload"),
        (put(DICOM, dcmReceivePDULength="20000"), "reload"),
        (put(DICOM_TLS, dicomPort="2763"), "reload · port is bound again (risk)"),
        (put(DICOM_TLS, dcmBindAddress="127.0.0.1"), "reload · port is bound again (risk)"),
        (put(DICOM_TLS, dicomHostname="elsewhere"), "reload · port is bound again (risk)"),
        (put(DICOM_TLS, dicomTLSCipherSuite="TLS_AES_128_GCM_SHA256"), "reload · port is bound again (risk)"),
        (put(ARCHIVE, dcmKeyStoreURL="file:/x"), "reload · port is bound again (risk)"),
        (put(DICOM_TLS, dicomInstalled="FALSE"), "reload"),
        (put(ARCHIVE, dcmTaskPollingInterval="PT5S"), "reload"),
        (put(DCM4CHEE, dcmMasqueradeCalledAETitle="X:Y"), "restart"),
        (put(ARCHIVE, dcmKeyStorePin="x"), "restart"),
        (put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort="5"), "after the cache time PT5M, or reload"),
        (delete(f"cn=dicom,{LONGTERM_DEVICE}"), "after the cache time PT5M, or reload"),
        (Rename(DN.parse(ARCHIVE), RDN((("dicomDeviceName", "other"),))), "restart"),
        # Entries outside the devices.
        (
            new(f"dicomAETitle=X,{REGISTRY}", objectClass="dicomUniqueAETitle", dicomAETitle="X"),
            "at once",
        ),
    ],
)
def test_a_step_is_marked_with_what_makes_it_take_effect(change: Change, expected: str) -> None:
    assert classify(change) == [expected]


def test_without_a_cache_time_other_aes_are_cached_until_a_reload() -> None:
    change = put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort="5")
    assert classify(change, after=(NO_CACHE_TIME,)) == ["reload"]


def test_a_step_can_need_a_reload_and_a_restart() -> None:
    change = put(DCM4CHEE, dicomDescription="x", dcmMasqueradeCalledAETitle="X:Y")
    (effect,) = classify_steps(plan(change))
    assert effect == StepEffect((RELOAD, RESTART))
    assert effect.describe() == "reload · restart"


@pytest.mark.parametrize(
    "change",
    [
        new(
            f"cn=new,{ARCHIVE}",
            objectClass=("dicomNetworkConnection", "dcmNetworkConnection"),
            cn="new",
            dicomHostname="localhost",
            dicomPort="5",
        ),
        delete(DICOM_TLS),
    ],
)
def test_a_port_that_is_new_or_gone_is_not_bound_again(change: Change) -> None:
    (effect, *_) = classify_steps(plan(change))
    assert effect.effects == (RELOAD,)


def test_a_device_that_the_plan_adds_takes_effect_when_its_archive_starts() -> None:
    device = f"dicomDeviceName=node2,{DEVICES}"
    added = new(
        device,
        objectClass=("dicomDevice", "dcmDevice", "dcmArchiveDevice"),
        dicomDeviceName="node2",
        dicomInstalled="TRUE",
        dcmFuzzyAlgorithmClass="org.dcm4che3.soundex.ESoundex",
    )
    assert classify(added) == ["restart"]
    assert not needs_reload(plan(added))


@pytest.mark.parametrize(
    ("changes", "is_needed", "actions"),
    [
        ((put(DCM4CHEE, dicomDescription="x"),), True, ""),
        ((put(DICOM_TLS, dicomPort="2763"),), True, ""),
        ((put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort="5"),), True, ""),
        ((put(ARCHIVE, dcmKeyStorePin="x"),), False, "To take effect: restart the archive"),
        (
            (put(ARCHIVE, dcmKeyStorePin="x"), put(DCM4CHEE, dicomDescription="x")),
            True,
            "To take effect: reload the archive, then restart the archive",
        ),
        ((), False, ""),
    ],
)
def test_a_plan_says_what_has_to_be_done(changes: tuple[Change, ...], is_needed: bool, actions: str) -> None:
    found = plan(*changes)
    assert needs_reload(found) is is_needed
    assert describe_required_actions(found) == actions


def test_a_port_that_is_bound_again_is_a_warning() -> None:
    assert list(warn_about_port_binding(plan(put(DCM4CHEE, dicomDescription="x")))) == []
    (warning,) = warn_about_port_binding(
        plan(put(DICOM_TLS, dicomHostname="elsewhere"), put(ARCHIVE, dcmKeyStoreURL="file:/x"))
    )
    assert warning == (
        "the reload closes a port of the archive and opens the port again (cn=dicom-tls, "
        "dicomDeviceName=dcm4chee-arc). If the port stays closed ('Address already in use'), dcmcfg repeats the reload "
        "once"
    )


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("dcm4chee-arc 5.33.1", "5.33.1"),
        ("5.34.0", "5.34.0"),
        ("5.34", "5.34"),
        ("4.10.7", "4.10.7"),
        ("5.34.1", None),
        ("5.34.1 (2025)", None),
        ("5.35.1", None),
        ("6.0", None),
        ("unknown", None),
    ],
)
def test_an_old_release_that_writes_over_changes_is_a_warning(version: str, release: str | None) -> None:
    found = list(
        warn_about_write_back(
            plan(put(DCM4CHEE, dicomDescription="x"), after=(put(ARCHIVE, dicomSoftwareVersion=version),))
        )
    )
    expected = (
        f"until the next reload, the archive (release {release}) can overwrite this change with the old "
        "configuration. Release 5.34.1 of the archive fixes this error"
    )
    assert found == ([] if release is None else [expected])


def test_the_version_of_another_device_does_not_matter() -> None:
    old = put(LONGTERM_DEVICE, dicomSoftwareVersion="5.33.1")
    change = put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort="5")
    assert list(warn_about_write_back(plan(change, after=(old,)))) == []


def test_the_changed_attributes_of_a_step_are_those_with_other_values() -> None:
    (step,) = plan(put(STORAGE, dcmReadOnly="TRUE", dcmInstanceAvailability=())).steps
    assert "dcmReadOnly" in list_changed_attributes(step)
    assert "dcmURI" not in list_changed_attributes(step)
    (removal,) = plan(delete(EXPORTER)).steps
    assert {"dcmExporterID", "dcmURI", "objectClass"} <= set(list_changed_attributes(removal))
