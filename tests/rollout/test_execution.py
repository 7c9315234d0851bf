"""Roll-outs on real slapd: whole, in parts, refused, cut off; and the way back from each."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.failures import LdapResponseTimeout
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import ConnectionLost, DcmcfgError, DirectoryError, DoesNotApply, IncompleteChange
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.rollout.history import RolloutStatus, determine_status
from dcmcfg.rollout.recovery import _reconcile
from dcmcfg.rollout.strategy import RolloutStrategy
from tests import running_slapd
from tests.connecting import server_of
from tests.cutting_proxy import CuttingProxy
from tests.ports import free_port
from tests.rollout.conftest import Site
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.sampling import sample

pytestmark = pytest.mark.real

DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
ARCHIVE = DEVICES.child("dicomDeviceName", "dcm4chee-arc")
STORESCP = DEVICES.child("dicomDeviceName", "storescp")
NEW = DEVICES.child("dicomDeviceName", "new")
COMMIT = b"1.3.6.1.1.21.3\x81\x04"
SiteOf = Callable[[LdapServerSettings], Site]


def described(dn: DN, text: str) -> Modify:
    return Modify(dn, (Modification(Operation.REPLACE, "dicomDescription", (text.encode(),)),))


def new_device() -> tuple[Change, ...]:
    connection = NEW.child("cn", "dicom")
    return (
        Add(Entry.from_values(NEW, {"objectClass": "dicomDevice", "dicomDeviceName": "new", "dicomInstalled": "TRUE"})),
        Add(
            Entry.from_values(
                connection,
                {"objectClass": "dicomNetworkConnection", "cn": "dicom", "dicomHostname": "h", "dicomPort": "104"},
            )
        ),
        Add(
            Entry.from_values(
                NEW.child("dicomAETitle", "NEW"),
                {
                    "objectClass": "dicomNetworkAE",
                    "dicomAETitle": "NEW",
                    "dicomNetworkConnectionReference": str(connection),
                    "dicomAssociationInitiator": "TRUE",
                    "dicomAssociationAcceptor": "TRUE",
                },
            )
        ),
    )


@pytest.fixture
def site(slapd: RunningSlapd, site_of: SiteOf) -> Site:
    return site_of(server_of(slapd))


@pytest.fixture
def without_transactions(tmp_path: Path, site_of: SiteOf) -> Iterator[Site]:
    """A server whose database cannot do transactions, although its root DSE advertises them."""
    server = Slapd(tmp_path / "ldif-database", port=free_port(), root_password=PASSWORD, database="ldif")
    server.prepare()
    server.load_files(list_site_files())
    with server:
        yield site_of(server_of(RunningSlapd(server)))


@pytest.fixture
def provider(tmp_path: Path, site_of: SiteOf) -> Iterator[Site]:
    """A server that replicas may follow."""
    server = running_slapd.provider(tmp_path / "provider")
    with server:
        yield site_of(server_of(RunningSlapd(server)))


def test_one_change_needs_no_transaction(site: Site) -> None:
    before = site.octets()
    outcome = site.change(described(ARCHIVE, "main archive"))
    assert outcome.strategy is RolloutStrategy.ONE_CHANGE
    assert site.octets()[str(ARCHIVE)]["dicomdescription"] == {b"main archive"}
    site.apply_file(outcome.undo_file)
    assert site.octets() == before


def test_several_changes_are_applied_in_one_transaction_and_reverted_by_undo(site: Site) -> None:
    before = site.octets()
    rename = Rename(STORESCP, RDN.of("dicomDeviceName", "renamed"))
    outcome = site.change(described(ARCHIVE, "a"), rename, described(rename.new_dn, "b"), described(rename.new_dn, "c"))
    assert outcome.strategy is RolloutStrategy.TRANSACTION
    assert site.octets()[str(rename.new_dn)]["dicomdescription"] == {b"c"}
    site.apply_file(outcome.undo_file)
    assert site.octets() == before


def test_the_undo_of_a_new_device_deletes_it_leaf_first(site: Site) -> None:
    """Its last child cannot go in a transaction on this slapd (LDAP result 80)."""
    before = site.octets()
    added = site.change(*new_device(), described(ARCHIVE, "with it"))
    assert added.strategy is RolloutStrategy.TRANSACTION
    undone = site.apply_file(added.undo_file)
    assert undone.strategy is RolloutStrategy.TRANSACTION_THEN_DELETES
    assert site.octets() == before
    site.apply_file(undone.undo_file)
    assert str(NEW) in site.octets()


def test_a_removed_device_is_restored_with_its_secrets_and_binary_values(site: Site) -> None:
    before = site.octets()
    below = [DN.parse(name) for name in before if DN.parse(name).is_below(ARCHIVE)]
    leaf_first = sorted(below, key=lambda dn: -len(dn.rdns))
    outcome = site.change(*(Delete(dn) for dn in leaf_first))
    assert outcome.strategy is RolloutStrategy.STEP_BY_STEP
    assert str(ARCHIVE) not in site.octets()
    site.apply_file(outcome.undo_file)
    assert site.octets() == before


def test_the_undo_file_is_private_and_ldapmodify_takes_it_too(site: Site, slapd: RunningSlapd) -> None:
    before = site.octets()
    outcome = site.change(described(ARCHIVE, "a"), described(STORESCP, "b"))
    assert stat.S_IMODE(outcome.undo_file.stat().st_mode) == 0o600
    taken = slapd.run_client("ldapmodify", "-f", str(outcome.undo_file))
    assert taken.returncode == 0, taken.stderr
    assert site.octets() == before


def test_an_undo_is_refused_when_somebody_has_changed_the_value_since(site: Site, slapd: RunningSlapd) -> None:
    outcome = site.change(described(ARCHIVE, "ours"))
    site.change(described(ARCHIVE, "somebody else's"))
    now = site.octets()
    with pytest.raises(DoesNotApply, match="somebody has changed dicomDescription"):
        site.apply_file(outcome.undo_file)
    refused = slapd.run_client("ldapmodify", "-f", str(outcome.undo_file))
    assert refused.returncode == 122
    assert site.octets() == now


def test_without_transactions_it_goes_step_by_step(without_transactions: Site) -> None:
    before = without_transactions.octets()
    outcome = without_transactions.change(*new_device(), described(ARCHIVE, "a"))
    assert outcome.strategy is RolloutStrategy.STEP_BY_STEP
    without_transactions.apply_file(outcome.undo_file)
    assert without_transactions.octets() == before


def test_where_replicas_may_follow_it_goes_step_by_step(provider: Site) -> None:
    provider.change(described(ARCHIVE, "first"))  # writes the contextCSN that tells of syncprov
    assert provider.change(described(ARCHIVE, "a"), described(STORESCP, "b")).strategy is RolloutStrategy.STEP_BY_STEP


def test_changes_between_plan_and_apply_are_reported_and_nothing_is_written(site: Site) -> None:
    plan = site.plan([described(ARCHIVE, "planned"), described(STORESCP, "planned")])
    site.change(described(STORESCP, "moved meanwhile"))
    now = site.octets()
    with pytest.raises(DoesNotApply, match=r"somebody has changed dicomDescription .* in the meantime"):
        site.roll_out(plan)
    assert site.octets() == now


@pytest.mark.parametrize(
    "change", [Delete(STORESCP.child("cn", "dicom")), described(STORESCP.child("cn", "dicom"), "x")]
)
def test_an_entry_deleted_in_the_meantime_is_reported(site: Site, change: Change) -> None:
    plan = site.plan([change])
    with connect(site.server) as directory:
        directory.apply(Delete(STORESCP.child("cn", "dicom")))
    with pytest.raises(DoesNotApply, match="deleted or renamed the entry in the meantime"):
        site.roll_out(plan)


def test_an_entry_added_in_the_meantime_is_reported(site: Site) -> None:
    plan = site.plan(new_device())
    site.change(new_device()[0])
    with pytest.raises(DoesNotApply, match="added the entry in the meantime"):
        site.roll_out(plan)


def test_a_transaction_refused_by_the_server_changes_nothing_and_is_in_the_history(site: Site) -> None:
    before = site.octets()
    with pytest.raises(DirectoryError, match="violate the rules of its object classes"):
        site.change(described(ARCHIVE, "a"), Modify(STORESCP, (Modification(Operation.ADD, "uid", (b"x",)),)))
    assert site.octets() == before
    assert [determine_status(record) for record in site.history().records] == [RolloutStatus.NOTHING_CHANGED]


def test_a_refusal_part_way_leaves_an_undo_of_what_was_done(without_transactions: Site) -> None:
    site = without_transactions
    before = site.octets()
    bad = Modify(STORESCP, (Modification(Operation.ADD, "uid", (b"x",)),))
    with pytest.raises(IncompleteChange, match=r"1 of 3 steps are applied — to revert the applied steps: dcmcfg undo"):
        site.change(described(ARCHIVE, "a"), bad, described(STORESCP, "never"))
    assert site.octets() != before
    site.undo()
    assert site.octets() == before


def test_an_interrupt_stops_after_the_current_step_with_an_undo(without_transactions: Site) -> None:
    site = without_transactions
    before = site.octets()
    plan = site.plan(new_device())

    def interrupt(done: int, total: int) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(IncompleteChange, match="interrupted; 2 of 3"):
        site.roll_out(plan, on_step=interrupt)
    site.undo()
    assert site.octets() == before


def test_an_interrupted_change_is_finished_by_resume_and_one_undo_reverts_all(
    without_transactions: Site,
) -> None:
    site = without_transactions
    before = site.octets()
    plan = site.plan([*new_device(), described(ARCHIVE, "a")])
    with pytest.raises(IncompleteChange, match="interrupted; 2 of 4"):
        site.roll_out(plan, on_step=lambda done, _: os.kill(os.getpid(), signal.SIGINT) if done == 2 else None)
    assert site.resume().number == 1
    assert site.octets()[str(ARCHIVE)]["dicomdescription"] == {b"a"}
    site.undo()
    assert site.octets() == before


def through(proxy: CuttingProxy, slapd: RunningSlapd, site_of: SiteOf) -> Site:
    return site_of(server_of(slapd, url=proxy.url))


def test_a_lost_response_to_the_commit_is_read_back_before_reporting(slapd: RunningSlapd, site_of: SiteOf) -> None:
    with CuttingProxy(slapd.slapd.port, after=COMMIT) as proxy:
        site = through(proxy, slapd, site_of)
        outcome = site.change(described(ARCHIVE, "a"), described(STORESCP, "b"))
        assert proxy.has_cut
    assert outcome.strategy is RolloutStrategy.TRANSACTION
    assert site_of(server_of(slapd)).octets()[str(STORESCP)]["dicomdescription"] == {b"b"}


def test_a_connection_lost_before_the_commit_has_changed_nothing(slapd: RunningSlapd, site_of: SiteOf) -> None:
    before = site_of(server_of(slapd)).octets()
    with CuttingProxy(slapd.slapd.port, after=b"the second") as proxy:
        site = through(proxy, slapd, site_of)
        with pytest.raises(ConnectionLost):
            site.change(described(ARCHIVE, "the first"), described(STORESCP, "the second"))
        assert proxy.has_cut
    assert site_of(server_of(slapd)).octets() == before
    assert [determine_status(record) for record in site.history().records] == [RolloutStatus.NOTHING_CHANGED]


def test_a_lost_answer_to_a_single_change_is_read_back(slapd: RunningSlapd, site_of: SiteOf) -> None:
    with CuttingProxy(slapd.slapd.port, after=b"arrives") as proxy:
        through(proxy, slapd, site_of).change(described(ARCHIVE, "arrives"))
        assert proxy.has_cut


def test_a_server_lost_after_the_commit_gives_an_unknown_result(slapd: RunningSlapd, site_of: SiteOf) -> None:
    with CuttingProxy(slapd.slapd.port, after=COMMIT, closing=True) as proxy:
        site = through(proxy, slapd, site_of)
        with pytest.raises(IncompleteChange, match="unknown whether the server has applied the change"):
            site.change(described(ARCHIVE, "a"), described(STORESCP, "b"))
    assert [determine_status(record) for record in site.history().records] == [RolloutStatus.INTERRUPTED], (
        "the way back stays"
    )


def test_nothing_is_written_when_the_record_cannot_be(site: Site) -> None:
    site.state.mkdir(parents=True)
    (site.state / "rollouts").write_text("a file where the folder should be")
    before = site.octets()
    with pytest.raises(DcmcfgError, match=r"the record of the change cannot be written.*nothing was changed"):
        site.change(described(ARCHIVE, "a"))
    assert site.octets() == before


def test_500_changes_go_in_one_transaction(site: Site) -> None:
    before = site.octets()
    extra = [
        Add(
            Entry.from_values(
                ARCHIVE.child("cn", f"extra {number}"),
                {"objectClass": "dicomNetworkConnection", "cn": f"extra {number}", "dicomHostname": "h"},
            )
        )
        for number in range(500)
    ]
    outcome = site.change(*extra)
    assert outcome.strategy is RolloutStrategy.TRANSACTION
    assert len(site.octets()) == len(before) + 500
    site.apply_file(outcome.undo_file)
    assert site.octets() == before


def test_an_unchanged_value_is_not_a_step(site: Site) -> None:
    site.change(described(ARCHIVE, "a"))
    assert site.plan([described(ARCHIVE, "a")]).steps == ()


def test_a_control_that_the_server_does_not_know_changes_nothing(site: Site) -> None:
    """Result 12 is what a database without transactions answers, too: the steps must not be taken one by one then."""
    before = site.octets()
    odd = Modify(STORESCP, described(STORESCP, "b").modifications, (Control("1.2.3.4", critical=True),))
    with pytest.raises(DirectoryError) as refused:
        site.change(described(ARCHIVE, "a"), odd)
    assert refused.value.result_code == 12
    assert site.octets() == before
    assert [determine_status(record) for record in site.history().records] == [RolloutStatus.NOTHING_CHANGED]


def test_entries_that_change_places_are_not_taken_for_moved_by_somebody_else(site: Site) -> None:
    before = site.octets()
    names = [("storescp", "swap"), ("workstation", "storescp"), ("swap", "workstation")]
    renames = [Rename(DEVICES.child("dicomDeviceName", old), RDN.of("dicomDeviceName", new)) for old, new in names]
    connections = [DEVICES.child("dicomDeviceName", name).child("cn", "dicom") for name, _ in names[:2]]
    ports = [Modify(dn, (Modification(Operation.REPLACE, "dicomPort", (b"4711",)),)) for dn in connections]
    outcome = site.change(*renames, *ports)
    site.apply_file(outcome.undo_file)
    assert site.octets() == before


@pytest.mark.parametrize("letting_in", [True, False], ids=["made", "not made"])
def test_a_change_of_case_with_a_lost_response_is_found_by_its_octets(
    slapd: RunningSlapd, site_of: SiteOf, letting_in: bool
) -> None:
    """By the rules of the schema the tree before and the tree after are equal."""
    direct = site_of(server_of(slapd))
    direct.change(described(ARCHIVE, "main archive"))
    plan = direct.plan([described(ARCHIVE, "Main Archive")])
    with connect(server_of(slapd)) as directory:
        losing: Any = Losing(directory, letting_in=letting_in)
        lost: AbstractContextManager[object] = pytest.raises(ConnectionLost) if not letting_in else nullcontext()
        with lost:
            direct.roll_out(plan, through=losing)


def test_an_overdue_response_is_not_reported_as_unchanged(slapd: RunningSlapd, site_of: SiteOf) -> None:
    """The server may be busy writing: what is not made so far may be made a moment later."""
    site = site_of(server_of(slapd))
    plan = site.plan([described(ARCHIVE, "slow")])
    with connect(server_of(slapd)) as directory:
        losing: Any = Losing(directory, letting_in=False, error=LdapResponseTimeout("no answer in time"))
        with pytest.raises(IncompleteChange, match="can still apply the change"):
            site.roll_out(plan, through=losing)
        directory.apply(plan.changes[0])
    site.undo()
    assert b"slow" not in site.octets()[str(ARCHIVE)].get("dicomdescription", set())


@pytest.mark.parametrize("finish", [Site.resume, Site.undo])
def test_a_server_that_dies_between_steps_is_read_when_it_is_back(
    slapd: RunningSlapd, site_of: SiteOf, finish: Callable[[Site], object]
) -> None:
    site = site_of(server_of(slapd))
    before = site.octets()
    plan = site.plan([described(ARCHIVE, "a"), described(STORESCP, "b")])

    def kill(done: int, _: int) -> None:
        if done == 1:
            os.kill(slapd.slapd.pid or 0, signal.SIGKILL)

    with pytest.raises(IncompleteChange, match=r"unknown whether .*apply --resume; .*: dcmcfg undo"):
        site.roll_out(plan, manner=RolloutStrategy.STEP_BY_STEP, on_step=kill)
    slapd.slapd.stop()
    slapd.slapd.start()
    finish(site)
    if finish is Site.resume:
        assert site.octets()[str(STORESCP)]["dicomdescription"] == {b"b"}
        site.undo()
    assert site.octets() == before


class Losing:
    """A directory that loses the answer to each change; *letting_in* says whether the change arrives."""

    def __init__(self, directory: LdapDirectory, *, letting_in: bool, error: ConnectionLost | None = None) -> None:
        self._directory = directory
        self._letting_in = letting_in
        self._error = error or ConnectionLost("the connection was lost")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._directory, name)

    def apply(self, change: Change) -> None:
        if self._letting_in:
            self._directory.apply(change)
        raise self._error

    def reopen(self) -> LdapDirectory:
        return self._directory


class NotRollingBack(Losing):
    """A directory that keeps the first two members of a transaction whose client it has lost, as ApacheDS may."""

    def apply_in_transaction(self, changes: Sequence[Change]) -> None:
        for change in changes[:2]:
            self._directory.apply(change)
        raise self._error


@pytest.mark.parametrize("finish", [Site.resume, Site.undo])
def test_a_lost_transaction_is_resumed_or_reverted(site: Site, finish: Callable[[Site], object]) -> None:
    before = site.octets()
    plan = site.plan([*new_device(), described(ARCHIVE, "a")])
    with connect(site.server) as directory:
        losing: Any = NotRollingBack(directory, letting_in=False)
        with pytest.raises(IncompleteChange, match=r"2 of 4 steps are applied — to continue: dcmcfg apply --resume"):
            site.roll_out(plan, manner=RolloutStrategy.TRANSACTION, through=losing)
    finish(site)
    if finish is Site.resume:
        assert site.octets()[str(ARCHIVE)]["dicomdescription"] == {b"a"}
        site.undo()
    assert site.octets() == before


@pytest.mark.parametrize("closing", sample([False, True], 0.5))
def test_a_commit_that_outlasts_its_connection_is_awaited(
    slapd: RunningSlapd, site_of: SiteOf, monkeypatch: pytest.MonkeyPatch, *, closing: bool
) -> None:
    monkeypatch.setattr("dcmcfg.rollout.execution._GRACE_S", 0.05)
    names = (NEW.child("cn", f"c{number}") for number in range(12000))
    more = (
        Add(
            Entry.from_values(
                dn, {"objectClass": "dicomNetworkConnection", "cn": dn.rdn.parts[0][1], "dicomHostname": "h"}
            )
        )
        for dn in names
    )
    with CuttingProxy(slapd.slapd.port, after=COMMIT, at_once=True, closing=closing) as proxy:
        site = site_of(server_of(slapd, url=proxy.url))
        plan = site.plan((new_device()[0], *more))
        if not closing:
            assert site.roll_out(plan).strategy is RolloutStrategy.TRANSACTION
        else:
            with pytest.raises(IncompleteChange):
                site.roll_out(plan)
            with connect(server_of(slapd)) as directory:
                _reconcile(site.history().get_rollout(1), directory)
        assert proxy.has_cut
    assert determine_status(site.history().get_rollout(1)) is RolloutStatus.APPLIED
