"""Random customisations: the upgraded site is the same customisation of the newer release."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.model.references.rewriting import may_contain_names
from dcmcfg.model.tree import Tree
from tests.sampling import sample
from tests.trees import DEVICES
from tests.upgrade.customised import NONE, SCHEMA, SOURCES, TARGET, Releases, compare

EDITS = 40
#: Entries that others refer to, and transfer capabilities, which would be most of the edits.
FIXED = ("dicomNetworkAE", "dicomDevice", "dcmWebApp", "dicomNetworkConnection", "dicomUniqueAETitle")
FIXED_TOO = ("dcmUniqueWebAppName", "dicomConfigurationRoot", "dicomDevicesRoot", "dicomTransferCapability")


def list_texts(entry: Entry, *, single_valued: bool) -> list[str]:
    """Return the attributes of *entry* whose values are texts without names."""
    naming = {kind.lower() for kind, _ in entry.dn.rdn.parts}
    return [
        each.name
        for each in entry.attributes
        if (definition := SCHEMA.attribute(each.name)) is not None
        and definition.syntax == "DirectoryString"
        and definition.single_valued is single_valued
        and each.name.lower() not in naming
        and not may_contain_names(each.name)
    ]


def edit(trees: Sequence[Tree], seed: int) -> Iterator[Tree]:
    """Yield *trees*, each after the same random edits of entries that all of them have."""
    choose = random.Random(seed)
    entries = [dict(each.entries) for each in trees]
    shared = [key for key in entries[0] if all(key in each for each in entries)]
    # The root of the configuration and what is above it stay.
    shared = [key for key in shared if len(key) > len(DN.parse(DEVICES).rdns) - 1]
    shared = [key for key in shared if not any(entries[0][key].is_a(each) for each in (*FIXED, *FIXED_TOO))]
    for key in choose.sample(shared, EDITS):
        kind = choose.choice(["delete", "single", "multiple"])
        if any(key not in each for each in entries):
            continue
        if kind == "delete":
            for each in entries:
                _delete(each, key)
        elif names := list_texts(entries[0][key], single_valued=kind == "single"):
            name = choose.choice(names)
            for each in entries:
                kept = () if kind == "single" else each[key].values(name)
                each[key] = each[key].with_values(name, (*kept, b"own=value"))
    yield from (Tree(SCHEMA, each) for each in entries)


def _delete(entries: dict[NormalDN, Entry], top: NormalDN) -> None:
    for key in [each for each in entries if is_at_or_below(each, top)]:
        del entries[key]


@pytest.mark.parametrize(("source", "seed"), sample([(source, seed) for source in SOURCES for seed in range(20)], 0.05))
def test_random_edits_survive_an_upgrade(releases: Releases, source: str, seed: int) -> None:
    site, oracle = edit([releases.build("pristine", each) for each in (source, TARGET)], seed)

    upgrade = releases.upgrade(site, source)

    result = site.with_changes(upgrade.plan.changes)
    assert compare(result, oracle) == NONE
    again = releases.upgrade(result, source)
    assert again.plan.steps == ()
    assert again.decisions == ()
