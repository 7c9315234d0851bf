"""Each way that ``route`` tells beforehand, held against what the stand-in archive then does with a real C-MOVE."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dcmcfg.lab.archive.database import Database, InstanceRecord, extract_header
from dcmcfg.lab.archive.service import get_object_store, open_database
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.route.path import DESTINATION_REFUSED, PathOutcome, RetrievePath, RouteFailure
from dcmcfg.route.request import RouteRequest, StudyState
from dcmcfg.route.route import find_route
from dcmcfg.schema.definitions import load_bundled_schema
from tests.dicom.dcmtk import dcmqrscp, storescu
from tests.lab.requests import MoveOutcome, move_study
from tests.lab.running_site import AE, DEVICE, RunningSite, running_site

pytestmark = pytest.mark.real
DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
STORESCP = f"dicomAETitle=STORESCP,dicomDeviceName=storescp,{DEVICES}"
WORKSTATION = f"dicomAETitle=WORKSTATION,dicomDeviceName=workstation,{DEVICES}"
STORAGE = f"dcmStorageID=fs1,{DEVICE}"
EXPORTER = f"dcmExporterID=LONGTERM,{DEVICE}"
ERD = "dcmExternalRetrieveAEDestination"
MAPPING = "dcmCStoreSCUOfCMoveSCP"
FALLBACK, FALLBACK_BACK = "dcmFallbackCMoveSCP", "dcmFallbackCMoveSCPDestination"
STUDY = "three"
OTHER_DEVICE = f"""\
dn: dicomDeviceName=other,{DEVICES}
changetype: add
objectClass: dicomDevice
dicomDeviceName: other
dicomInstalled: TRUE

dn: cn=dicom,dicomDeviceName=other,{DEVICES}
changetype: add
objectClass: dicomNetworkConnection
cn: dicom
dicomHostname: 127.0.0.1
dicomPort: {{port}}

dn: dicomAETitle=OTHER,dicomDeviceName=other,{DEVICES}
changetype: add
objectClass: dicomNetworkAE
dicomAETitle: OTHER
dicomAssociationInitiator: TRUE
dicomAssociationAcceptor: TRUE
dicomNetworkConnectionReference: cn=dicom,dicomDeviceName=other,{DEVICES}

dn: dicomAETitle=ECHOES,dicomDeviceName=storescp,{DEVICES}
changetype: add
objectClass: dicomNetworkAE
dicomAETitle: ECHOES
dicomAssociationInitiator: TRUE
dicomAssociationAcceptor: TRUE
dicomNetworkConnectionReference: cn=dicom,dicomDeviceName=storescp,{DEVICES}

dn: cn=Verification SCP,dicomAETitle=ECHOES,dicomDeviceName=storescp,{DEVICES}
changetype: add
objectClass: dicomTransferCapability
cn: Verification SCP
dicomSOPClass: 1.2.840.10008.1.1
dicomTransferRole: SCP
dicomTransferSyntax: 1.2.840.10008.1.2
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """One site for all ways: LONGTERM, STORESCP and the archive are the lab's, OTHER is dcmtk's archive."""
    folder = tmp_path_factory.mktemp("ways")
    lab = folder / "lab"
    lab.mkdir()
    with running_site(lab) as running:
        knows = {"STORESCP": running.storage, "DCM4CHEE": running.archive}
        with dcmqrscp(folder / "other", ae_title="OTHER", knows=knows) as other:
            files = ObjectStore(folder / "files")
            assert storescu(other, [files.save(each) for each in get_standard_study(STUDY).instances]).returncode == 0
            running.modify(OTHER_DEVICE.format(port=other.port))
            running.start("external", "storage", "archive")
            archive = running.archive
            running.external_knows(DCM4CHEE=archive, AS_RECEIVED=archive, STORESCP=running.storage)
            for each in get_standard_study(STUDY).instances:
                get_object_store(running.site).save(each)
            yield running


