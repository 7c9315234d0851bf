"""Each branch that a C-MOVE can take, from trees that differ in a few values."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change
from dcmcfg.route.path import PathOutcome, RetrieveBranch, RouteFailure
from dcmcfg.route.request import StudyState
from tests.route.sites import (
    ARCHIVE,
    AS_RECEIVED,
    DCM4CHEE,
    LONGTERM,
    LONGTERM_DEVICE,
    STORESCP,
    STORESCP_DEVICE,
    another_archive,
    capability,
    in_words,
    make_path,
    put,
    route,
    without,
)
from tests.trees import LITTLE_ENDIAN, network_ae

ERD = "dcmExternalRetrieveAEDestination"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
MAPPING = "dcmCStoreSCUOfCMoveSCP"
BACK = put(ERD, "DCM4CHEE")
MAPPED = put(MAPPING, "LONGTERM=LONGTERM")
TO_STORESCP = "C-STORE DCM4CHEE > STORESCP at 127.0.0.1:5 as DCM4CHEE"
ASK = "C-MOVE DCM4CHEE > LONGTERM at 127.0.0.1:4 as VIEWER, Move Destination"
ASK_AS_OWN = "C-MOVE DCM4CHEE > LONGTERM at 127.0.0.1:4 as DCM4CHEE, Move Destination"
COMES_BACK = "C-STORE LONGTERM > DCM4CHEE at 127.0.0.1:3 as LONGTERM"
DIRECT = "C-STORE LONGTERM > STORESCP at 127.0.0.1:5 as LONGTERM"
TLS = put("dicomTLSCipherSuite", "TLS_RSA_WITH_AES_128_CBC_SHA", on=LONGTERM_DEVICE.child("cn", "dicom"))
FALLBACK = put("dcmFallbackCMoveSCP", "LONGTERM")
FALLBACK_BACK = put("dcmFallbackCMoveSCPDestination", "DCM4CHEE")
OTHER = another_archive("OTHER")


@pytest.mark.parametrize(
    ("state", "changes", "branch", "steps"),
    [
        ("local", (), RetrieveBranch.LOCAL, [TO_STORESCP]),
        ("purged", (), RetrieveBranch.EXTERNAL_DIRECT, [f"{ASK} STORESCP", DIRECT]),
        ("purged", (BACK,), RetrieveBranch.EXTERNAL_VIA_ARCHIVE, [f"{ASK} DCM4CHEE", COMES_BACK, TO_STORESCP]),
        ("partial", (), RetrieveBranch.MIXED_DIRECT, [f"{ASK_AS_OWN} STORESCP", TO_STORESCP, DIRECT]),
        (
            "partial",
            (BACK, MAPPED),
            RetrieveBranch.MIXED_VIA_ARCHIVE,
            [f"{ASK_AS_OWN} DCM4CHEE", TO_STORESCP, COMES_BACK, TO_STORESCP],
        ),
        (
            "unconfigured-storage",
            (*OTHER, put("dcmAltCMoveSCP", "OTHER"), BACK),
            RetrieveBranch.ALTERNATIVE,
            [
                "C-MOVE DCM4CHEE > OTHER at localhost:7 as VIEWER, Move Destination STORESCP",
                "C-STORE OTHER > STORESCP at 127.0.0.1:5 as OTHER",
            ],
        ),
        (
            "purged",
            (put("dcmAltCMoveSCP", "LONGTERM"), BACK),
            RetrieveBranch.EXTERNAL_DIRECT,
            [f"{ASK} STORESCP", DIRECT],
        ),
        ("unknown", (FALLBACK,), RetrieveBranch.FALLBACK_DIRECT, [f"{ASK} STORESCP", DIRECT]),
        (
            "unknown",
            (FALLBACK, FALLBACK_BACK),
            RetrieveBranch.FALLBACK_VIA_ARCHIVE,
            [f"{ASK} DCM4CHEE", COMES_BACK, TO_STORESCP],
        ),
        (
            "unknown",
            (FALLBACK, FALLBACK_BACK, put("dcmFallbackCMoveSCPCallingAET", "DCM4CHEE")),
            RetrieveBranch.FALLBACK_VIA_ARCHIVE,
            [f"{ASK_AS_OWN} DCM4CHEE", COMES_BACK, TO_STORESCP],
        ),
        (
            "incomplete",
            (FALLBACK, FALLBACK_BACK),
            RetrieveBranch.LOCAL_AND_FALLBACK,
            [f"{ASK} DCM4CHEE", TO_STORESCP, COMES_BACK, TO_STORESCP],
        ),
        (
            "purged",
            (put("dcmMasqueradeCalledAETitle", "LONGTERM:TAPE", on=DCM4CHEE),),
            RetrieveBranch.EXTERNAL_DIRECT,
            [
                "C-MOVE DCM4CHEE > LONGTERM at 127.0.0.1:4 as VIEWER called TAPE, Move Destination STORESCP",
                DIRECT,
            ],
        ),
        (
            "local",
            (put("dcmMasqueradeCallingAETitle", "PACS", "[STORESCP]ARCHIVE", on=DCM4CHEE),),
            RetrieveBranch.LOCAL,
            ["C-STORE DCM4CHEE > STORESCP at 127.0.0.1:5 as ARCHIVE"],
        ),
        (
            "partial",
            (put("dcmMasqueradeCallingAETitle", "PACS", "[STORESCP]ARCHIVE", on=DCM4CHEE),),
            RetrieveBranch.MIXED_DIRECT,
            [
                "C-MOVE DCM4CHEE > LONGTERM at 127.0.0.1:4 as PACS, Move Destination STORESCP",
                "C-STORE DCM4CHEE > STORESCP at 127.0.0.1:5 as ARCHIVE",
                DIRECT,
            ],
        ),
        ("purged", (put(ERD, "NOWHERE"), put(ERD, "DCM4CHEE", on=DCM4CHEE)), RetrieveBranch.EXTERNAL_VIA_ARCHIVE, None),
    ],
)
def test_a_way_that_arrives(
    state: str, changes: tuple[Change, ...], branch: RetrieveBranch, steps: list[str] | None
) -> None:
    found = make_path(state, *changes)
    assert (found.branch, found.outcome, found.failures) == (branch, PathOutcome.DELIVERED, ())
    if steps is not None:
        assert [in_words(step) for step in found.messages] == steps


def test_the_first_pair_that_fits_may_be_tls() -> None:
    (step, *_) = make_path("purged", TLS).messages
    assert in_words(step) == f"{ASK.replace(':4', ':4 TLS')} STORESCP"


NOTHING_SET_UP = [
    ("unknown", (), "dcmFallbackCMoveSCP is not set"),
    (
        "purged",
        (
            put("dcmExternalRetrieveAET", on=ARCHIVE.child("dcmStorageID", "fs1")),
            put("dcmStgCmtSCP", on=ARCHIVE.child("dcmExporterID", "LONGTERM")),
        ),
        "no exporter has dcmStgCmtSCP",
    ),
]


@pytest.mark.parametrize(("state", "changes", "why"), NOTHING_SET_UP)
def test_where_nothing_is_set_up_nothing_is_sent(state: str, changes: tuple[Change, ...], why: str) -> None:
    found = make_path(state, *changes)
    assert (found.branch, found.outcome, found.messages) == (RetrieveBranch.NOTHING, PathOutcome.UNCONFIGURED, ())
    assert why in found.failures[0].reason


def test_what_is_on_a_storage_that_is_not_configured_ends_after_an_association_to_the_destination() -> None:
    found = make_path("unconfigured-storage", BACK, external="LONGTERM")
    assert (found.branch, found.outcome) == (RetrieveBranch.NOTHING, PathOutcome.UNCONFIGURED)
    assert [in_words(step) for step in found.messages] == ["A-ASSOCIATE DCM4CHEE > STORESCP at 127.0.0.1:5 as DCM4CHEE"]
    (failure,) = found.failures
    assert failure.response == "A702 without counters"
    assert failure.reason == (
        "the files are on a storage that is not in the configuration, and dcmAltCMoveSCP is not set. The archive "
        "requests only purged objects from the external archive, but these objects are not purged"
    )
    no_port = put("dicomPort", on=STORESCP_DEVICE.child("cn", "dicom"))
    assert (
        make_path("unconfigured-storage", no_port)
        .failures[0]
        .response.endswith("IncompatibleConnectionException: No compatible")
    )


def test_what_the_external_archive_sends_straight_to_the_destination_is_not_counted() -> None:
    note = "LONGTERM then sends the objects directly to STORESCP, so the archive counts no instances"
    assert note in make_path("purged", put(ERD, "STORESCP")).notes
    assert note not in make_path("purged", put(ERD, "WORKSTATION")).notes


@pytest.mark.parametrize("state", ["purged", "partial"])
@pytest.mark.parametrize("changes", [(), (BACK,), (BACK, MAPPED), (*OTHER, put("dcmAltCMoveSCP", "OTHER"))])
def test_purged_objects_for_which_nobody_is_recorded_are_asked_of_nobody(
    state: str, changes: tuple[Change, ...]
) -> None:
    found = make_path(state, *changes, external="*")
    assert (found.branch, found.outcome, found.messages, found.external_ae_title) == (
        RetrieveBranch.NOTHING,
        PathOutcome.FAILED,
        (),
        "",
    )
    assert [(failure.response, failure.reason) for failure in found.failures] == [
        (
            "A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE",
            "the archive's database has no external archive for the purged objects ('*' means none)",
        )
    ]


@pytest.mark.parametrize("changes", [(), (BACK,), (BACK, MAPPED)])
def test_without_an_association_to_the_external_archive_what_is_local_is_not_sent_either(
    changes: tuple[Change, ...],
) -> None:
    found = make_path("partial", *changes, *without(LONGTERM_DEVICE))
    assert found.outcome is PathOutcome.FAILED
    assert [step.kind for step in found.messages] == ["C-MOVE"]
    assert found.failures[0].response == "A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE"


def test_what_comes_back_and_cannot_be_forwarded_stays_in_the_archive() -> None:
    no_port = put("dicomPort", on=STORESCP_DEVICE.child("cn", "dicom"))
    found = make_path("purged", BACK, no_port)
    assert found.outcome is PathOutcome.FAILED
    assert [failure.response for failure in found.failures] == ["A702, all failed"]
    assert "the archive keeps the objects from LONGTERM, so the study is local afterwards" in found.notes
    mixed = make_path("partial", BACK, MAPPED, no_port)
    assert mixed.outcome is PathOutcome.FAILED
    assert [failure.response for failure in mixed.failures] == [
        "A702 org.dcm4che3.net.IncompatibleConnectionException: No compatible"
    ]


@pytest.mark.parametrize(
    ("name", "value", "thrown"),
    [
        ("dicomPort", "70000", "port out of range:70000"),
        ("dicomPort", "-5", "port out of range:-5"),
        ("dcmProtocol", "FTP", "No enum constant org.dcm4che3.net.Connection.Protocol.FTP"),
        ("dcmProtocol", "HL7", "protocol != DICOM - HL7"),
    ],
)
def test_an_external_archive_that_cannot_be_read_is_a702_with_the_exception(name: str, value: str, thrown: str) -> None:
    found = make_path("purged", put(name, value, on=LONGTERM_DEVICE.child("cn", "dicom")))
    comment = f"java.lang.IllegalArgumentException: {thrown}"[:64]
    assert [failure.response for failure in found.failures] == [f"A702 {comment}"]


def test_the_port_minus_one_is_a_connection_that_does_not_listen() -> None:
    found = make_path("purged", put("dicomPort", "-1", on=LONGTERM_DEVICE.child("cn", "dicom")))
    assert [failure.reason for failure in found.failures] == ["LONGTERM has no installed connection with a port"]


@pytest.mark.parametrize(
    ("state", "changes", "outcome", "answer", "why"),
    [
        (
            "partial",
            (BACK,),
            PathOutcome.PARTIAL,
            "B000, only the local instances completed",
            (
                "a part of the study is local. Without dcmCStoreSCUOfCMoveSCP, the archive stores the objects from "
                "LONGTERM, but does not forward these objects"
            ),
        ),
        (
            "purged",
            (BACK, put(MAPPING, "TAPE=LONGTERM")),
            PathOutcome.FAILED,
            "0000 without counters",
            (
                "LONGTERM sends objects with the calling AE title TAPE (dcmCStoreSCUOfCMoveSCP). The archive's "
                "database records LONGTERM as the external archive of these objects, so the archive ignores objects "
                "from TAPE"
            ),
        ),
        (
            "purged",
            (BACK, put(MAPPING, "LONGTERM=OTHER")),
            PathOutcome.FAILED,
            "0000 without counters",
            (
                "dcmCStoreSCUOfCMoveSCP maps LONGTERM to OTHER, but the archive knows its own C-MOVE request under "
                "VIEWER. So the archive does not forward the objects"
            ),
        ),
        (
            "purged",
            (put(ERD, "WORKSTATION"),),
            PathOutcome.FAILED,
            "0000 without counters",
            (
                "WORKSTATION in dcmExternalRetrieveAEDestination is an AE of the device workstation, so LONGTERM "
                "sends the objects to this device. The archive does not get the objects and cannot forward them"
            ),
        ),
        (
            "purged",
            (put(ERD, "OLDPACS"),),
            PathOutcome.FAILED,
            "the external archive's status: A801 (Orthanc: C000)",
            (
                "dcmExternalRetrieveAEDestination contains OLDPACS, but the archive has no AE with this title. So "
                "LONGTERM cannot know an address for OLDPACS"
            ),
        ),
        (
            "purged",
            (put(ERD, "AS_RECEIVED"),),
            PathOutcome.FAILED,
            "A702, all failed",
            "AS_RECEIVED has no storage SCP capability (1.2.840.10008.5.1.4.1.1.*)",
        ),
        (
            "purged",
            (BACK, put("dcmObjectStorageID", on=DCM4CHEE)),
            PathOutcome.FAILED,
            "A702, all failed",
            "DCM4CHEE has no dcmObjectStorageID",
        ),
        (
            "purged",
            (BACK, put("dcmAcceptedCallingAETitle", "VIEWER", on=DCM4CHEE)),
            PathOutcome.FAILED,
            "A702, all failed",
            (
                "the archive rejects the association from LONGTERM: LONGTERM is not in dcmAcceptedCallingAETitle of "
                "DCM4CHEE (rejection 1/1/3)"
            ),
        ),
        (
            "purged",
            without(LONGTERM_DEVICE),
            PathOutcome.FAILED,
            "A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE",
            "no AE has the title LONGTERM",
        ),
        (
            "purged",
            (put("dicomInstalled", "FALSE", on=LONGTERM_DEVICE),),
            PathOutcome.FAILED,
            "A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: AE: LONGTE",
            "the device longterm is not installed (dicomInstalled)",
        ),
        (
            "purged",
            (put("dicomPort", "0", on=LONGTERM_DEVICE.child("cn", "dicom")),),
            PathOutcome.FAILED,
            "A702 java.lang.IllegalArgumentException: port out of range:0",
            "the archive cannot read the device longterm: the connection cn=dicom has the invalid dicomPort 0",
        ),
        (
            "purged",
            (TLS, put("dicomNetworkConnectionReference", f"cn=dicom,{ARCHIVE}", on=DCM4CHEE)),
            PathOutcome.FAILED,
            "A702 org.dcm4che3.net.IncompatibleConnectionException: No compatible",
            "LONGTERM offers only TLS connections, but DCM4CHEE has only plain connections",
        ),
        (
            "purged",
            (put("dicomTLSCipherSuite", "TLS_AES_128_GCM_SHA256", on=LONGTERM_DEVICE.child("cn", "dicom")),),
            PathOutcome.FAILED,
            "A702 org.dcm4che3.net.IncompatibleConnectionException: No compatible",
            "the connections of DCM4CHEE and LONGTERM have no TLS cipher suite in common: DCM4CHEE has "
            "SSL_RSA_WITH_3DES_EDE_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA; LONGTERM has TLS_AES_128_GCM_SHA256",
        ),
        (
            "local",
            (put("dicomPort", on=STORESCP_DEVICE.child("cn", "dicom")),),
            PathOutcome.FAILED,
            "A702 org.dcm4che3.net.IncompatibleConnectionException: No compatible",
            "STORESCP has no installed connection with a port",
        ),
        (
            "unknown",
            (put("dcmFallbackCMoveSCP", "AS_RECEIVED"),),
            PathOutcome.FAILED,
            "",
            (
                "AS_RECEIVED is an AE of this archive, so the archive sends the request to itself. dcmcfg found no "
                "setting that ends this loop"
            ),
        ),
        (
            "local",
            (
                Add(network_ae(str(ARCHIVE), "MUTE")),
                capability(ARCHIVE.child("dicomAETitle", "MUTE"), STUDY_ROOT_MOVE, "SCP", LITTLE_ENDIAN),
                put("dcmShareTransferCapabilitiesFromAETitle", "MUTE", on=DCM4CHEE),
            ),
            PathOutcome.FAILED,
            "A702, all failed",
            "DCM4CHEE has no storage SCU capability",
        ),
    ],
)
def test_a_way_that_does_not_arrive(
    state: str, changes: tuple[Change, ...], outcome: PathOutcome, answer: str, why: str
) -> None:
    found = make_path(state, *changes)
    assert found.outcome is outcome
    assert [(failure.response, failure.reason) for failure in found.failures] == [(answer, why)]
    assert found.failures[0].next_step


@pytest.mark.parametrize(
    ("changes", "dest", "calling", "ae", "answer", "next_step"),
    [
        (
            (put("dcmAcceptedMoveDestination", "WORKSTATION", on=DCM4CHEE),),
            "STORESCP",
            "VIEWER",
            None,
            "C801 Move Destination not allowed",
            "dcmcfg set dcm4chee-arc/DCM4CHEE dcmAcceptedMoveDestination+=STORESCP",
        ),
        (
            (),
            "STORESPC",
            "VIEWER",
            None,
            "A801 Unknown AE: STORESPC",
            "did you mean STORESCP? AE titles are case-sensitive, and blanks are significant",
        ),
        (
            (),
            "storescp",
            "VIEWER",
            None,
            "A801 Unknown AE: storescp",
            "did you mean STORESCP? AE titles are case-sensitive, and blanks are significant",
        ),
        (
            (put("dcmOtherAETitle", "SCREEN", on=STORESCP),),
            "SCREEN",
            "VIEWER",
            None,
            "A801 Unknown AE: SCREEN",
            "use STORESCP. SCREEN is only an alternative title of STORESCP (dcmOtherAETitle), and the archive ignores "
            "alternative titles when it looks up an AE",
        ),
        (
            (put("dicomInstalled", "FALSE", on=STORESCP),),
            "STORESCP",
            "VIEWER",
            None,
            "A801 AE: STORESCP not installed",
            "dcmcfg set storescp/STORESCP dicomInstalled=TRUE",
        ),
        (
            without(STORESCP_DEVICE.child("cn", "dicom")),
            "STORESCP",
            "VIEWER",
            None,
            "A801 Unknown AE: STORESCP",
            "correct dicomNetworkConnectionReference of dicomAETitle=STORESCP (to see the problem: dcmcfg check)",
        ),
        (
            (put("dicomPort", "70000", on=STORESCP_DEVICE.child("cn", "dicom")),),
            "STORESCP",
            "VIEWER",
            None,
            "no response, the association ends",
            "correct this value, then run dcmcfg reload",
        ),
        (
            (put("dcmAcceptedCallingAETitle", "MODALITY", on=DCM4CHEE),),
            "STORESCP",
            "VIEWER",
            None,
            "association rejected",
            "dcmcfg set dcm4chee-arc/DCM4CHEE dcmAcceptedCallingAETitle+=VIEWER, or call another AE with --ae",
        ),
        (
            (put("dicomAssociationAcceptor", "FALSE", on=AS_RECEIVED),),
            "STORESCP",
            "VIEWER",
            "AS_RECEIVED",
            "association rejected",
            "dcmcfg set dcm4chee-arc/AS_RECEIVED dicomAssociationAcceptor=TRUE, or call another AE with --ae",
        ),
        ((), "STORESCP", "VIEWER", "WORKLIST", "no presentation context", "call another AE with --ae"),
        (
            (put("dicomNetworkConnectionReference", f"cn=dicom,{STORESCP_DEVICE}", on=AS_RECEIVED),),
            "STORESCP",
            "VIEWER",
            None,
            "no association",
            "fix this problem (to see the details: dcmcfg check), then run dcmcfg reload",
        ),
    ],
)
def test_what_refuses_the_request_whatever_the_study(
    changes: tuple[Change, ...], dest: str, calling: str, ae: str | None, answer: str, next_step: str
) -> None:
    found = route(changes, dest=dest, calling=calling, ae=ae)
    assert isinstance(found.refusal, RouteFailure)
    assert (found.refusal.response, found.refusal.next_step) == (answer, next_step)
    assert found.paths == ()
    assert not found.is_delivered()


def test_the_white_list_is_looked_at_before_the_destination() -> None:
    found = route((put("dcmAcceptedMoveDestination", "WORKSTATION", on=DCM4CHEE),), dest="NOBODY")
    assert found.refusal is not None
    assert found.refusal.response.startswith("C801")


def test_there_is_a_way_for_each_archive_that_may_be_recorded() -> None:
    storage = ARCHIVE.child("dcmStorageID", "fs1")
    changes = (*OTHER, put("dcmExternalRetrieveAET", "LONGTERM", "OTHER", on=storage), BACK)
    found = route(changes, state=StudyState.PURGED).paths
    assert [(each.external_ae_title, each.configured_by) for each in found] == [
        ("LONGTERM", ("storage fs1", "exporter LONGTERM")),
        ("OTHER", ("storage fs1",)),
    ]


def test_an_exporters_first_retrieve_title_is_what_commitment_records() -> None:
    exporter = ARCHIVE.child("dcmExporterID", "LONGTERM")
    storage = put("dcmExternalRetrieveAET", on=ARCHIVE.child("dcmStorageID", "fs1"))
    found = make_path("purged", *OTHER, storage, put("dcmRetrieveAET", "OTHER", on=exporter))
    assert (found.external_ae_title, found.configured_by) == ("OTHER", ("exporter LONGTERM",))


def test_the_archive_that_the_database_names_can_be_told() -> None:
    assert make_path("purged", *OTHER, external="OTHER").external_ae_title == "OTHER"
    nobody = make_path("purged", external="*")
    assert nobody.failures[0].response.endswith("Unknown AE")


def test_what_the_alternative_asks_for_itself_is_left_to_it() -> None:
    changes = (*OTHER, put("dcmAltCMoveSCP", "OTHER"))
    assert make_path("purged", *changes, calling="OTHER").outcome is PathOutcome.FAILED
    assert make_path("unconfigured-storage", *changes, calling="OTHER").messages == ()
    partial = make_path("partial", *changes, calling="OTHER")
    assert ([in_words(step) for step in partial.messages], partial.branch) == ([TO_STORESCP], RetrieveBranch.LOCAL)
    assert partial.outcome is PathOutcome.PARTIAL


def test_a_negative_number_of_retries_is_never_and_none_is_without_end() -> None:
    never = make_path("incomplete", FALLBACK, FALLBACK_BACK, put("dcmFallbackCMoveSCPRetries", "-1"))
    assert (never.branch, never.outcome) == (RetrieveBranch.LOCAL, PathOutcome.UNCONFIGURED)
    assert "never" in never.notes[0]
    assert "at each request" in make_path("incomplete", FALLBACK, FALLBACK_BACK).notes[-1]
    five = make_path("incomplete", FALLBACK, FALLBACK_BACK, put("dcmFallbackCMoveSCPRetries", "5"))
    assert "until 5 requests have failed" in five.notes[-1]


def test_who_must_know_whom_is_told() -> None:
    direct = make_path("purged").prerequisites
    assert [(need.peer_ae_title, need.kind, need.ae_title, str(need.address or "")) for need in direct] == [
        ("LONGTERM", "accept", "VIEWER", ""),
        ("LONGTERM", "know", "STORESCP", "127.0.0.1:5"),
        ("STORESCP", "accept", "LONGTERM", ""),
    ]
    back = make_path("purged", BACK).prerequisites
    assert [(need.peer_ae_title, need.kind, need.ae_title, str(need.address or "")) for need in back] == [
        ("LONGTERM", "accept", "VIEWER", ""),
        ("LONGTERM", "know", "DCM4CHEE", "127.0.0.1:3"),
        ("STORESCP", "accept", "DCM4CHEE", ""),
    ]


def test_a_list_of_accepted_callers_in_the_tree_is_warned_about() -> None:
    found = make_path("purged", put("dcmAcceptedCallingAETitle", "DCM4CHEE", on=LONGTERM))
    assert found.outcome is PathOutcome.DELIVERED
    assert found.notes == (
        "according to the configuration, LONGTERM does not accept the calling AE title VIEWER "
        "(dcmAcceptedCallingAETitle)",
    )


def test_the_move_originator_is_needed_where_nothing_is_mapped() -> None:
    assert "Move Originator" in make_path("purged", BACK).notes[0]
    assert make_path("purged", BACK, MAPPED).notes == ()


def test_a_route_leads_where_everything_arrives() -> None:
    assert route().is_delivered()
    assert not route((BACK,)).is_delivered()  # a study that is partly local arrives in part
    assert route((BACK, MAPPED)).is_delivered()
    assert route((BACK,), state=StudyState.PURGED).is_delivered(StudyState.PURGED)
    assert not route(state=StudyState.UNKNOWN).is_delivered(StudyState.UNKNOWN)
