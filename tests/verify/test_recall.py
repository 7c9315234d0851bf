"""Where a study is: according to the archive's database, else as far as its answers to C-FIND suggest."""

from __future__ import annotations

import pytest

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.query import Instance
from dcmcfg.model.devices import Configuration
from dcmcfg.route.request import StudyState
from dcmcfg.verify.recall import LocatedStudy, locate_study
from tests.route.sites import ARCHIVE, lab, put
from tests.trees import CT
from tests.verify.evidence import LOCAL_STUDY, PURGED, STUDY, UNKNOWN_STUDY, study

UNSEEN = put("dcmExternalRetrieveInstanceAvailability", on=ARCHIVE.child("dcmStorageID", "fs1"))
TITLES = ("DCM4CHEE", "LONGTERM")
OPEN = (StudyState.LOCAL, StudyState.PURGED, StudyState.PARTIAL, StudyState.UNCONFIGURED_STORAGE)
NOT_CERTAIN = "the archive's database was not queried, so the state of the study is not certain"


def found(
    *availabilities: str, titles: tuple[str, ...] = TITLES, unseen: bool = False, stored: StoredStudy | None = None
) -> LocatedStudy:
    tree = lab().with_changes([UNSEEN] if unseen else [])
    instances = [
        Instance(
            study_uid=STUDY,
            series_uid="1.2.3.0",
            sop_class_uid=CT,
            sop_instance_uid=f"1.2.3.{number}",
            availability=availability,
            retrieve_ae_titles=titles,
        )
        for number, availability in enumerate(availabilities, 1)
    ]
    return locate_study(STUDY, instances, device=Configuration(tree).get_device("dcm4chee-arc"), stored=stored)


@pytest.mark.parametrize(
    ("stored", "states", "external"),
    [
        (LOCAL_STUDY, (StudyState.LOCAL,), None),
        (PURGED, (StudyState.PURGED,), "LONGTERM"),
        (study("", "", "", external=""), (StudyState.PURGED,), "*"),
        (study("fs1", "", ""), (StudyState.PARTIAL,), "LONGTERM"),
        (study("tape", "tape", "tape"), (StudyState.UNCONFIGURED_STORAGE,), None),
        (study("tape", "fs1", ""), (StudyState.PARTIAL, StudyState.UNCONFIGURED_STORAGE), "LONGTERM"),
        (study("fs1", "fs1", "fs1", completeness="PARTIAL"), (StudyState.INCOMPLETE,), None),
    ],
)
def test_the_database_decides_whatever_the_availability(
    stored: StoredStudy, states: tuple[StudyState, ...], external: str | None
) -> None:
    where = found("ONLINE", "ONLINE", "ONLINE", unseen=True, stored=stored)
    assert (where.states, where.external_ae_title, where.is_from_database) == (states, external, True)
    assert NOT_CERTAIN not in where.notes


def test_a_database_that_lacks_a_listed_instance_does_not_decide() -> None:
    for lacking in (study("", ""), UNKNOWN_STUDY):
        where = found("NEARLINE", "NEARLINE", "NEARLINE", stored=lacking)
        assert (where.states, where.is_from_database) == (OPEN, False)
        assert (
            "some instances that the archive lists by C-FIND are missing in the archive's database, so the state of "
            "the study is not certain"
        ) in where.notes


def test_only_the_instances_that_the_archive_lists_count() -> None:
    assert found("ONLINE", stored=study("fs1", "", "")).states == (StudyState.LOCAL,)


@pytest.mark.parametrize(
    ("availabilities", "states"),
    [
        ((), (StudyState.UNKNOWN,)),
        (("ONLINE", "ONLINE"), (StudyState.LOCAL, StudyState.UNCONFIGURED_STORAGE)),
        (("",), (StudyState.LOCAL, StudyState.UNCONFIGURED_STORAGE)),
        (("NEARLINE", "OFFLINE"), OPEN),
        (("ONLINE", "UNAVAILABLE"), OPEN),
        (("NEARLINE",), (StudyState.LOCAL, StudyState.PURGED, StudyState.UNCONFIGURED_STORAGE)),
    ],
)
def test_availability_alone_leaves_states_open(availabilities: tuple[str, ...], states: tuple[StudyState, ...]) -> None:
    where = found(*availabilities)
    assert (where.states, where.is_from_database) == (states, False)
    assert (NOT_CERTAIN in where.notes) == bool(availabilities)


def test_online_may_be_purged_where_a_purge_does_not_show() -> None:
    for titles in (TITLES, ("DCM4CHEE",)):
        uncertain = found("ONLINE", titles=titles, unseen=True)
        assert uncertain.states == (StudyState.LOCAL, StudyState.PURGED, StudyState.UNCONFIGURED_STORAGE)
        assert uncertain.notes[0] == (
            "the archive also reports ONLINE for purged instances (dcmExternalRetrieveInstanceAvailability is not set)"
        )


def test_the_title_beside_the_archives_own_is_the_external_archive() -> None:
    assert found("NEARLINE").external_ae_title == "LONGTERM"
    assert found("NEARLINE", titles=("DCM4CHEE", "AS_RECEIVED")).external_ae_title is None
    several = found("NEARLINE", titles=("LONGTERM", "OTHER"))
    assert (several.external_ae_title, several.notes[0]) == (
        None,
        "the archive lists several other archives: LONGTERM, OTHER",
    )


@pytest.mark.parametrize("title", ["CLUSTER", "DCM4CHEE"])
def test_a_title_that_is_returned_instead_of_all_does_not_name_the_external_archive(title: str) -> None:
    tree = lab().with_changes([UNSEEN, put("dcmReturnRetrieveAET", title, on=ARCHIVE)])
    device = Configuration(tree).get_device("dcm4chee-arc")
    where = locate_study(
        STUDY,
        [
            Instance(
                study_uid=STUDY,
                series_uid="1.2.3.0",
                sop_class_uid=CT,
                sop_instance_uid="1.2.3.0.1",
                availability="ONLINE",
                retrieve_ae_titles=(title,),
            )
        ],
        device=device,
    )
    assert (where.external_ae_title, where.states) == (
        None,
        (StudyState.LOCAL, StudyState.PURGED, StudyState.UNCONFIGURED_STORAGE),
    )
    assert where.notes[0] == (
        f"the archive returns {title} as the Retrieve AE Title, not the AE that has the study (dcmReturnRetrieveAET)"
    )
