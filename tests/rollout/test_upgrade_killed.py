"""kill -9 while the plan of an upgrade is applied, and another administrator who writes meanwhile."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from dcmcfg.cli.main import program
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from tests.forked import forking
from tests.killing_proxy import KillingProxy
from tests.ports import free_port
from tests.rollout.programs import Programs
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.sampling import LONG
from tests.upgrade.customised import TARGET, Releases
from tests.upgrade.small_release import ARCHIVE, write_releases

pytestmark = pytest.mark.real
#: How each run is done, and whether the fatal request is answered before the program dies; a short run has two.
KILLED = [(each, answered) for each in ("transaction", "step by step") for answered in (False, True)]
#: A short run kills the program at every tenth request.
STRIDE = 1 if LONG else 16
#: An entry that the last record of the small upgrade changes.
LAST = f"dicomAETitle=AS_RECEIVED,{ARCHIVE}"


@contextmanager
def serve(folder: Path, files: Sequence[Path], *, stepwise: bool) -> Iterator[Programs]:
    """The program and a server with the entries of *files*; *stepwise*, it has an overlay for replicas."""
    slapd = Slapd(
        folder / "slapd",
        port=free_port(),
        root_password=PASSWORD,
        extra_global="moduleload syncprov" if stepwise else "",
        extra_database="overlay syncprov" if stepwise else "",
    )
    slapd.prepare()
    slapd.load_files(files)
    with slapd, KillingProxy(slapd.port) as proxy:
        settings = {"LDAP_URL": proxy.url, "BIND_PASSWORD": PASSWORD}
        with forking(folder / "state", dict(os.environ), **settings) as server:
            yield Programs(server, proxy, folder / "state", RunningSlapd(slapd), folder / "plan.ldif", not stepwise)


def write_upgrade_plan(programs: Programs, options: Sequence[str]) -> None:
    """Plan the upgrade of the server's tree with *options* into the file of *programs*.

    A plan is for the tree that it was made from: after an undo, the entries are the same, but written since.
    """
    programs.file.unlink(missing_ok=True)
    # The account of the person who runs the tests has no part in it.
    home = {f"XDG_{kind}_HOME": str(programs.state.parent / "home") for kind in ("CONFIG", "STATE")}
    site = {"DCMCFG_LDAP_URL": programs.slapd.url, "DCMCFG_BIND_PASSWORD": PASSWORD, "DCMCFG_PROFILE": ""}
    arguments = ["upgrade", "plan", *options, "-o", str(programs.file)]
    planned = CliRunner().invoke(program, arguments, env=home | site, prog_name="dcmcfg")
    assert planned.exit_code == 0, planned.output


@pytest.fixture
def options(tmp_path: Path) -> tuple[str, ...]:
    """The options of the upgrade of the lab's tree to a small release."""
    old, new = write_releases(tmp_path)
    return "--from", str(old), "--to", str(new)


@pytest.fixture(params=["transaction", "step by step"])
def upgrade(request: pytest.FixtureRequest, tmp_path: Path, options: tuple[str, ...]) -> Iterator[Programs]:
    """The lab's tree, and the plan of its upgrade."""
    with serve(tmp_path, list_site_files(), stepwise=request.param != "transaction") as programs:
        write_upgrade_plan(programs, options)
        yield programs


