"""Roll-outs on a real slapd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from dcmcfg.changes import Change
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.reading import read_tree
from dcmcfg.directory.server import LdapServer
from dcmcfg.ldif_files import read_files
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.plan.wanted import wanted_of
from dcmcfg.rollout.roll_out import Manner, Outcome, manner_of, roll_out


@dataclass(frozen=True)
class Site:
    """A server, with what one does to it from plan to read-back."""

    server: LdapServer
    undo_folder: Path

    def plan(self, changes: Sequence[Change]) -> Plan:
        with connect(self.server) as directory:
            return make_plan(read_tree(directory), [Wanted(change) for change in changes])

    def roll_out(self, plan: Plan, *, manner: Manner | None = None) -> Outcome:
        with connect(self.server) as directory:
            return roll_out(
                directory,
                plan,
                manner=manner or manner_of(directory, plan),
                undo_folder=self.undo_folder,
                site="the test's server",
                on_step=lambda *_: None,
            )

    def change(self, *changes: Change) -> Outcome:
        return self.roll_out(self.plan(changes))

    def apply_file(self, path: Path) -> Outcome:
        with connect(self.server) as directory:
            plan = make_plan(read_tree(directory), wanted_of(read_files([path])))
        return self.roll_out(plan)

    def octets(self) -> dict[str, dict[str, frozenset[bytes]]]:
        """The tree as it is, by DN and attribute."""
        with connect(self.server) as directory:
            entries = directory.read(self.server.base_dn)
        return {
            str(entry.dn): {attribute.name.lower(): frozenset(attribute.values) for attribute in entry.attributes}
            for entry in entries
        }

    def undo_files(self) -> list[Path]:
        return sorted(self.undo_folder.glob("*")) if self.undo_folder.exists() else []


@pytest.fixture
def site_of(tmp_path: Path) -> Callable[[LdapServer], Site]:
    return lambda server: Site(server, tmp_path / "undo")
