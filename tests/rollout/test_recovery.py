"""Roll-outs left half done, on real slapd: two at once, a full disk, a tree that somebody else has touched."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from dcmcfg.changes import Add, Modification, Modify, Operation
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply, IncompleteChange, Refused
from dcmcfg.plan.plan import Plan
from dcmcfg.rollout.history import RolloutStatus, determine_status
from dcmcfg.rollout.record import RolloutContext, write_record
from dcmcfg.rollout.strategy import RolloutStrategy
from tests.connecting import server_of
from tests.rollout.conftest import Site
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real

DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
NAMES = ("dcm4chee-arc", "storescp", "longterm", "workstation")


def described(name: str, text: str) -> Modify:
    dn = DEVICES.child("dicomDeviceName", name)
    return Modify(dn, (Modification(Operation.REPLACE, "dicomDescription", (text.encode(),)),))


def texts(site: Site) -> list[str]:
    octets = site.octets()
    descriptions = (
        octets[str(DEVICES.child("dicomDeviceName", name))].get("dicomdescription", frozenset()) for name in NAMES
    )
    return [b"".join(values).decode() for values in descriptions]


@pytest.fixture
def site(slapd: RunningSlapd, site_of: Callable[[LdapServerSettings], Site]) -> Site:
    return site_of(server_of(slapd))


def stopped(site: Site, *, after: int = 2) -> None:
    """A roll-out that ends with a full disk after some of its four steps."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(done: int, _: int) -> None:
        if done == after:
            journal = site.state / "rollouts" / "1" / "journal"
            resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + 3, before[1]))

    plan = site.plan([described(name, "new") for name in NAMES])
    try:
        with pytest.raises(IncompleteChange, match=rf"the journal cannot be written.*; {after} of 4 steps are applied"):
            site.roll_out(plan, manner=RolloutStrategy.STEP_BY_STEP, on_step=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("after", [1, 3])
def test_a_full_disk_stops_a_change_that_can_still_be_reverted(site: Site, after: int) -> None:
    before = site.octets()
    stopped(site, after=after)
    assert texts(site)[after - 1 : after + 1] != ["new", "new"]
    assert site.resume().number == 1
    assert texts(site) == ["new"] * 4
    site.undo()
    assert site.octets() == before


def test_another_change_is_refused_while_one_is_unfinished_with_both_next_steps(site: Site) -> None:
    plan = site.plan([described("storescp", "another")])
    stopped(site)
    now = site.octets()
    with pytest.raises(Refused, match=r"change 1 .*1 of 4 steps.*apply --resume; to revert the change: dcmcfg undo"):
        site.roll_out(site.plan([described("workstation", "another")]))
    with pytest.raises(Refused, match="is unfinished"):
        site.roll_out(plan)
    assert site.octets() == now
    site.undo()
    site.roll_out(plan)


def test_of_two_concurrent_recoveries_one_wins_and_the_other_is_refused_with_the_reason(site: Site) -> None:
    plans = {text: site.plan([described(name, text) for name in NAMES]) for text in ("one", "other")}
    together = threading.Barrier(2)

    def roll_out(plan: Plan) -> str:
        together.wait()
        try:
            site.roll_out(plan, manner=RolloutStrategy.STEP_BY_STEP)
        except Refused as refused:  # DoesNotFit, when the winner was done before the other looked again
            return refused.message
        return ""

    with ThreadPoolExecutor(2) as threads:
        outputs = dict(zip(plans, threads.map(roll_out, plans.values()), strict=True))
    (winner,) = (text for text, reason in outputs.items() if not reason)
    (reason,) = (reason for reason in outputs.values() if reason)
    assert "another roll-out is under way" in reason or "somebody has changed dicomDescription" in reason
    assert texts(site) == [winner] * 4


def test_a_record_without_any_request_turns_out_to_be_nothing(site: Site) -> None:
    """What kill -9 between the record and the first line of the journal leaves."""
    plan = site.plan([described("storescp", "new")])
    write_record(RolloutContext(site.state, "the test's server"), site.server.url, plan, "in one change")
    before = site.octets()
    settled = site.settled()
    assert settled is not None
    assert determine_status(settled) is RolloutStatus.NOTHING_CHANGED
    assert site.octets() == before
    site.roll_out(plan)


def test_a_current_step_changed_by_others_is_not_guessed(site: Site) -> None:
    plan = site.plan([described("storescp", "new")])
    record = write_record(RolloutContext(site.state, "the test's server"), site.server.url, plan, "in one change")
    with record.journal.open_for_writing() as pen:
        pen.write_started(1, 1)
    with connect(site.server) as directory:
        directory.apply(described("storescp", "somebody else's"))
    with pytest.raises(
        Refused,
        match=r"differs from the state before this step, and also from the planned state — .*dcmcfg "
        r"history --mark-resolved 1",
    ):
        site.settled()
    site.history().close(site.history().get_rollout(1))
    site.change(described("storescp", "new"))


def test_later_changes_in_a_partial_change_are_reported_by_resume_and_undo(site: Site) -> None:
    stopped(site)
    with connect(site.server) as directory:
        directory.apply(described("dcm4chee-arc", "moved"))
        directory.apply(described("workstation", "moved"))
    now = site.octets()
    for command in (site.resume, site.undo):
        with pytest.raises(
            DoesNotApply,
            match=r"has changed since change 1 was made\. Problem: .*somebody has changed dicomDescription",
        ):
            command()
    assert site.octets() == now


def test_an_older_one_that_still_fits_can_be_undone_and_one_that_does_not_is_refused(site: Site) -> None:
    site.change(described("storescp", "first"))
    site.change(described("workstation", "second"))
    site.change(described("storescp", "third"))
    with pytest.raises(DoesNotApply, match=r"since change 1 was made.*somebody has changed dicomDescription"):
        site.undo(1)
    site.undo(2)
    assert texts(site)[1] == "third"
    assert texts(site)[3] != "second"


def test_an_undo_is_undone_by_its_own_number(site: Site) -> None:
    site.change(described("storescp", "new"))
    undoing = site.undo()
    site.undo(undoing.number)
    assert texts(site)[1] == "new"
    site.undo()
    assert texts(site)[1] != "new"


def test_a_transaction_is_one_line_of_the_journal_and_a_step_is_one(site: Site) -> None:
    site.change(*(described(name, "together") for name in NAMES))
    site.roll_out(site.plan([described(name, "each") for name in NAMES]), manner=RolloutStrategy.STEP_BY_STEP)
    journals = [(record.folder / "journal").read_text() for record in site.history().records]
    assert journals == [
        "dcmcfg journal 1\nplanned\nbegins 1 1\nbegins 2 2\nbegins 3 3\nbegins 4 4\nended 4\n",
        "dcmcfg journal 1\nplanned\nbegins 1 4\nended 4\n",
    ]


@pytest.mark.parametrize("name", ["dicomVendorData", "dicomDescription"])
def test_an_undo_that_would_lose_later_changes_is_refused(site: Site, slapd: RunningSlapd, name: str) -> None:
    """No assertion holds it: the first is replaced as a whole, the second came to an entry that goes."""
    new = DEVICES.child("dicomDeviceName", "new")
    entry = Entry.from_values(new, {"objectClass": "dicomDevice", "dicomDeviceName": "new", "dicomInstalled": "TRUE"})
    replaced = name == "dicomVendorData"
    site.change(Add(entry.with_values(name, [b"1"]) if replaced else entry))
    if replaced:
        site.change(Modify(new, (Modification(Operation.REPLACE, name, (b"2",)),)))
    with connect(server_of(slapd)) as directory:
        directory.apply(Modify(new, (Modification(Operation.REPLACE, name, (b"3",)),)))
    before = site.octets()
    with pytest.raises(DoesNotApply, match=f"somebody has changed {name} since change ., and the undo would"):
        site.undo()
    assert site.octets() == before
