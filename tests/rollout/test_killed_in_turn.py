"""A random walk of kills: whatever was killed before, each command that is named leads where its words say."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import RDN
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.rollout.history import RolloutStatus, determine_status
from tests.forked import forking
from tests.killing_proxy import READS, WRITES, KillingProxy
from tests.ports import free_port
from tests.rollout.programs import KILLED, Octets, Programs
from tests.rollout.test_killed import ARCHIVE, connection
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.sampling import LONG

pytestmark = pytest.mark.real

Command = tuple[str, ...]
RESUME: Command = ("apply", "--resume")
#: How many walks there are on each database, and how many kills each of them has.
WALKS, KILLS = (8, 25) if LONG else (1, 4)
#: A command is killed at one of so many requests, or ends before.
REQUESTS = 16
DEVICES = ("storescp", "workstation", "longterm")


def first_state() -> list[Change]:
    return [Add(connection("old"))]


def changes() -> list[Change]:
    """Steps that build on each other, and others that fit whatever became of these."""
    new = ARCHIVE.child("cn", "new")
    rename = Rename(new, RDN.of("cn", "renamed"))
    described = [
        Modify(
            ARCHIVE.parent.child("dicomDeviceName", name),
            (Modification(Operation.REPLACE, "dicomDescription", (b"x",)),),
        )
        for name in DEVICES
    ]
    port = Modify(rename.new_dn, (Modification(Operation.ADD, "dicomPort", (b"1000",)),))
    return [
        described[0],
        Add(connection("new")),
        rename,
        described[1],
        port,
        Delete(ARCHIVE.child("cn", "old")),
        described[2],
    ]


@dataclass(frozen=True)
class Promise:
    """What was said of a command: that it goes on with a roll-out, or that it takes it back."""

    verb: Literal["goes on with", "takes back"]
    number: int


@dataclass
class Walk:
    """The commands that were run, the trees that each roll-out leads between, and what was last promised."""

    programs: Programs
    old: Octets
    new: Octets
    chance: random.Random
    before: dict[int, Octets] = field(default_factory=dict)
    after: dict[int, Octets] = field(default_factory=dict)
    promised: dict[Command, Promise] = field(default_factory=dict)
    story: list[str] = field(default_factory=list)
    kills: int = 0

    def step(self) -> None:
        command = self._chosen()
        promise = self.promised.pop(command, None)
        self.programs.revive()
        now = self.programs.octets()
        request_number = self.chance.randrange(1, REQUESTS) if self.chance.random() < 0.75 else 0
        answered = self.chance.random() < 0.5
        self.programs.proxy.kill_at(request_number, answered=answered, counted=WRITES | READS)
        manner = ("--step-by-step",) if command[0] == "apply" and self.chance.random() < 0.4 else ()
        code, output = self.programs.run(*command, *manner)
        shown = re.sub(r"(?s)\n\ndn: .*?\n(?=\d+ to )", "\n…\n", output)
        self.story.append(f"{' '.join(command)} {manner} killed at {request_number}: {code}\n{shown}")
        self._note(command, now)
        if code == KILLED:
            self.kills += 1
            self.promised = {}
        else:
            self._judge(command, promise, code, output, now)

    def _chosen(self) -> Command:
        if self.promised and self.chance.random() < 0.7:
            return self.chance.choice(sorted(self.promised))
        numbers = [str(record.number) for record in self.programs.records()[:4]]
        commands: list[Command] = [("apply", str(self.programs.file)), ("undo",), ("undo",), RESUME, RESUME]
        commands += [("undo", number) for number in numbers]
        return self.chance.choice([*commands, ("set", DEVICES[0], "dicomDescription=other", "--dry-run")])

    def _note(self, command: Command, now: Octets) -> None:
        for record in self.programs.records():
            if record.number not in self.before:
                self.before[record.number] = now
                undoes = record.header.undo_of
                self.after[record.number] = self.new if undoes is None else self.before[undoes]
                assert (command[0] == "undo") is (undoes is not None)

    def _judge(self, command: Command, promise: Promise | None, code: int, output: str, now: Octets) -> None:
        """Hold what a command did that ended by itself against its own words, and against what was said of it."""
        tree, done = self.programs.octets(), parse_promise(output)
        if code:
            assert code == 3, output
            assert promise is None, f"it was said of {command} that it {promise}"
            assert tree == now
        elif promise is not None:
            assert done == promise
        if code == 0 and done is not None:
            assert tree == (self.after if done.verb == "goes on with" else self.before)[done.number]
            if done.verb == "goes on with":
                assert determine_status(self.programs.history().get_rollout(done.number)) is RolloutStatus.APPLIED
        elif code == 0 and command[0] == "apply":
            assert tree == self.new
        if code == 0 and self.programs.unfinished() is None:
            assert tree in (self.old, self.new)
        self.promised = promises(output)


def parse_promise(output: str) -> Promise | None:
    """Return what a command says that it does."""
    found = re.search(r"^(Reverts|Resumes) change (\d+) ", output, re.MULTILINE)
    return None if found is None else Promise("takes back" if found[1] == "Reverts" else "goes on with", int(found[2]))


def promises(output: str) -> dict[Command, Promise]:
    """Return the commands that *output* names for what comes next, each with what is said of it."""
    found: dict[Command, Promise] = {}
    for unfinished in re.findall(r"change (\d+)[^\n]* (?:is unfinished|was also interrupted)", output)[-1:]:
        number = int(
            re.findall(r"change (\d+)[^\n;]*? (?:is unfinished|was also interrupted)", output)[-1] or unfinished
        )
        if "to finish the change: dcmcfg apply --resume" in output:
            found[RESUME] = Promise("goes on with", number)
        if named := re.search(r"to revert (?:it|the change): dcmcfg undo( \d+)?", output):
            found[("undo", *(named[1] or "").split())] = Promise("takes back", number)
    pattern = (
        r"^To revert it: dcmcfg undo (\d+)|"
        r"to re(?:do|vert) [^:,\n]*: dcmcfg undo (\d+)\b(?! --partial)|first: dcmcfg undo (\d+)"
    )
    for numbers in re.findall(pattern, output, re.MULTILINE):
        number = next(filter(None, numbers))
        found["undo", number] = Promise("takes back", int(number))
    return found


@pytest.fixture(params=["mdb", "ldif"])
def programs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Programs]:
    slapd = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD, database=request.param)
    slapd.prepare()
    slapd.load_files(list_site_files())
    with slapd, KillingProxy(slapd.port) as proxy:
        settings = {"LDAP_URL": proxy.url, "BIND_PASSWORD": PASSWORD}
        with forking(tmp_path / "state", dict(os.environ), **settings) as server:
            in_transaction = request.param == "mdb"
            yield Programs(
                server, proxy, tmp_path / "state", RunningSlapd(slapd), tmp_path / "plan.ldif", in_transaction
            )


@pytest.mark.timeout(1800 if LONG else 120)
@pytest.mark.parametrize("seed", range(WALKS))
def test_after_any_kills_each_suggested_command_has_the_described_result(programs: Programs, seed: int) -> None:
    old, new = programs.plan(first_state(), changes())
    walk = Walk(programs, old, new, random.Random(seed), before={1: old, 2: new}, after={1: new, 2: old})
    try:
        while walk.kills < KILLS:
            walk.step()
    except AssertionError as astray:
        raise AssertionError("\n".join(["the walk:", *walk.story[-8:]])) from astray
