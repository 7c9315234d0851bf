"""Roll-outs on a real slapd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from dcmcfg.changes import Change
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import Directory, LdapServerSettings
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.files.ldif import read_files
from dcmcfg.plan.desired_state import collect_desired_changes
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.rollout.execution import OnStep, RolloutOutcome, resume_rollout, run_rollout
from dcmcfg.rollout.history import History
from dcmcfg.rollout.record import RolloutContext, RolloutRecord
from dcmcfg.rollout.recovery import plan_resume, plan_undo, reconcile_interrupted
from dcmcfg.rollout.selection import select_rollout_to_undo
from dcmcfg.rollout.strategy import RolloutStrategy, choose_resume_strategy, choose_strategy


@dataclass(frozen=True)
class Site:
    """A server, with what one does to it from plan to read-back."""

    server: LdapServerSettings
    state: Path

    def plan(self, changes: Sequence[Change]) -> Plan:
        with connect(self.server) as directory:
            return make_plan(read_tree(directory), [DesiredChange(change) for change in changes])

    def planned(self, path: Path) -> Plan:
        """The plan of the file *path*."""
        with connect(self.server) as directory:
            return make_plan(read_tree(directory), collect_desired_changes(read_files([path])))

    def roll_out(
        self,
        plan: Plan,
        *,
        manner: RolloutStrategy | None = None,
        undoes: int | None = None,
        through: Directory | None = None,
        on_step: OnStep = lambda *_: None,
    ) -> RolloutOutcome:
        """Roll *plan* out, over the connection *through* where one is given."""
        with connect(self.server) as own:
            directory = through or own
            return run_rollout(
                directory,
                plan,
                strategy=manner or choose_strategy(directory, plan),
                context=RolloutContext(self.state, "the test's server", "a test", undoes),
                on_step=on_step,
            )

    def settled(self) -> RolloutRecord | None:
        with connect(self.server) as directory:
            return reconcile_interrupted(self.state, directory)

    def undo(self, number: int | None = None) -> RolloutOutcome:
        """As ``dcmcfg undo`` does."""
        interrupted = self.settled()
        record = select_rollout_to_undo(self.history(), self.server.url, number, interrupted)
        with connect(self.server) as directory:
            plan = plan_undo(record, read_tree(directory))
        return self.roll_out(plan, undoes=record.number)

    def resume(self) -> RolloutOutcome:
        """As ``dcmcfg apply --resume`` does."""
        record = self.settled()
        assert record is not None
        with connect(self.server) as directory:
            plan = plan_resume(record, read_tree(directory))
            manner = choose_resume_strategy(directory, plan)
            return resume_rollout(
                directory, plan, record, strategy=manner, state_folder=self.state, on_step=lambda *_: None
            )

    def history(self) -> History:
        return History(self.state)

    def change(self, *changes: Change) -> RolloutOutcome:
        return self.roll_out(self.plan(changes))

    def apply_file(self, path: Path) -> RolloutOutcome:
        return self.roll_out(self.planned(path))

    def octets(self) -> dict[str, dict[str, frozenset[bytes]]]:
        """The tree as it is, by DN and attribute."""
        with connect(self.server) as directory:
            entries = directory.read(self.server.base_dn)
        return {
            str(entry.dn): {attribute.name.lower(): frozenset(attribute.values) for attribute in entry.attributes}
            for entry in entries
        }


@pytest.fixture
def site_of(tmp_path: Path) -> Callable[[LdapServerSettings], Site]:
    return lambda server: Site(server, tmp_path / "state")
