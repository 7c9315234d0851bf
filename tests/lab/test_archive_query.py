"""What queries show of the stand-in archive's studies."""

from __future__ import annotations

import subprocess

import pytest

from dcmcfg.lab.archive.service import open_database
from dcmcfg.lab.studies import get_standard_study, make_standard_studies
from tests.lab.requests import find, identifier, move_study
from tests.lab.running_site import AE, DEVICE, RunningSite
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.real
FS1 = f"dcmStorageID=fs1,{DEVICE}"
PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"


@pytest.fixture
def site(bare_site: RunningSite) -> RunningSite:
    """Only the archive runs."""
    bare_site.start("archive")
    return bare_site


def test_a_purged_study_is_nearline_and_names_the_external_archive_unasked(site: RunningSite) -> None:
    counts = {"NumberOfStudyRelatedSeries": "", "NumberOfStudyRelatedInstances": ""}
    (answer,), final = find(
        site.archive, identifier(StudyInstanceUID=get_standard_study("twenty").uid, PatientName="", **counts)
    )
    assert final.Status == 0
    assert answer.InstanceAvailability == "NEARLINE"
    assert list(answer.RetrieveAETitle) == ["DCM4CHEE", "LONGTERM"]
    assert (answer.NumberOfStudyRelatedSeries, answer.NumberOfStudyRelatedInstances) == (2, 20)
    assert answer.PatientName == "LAB^TWENTY"
    assert "StudyDescription" not in answer
    (plain,), _ = find(site.archive, identifier(StudyInstanceUID=get_standard_study("twenty").uid))
    assert "NumberOfStudyRelatedInstances" not in plain


def test_a_local_study_is_online_and_names_the_archive_only(site: RunningSite) -> None:
    (answer,), _ = find(site.archive, identifier(StudyInstanceUID=get_standard_study("local").uid))
    assert (answer.InstanceAvailability, answer.RetrieveAETitle) == ("ONLINE", "DCM4CHEE")


def test_the_availability_is_the_worst_of_the_objects(site: RunningSite) -> None:
    database = open_database(site.site)
    one, *_ = (
        each for each in database.list_instances() if each.header.StudyInstanceUID == get_standard_study("twenty").uid
    )
    database.save([type(one)(one.header, is_local=True, external_aet="LONGTERM", retrieve_aets=("DCM4CHEE",))])
    database.close()
    (answer,), _ = find(site.archive, identifier(StudyInstanceUID=get_standard_study("twenty").uid))
    assert answer.InstanceAvailability == "NEARLINE"
    instances, _ = find(
        site.archive,
        identifier(
            "IMAGE",
            StudyInstanceUID=get_standard_study("twenty").uid,
            SeriesInstanceUID=str(one.header.SeriesInstanceUID),
            SOPInstanceUID="",
        ),
    )
    assert sorted(each.InstanceAvailability for each in instances) == ["NEARLINE"] * 9 + ["ONLINE"]


def test_an_unset_availability_leaves_purged_studies_online(bare_site: RunningSite) -> None:
    bare_site.put("dcmExternalRetrieveInstanceAvailability", dn=FS1)
    bare_site.start("archive")
    (answer,), _ = find(bare_site.archive, identifier(StudyInstanceUID=get_standard_study("three").uid))
    assert answer.InstanceAvailability == "ONLINE"
    assert list(answer.RetrieveAETitle) == ["DCM4CHEE", "LONGTERM"]


def test_a_return_retrieve_aet_hides_the_external_archive(site: RunningSite) -> None:
    site.put("dcmReturnRetrieveAET", "PACS", dn=AE)
    site.reload()
    (answer,), _ = find(site.archive, identifier(StudyInstanceUID=get_standard_study("three").uid))
    assert answer.RetrieveAETitle == "PACS"


