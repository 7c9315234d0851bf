"""What an archive shows after it has loaded a plan, derived from the plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.changes import Change, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.nodes.expectations import (
    AssociationExpectation,
    AssociationFact,
    EndpointExpectation,
    Expectations,
    Match,
    PortExpectation,
    derive_expectations,
)
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.lint.breaking import (
    ARCHIVE,
    CT,
    DCM4CHEE,
    EXPORTER,
    LONGTERM_DEVICE,
    REFERENCE,
    STORAGE,
    WEB_APP,
    delete,
    more,
    new,
    put,
    valid_tree,
)

DEVICE = "dcm4chee-arc"
AE_CLASSES = ("dicomNetworkAE", "dcmNetworkAE", "dcmArchiveNetworkAE")
NEW_AE = new(
    f"dicomAETitle=NEW,{ARCHIVE}",
    objectClass=AE_CLASSES,
    dicomAETitle="NEW",
    dicomAssociationInitiator="TRUE",
    dicomAssociationAcceptor="TRUE",
    **{REFERENCE: f"cn=dicom,{ARCHIVE}"},
)
UNKNOWN_CLASS = f"{CT}.99"


def expect(*changes: Change, of: str = DEVICE, after: tuple[Change, ...] = ()) -> Expectations:
    """The expectations of *changes*, made to the lab's tree after the changes *after*."""
    tree = valid_tree().with_changes(after)
    return derive_expectations(make_plan(tree, [DesiredChange(each) for each in changes]), of)


def describe(expectations: Expectations) -> list[str]:
    return [each.describe() for each in expectations.all]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([put(DCM4CHEE, dicomDescription="x")], ["GET /aets shows the new dicomDescription of DCM4CHEE"]),
        ([NEW_AE], ["GET /aets shows NEW"]),
        ([delete(EXPORTER)], ["GET /export does not show LONGTERM"]),
        ([put(STORAGE, dcmReadOnly="TRUE")], ["GET /storage shows the new dcmReadOnly of fs1"]),
        ([put(STORAGE, dcmInstanceAvailability="ONLINE")], []),
        ([put(STORAGE, dcmDeleterThreshold="1.5GB")], []),
        (
            [put(f"dcmEntity=Study,{ARCHIVE}", dcmTag=("0020000D", "0020000e"))],
            ["GET /attribute-filter/Study shows the new dcmTag of Study"],
        ),
        ([put(EXPORTER, dcmURI="dicom:X")], []),
        ([put(WEB_APP, dicomDescription="x")], []),
        ([put(ARCHIVE, dicomDescription="x")], []),
        ([put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort="5")], []),
        ([put(f"dcmQueueName=Export,{ARCHIVE}", dicomInstalled="FALSE")], []),
        ([put(DCM4CHEE, dicomInstalled="FALSE")], ["GET /aets does not show DCM4CHEE"]),
        (
            [put(f"dcmRejectionNoteLabel=Revoke Rejection,{ARCHIVE}", dcmRejectionNoteCode='(1,99X,"Y")')],
            [],
        ),
        (
            [put(f"cn=dicom-tls,{ARCHIVE}", dicomPort="2763")],
            ["port 2762 is closed", "port 2763 is open"],
        ),
        ([put(f"cn=dicom-tls,{ARCHIVE}", dicomInstalled="FALSE")], ["port 2762 is closed"]),
        ([put(f"cn=hl7,{ARCHIVE}", dicomPort="2576")], []),
        (
            [put(f"cn=dicom,{ARCHIVE}", dcmReceivePDULength="20000")],
            ["in an association, AS_RECEIVED announces the new maximum PDU length"],
        ),
        ([more(DCM4CHEE, "dcmOtherAETitle", "ALIAS")], [
            "GET /aets shows the new dcmOtherAETitle of DCM4CHEE",
            "an association to ALIAS is possible",
        ]),
        (
            [delete(f"cn=CT Image Storage SCP,{DCM4CHEE}")],
            [f"an association to DCM4CHEE does not accept {CT}"],
        ),
        ([put(f"cn=CT Image Storage SCP,{DCM4CHEE}", dicomSOPClass=UNKNOWN_CLASS)], [
            f"an association to DCM4CHEE does not accept {CT}",
            f"an association to DCM4CHEE accepts {UNKNOWN_CLASS}",
        ]),
    ],
)  # fmt: skip
def test_what_the_archive_shows_after_a_change(changes: list[Change], expected: list[str]) -> None:
    assert describe(expect(*changes)) == expected


