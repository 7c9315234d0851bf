"""What may be under way at once: nothing that depends on something else that is."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.plan.waves import split_into_waves

ROOT = DN.parse("dc=org")
A, B = ROOT.child("cn", "a"), ROOT.child("cn", "b")
A_CHILD = A.child("cn", "child")


def add(dn: DN) -> Add:
    return Add(Entry.from_values(dn, {"cn": "x"}))


def modify(dn: DN) -> Modify:
    return Modify(dn, (Modification(Operation.ADD, "description", (b"x",)),))


def in_waves(*changes: Change) -> list[list[int]]:
    """The places of *changes* in their list, wave by wave."""
    return [[changes.index(change) for change in wave] for wave in split_into_waves(changes, DN.normalised)]


def test_a_child_waits_for_its_parent_and_siblings_go_together() -> None:
    assert in_waves(add(A), add(A_CHILD), add(B)) == [[0, 2], [1]]


def test_modifies_of_entries_above_one_another_go_together() -> None:
    assert in_waves(modify(A), modify(A_CHILD), modify(ROOT)) == [[0, 1, 2]]


def test_a_second_modify_of_an_entry_waits_however_its_name_is_spelt() -> None:
    assert in_waves(modify(A), modify(DN.parse("CN=A, dc=ORG"))) == [[0], [1]]


def test_a_parent_is_deleted_after_what_is_below_it() -> None:
    assert in_waves(modify(A_CHILD), Delete(A_CHILD), Delete(A)) == [[0], [1], [2]]


def test_what_follows_a_rename_waits_for_it_under_both_names() -> None:
    rename = Rename(A, RDN.of("cn", "c"))
    below = rename.new_dn.child("cn", "child")
    assert in_waves(modify(A_CHILD), rename, modify(below), add(A), modify(B)) == [[0, 4], [1], [2, 3]]


_DNS = st.sampled_from([A, B, A_CHILD, A_CHILD.child("cn", "leaf"), B.child("cn", "child"), ROOT])
_CHANGES = st.lists(
    st.one_of(
        _DNS.map(add),
        _DNS.map(modify),
        _DNS.map(Delete),
        st.builds(Rename, _DNS.filter(ROOT.__ne__), st.just(RDN.of("cn", "b"))),
    ),
    max_size=8,
)


@given(_CHANGES)
def test_nothing_is_left_out_and_what_depends_on_another_comes_in_a_later_wave(changes: list[Change]) -> None:
    found = split_into_waves(changes, DN.normalised)
    number = {id(change): wave for wave, members in enumerate(found) for change in members}
    assert sorted(number) == sorted(map(id, changes))
    for position, later in enumerate(changes):
        for earlier in changes[:position]:
            if depends(later, earlier):
                assert number[id(later)] > number[id(earlier)]


def depends(one: Change, other: Change) -> bool:
    if isinstance(one, Modify) and isinstance(other, Modify):
        return one.dn == other.dn
    return _reaches(one, other) or _reaches(other, one)


def _reaches(upper: Change, lower: Change) -> bool:
    """Whether *upper* is of an entry that *lower* is of too or, unless it is a modify, of one above that."""
    pairs = [(high, low) for high in names(upper) for low in names(lower)]
    return any(low == high or (low.is_below(high) and not isinstance(upper, Modify)) for high, low in pairs)


def names(change: Change) -> tuple[DN, ...]:
    return (change.dn, change.new_dn) if isinstance(change, Rename) else (change.dn,)


@given(_CHANGES)
def test_a_wave_keeps_the_order_that_was_given(changes: list[Change]) -> None:
    position = {id(change): number for number, change in enumerate(changes)}
    for wave in split_into_waves(changes, DN.normalised):
        assert all(position[id(one)] < position[id(other)] for one, other in pairwise(wave))


def test_a_name_of_very_many_rdns_is_put_into_its_wave_in_linear_time() -> None:
    """A key for each name above it would take gigabytes."""
    deep = DN.parse(",".join(f"cn=level {number}" for number in range(20_000)))
    assert in_waves(add(deep), add(deep.child("cn", "below")), modify(deep)) == [[0], [1, 2]]