def test_from_study_down_to_image_every_object_is_found(site: RunningSite) -> None:
    study = get_standard_study("twenty")
    asked = {"SeriesInstanceUID": "", "NumberOfSeriesRelatedInstances": ""}
    series, _ = find(site.archive, identifier("SERIES", StudyInstanceUID=study.uid, **asked))
    assert [each.NumberOfSeriesRelatedInstances for each in series] == [10, 10]
    found = set()
    for each in series:
        keys = identifier(
            "IMAGE", StudyInstanceUID=study.uid, SeriesInstanceUID=each.SeriesInstanceUID, SOPInstanceUID=""
        )
        found |= {str(image.SOPInstanceUID) for image in find(site.archive, keys)[0]}
    assert found == study.sop_instance_uids


def test_what_only_the_external_archive_holds_is_not_found(site: RunningSite) -> None:
    assert find(site.archive, identifier(StudyInstanceUID=get_standard_study("unknown").uid))[0] == []
    everything, _ = find(site.archive, identifier(StudyInstanceUID=""))
    known = {each.uid for each in make_standard_studies()} - {get_standard_study("unknown").uid}
    assert {str(each.StudyInstanceUID) for each in everything} == known


def test_an_image_query_without_series_needs_relational_queries(site: RunningSite) -> None:
    matches, final = find(site.archive, identifier("IMAGE", StudyInstanceUID=get_standard_study("three").uid))
    assert matches == []
    assert (final.Status, final.ErrorComment) == (0xA900, "Missing SeriesInstanceUID (0020,000E)")


def test_the_patient_root_finds_patients(site: RunningSite) -> None:
    patients, _ = find(site.archive, identifier("PATIENT", PatientID="LAB-T*"), sop_class=PATIENT_ROOT_FIND)
    assert sorted(each.PatientID for each in patients) == ["LAB-THREE", "LAB-TWENTY"]
    studies, _ = find(site.archive, identifier(PatientID="LAB-ONE", StudyInstanceUID=""), sop_class=PATIENT_ROOT_FIND)
    assert [each.StudyInstanceUID for each in studies] == [get_standard_study("one").uid]


def test_dcmtks_findscu_gets_the_answers(site: RunningSite) -> None:
    command = [
        "/usr/bin/findscu",
        "-S",
        "-aec",
        "DCM4CHEE",
        "-k",
        "QueryRetrieveLevel=STUDY",
        "-k",
        "PatientName=lab^th*",
    ]
    done = subprocess.run(
        [*command, "-k", "InstanceAvailability", site.archive.host, str(site.archive.port)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0
    answer = done.stdout + done.stderr
    assert "[LAB^THREE ]" in answer
    assert "NEARLINE" in answer
    assert "LAB^TWENTY" not in answer


def test_a_local_study_is_sent_by_the_archive_itself(bare_site: RunningSite) -> None:
    bare_site.start("archive", "storage")
    outcome = move_study(bare_site.archive, "STORESCP", get_standard_study("local").uid)
    assert (outcome.status, outcome.counters) == (0x0000, {"completed": 5})
    assert bare_site.received() == get_standard_study("local").sop_instance_uids
    assert "from DCM4CHEE, move originator VIEWER" in bare_site.log("storage")
    refused = move_study(bare_site.archive, "WORKSTATION", get_standard_study("local").uid)
    assert (refused.status, refused.comment) == (0xA702, "java.net.ConnectException: Connection refused")


def test_nothing_is_sent_of_what_is_partly_purged_while_the_external_archive_cannot_be_reached(
    bare_site: RunningSite,
) -> None:
    bare_site.start("storage", "archive")
    database = open_database(bare_site.site)
    one = next(each for each in database.list_instances() if each.is_local)
    database.save([type(one)(one.header, is_local=False, external_aet="LONGTERM")])
    database.close()
    outcome = move_study(bare_site.archive, "STORESCP", get_standard_study("local").uid)
    assert (outcome.status, outcome.comment) == (0xA702, "java.net.ConnectException: Connection refused")
    assert outcome.counters == {}
    assert bare_site.received() == set()
