"""Laws of restoring, for arbitrary trees of a few devices: octets decide, not the rules of the schema."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.dn import DN
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.restoration import compute_restoration
from tests.laws.test_diff_laws import trees
from tests.trees import DEVICES

few = settings(max_examples=80, deadline=None)


@st.composite
def trees_of_classes(draw: st.DrawFn) -> Tree:
    """Trees in which some entries are of another structural class."""
    one = draw(trees())
    classes = st.sampled_from([b"dicomDevice", b"dicomNetworkAE"])
    below = one.subtree(DN.parse(DEVICES))[1:]
    mixed = (entry.with_values("objectClass", (draw(classes),)) for entry in below)
    return Tree(one.schema, dict(one.entries) | {one.key(entry.dn): entry for entry in mixed})


def octets(of: Tree) -> dict[tuple[frozenset[tuple[str, str]], ...], dict[str, frozenset[bytes]]]:
    """What *of* holds; the spelling of attribute types, and the order of an RDN's parts, are the server's own."""
    return {
        tuple(frozenset((kind.lower(), value) for kind, value in rdn.parts) for rdn in entry.dn.rdns): {
            each.name.lower(): frozenset(each.values) for each in entry.attributes
        }
        for entry in of.entries.values()
    }


def plan(live: Tree, wanted: Tree) -> Plan:
    return make_plan(live, (DesiredChange(change) for change in compute_restoration(live, wanted)))


@given(trees_of_classes(), trees_of_classes())
@few
def test_whatever_the_live_tree_holds_it_is_that_of_the_snapshot_afterwards(live: Tree, wanted: Tree) -> None:
    reached = plan(live, wanted).after
    assert octets(reached) == octets(wanted)
    assert compute_restoration(reached, wanted) == ()


@given(trees_of_classes(), trees_of_classes())
@few
def test_the_undo_of_a_restore_returns_to_the_live_tree(live: Tree, wanted: Tree) -> None:
    assert octets(plan(live, wanted).undo().after) == octets(live)


@given(trees_of_classes())
@few
def test_a_tree_restored_to_itself_needs_nothing(one: Tree) -> None:
    assert compute_restoration(one, one) == ()
