"""The last writer of an attribute: through renames, undos, deletions, and against what the directory says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dcmcfg.entry import Entry
from dcmcfg.rollout.blame import EntryBlame, NamedChange, blame_entry, compare_with_directory, find_removal
from dcmcfg.rollout.history import RolloutStatus
from dcmcfg.rollout.recorded_steps import RecordedAttribute, RecordedStep, StepOperation
from dcmcfg.rollout.shared_record import SharedRecord
from dcmcfg.schema.definitions import load_bundled_schema

SCHEMA = load_bundled_schema()
ADMIN = "cn=admin,dc=dcm4che,dc=org"
A, B = "dicomDeviceName=a,dc=org", "dicomDeviceName=b,dc=org"


def wrote(dn: str, value: str, name: str = "dicomDescription", *, removed: Sequence[str] = ()) -> RecordedStep:
    return RecordedStep(StepOperation.CHANGE, dn, attributes=(RecordedAttribute(name, tuple(removed), (value,)),))


def added(dn: str, *names: str) -> RecordedStep:
    return RecordedStep(StepOperation.ADD, dn, attributes=tuple(RecordedAttribute(name, (), ("x",)) for name in names))


def renamed(old: str, new: str) -> RecordedStep:
    return RecordedStep(StepOperation.RENAME, old, new, (RecordedAttribute("dicomDeviceName", (), ("b",)),))


def deleted(dn: str) -> RecordedStep:
    return RecordedStep(StepOperation.DELETE, dn)


def change(
    number: int, *steps: RecordedStep, account: str = "adm1", undo_of: int | None = None, applied: int | None = None
) -> NamedChange:
    """The change *number*, made in minute *number* by *account*; *applied* is the number of its applied steps."""
    record = SharedRecord(
        record_id=f"{account}-{number}",
        number=number,
        account=account,
        host="pacs",
        uid=1001,
        started_at=f"2026-12-01T08:{number:02}:00Z",
        ended_at=f"2026-12-01T08:{number:02}:01Z",
        ldap_url="ldap://pacs:389",
        site="",
        identity=ADMIN,
        command="dcmcfg set",
        strategy="in one change",
        counts={},
        applied_step_count=len(steps) if applied is None else applied,
        status=RolloutStatus.APPLIED,
        undo_of=undo_of,
        rejected_count=0,
        reload=None,
        steps=steps,
    )
    return NamedChange(f"{account}-{number}", record)


def blame(
    changes: Sequence[NamedChange],
    dn: str = A,
    *,
    description: str = "x",
    modifier: str = ADMIN,
    modified_at: str = "20261201080100Z",
) -> EntryBlame:
    """Blame dicomDescription of the entry *dn*; *changes* are the oldest first."""
    entry = Entry.from_values(dn, {"dicomDescription": description})
    operational = Entry.from_values(dn, {"modifiersName": modifier, "modifyTimestamp": modified_at})
    found = blame_entry(reversed(changes), entry, ("dicomDescription",), operational=operational, schema=SCHEMA)
    return compare_with_directory(found, SCHEMA)


def writers(found: EntryBlame) -> tuple[str | None, str | None]:
    (attribute,) = found.attributes
    return tuple(each.reference if each is not None else None for each in (attribute.change, attribute.origin))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("changes", "dn", "expected"),
    [
        ([], A, (None, None)),
        ([change(1, wrote(A, "w")), change(2, wrote(A, "x"), account="op2")], A, ("op2-2", None)),
        ([change(1, wrote(A, "x")), change(2, wrote(A, "1", "dicomInstalled"))], A, ("adm1-1", None)),
        ([change(1, wrote(A, "x")), change(2, wrote(B, "x"))], A, ("adm1-1", None)),
        ([change(1, wrote(A, "w"), wrote(A, "x"))], A, ("adm1-1", None)),
        # A step that was not applied wrote nothing.
        ([change(1, wrote(A, "x")), change(2, wrote(B, "y"), wrote(A, "y"), applied=1)], A, ("adm1-1", None)),
        # The entry, or one above it, had another name.
        ([change(1, wrote(A, "x")), change(2, renamed(A, B))], B, ("adm1-1", None)),
        ([change(1, wrote(f"cn=d,{A}", "x")), change(2, renamed(A, B))], f"cn=d,{B}", ("adm1-1", None)),
        (
            [change(1, wrote(A, "x")), change(2, renamed(A, B)), change(3, renamed(B, A), undo_of=2)],
            A,
            ("adm1-1", None),
        ),
        # Another entry had the name.
        ([change(1, wrote(A, "w")), change(2, renamed(A, B)), change(3, added(A, "cn"))], A, (None, None)),
        ([change(1, wrote(A, "w")), change(2, renamed(A, B))], A, (None, None)),
        (
            [change(1, wrote(A, "w")), change(2, deleted(A)), change(3, added(A, "dicomDescription"))],
            A,
            ("adm1-3", None),
        ),
        ([change(1, wrote(A, "w")), change(2, deleted(A))], A, (None, None)),
        # An undo restores the value of an older change; a redo, that of the change that it redoes.
        (
            [change(1, wrote(A, "x")), change(2, wrote(A, "y")), change(3, wrote(A, "x"), undo_of=2)],
            A,
            ("adm1-3", "adm1-1"),
        ),
        ([change(2, wrote(A, "y")), change(3, wrote(A, "x"), undo_of=2)], A, ("adm1-3", None)),
        (
            [change(1, wrote(A, "x")), change(2, wrote(A, "y"), undo_of=1), change(3, wrote(A, "x"), undo_of=2)],
            A,
            ("adm1-3", "adm1-1"),
        ),
        # The number of another account is another change.
        (
            [
                change(1, wrote(A, "x")),
                change(2, wrote(A, "z"), account="op2"),
                change(2, wrote(A, "y")),
                change(3, wrote(A, "x"), undo_of=2),
            ],
            A,
            ("adm1-3", "op2-2"),
        ),
        (
            [
                change(1, wrote(A, "x")),
                change(2, deleted(A)),
                change(3, added(A, "dicomDescription"), undo_of=2),
            ],
            A,
            ("adm1-3", "adm1-1"),
        ),
    ],
)
def test_the_last_writer_is_found(changes: list[NamedChange], dn: str, expected: tuple[str | None, str | None]) -> None:
    assert writers(blame(changes, dn)) == expected


def test_names_are_compared_as_the_schema_says() -> None:
    found = blame([change(1, wrote("DICOMDEVICENAME=A , dc=ORG", "x", "DICOMDESCRIPTION"))])
    assert writers(found) == ("adm1-1", None)


@pytest.mark.parametrize(
    ("description", "modifier", "modified_at", "expected"),
    [
        ("x", ADMIN, "20261201080100Z", ""),
        ("x", "CN=admin, dc=dcm4che,dc=org", "20261201080104.123456Z", ""),
        ("other", ADMIN, "20261201080100Z", "the present values differ from the values of change adm1-1"),
        ("x", "cn=other,dc=org", "20261201080100Z", "cn=other,dc=org has written the entry after change adm1-1"),
        (
            "x",
            ADMIN,
            "20261201090000Z",
            "has written the entry after change adm1-1, at 2026-12-01 09:00:00 UTC, without dcmcfg",
        ),
        (
            "x",
            ADMIN,
            "20261201070000Z",
            "the last write of the entry was at 2026-12-01 07:00:00 UTC, before change adm1-1",
        ),
        ("x", ADMIN, "nonsense", ""),
        ("x", "nonsense", "20261201080100Z", ""),
    ],
)
def test_a_write_without_dcmcfg_is_a_contradiction(
    description: str, modifier: str, modified_at: str, expected: str
) -> None:
    found = blame(
        [change(1, wrote(A, "x", removed=("w",)))], description=description, modifier=modifier, modified_at=modified_at
    )
    assert [expected in text for text in found.contradictions] == ([True] if expected else [])


def test_a_value_that_came_back_is_a_contradiction() -> None:
    entry = Entry.from_values(A, {"dicomDescription": ["x", "w"]})
    found = blame_entry(
        [change(1, wrote(A, "x", removed=("w",)))], entry, ("dicomDescription",), operational=None, schema=SCHEMA
    )
    assert found.attributes[0].is_contradicted
    assert (found.modifier, found.modified_at) == ("", "")


@pytest.mark.parametrize(("present", "is_contradicted"), [((), False), (("w",), True), (("other",), True)])
def test_a_value_after_the_removal_of_all_values_is_a_contradiction(
    present: tuple[str, ...], is_contradicted: bool
) -> None:
    removed = RecordedAttribute("dicomDescription", ("w",), removes_all=True)
    found = compare_with_directory(
        blame_entry(
            [change(1, RecordedStep(StepOperation.CHANGE, A, attributes=(removed,)))],
            Entry.from_values(A, {"dicomDescription": list(present)} if present else {}),
            ("dicomDescription",),
            operational=None,
            schema=SCHEMA,
        ),
        SCHEMA,
    )
    assert found.contradictions == (
        (
            "dicomDescription: change adm1-1 has removed all values that the attribute had when the change was "
            "planned, but now the attribute has values. Somebody has written the attribute after this change was "
            "planned",
        )
        if is_contradicted
        else ()
    )


def test_another_value_after_the_removal_of_one_value_proves_nothing() -> None:
    removed = RecordedAttribute("dicomDescription", ("w",))
    entry = Entry.from_values(A, {"dicomDescription": "other"})
    step = RecordedStep(StepOperation.CHANGE, A, attributes=(removed,))
    found = blame_entry([change(1, step)], entry, ("dicomDescription",), operational=None, schema=SCHEMA)
    assert not found.attributes[0].is_contradicted


def test_the_removal_of_an_entry_is_found() -> None:
    key = SCHEMA.normalise_dn(Entry.from_values(A, {}).dn)
    changes = [change(3, wrote(B, "x")), change(2, deleted(A)), change(1, wrote(A, "x"))]
    found = find_removal(changes, [key], SCHEMA)
    assert found is not None
    assert found.reference == "adm1-2"
    assert find_removal(changes[:1], [key], SCHEMA) is None
