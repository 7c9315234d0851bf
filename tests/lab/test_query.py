"""Matching and answers of the Query/Retrieve service, without a network."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dcmcfg.lab.identifier import IdentifierMismatch, get_root_level, parse_query_level, parse_retrieve_level
from dcmcfg.lab.matching import matches_key
from dcmcfg.lab.query import QueryInstance, find_matches, select_instances
from dcmcfg.lab.studies import StudyLocation, get_standard_study, make_standard_studies
from tests.lab.requests import identifier


def dataset(**attributes: object) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ({"PatientID": ""}, {}, True),
        ({"PatientID": "*"}, {}, True),
        ({"PatientID": "A"}, {}, False),
        ({"PatientID": "A"}, {"PatientID": "a"}, False),
        ({"PatientID": "A?C"}, {"PatientID": "ABC"}, True),
        ({"PatientID": "A?C"}, {"PatientID": "ABBC"}, False),
        ({"PatientID": "[A]*"}, {"PatientID": "[A]B"}, True),
        ({"PatientName": "m*^j*"}, {"PatientName": "Müller^Jörg"}, True),
        ({"StudyDate": "20240101-20240131"}, {"StudyDate": "20240117"}, True),
        ({"StudyDate": "20240101-20240131"}, {"StudyDate": "20240201"}, False),
        ({"StudyDate": "-20240117"}, {"StudyDate": "20240117"}, True),
        ({"StudyDate": "20240118-"}, {"StudyDate": "20240117"}, False),
        ({"StudyInstanceUID": ["1.2", "1.3"]}, {"StudyInstanceUID": "1.3"}, True),
        ({"ModalitiesInStudy": "CT"}, {"ModalitiesInStudy": ["CT", "SR"]}, True),
    ],
)
def test_a_key_matches_as_ps3_4_says(key: dict[str, object], values: dict[str, object], expected: bool) -> None:
    (element,) = dataset(**key)
    assert matches_key(element, dataset(**values)) is expected


def test_the_level_is_one_of_the_model_and_needs_the_keys_above() -> None:
    assert parse_query_level(identifier("IMAGE", StudyInstanceUID="1.2"), "STUDY", relational=True) == "IMAGE"
    with pytest.raises(IdentifierMismatch, match=r"^Missing SeriesInstanceUID \(0020,000E\)$"):
        parse_query_level(identifier("IMAGE", StudyInstanceUID="1.2"), "STUDY", relational=False)
    with pytest.raises(IdentifierMismatch, match=r"^Missing PatientID \(0010,0020\)$"):
        parse_query_level(identifier("STUDY"), "PATIENT", relational=False)
    with pytest.raises(IdentifierMismatch, match=r"^Missing QueryRetrieveLevel"):
        parse_query_level(Dataset(), "STUDY", relational=False)
    with pytest.raises(IdentifierMismatch, match=r"^Missing StudyInstanceUID"):
        parse_retrieve_level(identifier("STUDY", StudyInstanceUID=""), "STUDY", relational=True)


def test_the_root_follows_from_the_sop_class() -> None:
    assert get_root_level("1.2.840.10008.5.1.4.1.2.1.2") == "PATIENT"
    assert get_root_level(UID("1.2.840.10008.5.1.4.1.2.2.2")) == "STUDY"


def test_a_retrieve_selects_by_lists_of_uids() -> None:
    instances = [QueryInstance(each) for each in get_standard_study("twenty").instances]
    uids = [instances[3].unique_key("IMAGE"), instances[17].unique_key("IMAGE")]
    keys = identifier("IMAGE", StudyInstanceUID=get_standard_study("twenty").uid)
    keys.SOPInstanceUID = uids
    assert [each.unique_key("IMAGE") for each in select_instances(keys, instances)] == uids


def test_an_answer_holds_what_was_asked_for_even_where_it_is_empty() -> None:
    instances = [QueryInstance(each) for each in get_standard_study("one").instances]
    (answer,) = find_matches(identifier(PatientName="", InstitutionName="", StationName=""), "STUDY", instances)
    assert answer.PatientName == "LAB^ONE"
    assert answer.StationName is None or answer.StationName == ""
    assert "StudyDescription" not in answer
    assert answer.QueryRetrieveLevel == "STUDY"


def test_keys_of_lower_levels_do_not_narrow_a_study_query() -> None:
    instances = [QueryInstance(each) for each in get_standard_study("twenty").instances]
    assert len(list(find_matches(identifier(SeriesInstanceUID="1.2.3"), "STUDY", instances))) == 1


def test_a_study_is_found_by_what_describes_one_of_its_series() -> None:
    instances = [
        QueryInstance(dataset(StudyInstanceUID="1.2", StationName=each, SeriesDescription=each)) for each in "AB"
    ]

    def count_matches(**keys: str) -> int:
        return len(list(find_matches(identifier(**keys), "STUDY", instances)))

    assert (
        count_matches(StationName="B"),
        count_matches(SeriesDescription="a*"),
        count_matches(SeriesDescription="C"),
    ) == (1, 0, 0)
    assert count_matches(StationName="A", SeriesDescription="B") == 0, "no series has both"


def test_the_retrieve_titles_are_those_common_to_all_objects() -> None:
    first, second, third = get_standard_study("three").instances
    instances = [
        QueryInstance(first, "ONLINE", ("A", "B")),
        QueryInstance(second, "OFFLINE", ("B",)),
        QueryInstance(third, "NEARLINE", ("B", "A")),
    ]
    (answer,) = find_matches(identifier(), "STUDY", instances)
    assert (answer.RetrieveAETitle, answer.InstanceAvailability) == ("B", "OFFLINE")


def test_the_studies_are_the_same_in_every_lab() -> None:
    first, second = make_standard_studies(), make_standard_studies()
    assert [each.name for each in first] == ["one", "three", "twenty", "local", "unknown", "jpeg-ls"]
    assert [len(each.instances) for each in first] == [1, 3, 20, 5, 2, 2]
    assert [each.sop_instance_uids for each in first] == [each.sop_instance_uids for each in second]
    uids = [uid for each in first for uid in each.sop_instance_uids]
    assert len(set(uids)) == len(uids) == 33
    assert all(UID(uid).is_valid for uid in uids)
    assert len({each.SeriesInstanceUID for each in get_standard_study("twenty").instances}) == 2
    assert [each.location for each in first].count(StudyLocation.EXTERNAL) == 4
    assert get_standard_study("one").uid == "1.2.826.0.1.3680043.8.498.75378195226343475126899947165427833372"
