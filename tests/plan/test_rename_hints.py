"""Changes of entries that were renamed since."""

from __future__ import annotations

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, plan_applicable
from dcmcfg.plan.rename_hints import PastRename, add_rename_hints, concerns_missing_entry
from dcmcfg.schema.findings import SourceLocation
from tests.trees import ARCHIVE, DEVICES, STORESCP, connection, site

OLD, NEW = f"dicomAETitle=DCM4CHEE,{ARCHIVE}", f"dicomAETitle=HOSPPACS,{ARCHIVE}"


def renamed(old: str, kind: str, new: str, number: int) -> PastRename:
    return PastRename(Rename(DN.parse(old), RDN.of(kind, new)), number, "2026-11-30 12:00:00 UTC")


TITLE = renamed(OLD, "dicomAETitle", "HOSPPACS", 3)
DEVICE = renamed(ARCHIVE, "dicomDeviceName", "arc", 4)


def described(dn: str) -> Modify:
    return Modify(DN.parse(dn), (Modification(Operation.REPLACE, "dicomDescription", (b"x",)),))


def problem_of(change: Change, *past: PastRename, tree: Tree | None = None) -> str:
    before = tree or site().with_changes(each.rename for each in past)
    _, misfits = plan_applicable(before, [DesiredChange(change, location=SourceLocation("a.ldif", 1))])
    assert all(map(concerns_missing_entry, misfits))
    return str(add_rename_hints(misfits, before, past)[0].problem)


def test_the_new_name_and_the_change_are_reported() -> None:
    assert problem_of(described(OLD), TITLE) == (
        f"a.ldif:1: {OLD}: no such entry: change 3 (2026-11-30 12:00:00 UTC) renamed the entry to {NEW} — use "
        "the new name in the file; to revert the rename: dcmcfg undo 3"
    )


def test_what_is_below_moved_too_and_several_renames_are_followed() -> None:
    below = f"cn=CT Image Storage SCP,{OLD}"
    now = f"cn=CT Image Storage SCP,dicomAETitle=HOSPPACS,dicomDeviceName=arc,{DEVICES}"
    words = problem_of(described(below), TITLE, DEVICE)
    assert f"{below}: no such entry: change 3 (" in words
    assert (
        f") and change 4 (2026-11-30 12:00:00 UTC) renamed the entry to {now} — use the new name in the file" in words
    )
    assert "dcmcfg undo" not in words


def test_the_parent_of_an_addition_and_a_new_place_are_found_too() -> None:
    assert f"{ARCHIVE}: no such entry: change 4" in problem_of(Add(connection(ARCHIVE, name="new")), DEVICE)
    connection_rename = Rename(DN.parse(f"cn=dicom,{STORESCP}"), RDN.of("cn", "x"), new_superior=DN.parse(ARCHIVE))
    assert f"{ARCHIVE}: no such entry: change 4" in problem_of(connection_rename, DEVICE)


def test_a_rename_to_a_missing_entry_is_not_reported() -> None:
    gone = site().with_changes([Delete(entry.dn) for entry in reversed(site().subtree(DN.parse(OLD)))])
    assert problem_of(described(OLD), TITLE, tree=gone).startswith(
        f"a.ldif:1: {OLD}: there is no such entry — nearest existing entry"
    )
    other = renamed(STORESCP, "dicomDeviceName", "x", 5)
    assert "nearest existing entry" in problem_of(described(f"cn=nowhere,{ARCHIVE}"), other)
