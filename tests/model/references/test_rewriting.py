"""Names in values: found in every shape, replaced, and put back to the octet."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.dn import DN
from dcmcfg.model.references.attributes import SHAPES
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import find_names, rewrite_dn, rewrite_name
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.web_form import get_form_fields

#: Attribute, what stands before and after the name, kind: every shape there is.
SHAPED = (
    ("dcmExternalRetrieveAEDestination", "", "", EntityKind.AE),
    ("dcmFallbackCMoveSCP", "", "", EntityKind.AE),
    ("dcmCStoreSCUOfCMoveSCP", "", "=OTHER", EntityKind.AE),
    ("dcmCStoreSCUOfCMoveSCP", "OTHER=", "", EntityKind.AE),
    ("dcmLimitAssociationsInitiatedBy", "", "=12", EntityKind.AE),
    ("dcmMultipleStoreAssociations", "", ":3", EntityKind.AE),
    ("dcmMasqueradeCalledAETitle", "", ":USED", EntityKind.AE),
    ("dcmMasqueradeCallingAETitle", "[", "]USED", EntityKind.AE),
    ("dcmURI", "movescu:", "", EntityKind.AE),
    ("dcmURI", "dicom:", "", EntityKind.AE),
    ("dcmURI", "stow:", "", EntityKind.WEB_APP),
    ("dcmURI", "storage:", ":", EntityKind.STORAGE),
    ("dcmWebServicePath", "/dcm4chee-arc/aets/", "/rs", EntityKind.AE),
    ("dcmWebServicePath", "/dcm4chee-arc/aets/", "", EntityKind.AE),
    ("dcmCoercionParam", "mwl-scp=", "", EntityKind.AE),
    ("dcmProperty", "SendingApplicationEntityTitle!=", "", EntityKind.AE),
    ("dcmProperty", "ReceivingApplicationEntityTitle=OTHER|", "|CT.*", EntityKind.AE),
    ("dcmProperty", "SendingApplicationEntityTitle=(", "|OTHER)", EntityKind.AE),
    ("dcmProperty", "StorageID=", "", EntityKind.STORAGE),
    ("dcmQueueName", "", "", EntityKind.QUEUE),
    ("dcmExporterID", "", "", EntityKind.EXPORTER),
    ("dcmObjectStorageID", "", "", EntityKind.STORAGE),
    ("dicomDeviceName", "", "", EntityKind.DEVICE),
    ("dcmQueryRetrieveViewID", "", "", EntityKind.VIEW),
    ("dcmKeycloakClientID", "", "", EntityKind.KEYCLOAK_CLIENT),
)
titles = st.text(st.sampled_from("ABCxyz019_- "), min_size=1, max_size=16).filter(
    lambda title: title == title.strip() and title not in ("OTHER", "USED")
)
#: What else an AE title may hold; escaped in a condition, and apart from the marks that end a name in its shape.
odd_titles = st.text(st.sampled_from("AB1.+*?()^$"), min_size=1, max_size=16)


@settings(max_examples=200)
@given(st.sampled_from(SHAPED), titles)
def test_what_was_composed_is_found(shaped: tuple[str, str, str, EntityKind], title: str) -> None:
    attribute, before, after, kind = shaped
    value = f"{before}{title}{after}"
    found = [name for name in find_names(attribute, value.encode()) if name.kind is kind and name.text == title]
    assert [(name.start, name.end) for name in found] == [(len(before), len(before) + len(title))]


@settings(max_examples=200)
@given(st.sampled_from(SHAPED), titles, titles)
def test_rewriting_there_and_back_is_the_identity(shaped: tuple[str, str, str, EntityKind], old: str, new: str) -> None:
    attribute, before, after, kind = shaped
    value = f"{before}{old}{after}".encode()
    there = rewrite_name(attribute, value, kind, old=old, new=new)
    assert there == f"{before}{new}{after}".encode()
    assert rewrite_name(attribute, there, kind, old=new, new=old) == value


@settings(max_examples=100)
@given(odd_titles, odd_titles)
def test_in_a_condition_names_are_escaped_and_read_again(old: str, new: str) -> None:
    value = rewrite_name("dcmProperty", b"SendingApplicationEntityTitle=PLAIN", EntityKind.AE, old="PLAIN", new=old)
    assert [name.text for name in find_names("dcmProperty", value)] == [old]
    there = rewrite_name("dcmProperty", value, EntityKind.AE, old=old, new=new)
    assert [name.text for name in find_names("dcmProperty", there)] == [new]
    assert rewrite_name("dcmProperty", there, EntityKind.AE, old=new, new=old) == value


@settings(max_examples=200)
@given(st.sampled_from(sorted(SHAPES)), st.binary(max_size=40), titles)
def test_a_value_that_does_not_name_it_stays_as_it_is(attribute: str, value: bytes, new: str) -> None:
    for kind in EntityKind:
        assert rewrite_name(attribute, value, kind, old="NOT THERE AT ALL", new=new) == value


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("dcmMultipleStoreAssociations", "2"),
        ("dcmMasqueradeCallingAETitle", "USED"),
        ("dcmURI", "wado:https://user:pw@host/x"),
        ("dcmURI", "${jboss.server.data.url}/fs1/"),
        ("dcmURI", "stow:https://host/rs"),
        ("dcmURI", "dicom:"),
        ("dcmURI", "dicom:${env.AE}"),
        ("dcmWebServicePath", "/dcm4chee-arc"),
        ("dcmWebServicePath", "/stowrs"),
        ("dcmProperty", "IssuerOfPatientID!=.+"),
        ("dcmProperty", "SendingApplicationEntityTitle=CT.*"),
        ("dcmProperty", "SendingApplicationEntityTitle=(CT(1|2))"),
        ("dcmProperty", r"SendingApplicationEntityTitle=\QCT\E"),
        ("dcmProperty", "SendingApplicationEntityTitle"),
        ("dcmCStoreSCUOfCMoveSCP", "=LTA"),
        ("dcmCoercionParam", "match-by=AccessionNumber"),
        ("dicomDescription", "DCM4CHEE"),
    ],
)
def test_what_names_nothing(attribute: str, value: str) -> None:
    assert find_names(attribute, value.encode()) == ()


def test_only_the_thing_of_that_kind_is_renamed() -> None:
    assert rewrite_name("dcmExporterID", b"DCM4CHEE", EntityKind.AE, old="DCM4CHEE", new="NEW") == b"DCM4CHEE"
    assert rewrite_name("dcmRetrieveAET", b"dcm4chee", EntityKind.AE, old="DCM4CHEE", new="NEW") == b"dcm4chee"
    assert rewrite_name("dicomDeviceName", b"DCM4CHEE-ARC", EntityKind.DEVICE, old="dcm4chee-arc", new="new") == b"new"


def test_both_sides_of_a_pair_are_renamed() -> None:
    assert rewrite_name("dcmCStoreSCUOfCMoveSCP", b"LTA=LTA", EntityKind.AE, old="LTA", new="NEW") == b"NEW=NEW"


ARCHIVE = DN.parse("dicomDeviceName=arc,cn=Devices,dc=x")
NEW = DN.parse("dicomDeviceName=new,cn=Devices,dc=x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"cn=dicom,dicomDeviceName=arc,cn=Devices,dc=x", b"cn=dicom,dicomDeviceName=new,cn=Devices,dc=x"),
        (b"dicomDeviceName=ARC,cn=Devices,dc=x", b"dicomDeviceName=new,cn=Devices,dc=x"),
        (
            rb"CN = a\,b+x=c , dicomDeviceName=arc,cn=Devices,dc=x",
            rb"CN = a\,b+x=c , dicomDeviceName=new,cn=Devices,dc=x",
        ),
        (b'cn="a,b",dicomDeviceName=arc,cn=Devices,dc=x', b'cn="a,b",dicomDeviceName=new,cn=Devices,dc=x'),
        (b"cn=dicom,dicomDeviceName=other,cn=Devices,dc=x", b"cn=dicom,dicomDeviceName=other,cn=Devices,dc=x"),
        (b"nonsense", b"nonsense"),
        (b"\xff", b"\xff"),
    ],
)
def test_a_dn_below_what_is_renamed_keeps_its_spelling(value: bytes, expected: bytes) -> None:
    assert rewrite_dn(value, ARCHIVE, NEW, load_bundled_schema().normalise_dn) == expected


def test_values_that_hold_an_ae_title_without_saying_so_are_in_the_map() -> None:
    """Those that neither their name nor the form's list tells."""
    hidden = (
        "dcmAcceptedMoveDestination dcmFwdMppsDestination dcmIanDestination dcmDestinationCFindSCP dcmURI "
        "dcmWebServicePath dcmProperty dcmCoercionParam dcmCStoreSCUOfCMoveSCP dcmMasqueradeCalledAETitle "
        "dcmMasqueradeCallingAETitle dcmMultipleStoreAssociations dcmNoRetrieveCacheOnDestinationAETitle "
        "dcmUPSEventSCU dcmLimitAssociationsInitiatedBy dcmNoAsyncModeCalledAETitle dcmAuditUserID "
        "dcmuiAets dcmuiWidgetAets"
    )
    assert [name for name in hidden.split() if name.lower() not in SHAPES] == []


