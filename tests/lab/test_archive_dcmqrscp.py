"""The stand-in archive before a third party's PACS, so that it is not proved against our own code alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.dicom.dcmtk import dcmqrscp, movescu, stored_in, storescp, storescu
from tests.lab.requests import move_study
from tests.lab.running_site import RunningSite

pytestmark = pytest.mark.real
DESTINATION = "dcmExternalRetrieveAEDestination"


@pytest.fixture
def site(bare_site: RunningSite, tmp_path: Path) -> Iterator[RunningSite]:
    """dcmtk's dcmqrscp as LONGTERM, which knows the archive only; dcmtk's storescp as STORESCP."""
    with ExitStack() as stack:
        knows = {"DCM4CHEE": bare_site.archive}
        ports = bare_site.site.ports
        external = stack.enter_context(dcmqrscp(tmp_path / "longterm", knows=knows, port=ports.external))
        stack.enter_context(storescp(tmp_path / "stored", port=ports.storage))
        files = ObjectStore(tmp_path / "files")
        sent = [files.save(each) for name in ("three", "twenty") for each in get_standard_study(name).instances]
        done = storescu(external, sent)
        assert done.returncode == 0, done.stderr
        bare_site.start("archive")
        yield bare_site


def test_dcmtks_archive_sends_to_the_stand_in_which_forwards_to_dcmtks_storage(
    site: RunningSite, tmp_path: Path
) -> None:
    site.put(DESTINATION, "DCM4CHEE")
    site.reload()
    for name in ("three", "twenty"):
        done = movescu(site.archive, get_standard_study(name).uid, "STORESCP", calling="VIEWER")
        assert re.findall(r"Received Final Move Response \((.*)\)", done.stderr) == ["Success"], done.stderr
    uids = get_standard_study("three").sop_instance_uids | get_standard_study("twenty").sop_instance_uids
    assert stored_in(tmp_path / "stored") == uids
    assert "move originator" not in site.log("archive")  # nothing arrived that no C-MOVE waited for


def test_the_counters_are_those_of_the_forwarded_objects(site: RunningSite) -> None:
    site.put(DESTINATION, "DCM4CHEE")
    site.reload()
    outcome = move_study(site.archive, "STORESCP", get_standard_study("twenty").uid)
    assert (outcome.status, outcome.counters) == (0x0000, {"completed": 20})


def test_with_the_destination_unset_dcmtks_archive_refuses_the_destination_that_it_does_not_know(
    site: RunningSite, tmp_path: Path
) -> None:
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert outcome.status == 0xA801
    assert stored_in(tmp_path / "stored") == set()


@contextmanager
def archive_with_store_scu(site: RunningSite, store_scu: str) -> Iterator[None]:
    site.put("dcmCStoreSCUOfCMoveSCP", f"{store_scu}=LONGTERM")
    site.put(DESTINATION, "DCM4CHEE")
    site.reload()
    yield


def test_a_mapped_store_scu_is_matched_by_the_mapping(site: RunningSite, tmp_path: Path) -> None:
    with archive_with_store_scu(site, "LONGTERM"):
        assert move_study(site.archive, "STORESCP", get_standard_study("three").uid).counters == {"completed": 3}
    assert stored_in(tmp_path / "stored") == get_standard_study("three").sop_instance_uids


def test_a_mapping_of_another_store_scu_loses_the_match(site: RunningSite, tmp_path: Path) -> None:
    """The retrieve waits under LONGTERM, but what arrives is matched by its move originator: nothing is forwarded."""
    with archive_with_store_scu(site, "OTHER"):
        outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.counters) == (0x0000, {})
    assert stored_in(tmp_path / "stored") == set()
    assert "no active C-MOVE has requested this object" in site.log("archive")
