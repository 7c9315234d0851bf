"""``dcmcfg verify --receive`` of many studies."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import build_context

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.move_scp import MoveExchange
from dcmcfg.lab.requestor import open_association, send_file
from tests.bulk.archive import Archive
from tests.cli.conftest import Run
from tests.cli.many.scripted import FIVE, Script, command, named
from tests.dicom.dcmtk import make_instances, storescu
from tests.patience import PATIENCE_S
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real
CT = [build_context(CTImageStorage, ExplicitVRLittleEndian)]


@pytest.fixture(autouse=True)
def short_wait_for_what_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcmcfg.bulk.attempt.LATE_ARRIVAL_WAIT_S", 0.2)


def test_one_receiver_serves_all_and_tells_what_belongs_to_none(
    run: Run, own_site: RunningSlapd, workstation: Peer, pacs: Archive, script: Script, tmp_path: Path
) -> None:
    stranger = make_instances(tmp_path / "stranger", "1.2.826.0.9", per_series=1)

    def send(exchange: MoveExchange) -> None:
        uid = exchange.request.study_uid
        files = make_instances(tmp_path / uid, uid, per_series=1).files
        sent = files if uid != FIVE[3] else ()
        also = stranger.files if uid == FIVE[1] else ()
        if sent:
            assert storescu(workstation, [*sent, *also]).returncode == 0

    script.on_exchange = send
    done = run(*command(pacs, "WORKSTATION"), *named(FIVE[:4]), "--receive", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 1
    assert report["outcome_counts"] == {"verified": 3, "not_verified": 1, "pending": 0}
    assert [study["received"] for study in report["studies"]] == [1, 1, 1, 0]
    assert report["failure_groups"][0]["studies"] == FIVE[3:4], "the one of which nothing came"
    assert "received 1 instance of studies that are not in the list: 1.2.826.0.9" in report["notes"]


def test_an_instance_counts_for_the_study_whose_c_move_had_it_sent(
    run: Run, own_site: RunningSlapd, workstation: Peer, pacs: Archive, script: Script, tmp_path: Path
) -> None:
    silent, talkative, wrong, good = FIVE[:4]
    stranger = "1.2.826.0.9"
    sends = {silent: (), talkative: (talkative, silent), wrong: (wrong, stranger), good: (good,)}
    files = {uid: make_instances(tmp_path / uid, uid, per_series=1).files[0] for uid in (*sends, stranger)}
    all_under_way, all_sent = threading.Barrier(4, timeout=PATIENCE_S), threading.Barrier(4, timeout=PATIENCE_S)

    def send(exchange: MoveExchange) -> None:
        request = exchange.request
        all_under_way.wait()
        with open_association("DCM4CHEE", workstation, CT) as association:
            for uid in sends[request.study_uid]:
                send_file(
                    association, files[uid], originator_ae_title=request.calling_ae_title, message_id=request.message_id
                )
        all_sent.wait()

    script.on_exchange = send
    done = run(*command(pacs, "WORKSTATION"), *named(FIVE[:4]), "--receive", "--json")
    headlines = {study["study_instance_uid"]: study["headline"] for study in json.loads(done.stdout)["studies"]}
    assert done.exit_code == 1
    assert headlines == {
        silent: (
            "NOT verified: nothing arrived at WORKSTATION; 1 instance of this study arrived with the C-MOVE of study "
            f"{talkative} (counted in the result of study {talkative})"
        ),
        talkative: (
            "NOT verified: 1 instance arrived, but was not listed by the archive for this study; 1 instance of another "
            f"study ({silent}) arrived with the C-MOVE of this study"
        ),
        wrong: (
            "NOT verified: 1 instance arrived, but was not listed by the archive for this study; 1 instance of another "
            f"study ({stranger}) arrived with the C-MOVE of this study"
        ),
        good: "verified: 1 of 1 instance received by WORKSTATION; route not shown",
    }
