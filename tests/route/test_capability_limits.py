"""What transfer capabilities keep back."""

from __future__ import annotations

from dcmcfg.changes import Change
from dcmcfg.dn import DN
from dcmcfg.model.devices import Configuration
from dcmcfg.route.capability_limits import CapabilityLimits, find_capability_limits
from dcmcfg.route.path import PathOutcome
from dcmcfg.well_known_uids import STORAGE_SOP_CLASS_PREFIX
from tests.route.sites import ARCHIVE, AS_RECEIVED, DCM4CHEE, another_archive, capability, lab, make_path, put
from tests.trees import CT

JPEG = "1.2.840.10008.1.2.4.70"
IMPLICIT = "1.2.840.10008.1.2"
MR = f"{STORAGE_SOP_CLASS_PREFIX}4"
VIEWER = DN.parse("dicomAETitle=VIEWER,dicomDeviceName=viewer,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")


def to_viewer(*changes: Change, locally: bool = True) -> CapabilityLimits:
    configuration = Configuration(lab().with_changes([*another_archive("VIEWER"), *changes]))
    sender = configuration.get_device("dcm4chee-arc").get_network_ae("DCM4CHEE")
    destination = configuration.find_network_ae("VIEWER")
    assert destination is not None
    return find_capability_limits(sender, destination, sends_locally=locally)


def test_a_destination_without_capabilities_gets_everything_as_it_is() -> None:
    found = to_viewer()
    assert len(found.sent) > 100
    assert (found.not_accepted_by_destination, found.reencoded_transfer_syntaxes) == ((), ())


def test_one_capability_hides_the_rest() -> None:
    found = to_viewer(capability(VIEWER, CT, "SCP", IMPLICIT, JPEG))
    assert found.sent == (CT,)
    assert MR in found.not_accepted_by_destination
    assert JPEG not in dict(found.reencoded_transfer_syntaxes)
    assert set(dict(found.reencoded_transfer_syntaxes).values()) == {1}


def test_any_transfer_syntax_counts_as_the_first_value_only() -> None:
    assert to_viewer(capability(VIEWER, CT, "SCP", "*")).reencoded_transfer_syntaxes == ()
    assert to_viewer(capability(VIEWER, CT, "SCP", IMPLICIT, "*")).reencoded_transfer_syntaxes != ()


def test_only_the_sop_classes_of_a_study_count_where_they_are_known() -> None:
    taken = (*another_archive("VIEWER"), capability(VIEWER, CT, "SCP", "*"))
    assert make_path("local", *taken, dest="VIEWER", sop_classes={CT}).outcome is PathOutcome.DELIVERED
    both = make_path("local", *taken, dest="VIEWER", sop_classes={CT, MR})
    assert both.capability_limits is not None
    assert (both.outcome, both.capability_limits.sent, both.capability_limits.not_accepted_by_destination) == (
        PathOutcome.PARTIAL,
        (CT,),
        (MR,),
    )
    none = make_path("local", *taken, dest="VIEWER", sop_classes={MR})
    assert (none.outcome, none.failures[0].response) == (PathOutcome.FAILED, "A702, all failed")


def test_what_another_archive_sends_is_encoded_as_it_likes() -> None:
    assert to_viewer(capability(VIEWER, CT, "SCP", IMPLICIT), locally=False).reencoded_transfer_syntaxes == ()


def test_a_capability_that_is_no_storage_hides_the_storage_too() -> None:
    verification = capability(VIEWER, "1.2.840.10008.1.1", "SCP", IMPLICIT)
    found = make_path("local", *another_archive("VIEWER"), verification, dest="VIEWER")
    assert found.outcome is PathOutcome.FAILED
    assert found.failures[0].response == "A702, all failed"


def test_silently_it_is_a_success_without_counters() -> None:
    verification = capability(VIEWER, "1.2.840.10008.1.1", "SCP", IMPLICIT)
    silent = put("dcmRestrictRetrieveSilently", "TRUE")
    found = make_path("local", *another_archive("VIEWER"), verification, silent, dest="VIEWER")
    assert found.failures[0].response == "0000 without counters"


def test_capabilities_shared_from_nobody_are_none() -> None:
    found = to_viewer(put("dcmShareTransferCapabilitiesFromAETitle", "NOBODY", on=DCM4CHEE))
    assert found.sent == ()


def test_what_the_ae_does_not_let_in_does_not_come_back() -> None:
    configuration = Configuration(lab())
    device = configuration.get_device("dcm4chee-arc")
    destination = configuration.find_network_ae("LONGTERM")
    assert destination is not None
    back_to = device.get_network_ae("AS_RECEIVED")
    found = find_capability_limits(device.get_network_ae("DCM4CHEE"), destination, back_to)
    assert (found.sent, len(found.not_accepted_by_archive) > 100) == ((), True)
    assert str(AS_RECEIVED).endswith(str(ARCHIVE))
