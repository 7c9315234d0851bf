"""kill -9 of the program at each request of a plan: the tree is old, new, or can be led to either."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.rollout.history import RolloutStatus, determine_status
from dcmcfg.rollout.recovery import plan_resume, plan_undo, reconcile_interrupted
from tests.connecting import server_of
from tests.forked import forking
from tests.killing_proxy import KillingProxy
from tests.ports import free_port
from tests.rollout.programs import Programs, octets_of
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.sampling import LONG

pytestmark = pytest.mark.real

ARCHIVE = DN.parse("dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")


def connection(name: str) -> Entry:
    return Entry.from_values(
        ARCHIVE.child("cn", name), {"objectClass": "dicomNetworkConnection", "cn": name, "dicomHostname": "h"}
    )


def first_state(count: int) -> list[Change]:
    return [Add(connection(f"old {number}")) for number in range(count // 5)]


def plan_of(count: int) -> list[Change]:
    """*count* changes of every kind, of which none comes to nothing."""
    changes: list[Change] = []
    for number in range(count // 5):
        new, old = ARCHIVE.child("cn", f"new {number}"), ARCHIVE.child("cn", f"old {number}")
        port = Modification(Operation.ADD, "dicomPort", (str(1000 + number).encode(),))
        host = Modification(Operation.REPLACE, "dicomHostname", (b"H",))  # a change of case only
        rename = Rename(new, RDN.of("cn", f"renamed {number}"))
        changes += [Add(connection(f"new {number}")), Modify(new, (port,)), rename, Modify(rename.new_dn, (host,))]
        changes.append(Delete(old))
    return changes


STRATEGIES = ["transaction", "step by step"]
_CASES = [
    pytest.param(strategy, answered, id=f"{strategy}-{'unheard' if answered else 'unsent'}")
    for strategy in STRATEGIES
    for answered in (False, True)
]
#: With each strategy, killed before a request is sent, or after its answer; in the short run, one of each.
each_case = pytest.mark.parametrize(("programs", "answered"), _CASES if LONG else _CASES[::3], indirect=["programs"])
each_strategy = pytest.mark.parametrize("programs", STRATEGIES, indirect=True)


@pytest.fixture
def programs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    stepwise = request.param == "step by step"
    slapd = Slapd(
        tmp_path / "slapd",
        port=free_port(),
        root_password=PASSWORD,
        extra_global="moduleload syncprov" if stepwise else "",
        extra_database="overlay syncprov" if stepwise else "",
    )
    slapd.prepare()
    slapd.load_files(list_site_files())
    with slapd, KillingProxy(slapd.port) as proxy:
        settings = {"LDAP_URL": proxy.url, "BIND_PASSWORD": PASSWORD}
        with forking(tmp_path / "state", dict(os.environ), **settings) as server:
            yield Programs(server, proxy, tmp_path / "state", RunningSlapd(slapd), tmp_path / "plan.ldif", not stepwise)


@each_case
def test_killed_at_each_request_it_can_be_finished_and_undone(programs: Programs, answered: bool) -> None:
    old, new = programs.plan(first_state(5), plan_of(5))
    request_number = 0
    while programs.killed(request_number := request_number + 1, "apply", str(programs.file), answered=answered):
        assert programs.octets() in (old, new) or not programs.in_transaction
        programs.succeeds("apply", "--resume")
        assert programs.octets() == new
        programs.succeeds("undo")
        assert programs.octets() == old
    assert request_number > 5


@each_case
def test_killed_at_each_request_it_can_be_undone_at_once(programs: Programs, answered: bool) -> None:
    old, new = programs.plan(first_state(5), plan_of(5))
    request_number = 0
    while programs.killed(request_number := request_number + 1, "apply", str(programs.file), answered=answered):
        if programs.settled() is RolloutStatus.NOTHING_CHANGED:
            assert programs.octets() == old
        else:
            programs.succeeds("undo")
            assert programs.octets() == old
    assert programs.octets() == new
    assert request_number > 5


@each_case
def test_an_undo_killed_at_each_request_can_be_finished_and_reverted(programs: Programs, answered: bool) -> None:
    old, new = programs.plan(first_state(5), plan_of(5))
    programs.succeeds("apply", str(programs.file))
    first = programs.last()
    request_number = 0
    while programs.killed(request_number := request_number + 1, "undo", str(first.number), answered=answered):
        undoing = programs.last()
        if request_number % 2:
            programs.succeeds("apply", "--resume")
            assert programs.octets() == old
        if programs.settled() is not RolloutStatus.NOTHING_CHANGED:
            programs.succeeds("undo", str(undoing.number))
        assert programs.octets() == new
    assert programs.octets() == old
    assert request_number > 5


@each_case
def test_a_resume_killed_at_its_first_request_each_time_comes_to_the_end(programs: Programs, answered: bool) -> None:
    """Unheard, each of them makes one step; unsent, the second request of each is the one that is lost."""
    old, new = programs.plan(first_state(5), plan_of(5))
    assert programs.killed(1 if answered else 2, "apply", str(programs.file), answered=answered)
    runs = 1
    while not programs.in_transaction and programs.killed(1 if answered else 2, "apply", "--resume", answered=answered):
        runs += 1
        if programs.settled() is RolloutStatus.APPLIED:
            break
    if programs.in_transaction:
        programs.succeeds("apply", "--resume")
    assert programs.octets() == new
    assert runs == (1 if programs.in_transaction else 5 if answered else 4)
    programs.succeeds("undo")
    assert programs.octets() == old


@each_strategy
def test_killed_while_it_reads_nothing_is_unexplained(programs: Programs) -> None:
    """Before the record is there nothing has happened; while it reads back, everything."""
    old, new = programs.plan(first_state(5), plan_of(5))
    request_number, results = 0, []
    while programs.killed(
        request_number := request_number + 1, "apply", str(programs.file), answered=True, reading=True
    ):
        now = programs.octets()
        assert now in (old, new)
        results.append(now == new)
        if now == new:
            assert programs.settled() is RolloutStatus.APPLIED
            programs.succeeds("undo")
        else:
            assert determine_status(programs.last()) is RolloutStatus.APPLIED, "that of a roll-out before"
    assert results == sorted(results)
    assert len(set(results)) == 2


@pytest.mark.timeout(3600 if LONG else 240)
@each_strategy
def test_each_instant_of_500_records_leads_to_new_and_old(programs: Programs) -> None:
    """At each request the program stands still, as one that was killed there: what it has left behind is looked at."""
    old, new = programs.plan(first_state(500), plan_of(500))
    every = 1 if LONG else 250
    aside = programs.state / "aside"
    results: list[tuple[int, bool, int]] = []
    astray: list[str] = []

    def look(number: int, answered: bool) -> None:
        if number % every > 1 and number < 499:
            return
        try:
            found = count_remaining(number)
        except DcmcfgError as error:
            astray.append(f"{number}, {answered}: {error}")
            return
        results.append((number, answered, found))

    def count_remaining(number: int) -> int:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(programs.last().folder, aside / "rollouts" / "1")
        with connect(server_of(programs.slapd, url=programs.proxy.url)) as directory:
            record = reconcile_interrupted(aside, directory)
            tree = read_tree(directory)
        assert record
        if number % 100 in (0, 1):
            if octets_of(plan_resume(record, tree).after) != new:
                astray.append(f"not resumable to new: {number}")
            if octets_of(plan_undo(record, tree).after) != old:
                astray.append(f"not undoable to old: {number}")
        return record.read_progress().applied

    programs.proxy.look_at_each(look)
    code, output = programs.run("apply", str(programs.file))
    assert code == 0, output
    assert programs.octets() == new
    if programs.in_transaction:
        assert [done for *_, done in results] == [0] * (len(results) - 1) + [500]
    else:
        assert [done for *_, done in results] == [number if answered else number - 1 for number, answered, _ in results]
    assert len(results) >= 1000 // every
    assert astray == []
