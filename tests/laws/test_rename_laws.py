"""What a rename keeps: every reference leads where it led, nothing else moves, and the way back is exact."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from dcmcfg.dn import DN
from dcmcfg.edits.rename.network_ae import KeepOptions, rename_ae
from dcmcfg.edits.rename.part import rename_device, rename_part
from dcmcfg.edits.rename.renaming import Renaming
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.lint.linter import lint
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from tests.laws.random_sites import PARTS, random_sites
from tests.lint.breaking import NOW
from tests.trees import octets

RENAMED = (
    EntityKind.AE,
    EntityKind.DEVICE,
    EntityKind.WEB_APP,
    *(kind for kind in PARTS if kind not in (EntityKind.ID_GENERATOR,)),
)
#: Nothing is called, or refers to, that; odd characters are those that an AE title may hold and a pattern minds.
new_names = st.sampled_from(["NEW", "NEW.1", "new$x", "N E W", "NEW-WADO", "DELTA-WADO2", "alpha"])


@dataclass(frozen=True, repr=False)
class Case:
    """A tree, what is renamed in it, and how."""

    tree: Tree
    kind: EntityKind
    entry: Entry
    device: str
    new: str
    keep_web_apps: bool

    @property
    def old(self) -> str:
        return self.entry.text(self.kind.value.attribute) or ""

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        printer.text(str(self))

    def __str__(self) -> str:
        kept = ", web apps kept" if self.keep_web_apps else ""
        told = (f"{e.dn}: {[(a.name, a.values) for a in e.attributes]}" for e in self.tree.sorted_entries())
        return f"{self.kind.name} {self.entry.dn} to {self.new}{kept} in\n" + "\n".join(told)


def things(tree: Tree) -> list[tuple[EntityKind, Entry, str]]:
    """Kind, entry and device of everything that can be renamed."""
    references = References(tree)
    found: list[tuple[EntityKind, Entry, str]] = []
    for entry in tree.sorted_entries():
        device = references.find_device_key(entry.dn)
        name = tree.entries[device].text("dicomDeviceName") if device is not None else None
        kinds = (kind for kind in RENAMED if entry.is_a(kind.value.object_class) and kind.value.attribute in entry)
        if name is not None:
            found += [(kind, entry, name) for kind in kinds]
    return found


def rename(tree: Tree, case: Case, device: str, old: str, new: str) -> Renaming:
    references = References(tree)
    match case.kind:
        case EntityKind.AE:
            return rename_ae(references, old, new, KeepOptions(web_apps=case.keep_web_apps))
        case EntityKind.DEVICE:
            return rename_device(references, old, new)
        case kind:
            return rename_part(references, device, kind, old=old, new=new, force=True)


def plan_of(tree: Tree, renaming: Renaming) -> Plan:
    return make_plan(tree, [DesiredChange(change) for change in renaming.edit.changes])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    tree = draw(random_sites())
    kind, entry, device = draw(st.sampled_from(things(tree)))
    return Case(tree, kind, entry, device, draw(new_names), draw(st.booleans()))


def renamed(case: Case) -> tuple[Renaming, Plan]:
    if case.kind is EntityKind.DEVICE:  # there is a device ALPHA, from which a device's name differs by more than case
        assume(case.new != "alpha" or case.old == "ALPHA")
    try:
        renaming = rename(case.tree, case, case.device, case.old, case.new)
    except Refused as refused:  # NEW$1 or the like cannot stand where it would be read as something else
        assume("cannot stand" not in refused.message)
        raise
    return renaming, plan_of(case.tree, renaming)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_renaming_back_gives_the_same_octets(case: Case) -> None:
    _, plan = renamed(case)
    home = case.new if case.kind is EntityKind.DEVICE else case.device
    back = plan_of(plan.after, rename(plan.after, case, home, case.new, case.old))
    assert octets(back.after) == octets(case.tree)


@settings(max_examples=80, deadline=None)
@given(cases(), st.data())
def test_each_prefix_is_a_tree_whose_undo_gives_the_same_octets(case: Case, data: st.DataObject) -> None:
    _, plan = renamed(case)
    done = data.draw(st.integers(0, len(plan.steps)))
    assert octets(plan.undo(done).after) == octets(case.tree)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_each_reference_leads_where_it_led_and_what_looks_alike_stays(
    case: Case,
) -> None:
    """What each names and means is worked out from the tree before, without the code that rewrites."""
    tree = case.tree
    _, plan = renamed(case)
    things_renamed = {case.entry.dn: (case.kind, case.new)}
    if case.kind is EntityKind.AE and not case.keep_web_apps:
        things_renamed |= _web_apps(tree, case.entry, case.new)
    before, after = References(tree), References(plan.after)

    def moved(dn: DN) -> str:
        for old, (of, name) in things_renamed.items():
            if dn.is_below(old, tree.schema.normalise_dn_value):
                dn = dn.rebased(old, old.parent.child(of.value.attribute, name))
        return str(dn)

    def describe_before(reference: Reference) -> tuple[str, str, str, str, frozenset[str]]:
        """Where it is, what it names, and what it can mean: the renamed thing alone, or what others there are."""
        meant, name = before.find_candidates(reference), reference.name
        targets = frozenset(moved(each.dn) for each in meant if each.dn not in things_renamed)
        if reference.kind is EntityKind.ENTRY:
            name, targets = moved(DN.parse(name)), frozenset(moved(each.dn) for each in meant)
        elif meant and meant[0].dn in things_renamed:
            name, targets = things_renamed[meant[0].dn][1], frozenset({moved(meant[0].dn)})
        return moved(reference.dn), reference.attribute, reference.kind.name, name, targets

    def describe_after(reference: Reference) -> tuple[str, str, str, str, frozenset[str]]:
        targets = frozenset(str(each.dn) for each in after.find_candidates(reference))
        return str(reference.dn), reference.attribute, reference.kind.name, reference.name, targets

    assert Counter(map(describe_before, before.all)) == Counter(map(describe_after, after.all))
    assert len(tree.entries) == len(plan.after.entries)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_lint_finds_nothing_that_it_did_not_find_before(case: Case) -> None:
    _, plan = renamed(case)
    found, still = (
        Counter((each.rule.name, each.attribute) for each in lint(tree, NOW)) for tree in (case.tree, plan.after)
    )
    assert not still - found


def _web_apps(tree: Tree, ae: Entry, new: str) -> dict[DN, tuple[EntityKind, str]]:
    """The web applications beside *ae* that serve it and are called after it, with their new names."""
    title = ae.text("dicomAETitle") or ""
    return {
        each.dn: (EntityKind.WEB_APP, new + (each.text("dcmWebAppName") or "").removeprefix(title))
        for each in tree.children(ae.dn.parent)
        if each.is_a("dcmWebApp")
        if each.text("dicomAETitle") == title
        if (each.text("dcmWebAppName") or "") == title or (each.text("dcmWebAppName") or "").startswith(f"{title}-")
    }
