"""Where a study is, from what the archive lists of it."""

from __future__ import annotations

import pytest

from dcmcfg.devices import Configuration
from dcmcfg.dicom.query import Instance
from dcmcfg.route.question import StudyState
from dcmcfg.verify.study_state import Whereabouts, whereabouts
from tests.route.sites import ARCHIVE, lab, put
from tests.trees import CT

STUDY = "1.2.3"
UNSEEN = put("dcmExternalRetrieveInstanceAvailability", on=ARCHIVE.child("dcmStorageID", "fs1"))


TITLES = ("DCM4CHEE", "LONGTERM")


def found(*availabilities: str, titles: tuple[str, ...] = TITLES, unseen: bool = False) -> Whereabouts:
    tree = lab().after([UNSEEN] if unseen else [])
    instances = [
        Instance(STUDY, "1.2.3.0", CT, f"1.2.3.0.{number}", availability, titles)
        for number, availability in enumerate(availabilities)
    ]
    return whereabouts(STUDY, instances, Configuration(tree).device("dcm4chee-arc"))


@pytest.mark.parametrize(
    ("availabilities", "states"),
    [
        ((), (StudyState.UNKNOWN,)),
        (("ONLINE", "ONLINE"), (StudyState.LOCAL,)),
        (("",), (StudyState.LOCAL,)),
        (("NEARLINE", "OFFLINE"), (StudyState.PURGED,)),
        (("ONLINE", "UNAVAILABLE"), (StudyState.PARTIAL,)),
    ],
)
def test_availability_tells_the_state(availabilities: tuple[str, ...], states: tuple[StudyState, ...]) -> None:
    assert found(*availabilities).states == states


def test_online_may_be_purged_where_a_purge_does_not_show() -> None:
    doubtful = found("ONLINE", unseen=True)
    assert doubtful.states == (StudyState.LOCAL, StudyState.PURGED)
    assert "no dcmExternalRetrieveInstanceAvailability" in doubtful.notes[0]
    assert found("ONLINE", titles=("DCM4CHEE",), unseen=True).states == (StudyState.LOCAL,)


def test_the_title_beside_the_archives_own_is_who_holds_it() -> None:
    assert found("NEARLINE").external == "LONGTERM"
    assert found("NEARLINE", titles=("DCM4CHEE", "AS_RECEIVED")).external is None
    several = found("NEARLINE", titles=("LONGTERM", "OTHER"))
    assert (several.external, several.notes) == (None, ("several other archives are named: LONGTERM, OTHER",))


@pytest.mark.parametrize("title", ["CLUSTER", "DCM4CHEE"])
def test_a_title_told_in_place_of_all_does_not_tell_who_holds_it(title: str) -> None:
    tree = lab().after([UNSEEN, put("dcmReturnRetrieveAET", title, on=ARCHIVE)])
    device = Configuration(tree).device("dcm4chee-arc")
    where = whereabouts(STUDY, [Instance(STUDY, "1.2.3.0", CT, "1.2.3.0.1", "ONLINE", (title,))], device)
    assert (where.external, where.states) == (None, (StudyState.LOCAL, StudyState.PURGED))
    assert where.notes[0] == f"who holds it is not told: {title} stands in place (dcmReturnRetrieveAET)"
