"""Roll-outs on record that never were, for tests without a server."""

from __future__ import annotations

from pathlib import Path

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.rollout.record import Occasion, Record, record_roll_out
from tests.trees import ARCHIVE, STORESCP, site

URL = "ldap://pacs:389"
ELSEWHERE = "ldap://other:389"


def plan() -> Plan:
    def described(dn: str) -> Wanted:
        return Wanted(Modify(DN.parse(dn), (Modification(Operation.ADD, "dicomDescription", (b"x",)),)))

    return make_plan(site(), [described(ARCHIVE), described(STORESCP)])


def recorded(
    state: Path,
    *,
    url: str = URL,
    undoes: int | None = None,
    done: int | None = 2,
    command: str = "dcmcfg test",
    left_out: int = 0,
    rejects: str = "",
) -> Record:
    """A roll-out of two steps that ended with *done* made, or was cut off in the second (None)."""
    occasion = Occasion(state, f"admin @ {url}", command, undoes, left_out, rejects)
    record = record_roll_out(occasion, url, plan(), "step by step")
    with record.journal.opened() as pen:
        if done is None:
            pen.begins(2, 2)
        else:
            pen.ended(done)
    return record


def undo_of_the_first_step(state: Path) -> None:
    record = record_roll_out(Occasion(state, "s", "c", 1), URL, plan().undo(1), "in one change")
    with record.journal.opened() as pen:
        pen.ended(1)
