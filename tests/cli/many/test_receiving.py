"""``dcmcfg verify --receive`` of many studies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.move_scp import MoveExchange
from tests.bulk.archive import Archive
from tests.cli.conftest import Run
from tests.cli.many.scripted import FIVE, Script, command, named
from tests.dicom.dcmtk import make_instances, storescu
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real


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
    done = run(*command(pacs), "--dest", "WORKSTATION", *named(FIVE[:4]), "--receive", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 1
    assert report["counts"] == {"verified": 3, "not verified": 1, "open": 0}
    assert [study["received"] for study in report["studies"]] == [1, 1, 1, 0]
    assert report["groups"][0]["studies"] == FIVE[3:4], "the one of which nothing came"
    assert "1 instance of no study in the list came, of 1.2.826.0.9" in report["notes"]