@dataclass(frozen=True)
class Case:
    """Values to set, where the study is then, and by whom it is asked for."""

    state: str
    values: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    dest: str = "STORESCP"
    calling: str = "VIEWER"
    external: str = "LONGTERM"


def device(**values: str) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(DEVICE, name): (value,) for name, value in values.items()}


BACK = device(**{ERD: "DCM4CHEE"})
MAPPED = device(**{MAPPING: "LONGTERM=LONGTERM"})
CASES = {
    "local": Case("local"),
    "local, nothing of it taken": Case("local", dest="ECHOES"),
    "local, nothing of it taken, silently": Case("local", device(dcmRestrictRetrieveSilently="TRUE"), dest="ECHOES"),
    "purged, nothing of it taken": Case("purged", dest="ECHOES"),
    "purged, direct": Case("purged"),
    "purged, direct, of dcmtk's archive": Case("purged", external="OTHER"),
    "purged, back": Case("purged", BACK),
    "purged, back, of dcmtk's archive": Case("purged", BACK, external="OTHER"),
    "purged, back, mapped": Case("purged", BACK | MAPPED),
    "purged, back, mapped to another": Case("purged", BACK | device(**{MAPPING: "LONGTERM=OTHER"})),
    "purged, of the alternative too": Case("purged", BACK | device(dcmAltCMoveSCP="LONGTERM")),
    "purged, back to nowhere": Case("purged", device(**{ERD: "OLDPACS"})),
    "purged, back to another device": Case("purged", device(**{ERD: "STORESCP"}), dest="WORKSTATION"),
    "purged, back to an AE that stores nothing": Case("purged", device(**{ERD: "AS_RECEIVED"})),
    "purged, back, caller refused": Case("purged", BACK | {(AE, "dcmAcceptedCallingAETitle"): ("VIEWER",)}),
    "purged, nobody recorded": Case("purged", BACK, external="*"),
    "partial, direct": Case("partial"),
    "partial, back": Case("partial", BACK),
    "partial, back, mapped": Case("partial", BACK | MAPPED),
    "partial, asked by the alternative": Case("partial", device(dcmAltCMoveSCP="VIEWER")),
    "elsewhere, nobody to ask": Case("unconfigured-storage"),
    "elsewhere": Case("unconfigured-storage", BACK | device(dcmAltCMoveSCP="LONGTERM")),
    "elsewhere, of dcmtk's archive": Case("unconfigured-storage", device(dcmAltCMoveSCP="OTHER")),
    "unknown, nobody to ask": Case("unknown"),
    "unknown, direct": Case("unknown", device(**{FALLBACK: "LONGTERM"})),
    "unknown, back": Case("unknown", device(**{FALLBACK: "LONGTERM", FALLBACK_BACK: "DCM4CHEE"})),
    "unknown, back, of dcmtk's archive": Case("unknown", device(**{FALLBACK: "OTHER", FALLBACK_BACK: "DCM4CHEE"})),
    "unknown, back, under another title": Case(
        "unknown",
        device(**{FALLBACK: "LONGTERM", FALLBACK_BACK: "DCM4CHEE", "dcmFallbackCMoveSCPCallingAET": "DCM4CHEE"}),
    ),
    "incomplete, nobody to ask": Case("incomplete"),
    "incomplete": Case("incomplete", device(**{FALLBACK: "LONGTERM", FALLBACK_BACK: "DCM4CHEE"})),
    "incomplete, never again": Case(
        "incomplete",
        device(**{FALLBACK: "LONGTERM", FALLBACK_BACK: "DCM4CHEE", "dcmFallbackCMoveSCPRetries": "-1"}),
    ),
    "destination not allowed": Case("local", {(AE, "dcmAcceptedMoveDestination"): ("WORKSTATION",)}),
    "destination unknown": Case("local", dest="NOBODY"),
    "destination not installed": Case("local", {(STORESCP, "dicomInstalled"): ("FALSE",)}),
    "external archive not installed": Case(
        "purged", {(f"dicomDeviceName=longterm,{DEVICES}", "dicomInstalled"): ("FALSE",)}
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_archive_does_what_route_tells(site: RunningSite, case: Case) -> None:
    was = {key: _values(site, *key) for key in case.values}
    for (dn, name), values in case.values.items():
        site.put(name, *values, dn=dn)
    try:
        expected = _find_expected_route(site, case)
        done = _retrieve(site, case)
    finally:
        for (dn, name), values in was.items():
            site.put(name, *values, dn=dn)
    if isinstance(expected, RouteFailure):
        _assert_same_response(expected, done)
        assert (done.asked, done.received) == ([], set())
    else:
        _agree(expected, done, case)


@pytest.mark.parametrize("back", [False, True])
def test_several_archives_are_asked_in_one_retrieve(site: RunningSite, back: bool) -> None:
    """The last one is called by the requester's title where nothing is local, else by the archive's own."""
    site.put(ERD, *(["DCM4CHEE"] if back else []))
    site.put(MAPPING, *(["LONGTERM=LONGTERM", "OTHER=OTHER"] if back else []))
    try:
        done = _retrieve(site, Case("partial"), {2: "OTHER"})
    finally:
        site.put(ERD)
        site.put(MAPPING)
    destination = "DCM4CHEE" if back else "STORESCP"
    assert done.asked == [("VIEWER", "LONGTERM", destination)]  # OTHER comes last, and is called by DCM4CHEE
    assert done.received == get_standard_study(STUDY).sop_instance_uids
    assert done.callers == ({"DCM4CHEE"} if back else {"DCM4CHEE", "LONGTERM", "OTHER"})
    assert done.outcome.status == 0x0000


def test_a_study_that_became_complete_is_not_asked_for_again(site: RunningSite) -> None:
    case = CASES["incomplete"]
    for (dn, name), values in case.values.items():
        site.put(name, *values, dn=dn)
    try:
        first = _retrieve(site, case)
        move_count = len(site.external_moves())
        again = move_study(site.archive, case.dest, get_standard_study(STUDY).uid, calling=case.calling)
    finally:
        for dn, name in case.values:
            site.put(name, dn=dn)
    assert [destination for *_, destination in first.asked] == ["DCM4CHEE"]
    assert again.counters == {"completed": 3}
    assert len(site.external_moves()) == move_count


@dataclass(frozen=True)
class Done:
    """What a C-MOVE came to: the answer, what LONGTERM was asked, who brought what to STORESCP."""

    outcome: MoveOutcome
    asked: list[tuple[str, str, str]]
    received: set[str]
    callers: set[str]


def _agree(expected: RetrievePath, done: Done, case: Case) -> None:
    everything = get_standard_study(STUDY).sop_instance_uids
    asks = [step for step in expected.messages if step.kind == "C-MOVE" and step.address]
    to_longterm = [step for step in asks if step.receiver_ae_title == "LONGTERM"]
    assert done.asked == [(step.calling_ae_title, step.called_ae_title, step.move_destination) for step in to_longterm]
    match expected.outcome:
        case PathOutcome.DELIVERED:
            assert done.received == everything
            assert done.outcome.status == 0x0000
            assert done.outcome.counters["completed"] >= len(everything)  # what is local may be sent twice
        case PathOutcome.PARTIAL:
            assert done.received == _local_part()
            assert done.outcome.counters == {"completed": len(_local_part())}
        case PathOutcome.FAILED:
            _assert_same_response(expected.failures[0], done)
        case PathOutcome.UNCONFIGURED if not expected.failures:
            assert done.received == _local_part()
        case PathOutcome.UNCONFIGURED:
            _assert_same_response(expected.failures[0], done)
            assert done.received == set()
    if done.received and expected.outcome is not PathOutcome.FAILED:
        senders = {
            step.calling_ae_title
            for step in expected.messages
            if step.kind == "C-STORE" and step.receiver_ae_title == case.dest
        }
        assert done.callers <= senders


def _assert_same_response(failure: RouteFailure, done: Done) -> None:
    status, comment = done.outcome.status, done.outcome.comment
    match failure.response.partition(" "):
        case ("0000", _, "without counters"):
            assert (status, done.outcome.counters) == (0x0000, {})
        case ("A702", _, "all failed") | ("A702,", _, "all failed"):
            assert status == 0xA702
        case ("A702", _, "without counters"):
            assert (status, comment, done.outcome.counters) == (0xA702, "", {})
        case _ if failure.response == DESTINATION_REFUSED:
            assert status == 0xA801
        case (code, _, words):
            assert (f"{status:04X}", comment) == (code, words)


def _find_expected_route(site: RunningSite, case: Case) -> RetrievePath | RouteFailure:
    configuration = Configuration(Tree.from_entries(load_bundled_schema(), site.slapd.entries()))
    ae = configuration.get_device("dcm4chee-arc").get_network_ae("DCM4CHEE")
    question = RouteRequest(ae, case.dest, case.calling, case.external)
    route = find_route(configuration, question, (StudyState(case.state),))
    if route.refusal is not None:
        return route.refusal
    (path,) = route.paths
    return path


def _retrieve(site: RunningSite, case: Case, holders: Mapping[int, str] | None = None) -> Done:
    """Have the study asked for; *holders* names another archive for single instances."""
    _put_study(site, case, holders or {})
    for file in site.site.storage_folder.glob("*.dcm"):
        file.unlink()
    move_count, logged = len(site.external_moves()), len(site.log("storage"))
    site.reload()
    outcome = move_study(site.archive, case.dest, get_standard_study(STUDY).uid, calling=case.calling)
    moves = [(each["calling"], each["called"], each["destination"]) for each in site.external_moves()[move_count:]]
    callers = set(re.findall(r"from (\S+), move originator", site.log("storage")[logged:]))
    return Done(outcome, moves, site.received(), callers)


def _local_part() -> set[str]:
    return {str(get_standard_study(STUDY).instances[0].SOPInstanceUID)}


def _put_study(site: RunningSite, case: Case, holders: Mapping[int, str]) -> None:
    """Have the archive's database tell of the study what *case* says."""
    path = site.site.archive_folder / "database.sqlite"
    _forget(path)
    known = [
        InstanceRecord(extract_header(each), is_local=True, external_aet=holders.get(number, case.external))
        for number, each in enumerate(get_standard_study(STUDY).instances)
    ]
    database = open_database(site.site)
    try:
        database.save(_as_the_state_has_it(StudyState(case.state), known, database))
    finally:
        database.close()


def _as_the_state_has_it(state: StudyState, known: list[InstanceRecord], database: Database) -> list[InstanceRecord]:
    purged = [replace(each, is_local=False) for each in known]
    match state:
        case StudyState.LOCAL:
            return known
        case StudyState.PURGED:
            return purged
        case StudyState.PARTIAL:
            return [known[0], *purged[1:]]
        case StudyState.UNCONFIGURED_STORAGE:
            return [replace(each, storage_id="gone") for each in known]
        case StudyState.INCOMPLETE:
            database.set_failed_retrieves(get_standard_study(STUDY).uid, 1)
            return known[:1]
        case StudyState.UNKNOWN:
            return []


def _forget(path: Path) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("DELETE FROM instance WHERE study_uid = ?", (get_standard_study(STUDY).uid,))
        connection.execute("DELETE FROM incomplete_study")
    connection.close()


def _values(site: RunningSite, dn: str, name: str) -> tuple[str, ...]:
    return next(entry.texts(name) for entry in site.slapd.entries() if str(entry.dn) == dn)
