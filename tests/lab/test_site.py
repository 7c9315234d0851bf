from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import Site, TokenRequirements
from dcmcfg.lab.studies import StudyLocation, list_extra_study_uids, make_extra_studies


@pytest.mark.parametrize(
    "secured", [None, TokenRequirements("https://k/realms/r"), TokenRequirements("https://k", "archivist", "rs")]
)
def test_site_is_kept_with_whose_tokens_its_archive_takes(tmp_path: Path, secured: TokenRequirements | None) -> None:
    site = Site(tmp_path, choose_ports(), secured)
    site.save()
    assert Site.load(tmp_path) == site


def test_site_is_kept_with_how_many_more_studies_it_has(tmp_path: Path) -> None:
    site = Site(tmp_path, choose_ports(), None, 30)
    site.save()
    assert Site.load(tmp_path) == site


def test_of_more_studies_each_tenth_is_purged_and_their_uids_are_known_beforehand() -> None:
    studies = list(make_extra_studies(20))
    assert [study.uid for study in studies] == list(list_extra_study_uids(20))
    assert [number for number, study in enumerate(studies, 1) if study.location is StudyLocation.EXTERNAL] == [10, 20]
