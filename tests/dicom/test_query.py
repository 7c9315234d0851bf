from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydicom.uid import UID
from pynetdicom import evt

from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.dicom.query import Instance, find_instances
from dcmcfg.dicom.retrieval import InformationModel
from dcmcfg.errors import DicomError, MalformedInput
from dcmcfg.limits import override_limits
from tests.dicom.conftest import Source
from tests.dicom.requests import instances_of
from tests.dicom.scp import answers, element, misbehaving_scp, one_after_the_other

pytestmark = pytest.mark.real

STUDY = "1.2.3"
STUDY_ANSWER = element("StudyInstanceUID", b"1.2.3")
SERIES_ANSWER = element("SeriesInstanceUID", b"1.2.3.1")


def _image(uid: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    return element("SOPClassUID", b"1.2.840.10008.5.1.4.1.1.2") + element("SOPInstanceUID", uid) + before + after


def test_dcmqrscp_lists_each_instance_of_the_study(source: Source, timeouts: DicomTimeouts) -> None:
    found = instances_of(source.peer, "ME", source.made.study_uid, timeouts)
    assert sorted(instance.sop_instance_uid for instance in found) == sorted(source.made.sop_instance_uids)
    assert {instance.series_uid for instance in found} == {f"{source.made.study_uid}.{n}" for n in (1, 2)}
    assert {instance.retrieve_ae_titles for instance in found} == {("LONGTERM",)}


def test_study_that_nobody_has_is_empty(source: Source, timeouts: DicomTimeouts) -> None:
    assert instances_of(source.peer, "ME", "1.2.3.4.5", timeouts) == ()


@pytest.mark.parametrize("uid", ["", "*", "1.2.*", "1.2\\1.3"])
def test_keys_that_match_other_studies_are_refused(uid: str, timeouts: DicomTimeouts) -> None:
    events: list[evt.Event] = []
    with misbehaving_scp(on_find=events.append) as peer, pytest.raises(MalformedInput, match="not a UID"):
        instances_of(peer, "ME", uid, timeouts)
    assert not events


@pytest.mark.parametrize(
    ("study", "series", "image", "expected"),
    [
        (b"ONLINE", b"NEARLINE", b"OFFLINE", "OFFLINE"),
        (b"ONLINE", b"NEARLINE", b"", "NEARLINE"),
        (b"NEARLINE", b"", b"", "NEARLINE"),
        (b"", b"", b"", ""),
    ],
)
def test_availability_is_the_one_nearest_to_the_instance(
    study: bytes, series: bytes, image: bytes, expected: str, timeouts: DicomTimeouts
) -> None:
    levels = one_after_the_other(
        answers(element("InstanceAvailability", study) + STUDY_ANSWER),
        answers(element("InstanceAvailability", series) + SERIES_ANSWER),
        answers(element("InstanceAvailability", image) + _image(b"1.2.3.1.1")),
    )
    with misbehaving_scp(on_find=levels) as peer:
        found = instances_of(peer, "ME", STUDY, timeouts)
    assert found == (
        Instance(
            study_uid=STUDY,
            series_uid="1.2.3.1",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            sop_instance_uid="1.2.3.1.1",
            availability=expected,
        ),
    )


def test_answers_about_other_studies_and_series_are_left_out(timeouts: DicomTimeouts) -> None:
    levels = one_after_the_other(
        answers(element("StudyInstanceUID", b"9.9.9"), STUDY_ANSWER, STUDY_ANSWER),
        answers(SERIES_ANSWER),
        answers(
            _image(b"1.2.3.1.1"),
            _image(b"9.9.9.1.1", element("StudyInstanceUID", b"9.9.9")),
            _image(b"1.2.3.2.1", element("StudyInstanceUID", b"1.2.3"), element("SeriesInstanceUID", b"1.2.3.2")),
            _image(b"1.2.3.1.1"),
        ),
    )
    with misbehaving_scp(on_find=levels) as peer:
        found = instances_of(peer, "ME", STUDY, timeouts)
    assert [instance.sop_instance_uid for instance in found] == ["1.2.3.1.1"]


def test_octets_outside_ascii_do_not_harm(timeouts: DicomTimeouts) -> None:
    levels = one_after_the_other(
        answers(element("InstanceAvailability", b"\xff\xfe") + STUDY_ANSWER),
        answers(SERIES_ANSWER),
        answers(_image(b"1.2.3.1.1\xe4")),
    )
    with misbehaving_scp(on_find=levels) as peer:
        found = instances_of(peer, "ME", STUDY, timeouts)
    assert found[0].sop_instance_uid == "1.2.3.1.1\xe4"


def test_answer_without_its_uid_fails_because_nobody_knows_what_to_expect(timeouts: DicomTimeouts) -> None:
    levels = one_after_the_other(answers(STUDY_ANSWER), answers(SERIES_ANSWER), answers(element("SOPClassUID", b"1.2")))
    with (
        misbehaving_scp(on_find=levels) as peer,
        pytest.raises(DicomError, match="has no SOPInstanceUID") as error_info,
    ):
        instances_of(peer, "ME", STUDY, timeouts)
    assert error_info.value.subject == str(peer)


def test_answer_that_cannot_be_read_fails(timeouts: DicomTimeouts) -> None:
    cut_off = SERIES_ANSWER[:5]
    levels = one_after_the_other(answers(STUDY_ANSWER), answers(cut_off))
    with misbehaving_scp(on_find=levels) as peer, pytest.raises(DicomError):
        instances_of(peer, "ME", STUDY, timeouts)


def test_failure_status_is_explained_with_level_and_comment(timeouts: DicomTimeouts) -> None:
    with (
        misbehaving_scp(on_find=answers(status=0xA700, comment="no database")) as peer,
        pytest.raises(DicomError, match=r"STUDY level: A700, refused: out of resources \(no database\)") as error_info,
    ):
        instances_of(peer, "ME", STUDY, timeouts)
    assert "database" in error_info.value.next_step


def test_list_that_the_peer_cut_short_fails(timeouts: DicomTimeouts) -> None:
    levels = one_after_the_other(
        answers(STUDY_ANSWER), answers(SERIES_ANSWER), answers(_image(b"1.2.3.1.1"), status=0xB001)
    )
    with misbehaving_scp(on_find=levels) as peer, pytest.raises(DicomError, match="IMAGE level: B001"):
        instances_of(peer, "ME", STUDY, timeouts)


def test_abort_instead_of_an_answer_is_told(timeouts: DicomTimeouts) -> None:
    def abort(event: evt.Event) -> None:
        event.assoc.abort()

    with misbehaving_scp(on_find=abort) as peer, pytest.raises(DicomError, match="the peer aborted the association"):
        instances_of(peer, "ME", STUDY, timeouts)


def test_silence_instead_of_an_answer_times_out(timeouts: DicomTimeouts) -> None:
    with misbehaving_scp(on_find=lambda _: None) as peer, pytest.raises(DicomError, match="no response within 1 s"):
        instances_of(peer, "ME", STUDY, replace(timeouts, dimse=1))


def _relational(event: Any) -> dict[UID, bytes]:
    return dict.fromkeys(event.app_info, b"\x01")


@pytest.mark.parametrize("names_series", [True, False])
def test_a_peer_that_agrees_to_relational_queries_is_asked_once_for_all_instances(
    names_series: bool, timeouts: DicomTimeouts
) -> None:
    series = SERIES_ANSWER if names_series else b""
    at_once = answers(_image(b"1.2.3.1.1", after=series), _image(b"1.2.3.1.2", after=series))
    by_level = (answers(SERIES_ANSWER), answers(_image(b"1.2.3.1.1"), _image(b"1.2.3.1.2")))
    levels = one_after_the_other(
        answers(element("InstanceAvailability", b"NEARLINE") + STUDY_ANSWER),
        at_once,
        *(() if names_series else by_level),
    )
    find = InformationModel.STUDY.find_sop_class
    with (
        misbehaving_scp(on_find=levels, handlers=[(evt.EVT_SOP_EXTENDED, _relational)]) as peer,
        open_association(peer, "ME", [find], timeouts, relational_sop_classes=[find]) as opened,
    ):
        found = find_instances(opened, STUDY)
    ct = "1.2.840.10008.5.1.4.1.1.2"
    assert found == tuple(
        Instance(
            study_uid=STUDY,
            series_uid="1.2.3.1",
            sop_class_uid=ct,
            sop_instance_uid=f"1.2.3.1.{each}",
            availability="NEARLINE",
        )
        for each in (1, 2)
    )


@pytest.mark.parametrize(
    ("answer", "limit", "raise_it"),
    [
        (element("SOPInstanceUID", b"1" * 70_000), {}, "--max find-response=128K"),
        (STUDY_ANSWER, {"find-responses": 2}, "--max find-responses=4"),
        (STUDY_ANSWER, {"find-octets": 40}, "--max find-octets=80"),
    ],
)
def test_answers_beyond_a_limit_are_refused_with_its_name(
    answer: bytes, limit: dict[str, int], raise_it: str, timeouts: DicomTimeouts
) -> None:
    with (
        override_limits(limit),
        misbehaving_scp(on_find=answers(*[answer] * 3)) as peer,
        pytest.raises(DicomError, match="C-FIND at STUDY level: the peer sent more than") as refused,
    ):
        instances_of(peer, "ME", STUDY, timeouts)
    assert refused.value.next_step.endswith(raise_it)


@pytest.mark.parametrize(("limit", "most"), [("find-responses", 14), ("find-octets", 500)])
def test_the_limits_apply_to_all_queries_for_a_study_together(limit: str, most: int, timeouts: DicomTimeouts) -> None:
    """The levels above have 13 responses, and each of ten series has two."""
    series = [element("SeriesInstanceUID", f"1.2.3.{number}".encode()) for number in range(10)]
    levels = one_after_the_other(answers(STUDY_ANSWER), answers(*series), *[answers(_image(b"1.2.3.1.1"))] * 10)
    with (
        override_limits({limit: most}),
        misbehaving_scp(on_find=levels) as peer,
        pytest.raises(DicomError, match="C-FIND at IMAGE level: the peer sent more than") as refused,
    ):
        instances_of(peer, "ME", STUDY, timeouts)
    assert refused.value.next_step.endswith(f"--max {limit}={2 * most}")


def test_a_series_that_is_listed_often_is_asked_for_once(timeouts: DicomTimeouts) -> None:
    events: list[evt.Event] = []
    levels = one_after_the_other(answers(STUDY_ANSWER), answers(*[SERIES_ANSWER] * 50), answers(_image(b"1.2.3.1.1")))

    def counting(event: evt.Event) -> Any:
        events.append(event)
        return levels(event)

    with misbehaving_scp(on_find=counting) as peer:
        found = instances_of(peer, "ME", STUDY, timeouts)
    assert [each.sop_instance_uid for each in found] == ["1.2.3.1.1"]
    assert len(events) == 3
