"""Roll-outs on record that never were, for tests without a server."""

from __future__ import annotations

from pathlib import Path

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.rollout.record import RolloutContext, RolloutRecord, write_record
from tests.trees import ARCHIVE, STORESCP, site

URL = "ldap://pacs:389"
ELSEWHERE = "ldap://other:389"


def plan() -> Plan:
    def described(dn: str) -> DesiredChange:
        return DesiredChange(Modify(DN.parse(dn), (Modification(Operation.ADD, "dicomDescription", (b"x",)),)))

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
) -> RolloutRecord:
    """A change of two steps that ended with *done* made, or was cut off in the second (None)."""
    occasion = RolloutContext(state, f"admin @ {url}", command, undoes, rejected_count=left_out, rejects=rejects)
    record = write_record(occasion, url, plan(), "step by step")
    with record.journal.open_for_writing() as pen:
        if done is None:
            pen.write_started(2, 2)
        else:
            pen.write_ended(done)
    return record


def undo_of_the_first_step(state: Path) -> None:
    record = write_record(RolloutContext(state, "s", "c", 1), URL, plan().undo(1), "in one change")
    with record.journal.open_for_writing() as pen:
        pen.write_ended(1)
