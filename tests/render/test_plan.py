"""A plan as it is shown: short ones whole, of much that is alike the first."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete
from dcmcfg.entry import Entry
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.render.plan import print_plan
from dcmcfg.render.terminal.console import make_stdout_console
from tests.trees import STORESCP, connection, site

BELOW = f"dicomAETitle=STORESCP,{STORESCP}"


def capability(number: int) -> Entry:
    values = {"objectClass": "dicomTransferCapability", "cn": f"c{number}", "dicomTransferRole": "SCP"}
    more = {"dicomSOPClass": f"1.2.{number}", "dicomTransferSyntax": "1.2.840.10008.1.2"}
    return Entry.from_values(f"cn=c{number},{BELOW}", values | more)


def printed(monkeypatch: pytest.MonkeyPatch, changes: list[Change], *before: Entry) -> list[str]:
    monkeypatch.delenv("COLUMNS", raising=False)
    tree = site().with_changes(Add(entry) for entry in before)
    console = make_stdout_console()
    with console.capture() as captured:
        print_plan(console, make_plan(tree, [DesiredChange(change) for change in changes]))
    return [" ".join(line.split()) for line in captured.get().splitlines()[3:]]


def test_of_many_entries_below_one_parent_the_first_are_shown_and_nothing_as_ldif(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes: list[Change] = [Add(capability(number)) for number in range(170)]
    lines = printed(monkeypatch, [*changes, Add(connection(STORESCP, "104", name="more"))])
    assert lines == [
        *(
            f"cn=c{number},dicomAETitle=STORESCP,dicomDeviceName=storescp (new entry) 5 attributes"
            for number in (0, 1, 2)
        ),
        "… and 167 more below dicomAETitle=STORESCP,dicomDeviceName=storescp (new entries)",
        "cn=more,dicomDeviceName=storescp (new entry) 4 attributes",
        "",
        "-o FILE writes the whole plan as LDIF",
    ]


def test_six_alike_are_shown_whole_and_as_ldif(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, [Add(capability(number)) for number in range(6)])
    assert len([line for line in lines if line.endswith("5 attributes")]) == 6
    assert len([line for line in lines if line == "changetype: add"]) == 6


def test_many_that_go_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [capability(number) for number in range(20)]
    lines = printed(monkeypatch, [Delete(entry.dn) for entry in entries], *entries)
    assert lines[3] == "… and 17 more below dicomAETitle=STORESCP,dicomDeviceName=storescp (entries deleted)"


def test_of_many_that_differ_the_first_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = [connection(STORESCP, "104", name=f"p{number}") for number in range(45)]
    below = [Delete(entry.dn.child("cn", "below")) for entry in parents]
    children = [Entry.from_values(each.dn, {"objectClass": "dicomTransferCapability", "cn": "below"}) for each in below]
    lines = printed(monkeypatch, list(below), *parents, *children)
    assert lines[-2:] == ["… and 5 more steps", "-o FILE writes the whole plan as LDIF"]
    assert len(lines) == 40 + 3
