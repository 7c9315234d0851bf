from __future__ import annotations

import pytest

from dcmcfg.dicom.character_sets import decode_values
from dcmcfg.dicom.elements import read_octets
from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.retrieval import Patient, QueryRetrieveLevel, Retrieval
from dcmcfg.errors import MalformedInput, NotFound
from dcmcfg.verify.selection import MAX_UIDS, RetrieveSelection, split_retrieval

STUDY = "1.2.3"


def _instances(series: str, number: int) -> tuple[Instance, ...]:
    return tuple(
        Instance(study_uid=STUDY, series_uid=series, sop_class_uid="1.2.840", sop_instance_uid=f"{series}.{each}")
        for each in range(1, number + 1)
    )


LISTED = (*_instances("1.2.3.1", 2), *_instances("1.2.3.2", 3))


def test_a_study_is_one_request_even_where_nothing_is_listed() -> None:
    assert RetrieveSelection().create_retrievals(STUDY, ()) == (Retrieval(STUDY),)


def test_series_are_one_request_with_a_list_and_instances_one_a_series() -> None:
    assert RetrieveSelection(QueryRetrieveLevel.SERIES).create_retrievals(STUDY, LISTED) == (
        Retrieval(STUDY, QueryRetrieveLevel.SERIES, ("1.2.3.1", "1.2.3.2")),
    )
    patient = Patient("P1")
    assert RetrieveSelection(QueryRetrieveLevel.IMAGE).create_retrievals(STUDY, LISTED, patient) == (
        Retrieval(STUDY, QueryRetrieveLevel.IMAGE, ("1.2.3.1",), ("1.2.3.1.1", "1.2.3.1.2"), patient=patient),
        Retrieval(
            STUDY, QueryRetrieveLevel.IMAGE, ("1.2.3.2",), ("1.2.3.2.1", "1.2.3.2.2", "1.2.3.2.3"), patient=patient
        ),
    )


def test_what_is_expected_is_what_is_meant() -> None:
    assert RetrieveSelection(QueryRetrieveLevel.SERIES, ("1.2.3.2",)).select(LISTED) == LISTED[2:]
    assert RetrieveSelection(QueryRetrieveLevel.IMAGE, (), ("1.2.3.1.2",)).select(LISTED) == LISTED[1:2]


def test_an_instance_of_another_series_than_the_one_named_is_missing() -> None:
    with pytest.raises(NotFound) as refused:
        RetrieveSelection(QueryRetrieveLevel.IMAGE, ("1.2.3.2",), ("1.2.3.1.1",)).create_retrievals(STUDY, LISTED)
    assert refused.value.message == "the archive lists no instance 1.2.3.1.1 in the selected series"
    assert refused.value.next_step == "specify a UID from the archive's list: 1.2.3.2.1, 1.2.3.2.2, 1.2.3.2.3"


def test_a_series_of_which_no_instance_is_named_is_told() -> None:
    with pytest.raises(NotFound, match=r"no selected instance is in the series 1\.2\.3\.2"):
        RetrieveSelection(QueryRetrieveLevel.IMAGE, ("1.2.3.1", "1.2.3.2"), ("1.2.3.1.1",)).create_retrievals(
            STUDY, LISTED
        )


def test_the_series_that_there_are_are_told_with_their_instances_and_no_more_than_ten() -> None:
    listed = tuple(each for number in range(12) for each in _instances(f"1.2.3.{number}", 2))
    with pytest.raises(NotFound) as refused:
        RetrieveSelection(QueryRetrieveLevel.SERIES, ("1.2",)).create_retrievals(STUDY, listed)
    named = ", ".join(f"1.2.3.{number} (2 instances)" for number in range(10))
    assert refused.value.next_step == f"specify a UID from the archive's list: {named} and 2 more"


def test_a_list_that_would_not_fit_an_element_is_split() -> None:
    many = _instances("1.2.3.1", MAX_UIDS + 1)
    assert [
        len(each.instance_uids) for each in RetrieveSelection(QueryRetrieveLevel.IMAGE).create_retrievals(STUDY, many)
    ] == [MAX_UIDS, 1]
    assert MAX_UIDS * 65 < 1 << 16


def test_one_by_one_splits_the_list_of_its_level() -> None:
    (series,) = RetrieveSelection(QueryRetrieveLevel.SERIES).create_retrievals(STUDY, LISTED)
    assert split_retrieval(series) == tuple(
        Retrieval(STUDY, QueryRetrieveLevel.SERIES, (uid,)) for uid in ("1.2.3.1", "1.2.3.2")
    )
    assert split_retrieval(Retrieval(STUDY)) == (Retrieval(STUDY),)


@pytest.mark.parametrize(
    "keys",
    [
        (QueryRetrieveLevel.STUDY, ("1.2",), ()),
        (QueryRetrieveLevel.SERIES, (), ()),
        (QueryRetrieveLevel.SERIES, ("1.2",), ("1.3",)),
        (QueryRetrieveLevel.IMAGE, ("1.2",), ()),
        (QueryRetrieveLevel.IMAGE, ("1.2", "1.4"), ("1.3",)),
        (QueryRetrieveLevel.SERIES, ("1.2.*",), ()),
    ],
)
def test_keys_that_are_not_those_of_the_level_are_refused(
    keys: tuple[QueryRetrieveLevel, tuple[str, ...], tuple[str, ...]],
) -> None:
    with pytest.raises(MalformedInput):
        Retrieval(STUDY, *keys)


def test_an_identifier_names_the_patient_in_a_character_set_that_has_the_letters() -> None:
    identifier = Retrieval(STUDY, patient=Patient("Ä1", "Köln")).build_identifier()
    assert decode_values(identifier, "PatientID", "IssuerOfPatientID") == (("Ä1", "Köln"), "ISO_IR 192")
    assert read_octets(Retrieval(STUDY, patient=Patient("A1")).build_identifier(), "SpecificCharacterSet") == b""