def test_every_list_that_the_web_form_picks_names_from_is_in_the_map() -> None:
    """The form's own word for what an attribute is picked from; the map must know each such attribute."""
    picked = {
        "dcmAETitle",
        "dcmArchiveAETitle",
        "dcmStorageID",
        "dcmExporterID",
        "webApp",
        "dcmKeycloakClient",
        "dcmIDGenerator",
        "dcmPDQServiceID",
        "dcmQueryRetrieveViewID",
        "dcmQueueName",
        "dcmBulkDataDescriptorID",
        "hl7ApplicationName",
        "dicomDeviceName",
    }
    offered = {
        attribute.name
        for attribute in load_bundled_schema().attributes
        for field in get_form_fields(attribute.name).values()
        if field.format in picked and attribute.syntax != "DN"
    }
    assert len(offered) > 50
    assert not {name for name in offered if name.lower() not in SHAPES}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"SendingApplicationEntityTitle=OLD", b"SendingApplicationEntityTitle=OLD|N\\.1"),
        (b"SendingApplicationEntityTitle!=(OLD|X)", b"SendingApplicationEntityTitle!=(OLD|N\\.1|X)"),
        (b"StorageID=OLD", b"StorageID=OLD"),
    ],
)
def test_a_pattern_takes_the_new_name_beside_the_old_one(value: bytes, expected: bytes) -> None:
    assert rewrite_name("dcmProperty", value, EntityKind.AE, old="OLD", new="N.1", keep_old=True) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"SendingApplicationEntityTitle=OLD|NEW", b"SendingApplicationEntityTitle=NEW"),
        (b"SendingApplicationEntityTitle=(NEW|OLD|X)", b"SendingApplicationEntityTitle=(NEW|X)"),
        (b"SendingApplicationEntityTitle!=NEW|OLD", b"SendingApplicationEntityTitle!=NEW"),
    ],
)
def test_a_pattern_that_takes_both_names_takes_the_new_one_once(value: bytes, expected: bytes) -> None:
    assert rewrite_name("dcmProperty", value, EntityKind.AE, old="OLD", new="NEW") == expected
    assert rewrite_name("dcmProperty", value, EntityKind.AE, old="OLD", new="NEW", keep_old=True) == value


