"""What a search of the stand-in archive reads: each instance once, and with a UID nothing of other studies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dcmcfg.lab.archive.configuration import Device, NetworkAE, WebApplication
from dcmcfg.lab.archive.database import Database, InstanceRecord, extract_header
from dcmcfg.lab.archive.lookup import AECache
from dcmcfg.lab.archive.qido import serve_qido
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import Site
from dcmcfg.lab.studies import StudyLocation, get_standard_study, make_small_study

ROOT = "/dcm4chee-arc/aets/DCM4CHEE/rs"
SERVICES = frozenset({"QIDO_RS", "QIDO_COUNT"})
THREE = get_standard_study("three")
IMAGES = f"{ROOT}/studies/{THREE.uid}/instances?includefield=all"


@contextmanager
def archive_of(folder: Path, other_studies: int) -> Iterator[ArchiveState]:
    """An archive without a network: the study ``three`` and *other_studies* of one image each."""
    ae = NetworkAE("DCM4CHEE", installed=True, acceptor=True, connections=())
    device = Device("arc", (), (ae,), web_applications=(WebApplication(ROOT, SERVICES),))
    others = [make_small_study(f"other-{each}", StudyLocation.LOCAL, 1) for each in range(other_studies)]
    with closing(Database(folder / "database.sqlite")) as database:
        database.save(
            InstanceRecord(extract_header(each), is_local=True)
            for study in (THREE, *others)
            for each in study.instances
        )
        yield ArchiveState(
            site=Site(folder, choose_ports()),
            device=device,
            cache=AECache(lambda _: None),
            database=database,
            store=ObjectStore(folder / "objects"),
        )


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of all headers that are parsed."""
    texts: list[str] = []
    parse = Dataset.from_json

    def count(text: str) -> Dataset:
        texts.append(text)
        return parse(text)

    monkeypatch.setattr(Dataset, "from_json", count)
    return texts


@pytest.mark.parametrize("other_studies", [0, 12])
@pytest.mark.parametrize("target", [IMAGES, f"{ROOT}/studies?StudyInstanceUID={THREE.uid}&includefield=all"])
def test_a_search_with_a_study_uid_reads_only_this_study(
    tmp_path: Path, parsed: list[str], target: str, other_studies: int
) -> None:
    with archive_of(tmp_path, other_studies) as state:
        assert serve_qido(state, target).status == 200
        assert len(parsed) == len(THREE.instances)


def test_a_search_for_all_studies_reads_each_instance_once(tmp_path: Path, parsed: list[str]) -> None:
    with archive_of(tmp_path, 12) as state:
        assert len(json.loads(serve_qido(state, f"{ROOT}/studies").body)) == 13
        assert len(parsed) == 12 + len(THREE.instances)
        serve_qido(state, f"{ROOT}/instances?limit=3")
        assert len(parsed) == 12 + len(THREE.instances), "a header that has not changed is not parsed again"


def test_a_header_that_has_changed_is_read_again(tmp_path: Path) -> None:
    with archive_of(tmp_path, 0) as state:
        before = serve_qido(state, IMAGES)
        assert serve_qido(state, IMAGES) == before
        changed = extract_header(THREE.instances[0])
        changed.InstanceNumber = "77"
        with closing(Database(tmp_path / "database.sqlite")) as database:  # another node of the archive
            database.save([InstanceRecord(changed, is_local=True)])
        numbers = [each["00200013"]["Value"] for each in json.loads(serve_qido(state, IMAGES).body)]
        assert [77] in numbers


def test_a_computed_attribute_does_not_change_the_header(tmp_path: Path) -> None:
    with archive_of(tmp_path, 0) as state:
        header = extract_header(THREE.instances[0])
        header.NumberOfStudyRelatedInstances = 99
        header.NumberOfPatientRelatedStudies = 99
        state.database.save([InstanceRecord(header, is_local=True)])
        (answer, *_) = json.loads(serve_qido(state, f"{ROOT}/instances?includefield=all").body)
        assert (answer["00201208"]["Value"], answer["00201200"]["Value"]) == ([3], [1])
        kept = state.database.find_instance(str(header.SOPInstanceUID))
        assert kept is not None
        assert (kept.header.NumberOfStudyRelatedInstances, kept.header.NumberOfPatientRelatedStudies) == (99, 99)


def test_the_studies_of_a_patient_are_counted_among_all_studies(tmp_path: Path) -> None:
    with archive_of(tmp_path, 2) as state:
        second = extract_header(make_small_study("second", StudyLocation.LOCAL, 1).instances[0])
        second.PatientID = THREE.instances[0].PatientID
        state.database.save([InstanceRecord(second, is_local=True)])
        (study,) = json.loads(serve_qido(state, f"{ROOT}/studies?StudyInstanceUID={THREE.uid}&includefield=all").body)
        assert study["00201200"]["Value"] == [2]
