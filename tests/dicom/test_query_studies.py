from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from pydicom import dcmread
from pynetdicom import evt

from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.query import Study, find_instances, find_patient, find_studies
from dcmcfg.dicom.retrieval import InformationModel, Patient
from dcmcfg.errors import DicomError, MalformedInput
from tests.dicom import dcmtk
from tests.dicom.conftest import Source
from tests.dicom.scp import answers, element, match, misbehaving_scp
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.real


def _studies(peer: Peer, timeouts: DicomTimeouts, most: int | None = None, **keys: str) -> tuple[Study, ...]:
    with open_association(peer, "ME", [InformationModel.STUDY.find_sop_class], timeouts) as opened:
        return find_studies(opened, keys, max_studies=most)


def test_dcmqrscp_lists_the_study_of_a_patient(source: Source, timeouts: DicomTimeouts) -> None:
    (study,) = _studies(source.peer, timeouts, PatientID="P1", StudyDate="20240101-20240103")
    assert (study.study_uid, study.patient_id, study.study_date) == (source.made.study_uid, "P1", "20240102")
    assert study.retrieve_ae_titles == ("LONGTERM",)
    assert _studies(source.peer, timeouts, PatientID="P2") == ()


def test_requests_follow_each_other_on_one_association(source: Source, timeouts: DicomTimeouts) -> None:
    with open_association(
        source.peer, "ME", [InformationModel.STUDY.find_sop_class, InformationModel.PATIENT.find_sop_class], timeouts
    ) as opened:
        patient = find_patient(opened, source.made.study_uid)
        found = find_instances(opened, source.made.study_uid, patient)
        again = find_instances(opened, source.made.study_uid)
    assert patient == Patient("P1", character_set="")
    assert {each.sop_instance_uid for each in found} == set(source.made.sop_instance_uids)
    assert found == again


def test_a_patient_beyond_ascii_is_found_again_by_patient_root(
    source: Source, timeouts: DicomTimeouts, tmp_path: Path
) -> None:
    made = dcmtk.make_instances(tmp_path / "umlaut", "1.2.3.99", series=1, per_series=1)
    for file in made.files:
        dataset = dcmread(file)
        dataset.PatientID = "Ä1"
        dataset.save_as(file)
    assert dcmtk.storescu(source.peer, made.files).returncode == 0
    with open_association(
        source.peer, "ME", [InformationModel.STUDY.find_sop_class, InformationModel.PATIENT.find_sop_class], timeouts
    ) as opened:
        patient = find_patient(opened, made.study_uid)
        found = find_instances(opened, made.study_uid, patient)
    assert patient == Patient("Ä1", character_set="ISO_IR 100")
    assert [each.sop_instance_uid for each in found] == list(made.sop_instance_uids)


def test_numbers_and_titles_are_told_and_a_study_that_comes_twice_is_one(timeouts: DicomTimeouts) -> None:
    answer = (
        element("InstanceAvailability", b"NEARLINE")
        + element("RetrieveAETitle", b"A\\B ")
        + element("StudyInstanceUID", b"1.2.3")
        + element("NumberOfStudyRelatedInstances", b"12")
    )
    with misbehaving_scp(on_find=answers(answer, answer)) as peer:
        found = _studies(peer, timeouts)
    assert found == (
        Study(
            study_uid="1.2.3",
            patient_id="",
            issuer_of_patient_id="",
            study_date="",
            availability="NEARLINE",
            retrieve_ae_titles=("A", "B"),
            instance_count=12,
        ),
    )


def test_a_number_of_thousands_of_digits_is_read(timeouts: DicomTimeouts) -> None:
    answer = element("StudyInstanceUID", b"1.2.3") + element("NumberOfStudyRelatedInstances", b"9" * 5000)
    with misbehaving_scp(on_find=answers(answer)) as peer:
        (found,) = _studies(peer, timeouts)
    assert found.instance_count == 10**20 - 1


def test_a_longer_answer_is_cancelled(timeouts: DicomTimeouts) -> None:
    cancelled = threading.Event()

    def without_end(event: evt.Event) -> None:
        deadline = time.monotonic() + PATIENCE_S
        for number in range(1, 100_000):
            if event.is_cancelled:
                cancelled.set()
                answers(status=0xFE00)(event)
                return
            assert time.monotonic() < deadline
            match(element("StudyInstanceUID", f"1.2.{number}".encode()))(event)
            time.sleep(0.01)

    with (
        misbehaving_scp(on_find=without_end) as peer,
        open_association(peer, "ME", [InformationModel.STUDY.find_sop_class], timeouts) as opened,
    ):
        found = find_studies(opened, {}, max_studies=3)
        assert opened.is_open
    assert [each.study_uid for each in found] == ["1.2.1", "1.2.2", "1.2.3"]
    assert cancelled.is_set()


def test_a_word_that_is_no_keyword_is_refused(timeouts: DicomTimeouts) -> None:
    with misbehaving_scp() as peer, pytest.raises(MalformedInput, match=r"PatientIdentifier: not a keyword"):
        _studies(peer, timeouts, PatientIdentifier="1")


def test_an_answer_without_a_study_is_an_error(timeouts: DicomTimeouts) -> None:
    with (
        misbehaving_scp(on_find=answers(element("PatientID", b"P1"))) as peer,
        pytest.raises(DicomError, match="has no StudyInstanceUID"),
    ):
        _studies(peer, timeouts)


def test_a_study_without_a_patient_is_no_patient_root_question(timeouts: DicomTimeouts) -> None:
    with (
        misbehaving_scp(on_find=answers(element("StudyInstanceUID", b"1.2.3"))) as peer,
        open_association(peer, "ME", [InformationModel.STUDY.find_sop_class], timeouts) as opened,
    ):
        with pytest.raises(DicomError, match="lists no Patient ID") as error_info:
            find_patient(opened, "1.2.3")
        assert "--patient-id" in error_info.value.next_step


def test_a_service_that_was_not_accepted_is_named(timeouts: DicomTimeouts) -> None:
    sop_classes = [InformationModel.STUDY.find_sop_class, InformationModel.PATIENT.find_sop_class]
    with (
        misbehaving_scp() as peer,
        pytest.raises(DicomError, match=r"no presentation context \(Patient Root .* FIND\)"),
        open_association(peer, "ME", sop_classes, timeouts) as opened,
    ):
        find_instances(opened, "1.2.3", Patient("P1"))
