"""A thousand studies of the lab, over a kill of dcmcfg and of its archive: none lost, none asked twice in vain."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dcmcfg.lab.studies import list_extra_study_uids, make_extra_studies
from tests.lab.running_site import RunningSite, running_site
from tests.patience import PATIENCE_S
from tests.sampling import LONG

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]
NUMBER = 1_000 if LONG else 120
PARALLEL = 4


@pytest.fixture
def large_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSite]:
    """A site with many studies, whose external archive sends to the archive; the archive itself is not started yet."""
    with running_site(tmp_path, more_studies=NUMBER) as site:
        site.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
        site.start("storage", "external")
        monkeypatch.setenv("DCMCFG_LDAP_URL", site.slapd.url)
        monkeypatch.setenv("DCMCFG_BIND_PASSWORD", site.slapd.password)
        monkeypatch.setenv("DCMCFG_ARCHIVE_URL", site.site.archive_url)
        yield site


def begin(*arguments: str, errors: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "dcmcfg", *arguments]
    with errors.open("wb") as stderr:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def kill_archive(process: subprocess.Popen[str]) -> None:
    """Kill the archive itself, if it runs below what started it."""
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()


def count_moves(site: RunningSite) -> Counter[str]:
    """The C-MOVEs that the archive got, by its own record."""
    path = site.site.archive_move_log
    lines = path.read_text().splitlines() if path.exists() else []
    return Counter(json.loads(line)["study_uid"] for line in lines)


def until(enough: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not enough():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_a_thousand_studies_survive_a_kill_and_a_restart_of_the_archive(
    large_site: RunningSite, tmp_path: Path
) -> None:
    site, uids = large_site, list(list_extra_study_uids(NUMBER))
    listed, store, said = tmp_path / "studies.txt", tmp_path / "results.sqlite", tmp_path / "said"
    listed.write_text("\n".join(uids))
    arguments = ("verify", "--studies", str(listed), "--dest", "STORESCP", "--results", str(store), "--json")
    with site.process("archive") as archive:
        first = begin(*arguments, errors=said)
        until(lambda: count_moves(site).total() >= NUMBER // 4, first)
        kill(first)
        until(lambda: _is_idle(site), archive)
        before = count_moves(site)
        answered = _answered(store)
        assert 0 < len(answered) < NUMBER
        second = begin(*arguments, errors=said)
        until(lambda: count_moves(site).total() >= NUMBER // 2, second)
        kill_archive(archive)
    until(lambda: "the archive is unavailable" in said.read_text(), second)
    with site.process("archive"):
        output, _ = second.communicate(timeout=300)
    assert second.returncode == 0, (output, said.read_text())
    assert "the archive is available again after" in said.read_text()

    report = json.loads(output)
    assert report["headline"] == f"{NUMBER:,} studies: {NUMBER:,} reported as sent by the archive"
    attempts = {each["study_instance_uid"]: each["attempts"] for each in report["studies"]}
    at_the_archive = count_moves(site)
    assert list(attempts) == uids
    assert set(at_the_archive) == set(uids), "nothing was lost"
    # An attempt is on record before the archive is asked; the last ones may not have come so far.
    assert all(at_the_archive[uid] <= len(attempts[uid]) for uid in uids)
    again = {uid for uid in uids if len(attempts[uid]) > 1}
    assert len(again) <= 2 * PARALLEL, "no more than were under way at the two ends"
    assert all([each["final"] for each in attempts[uid]] == [False] * (len(attempts[uid]) - 1) + [True] for uid in uids)
    assert all(at_the_archive[uid] == before[uid] == 1 for uid in answered), "what had its answer was not asked again"
    assert 1 <= report["attempts"]["interrupted_count"] <= PARALLEL, "those that the kill left"

    instances = {uid for study in make_extra_studies(NUMBER) for uid in study.sop_instance_uids}
    assert site.received() == instances, "the storage SCP has every instance, and no other"
    assert store.stat().st_size > 0
    assert not store.with_name(f"{store.name}.lock").exists()

    third = begin(*arguments, errors=said)
    output, _ = third.communicate(timeout=PATIENCE_S)
    assert third.returncode == 0
    assert count_moves(site) == at_the_archive


def _is_idle(site: RunningSite) -> bool:
    """Whether the archive has ended what was under way: as many answers in its log as requests in its record."""
    return site.log("archive").count("C-MOVE from") >= count_moves(site).total()


def _answered(store: Path) -> set[str]:
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    try:
        return {uid for (uid,) in connection.execute("SELECT uid FROM study WHERE answered_by IS NOT NULL")}
    finally:
        connection.close()
