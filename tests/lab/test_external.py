"""The external archive by itself, with dcmtk's clients."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.external import seed
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.dicom.dcmtk import dcmqrscp, echoscu, movescu, stored_in, storescp, storescu
from tests.lab.requests import find, identifier, move, move_study
from tests.lab.running_site import RunningSite

pytestmark = pytest.mark.real
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"


@pytest.fixture
def site(bare_site: RunningSite) -> RunningSite:
    """Only the external archive and the storage SCP run."""
    bare_site.start("external", "storage")
    return bare_site


def test_it_answers_an_echo_to_its_own_title_only(site: RunningSite) -> None:
    assert echoscu(site.external).returncode == 0
    assert echoscu(Peer("OTHER", site.external.host, site.external.port)).returncode != 0


def test_it_holds_the_purged_studies_and_one_that_the_archive_does_not_know(site: RunningSite) -> None:
    answers, _ = find(site.external, identifier(StudyInstanceUID=""))
    study_uids = {get_standard_study(name).uid for name in ("one", "three", "twenty", "unknown", "jpeg-ls")}
    assert {str(each.StudyInstanceUID) for each in answers} == study_uids
    assert {each.RetrieveAETitle for each in answers} == {"LONGTERM"}


def test_it_knows_only_the_archive_at_first(site: RunningSite) -> None:
    assert json.loads(site.site.external_known_aes_file.read_text()) == {
        "DCM4CHEE": ["127.0.0.1", site.site.ports.archive]
    }
    outcome = move_study(site.external, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (0xA801, "Move Destination: STORESCP unknown")


def test_its_table_of_known_aes_is_read_at_each_request(site: RunningSite) -> None:
    site.external_knows(STORESCP=site.storage)
    assert move_study(site.external, "STORESCP", get_standard_study("three").uid).counters == {"completed": 3}
    site.site.external_known_aes_file.write_text("{")
    assert move_study(site.external, "STORESCP", get_standard_study("three").uid).status == 0xA801


def test_it_names_itself_as_calling_ae_and_the_requester_as_move_originator(site: RunningSite) -> None:
    site.external_knows(STORESCP=site.storage)
    assert movescu(site.external, get_standard_study("three").uid, "STORESCP", calling="SOMEBODY").returncode == 0
    assert "from LONGTERM, move originator SOMEBODY" in site.log("storage")


def test_its_record_is_there_before_the_first_move(site: RunningSite) -> None:
    """So that "never asked" can be told from "no record"."""
    assert site.external_moves() == []


def test_each_move_is_recorded_with_what_became_of_it(site: RunningSite) -> None:
    site.external_knows(
        STORESCP=site.storage, WORKSTATION=Peer("WORKSTATION", "127.0.0.1", site.site.ports.workstation)
    )
    move_study(site.external, "STORESCP", get_standard_study("three").uid)
    move_study(site.external, "NOBODY", get_standard_study("three").uid)
    move_study(site.external, "STORESCP", "1.2.3.4")
    move_study(site.external, "WORKSTATION", get_standard_study("three").uid)
    move(site.external, "STORESCP", identifier("SERIES"))
    keys = ("calling", "called", "destination", "status", "completed", "failed")
    assert [tuple(line[key] for key in keys) for line in site.external_moves()] == [
        ("VIEWER", "LONGTERM", "STORESCP", 0x0000, 3, 0),
        ("VIEWER", "LONGTERM", "NOBODY", 0xA801, 0, 0),
        ("VIEWER", "LONGTERM", "STORESCP", 0x0000, 0, 0),
        ("VIEWER", "LONGTERM", "WORKSTATION", 0xA702, 0, 0),
        ("VIEWER", "LONGTERM", "STORESCP", 0xA900, 0, 0),
    ]


@pytest.mark.parametrize(("option", "accepted"), [("+x=", EXPLICIT), ("+xi", IMPLICIT)])
def test_each_c_store_is_recorded_in_the_transfer_syntax_of_its_context(
    site: RunningSite, tmp_path: Path, option: str, accepted: str
) -> None:
    """The files are in Explicit VR Little Endian; the receiver may accept Implicit VR only."""
    with storescp(tmp_path / "stored", ae_title="OTHER", options=(option,)) as other:
        site.external_knows(OTHER=other)
        assert move_study(site.external, "OTHER", get_standard_study("three").uid).counters == {"completed": 3}
    (line,) = site.external_moves()
    assert [each["transfer_syntax_uid"] for each in line["stores"]] == [accepted] * 3


def test_what_the_receiver_takes_in_no_context_is_recorded_without_a_transfer_syntax(
    site: RunningSite, tmp_path: Path
) -> None:
    with storescp(tmp_path / "stored", ae_title="OTHER", options=("+xi",)) as other:
        site.external_knows(OTHER=other)
        move_study(site.external, "OTHER", get_standard_study("jpeg-ls").uid)
    (line,) = site.external_moves()
    assert [(each["transfer_syntax_uid"], each["status"]) for each in line["stores"]] == [(None, None)] * 2


def test_no_match_is_success_without_counters(site: RunningSite) -> None:
    site.external_knows(STORESCP=site.storage)
    outcome = move_study(site.external, "STORESCP", "1.2.3.4")
    assert (outcome.status, outcome.counters) == (0x0000, {})


def test_what_is_stored_is_held_after_a_restart(bare_site: RunningSite, tmp_path: Path) -> None:
    files = ObjectStore(tmp_path / "files")
    sent = [files.save(each) for each in get_standard_study("local").instances]
    with bare_site.process("external"):
        assert storescu(bare_site.external, sent).returncode == 0
    with bare_site.process("external"):
        (answer,), _ = find(bare_site.external, identifier(StudyInstanceUID=get_standard_study("local").uid))
    assert answer.NumberOfStudyRelatedInstances == 5


def test_seeding_leaves_what_is_there(bare_site: RunningSite) -> None:
    seed(bare_site.site)
    bare_site.external_knows()
    objects = bare_site.site.external_folder / "objects"
    for path in list(objects.iterdir())[1:]:
        path.unlink()
    seed(bare_site.site)
    assert len(list(objects.iterdir())) == 1
    assert json.loads(bare_site.site.external_known_aes_file.read_text()) == {}


def test_it_answers_a_move_as_dcmtks_own_archive_does(site: RunningSite, tmp_path: Path) -> None:
    """The same request to dcmqrscp with the same objects: same status, same counters, same objects sent."""
    files = ObjectStore(tmp_path / "files")
    sent = [files.save(each) for each in get_standard_study("three").instances]
    with (
        storescp(tmp_path / "stored") as storage,
        dcmqrscp(tmp_path / "dcmqrscp", knows={"STORESCP": storage}) as other,
    ):
        assert storescu(other, sent).returncode == 0
        theirs = move_study(other, "STORESCP", get_standard_study("three").uid)
        unknown = move_study(other, "NOBODY", get_standard_study("three").uid)
    site.external_knows(STORESCP=site.storage)
    ours = move_study(site.external, "STORESCP", get_standard_study("three").uid)
    assert (ours.status, ours.counters["completed"]) == (theirs.status, theirs.counters["completed"])
    assert move_study(site.external, "NOBODY", get_standard_study("three").uid).status == unknown.status
    assert site.received() == stored_in(tmp_path / "stored")