def test_a_renamed_entry_disappears_and_appears() -> None:
    expectations = expect(Rename(DN.parse(STORAGE), RDN((("dcmStorageID", "fs9"),))))
    assert describe(expectations)[:2] == ["GET /storage does not show fs1", "GET /storage shows fs9"]


@pytest.mark.parametrize("device", ["longterm", "unknown"])
def test_nothing_is_expected_of_another_device(device: str) -> None:
    assert expect(put(DCM4CHEE, dicomDescription="x"), of=device).all == ()


def test_nothing_is_expected_of_a_device_that_the_plan_renames() -> None:
    assert expect(Rename(DN.parse(ARCHIVE), RDN((("dicomDeviceName", "other"),)))) == Expectations()


def test_a_value_without_another_difference_covers_the_change() -> None:
    expectations = expect(put(DCM4CHEE, dicomDescription="x"))
    assert expectations.covers_all_changes
    assert [name for _, name in expectations.changed] == ["dicomdescription"]


@pytest.mark.parametrize(
    "other",
    [
        put(DCM4CHEE, dcmAcceptedMoveDestination="STORESCP"),
        put(ARCHIVE, dcmExternalRetrieveAEDestination="X"),
        put(EXPORTER, dcmStgCmtSCP="X"),
        put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort="5"),
        put(STORAGE, dcmInstanceAvailability="ONLINE"),
        NEW_AE,
    ],
)
def test_a_change_with_an_invisible_part_is_not_covered(other: Change) -> None:
    """Also one of another device: the archive may have cached it."""
    assert not expect(put(DCM4CHEE, dicomDescription="x"), other).covers_all_changes


def test_a_registered_title_is_not_loaded_and_needs_no_cover() -> None:
    registry = "cn=Unique AE Titles Registry,cn=DICOM Configuration,dc=dcm4che,dc=org"
    title = new(f"dicomAETitle=X,{registry}", objectClass="dicomUniqueAETitle", dicomAETitle="X")
    assert expect(put(DCM4CHEE, dicomDescription="x"), title).covers_all_changes


def test_a_removed_entry_is_covered_as_a_whole() -> None:
    assert expect(delete(EXPORTER)).covers_all_changes


def test_a_port_that_moves_to_another_connection_shows_nothing() -> None:
    port = "11115"
    moved = expect(put(f"cn=dicom,{ARCHIVE}", dicomPort="2762"), put(f"cn=dicom-tls,{ARCHIVE}", dicomPort=port))
    assert not any(isinstance(each, PortExpectation) for each in moved.all)


def test_another_title_shows_nothing_if_the_archive_accepts_every_title() -> None:
    any_title = new(f"dicomAETitle=*,{ARCHIVE}", objectClass=AE_CLASSES, dicomAETitle="*",
                    dicomAssociationInitiator="TRUE", dicomAssociationAcceptor="TRUE")  # fmt: skip
    found = expect(more(DCM4CHEE, "dcmOtherAETitle", "ALIAS"), after=(any_title,))
    assert describe(found) == ["GET /aets shows the new dcmOtherAETitle of DCM4CHEE"]


def test_an_ae_without_capabilities_accepts_everything_so_its_first_shows_nothing() -> None:
    capability = new(
        f"cn=x,dicomAETitle=NEW,{ARCHIVE}",
        objectClass="dicomTransferCapability",
        cn="x",
        dicomSOPClass=CT,
        dicomTransferRole="SCP",
        dicomTransferSyntax="1.2.840.10008.1.2",
    )
    assert expect(capability, after=(NEW_AE,)).all == ()


AET = EndpointExpectation("/aets", "dicomAETitle", "A", shown_key="dicomDescription", shown="new")
PRESENT = EndpointExpectation("/aets", "dicomAETitle", "A")
ABSENT = EndpointExpectation("/aets", "dicomAETitle", "A", is_present=False)
SINGLE = EndpointExpectation("/attribute-filter/Study", "", "Study", shown_key="dcmTag", shown=frozenset({"1"}))
FILTER = EndpointExpectation("/attribute-filter/Study", "", "Study", shown_key="dcmTag", shown=frozenset({"1", "2"}))


