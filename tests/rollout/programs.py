"""The program run against a slapd, and killed where a test says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.changes import Change
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import DirectoryError
from dcmcfg.model.tree import Tree
from dcmcfg.plan.ldif_output import format_changes
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.recovery import reconcile_interrupted
from tests.connecting import server_of
from tests.killing_proxy import READS, KillingProxy
from tests.running_slapd import RunningSlapd

Octets = dict[str, dict[str, frozenset[bytes]]]
KILLED = -9


def octets_of(tree: Tree) -> Octets:
    return {
        str(entry.dn): {attribute.name: frozenset(attribute.values) for attribute in entry.attributes}
        for entry in tree.entries.values()
    }


@dataclass
class Program:
    """The program, run by the fork server against one directory through the proxy."""

    server: subprocess.Popen[str]
    proxy: KillingProxy
    state: Path

    def run(self, *arguments: str) -> tuple[int, str]:
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.write(json.dumps([*arguments, "--yes", "--no-reload"]) + "\n")
        self.server.stdin.flush()
        self.proxy.victim_is(json.loads(self.server.stdout.readline()))
        code, output = json.loads(self.server.stdout.readline())
        return code, output

    def history(self) -> History:
        return History(self.state / "dcmcfg")

    def records(self) -> tuple[RolloutRecord, ...]:
        """Its roll-outs, the newest first."""
        return self.history().records

    def last(self) -> RolloutRecord:
        return self.records()[0]

    def unfinished(self) -> RolloutRecord | None:
        return self.history().find_unfinished(self.proxy.url)


@dataclass
class Programs(Program):
    """The same against a slapd, with a plan in *file*."""

    slapd: RunningSlapd
    file: Path
    in_transaction: bool

    def killed(self, request_number: int, *arguments: str, answered: bool, reading: bool = False) -> bool:
        """Run it and kill it at that request; False when it ended by itself before."""
        if reading:
            self.proxy.kill_at(request_number, answered=answered, counted=READS)
        else:
            self.proxy.kill_at(request_number, answered=answered)
        code, output = self.run(*arguments)
        assert (code == KILLED) is self.proxy.has_killed, output
        assert self.proxy.has_killed or code == 0, output
        return self.proxy.has_killed

    def succeeds(self, *arguments: str) -> str:
        self.revive()
        self.proxy.let_live()
        code, output = self.run(*arguments)
        assert code == 0, output
        return output

    def revive(self) -> None:
        """Start slapd again if it fell: 2.5.13 now and then does when a client dies within a transaction."""
        try:
            connect(server_of(self.slapd)).close()
        except DirectoryError:
            self.slapd.slapd.stop()
            self.slapd.slapd.start()

    def octets(self) -> Octets:
        self.revive()
        with connect(server_of(self.slapd)) as directory:
            return octets_of(read_tree(directory))

    def settled(self) -> RolloutStatus:
        """What the last roll-out turns out to be, when the next run has read the tree."""
        self.revive()
        with connect(server_of(self.slapd, url=self.proxy.url)) as directory:
            reconcile_interrupted(self.state / "dcmcfg", directory)
        return determine_status(self.last())

    def plan(self, first: Sequence[Change], changes: Sequence[Change]) -> tuple[Octets, Octets]:
        """Make *first*, and write *changes* into the file; return the tree before and after, having undone it."""
        with connect(server_of(self.slapd)) as directory:
            for change in first:
                directory.apply(change)
        self.file.write_text(format_changes(changes))
        old = self.octets()
        self.succeeds("apply", str(self.file))
        new = self.octets()
        self.succeeds("undo")
        assert self.octets() == old
        assert old != new
        return old, new
