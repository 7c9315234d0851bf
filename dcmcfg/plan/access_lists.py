"""What a plan puts on the lists that say who is let in."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Add, Modify
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.model.capabilities import SCP, ability, plain_name
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.references.attributes import ADMISSIONS, Admission
from dcmcfg.model.references.kinds import Kind, Use
from dcmcfg.model.references.rewriting import names
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan
from dcmcfg.suggestions import first_of, near_misses

#: Titles of one site look alike; one that needs no AE is taken for misspelt only when nearly all of it agrees.
_MISSPELT = 0.85
_NAMED = 3

#: An entry as it was (None: it was not there) and as it will be.
_Pair = tuple[Entry | None, Entry]


def admitted_unknown(plan: Plan) -> Iterator[tuple[DN, str, str]]:
    """Yield (entry, attribute, title) of each destination that *plan* lets in and that the archive will not find."""
    yield from (
        (entry.dn, admission.attribute, title)
        for entry, admission, title, use in _without_ae(plan)
        if use is not Use.COMPARED
    )


def narrowings(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each list that was empty and let everybody in, and for each caller that may be misspelt.

    An AE's capabilities are such a list: one that lists any as SCP is sent nothing else.
    """
    for before, after in _written(plan):
        for admission in ADMISSIONS:
            listed = after.texts(admission.attribute)
            if listed and before is not None and not before.values(admission.attribute):
                yield (
                    f"{after.dn}: {admission.attribute} was empty and let every {admission.who} in; from now on each "
                    f"but {first_of(listed, _NAMED)} is {admission.others}"
                )
    yield from _misspelt(plan)
    yield from _first_capabilities(plan)


def _misspelt(plan: Plan) -> Iterator[str]:
    titles: frozenset[str] | None = None
    for entry, admission, title, use in _without_ae(plan):
        titles = _titles(plan.after) if titles is None else titles
        if use is Use.COMPARED and (near := near_misses(title, titles, likeness=_MISSPELT)):
            yield (
                f"{entry.dn}: {admission.attribute} {title!r}: no AE has the title, which a {admission.who} need not "
                f"have; near misses: {', '.join(near)}"
            )


def _without_ae(plan: Plan) -> Iterator[tuple[Entry, Admission, str, Use]]:
    """Yield each title that comes to such a list and that no AE will have, and what becomes of it."""
    titles: frozenset[str] | None = None
    for before, after in _written(plan):
        for admission in ADMISSIONS:
            held = frozenset(before.values(admission.attribute) if before is not None else ())
            for value in after.values(admission.attribute):
                for name in names(admission.attribute, value) if value not in held else ():
                    titles = _titles(plan.after) if titles is None else titles
                    if name.kind is Kind.AE and name.text not in titles:
                        yield after, admission, name.text, name.use


def _written(plan: Plan) -> Iterator[_Pair]:
    """Yield each entry that *plan* adds or modifies and that is there in the end."""
    befores: dict[NormalDN, Entry | None] = {}
    for step in plan.steps:
        if isinstance(step.change, Add | Modify):
            befores.setdefault(plan.after.key(step.change.dn), step.before)
    for key, before in befores.items():
        after = plan.after.entries.get(key)
        if after is not None:
            yield before, after


def _titles(tree: Tree) -> frozenset[str]:
    aes = (entry for entry in tree.entries.values() if entry.is_a("dicomNetworkAE"))
    return frozenset(entry.text("dicomAETitle") or "" for entry in aes)


def _first_capabilities(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each AE of another device than an archive's that comes to list an SCP capability."""
    found: dict[NormalDN, list[str]] = {}
    for step in plan.steps:
        match step.change:
            case Add(entry) if entry.is_a("dicomTransferCapability") and ability(entry)[1] == SCP:
                found.setdefault(plan.before.key(entry.dn.parent), []).append(plain_name(entry))
            case _:
                pass
    for ae in _aes(plan.before) if found else ():
        listed = found.get(plan.before.key(ae.entry.dn))
        if listed and not ae.device.is_archive and not any(ability(each)[1] == SCP for each in ae.capabilities):
            yield (
                f"{ae.entry.dn}: it has listed no SCP capability, and was sent everything; from now on the archive "
                f"sends it nothing but {first_of(listed, _NAMED)}"
            )


def _aes(tree: Tree) -> tuple[NetworkAE, ...]:
    try:
        return tuple(Configuration(tree).network_aes())
    except NotFound:
        return ()