@pytest.mark.parametrize(
    ("expectation", "content", "expected"),
    [
        (AET, [{"dicomAETitle": "A", "dicomDescription": "new"}], Match.SHOWN),
        (AET, [{"dicomAETitle": "A", "dicomDescription": "old"}], Match.NOT_SHOWN),
        (AET, [{"dicomAETitle": "A"}], Match.NOT_SHOWN),
        (AET, [{"dicomAETitle": "B", "dicomDescription": "new"}], Match.NOT_SHOWN),
        (AET, [], Match.NOT_SHOWN),
        (PRESENT, [{"dicomAETitle": "A"}], Match.SHOWN),
        (PRESENT, ["A", {"dicomAETitle": "a"}], Match.NOT_SHOWN),
        (ABSENT, [], Match.SHOWN),
        (ABSENT, [{"dicomAETitle": "A"}], Match.NOT_SHOWN),
        (FILTER, {"dcmTag": ["2", "1"]}, Match.SHOWN),
        (SINGLE, {"dcmTag": "1"}, Match.SHOWN),
        (SINGLE, {"dcmTag": "2"}, Match.NOT_SHOWN),
        (FILTER, {"dcmTag": ["2"]}, Match.NOT_SHOWN),
        (FILTER, {}, Match.NOT_SHOWN),
    ],
)
def test_content_of_an_endpoint_is_compared(expectation: EndpointExpectation, content: object, expected: Match) -> None:
    assert expectation.match(content) is expected


@pytest.mark.parametrize("expectation", [AET, PRESENT, ABSENT])
@pytest.mark.parametrize("content", [None, {}, {"errorMessage": "x"}])
def test_a_list_in_another_form_shows_nothing(expectation: EndpointExpectation, content: object) -> None:
    """Not even that an item is absent."""
    assert expectation.match(content) is Match.UNKNOWN


@pytest.mark.parametrize("content", [None, [], [{"dcmTag": ["1", "2"]}]])
def test_a_single_item_in_another_form_shows_nothing(content: object) -> None:
    assert FILTER.match(content) is Match.UNKNOWN


def test_absence_is_what_an_archive_that_never_shows_the_value_looks_like() -> None:
    cleared = EndpointExpectation("/aets", "dicomAETitle", "A", shown_key="dicomDescription", shown=None)
    assert [each.expects_absence for each in (AET, PRESENT, ABSENT, cleared)] == [False, False, True, True]


@pytest.mark.parametrize("is_open", [True, False])
def test_a_port_is_as_expected_or_not_or_unknown(is_open: bool) -> None:
    expectation = PortExpectation("h", 1, is_open)
    assert expectation.source == "port 1"
    assert [expectation.match(found) for found in (is_open, not is_open, None)] == list(Match)


@pytest.mark.parametrize(
    ("fact", "expected", "text"),
    [
        (AssociationFact.CALLED_TITLE, 1, "an association to A is possible"),
        (AssociationFact.CALLED_TITLE, 0, "an association to A is rejected"),
        (AssociationFact.MAXIMUM_LENGTH, 9, "in an association, A announces the new maximum PDU length"),
        (AssociationFact.CONTEXT, 1, "an association to A accepts 1.2"),
        (AssociationFact.CONTEXT, 0, "an association to A does not accept 1.2"),
    ],
)
def test_an_association_is_as_expected_or_not_or_unknown(fact: AssociationFact, expected: int, text: str) -> None:
    expectation = AssociationExpectation(fact=fact, host="h", port=1, called="A", expected=expected, sop_class="1.2")
    assert expectation.describe() == text
    assert [expectation.match(found) for found in (expected, expected + 1, None)] == list(Match)


VISIBLE = (
    put(DCM4CHEE, dicomDescription="x"),
    put(EXPORTER, dicomDescription="x"),
    put(STORAGE, dcmReadOnly="TRUE"),
    put(STORAGE, dcmExternalRetrieveAET="X"),
    put(f"dcmQueueName=Export,{ARCHIVE}", dicomDescription="x"),
    put(f"dcmMetricsName=write-to-fs1,{ARCHIVE}", dcmUnit="x"),
)
INVISIBLE = (
    put(ARCHIVE, dcmExternalRetrieveAEDestination="X"),
    put(EXPORTER, dcmStgCmtSCP="X"),
    put(DCM4CHEE, dcmAcceptedMoveDestination="X"),
)


@given(
    st.lists(st.sampled_from(VISIBLE), unique=True, max_size=4),
    st.lists(st.sampled_from(INVISIBLE), unique=True, max_size=2),
)
def test_a_change_is_covered_exactly_if_all_of_it_is_visible(visible: list[Change], invisible: list[Change]) -> None:
    expectations = expect(*visible, *invisible)
    assert expectations.covers_all_changes == (not invisible)
    assert len(expectations.all) == len(visible)


@given(st.lists(st.sampled_from([*VISIBLE, *INVISIBLE]), unique=True, max_size=5))
def test_what_covers_is_always_a_part_of_the_change(changes: list[Change]) -> None:
    expectations = expect(*changes)
    assert all(each.covered <= expectations.changed and each.covered for each in expectations.all)
