"""The lab's large tree: as many entries as asked for, which any check of the configuration takes."""

from __future__ import annotations

import pytest

from dcmcfg.lab.large_tree import DEVICE_ENTRIES, HEAD_ENTRIES, generate_large_tree
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema


@pytest.mark.parametrize("count", [0, 1, HEAD_ENTRIES, HEAD_ENTRIES + 2 * DEVICE_ENTRIES, 1000])
def test_it_has_as_many_entries_as_asked_for_with_parents_first(count: int) -> None:
    entries = tuple(generate_large_tree(count))
    assert len(Tree.from_entries(load_bundled_schema(), entries).entries) == count
    names = [entry.dn for entry in entries]
    assert all(name.parent in names[:index] for index, name in enumerate(names) if index)


def test_values_differ_from_device_to_device() -> None:
    devices = [entry for entry in generate_large_tree(2000) if entry.is_a("dicomDevice")]
    assert len(devices) == 100
    for name in ("dicomDeviceName", "dicomDescription", "dicomManufacturer", "dicomDeviceSerialNumber"):
        assert len({entry.text(name) for entry in devices}) == 100