def write_as_another(programs: Programs, dn: str, attribute: str, value: str) -> None:
    """Change a value as another administrator does, with OpenLDAP's own tool and past the proxy."""
    text = f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"
    identity = ("-x", "-H", programs.slapd.url, "-D", programs.slapd.bind_dn, "-w", PASSWORD)
    done = subprocess.run(["/usr/bin/ldapmodify", *identity], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def apply(programs: Programs) -> tuple[str, ...]:
    return "upgrade", "apply", str(programs.file)


@pytest.mark.parametrize(("upgrade", "answered"), KILLED if LONG else KILLED[::3], indirect=["upgrade"])
def test_killed_at_each_request_the_upgrade_can_be_finished_and_undone(
    upgrade: Programs, options: tuple[str, ...], answered: bool
) -> None:
    old = upgrade.octets()
    upgrade.succeeds(*apply(upgrade))
    new = upgrade.octets()
    upgrade.succeeds("undo")
    assert upgrade.octets() == old != new
    write_upgrade_plan(upgrade, options)
    request_number = 1 - STRIDE
    while upgrade.killed(request_number := request_number + STRIDE, *apply(upgrade), answered=answered):
        assert upgrade.octets() in (old, new) or not upgrade.in_transaction
        upgrade.succeeds("apply", "--resume")
        assert upgrade.octets() == new
        upgrade.succeeds("undo")
        assert upgrade.octets() == old
        write_upgrade_plan(upgrade, options)
    assert upgrade.octets() == new
    assert request_number > 7


def test_another_administrator_who_writes_before_makes_the_upgrade_refused(upgrade: Programs) -> None:
    write_as_another(upgrade, LAST, "dcmQueryRetrieveViewID", "hideRejected")
    before = upgrade.octets()
    upgrade.proxy.let_live()
    code, output = upgrade.run(*apply(upgrade))
    assert code == 3, output
    assert "dcmQueryRetrieveViewID" in output
    assert upgrade.octets() == before
    assert upgrade.records() == ()


def test_a_plan_of_yesterday_keeps_what_others_have_changed_elsewhere_since(upgrade: Programs) -> None:
    old = upgrade.octets()
    storage = f"dcmStorageID=fs1,{ARCHIVE}"
    write_as_another(upgrade, storage, "dcmURI", "file:///other/place/")
    changed = upgrade.octets()
    upgrade.succeeds(*apply(upgrade))
    new = upgrade.octets()
    assert new[storage] == changed[storage] != old[storage]
    assert new[LAST]["dcmQueryRetrieveViewID"] == {b"hideRejected"}
    upgrade.succeeds("undo")
    assert upgrade.octets() == changed


def test_another_administrator_who_writes_meanwhile_loses_nothing(upgrade: Programs) -> None:
    """In a transaction nothing is applied; step by step the upgrade stops there, and can be reverted."""
    old = upgrade.octets()
    done: list[int] = []

    def write_meanwhile(number: int, answered: bool) -> None:
        if number == 2 and not answered and not done:
            done.append(number)
            write_as_another(upgrade, LAST, "dcmQueryRetrieveViewID", "hideRejected")

    upgrade.proxy.look_at_each(write_meanwhile)
    code, output = upgrade.run(*apply(upgrade))
    assert done == [2]
    assert code in (3, 4), output
    assert "dcmQueryRetrieveViewID" in output
    expected = {**old, LAST: {**old[LAST], "dcmQueryRetrieveViewID": frozenset({b"hideRejected"})}}
    if upgrade.in_transaction:
        assert upgrade.octets() == expected
    else:
        found = upgrade.octets()
        assert found[LAST] == expected[LAST]
        upgrade.succeeds("undo")
        assert upgrade.octets() == expected


def test_a_second_upgrade_at_the_same_time_is_refused_and_changes_nothing(upgrade: Programs) -> None:
    refusals: list[tuple[int, str]] = []

    def apply_meanwhile(number: int, answered: bool) -> None:
        if number == 2 and not answered and not refusals:
            # The same account with the same URL, in another process.
            settings = {"DCMCFG_LDAP_URL": upgrade.proxy.url, "DCMCFG_BIND_PASSWORD": PASSWORD, "DCMCFG_PROFILE": ""}
            folders = {"XDG_STATE_HOME": str(upgrade.state), "XDG_CONFIG_HOME": str(upgrade.state.with_name("config"))}
            command = [sys.executable, "-m", "dcmcfg", *apply(upgrade), "--yes", "--no-reload"]
            second = subprocess.run(
                command, env=os.environ | settings | folders, capture_output=True, text=True, check=False
            )
            refusals.append((second.returncode, second.stderr))

    upgrade.proxy.look_at_each(apply_meanwhile)
    code, output = upgrade.run(*apply(upgrade))
    assert code == 0, output
    ((second_code, second_output),) = refusals
    assert second_code == 3, second_output
    assert "another change is in progress on this directory" in second_output
    assert "this command changed nothing" in second_output
    (record,) = upgrade.records()
    assert record.read_progress().applied == record.header.steps


@pytest.mark.skipif(not LONG, reason="minutes on the tree of a hospital: run with DCMCFG_LONG=1")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("stepwise", [False, True], ids=["transaction", "step by step"])
def test_killed_while_a_hospital_is_upgraded_the_upgrade_can_be_finished_and_undone(
    releases: Releases, tmp_path: Path, stepwise: bool
) -> None:
    folders = [str(releases.find_folder(each)) for each in ("5.29.0", TARGET)]
    options = ("--from", folders[0], "--to", folders[1], "--updates", str(releases.upstream / "updates"))
    with serve(tmp_path, [releases.build_file("hospital", "5.29.0")], stepwise=stepwise) as programs:
        write_upgrade_plan(programs, options)
        old = programs.octets()
        programs.succeeds(*apply(programs))
        new = programs.octets()
        count = programs.last().read_progress().applied
        programs.succeeds("undo")
        assert count > 300
        chosen = random.Random(5331)
        for number in (1, 2, *sorted(chosen.sample(range(3, count), 12)), count):
            write_upgrade_plan(programs, options)
            assert programs.killed(number, *apply(programs), answered=chosen.random() < 0.5)
            assert programs.octets() in (old, new) or stepwise
            if chosen.random() < 0.5:
                programs.succeeds("apply", "--resume")
                assert programs.octets() == new
            if programs.octets() != old:
                programs.succeeds("undo")
            assert programs.octets() == old