def test_of_a_dn_what_is_above_keeps_its_spelling_too() -> None:
    value = b"cn=a , DICOMDEVICENAME = arc , CN=Devices , dc=X"
    assert (
        rewrite_dn(value, ARCHIVE, NEW, load_bundled_schema().normalise_dn)
        == b"cn=a , dicomDeviceName=new , CN=Devices , dc=X"
    )


#: Attributes whose name says AE, queue and so on, and whose values name none of them.
OTHERWISE = {
    "dcmAuditApplicationName": "of the syslog messages",
    "dcmFallbackCMoveSCPLevel": "STUDY or SERIES, and not read",
    "dcmFallbackCMoveSCPStudyOlderThan": "a date",
    "dcmKeycloakClientSecret": "a secret",
    "dcmKeycloakServerID": "of a class that is not read",
    "dcmLeadingCFindSCPQueryCacheStaleTimeout": "a duration",
    "dcmMergeLocalMWLSCP": "not read",
    "dcmOtherAETitle": "the AE's own",
    "dcmPurgeQueueMessageCanceledDelay": "a duration",
    "dcmPurgeQueueMessageCompletedDelay": "a duration",
    "dcmPurgeQueueMessageFailedDelay": "a duration",
    "dcmPurgeQueueMessagePollingInterval": "a duration",
    "dcmPurgeQueueMessageWarningDelay": "a duration",
    "dcmSpanningCFindSCPPolicy": "one of a list",
    "dcmStgCmtStorageID": "not read",
    "dcmStorageID": "the storage's own",
    "dcmUseCallingAETitleAs": "one of a list",
    "dcmuiExporterDescriptions": "descriptions",
    "dcmuiUWLWebAppLabels": "labels",
    "dcmuiWebAppLabels": "labels",
    "dcmuiWebAppListDescription": "a description",
    "dcmuiWebAppListName": "the list's own",
    "dicomApplicationCluster": "a name of its own kind",
    "hl7OtherApplicationName": "the application's own",
    "hl7ScheduledStationAETInOrder": "one of a list",
}


def test_every_attribute_whose_name_tells_is_in_the_map_or_accounted_for() -> None:
    tag_pattern = re.compile(
        "AET|AEs?$|SCP|SCU|DeviceName|DeviceReference|Queue|Exporter|StorageID|WebApp|KeycloakClient|Keycloak.*ID$|ViewID|"
        "ApplicationName|SendingApplication|ReceivingApplication|Application(Entit|Cluster)"
    )
    texts = ("IA5String", "DirectoryString")
    found = {
        each.name for each in load_bundled_schema().attributes if tag_pattern.search(each.name) and each.syntax in texts
    }
    assert {name for name in found if name.lower() not in SHAPES} == set(OTHERWISE)
