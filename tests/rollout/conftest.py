"""Roll-outs on a real slapd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from dcmcfg.changes import Change
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import Directory, LdapServer
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.files.ldif import read_files
from dcmcfg.plan.desired_state import wanted_of
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.rollout.execution import OnStep, Outcome, resume, roll_out
from dcmcfg.rollout.history import History
from dcmcfg.rollout.record import Occasion, Record
from dcmcfg.rollout.selection import to_take_back
from dcmcfg.rollout.strategy import Manner, manner_left, manner_of
from dcmcfg.rollout.unfinished import plan_back, plan_left, settle


@dataclass(frozen=True)
class Site:
    """A server, with what one does to it from plan to read-back."""

    server: LdapServer
    state: Path

    def plan(self, changes: Sequence[Change]) -> Plan:
        with connect(self.server) as directory:
            return make_plan(read_tree(directory), [Wanted(change) for change in changes])

    def planned(self, path: Path) -> Plan:
        """The plan of the file *path*."""
        with connect(self.server) as directory:
            return make_plan(read_tree(directory), wanted_of(read_files([path])))

    def roll_out(
        self,
        plan: Plan,
        *,
        manner: Manner | None = None,
        undoes: int | None = None,
        through: Directory | None = None,
        on_step: OnStep = lambda *_: None,
    ) -> Outcome:
        """Roll *plan* out, over the connection *through* where one is given."""
        with connect(self.server) as own:
            directory = through or own
            return roll_out(
                directory,
                plan,
                manner=manner or manner_of(directory, plan),
                occasion=Occasion(self.state, "the test's server", "a test", undoes),
                on_step=on_step,
            )

    def settled(self) -> Record | None:
        with connect(self.server) as directory:
            return settle(self.state, directory)

    def undo(self, number: int | None = None) -> Outcome:
        """As ``dcmcfg undo`` does."""
        interrupted = self.settled()
        record = to_take_back(self.history(), self.server.url, number, interrupted)
        with connect(self.server) as directory:
            plan = plan_back(record, read_tree(directory))
        return self.roll_out(plan, undoes=record.number)

    def resume(self) -> Outcome:
        """As ``dcmcfg apply --resume`` does."""
        record = self.settled()
        assert record is not None
        with connect(self.server) as directory:
            plan = plan_left(record, read_tree(directory))
            manner = manner_left(directory, plan)
            return resume(directory, plan, record, manner=manner, state=self.state, on_step=lambda *_: None)

    def history(self) -> History:
        return History(self.state)

    def change(self, *changes: Change) -> Outcome:
        return self.roll_out(self.plan(changes))

    def apply_file(self, path: Path) -> Outcome:
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
def site_of(tmp_path: Path) -> Callable[[LdapServer], Site]:
    return lambda server: Site(server, tmp_path / "state")
