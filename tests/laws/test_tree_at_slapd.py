"""Law of the tree in memory: what it makes of a change, slapd makes of it, and what it refuses, slapd refuses.

A plan is refused before a server is touched because of this.
"""

from __future__ import annotations

import random

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError, DoesNotApply, NotFound
from dcmcfg.ldif.writer import format_change
from dcmcfg.model.tree import Tree
from dcmcfg.plan import entry_diff
from tests.connecting import server_of
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real

CHANGES = 150
#: The changes are of what is below it, to any depth: slapd has no structure rules.
ABOVE = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
#: Object classes are doubts of a plan, not of the tree. 80 is slapd's own fault (2.5.13): to some renames from one
#: spelling of a name to another it answers "DN index add failed", and makes others of the kind.
LEFT_TO_THE_SERVER = {65, 80}
NAMES = ("a", "A", "b  b", "B B", "c, d", "#e", "ü")
VALUES: dict[str, tuple[bytes, ...]] = {
    "dicomDescription": (b"x", b"X", b"x  y", b"X Y", "Ü".encode(), "ü".encode()),
    "dicomSoftwareVersion": (b"1", b"2", b"v", b"V", b" v "),
    "dicomDescription;lang-de": (b"x", b"X", b"y"),
    "dicomSoftwareVersion;lang-de": (b"1", b"v", b"V"),
    "dicomSoftwareVersion;lang-de;lang-en": (b"1", b"2"),
    "dicomInstalled": (b"TRUE", b"FALSE"),
    "dicomVendorData": (b"\0\1", b"PK"),
    "dicomPort": (b"104", b"11112"),
    "dicomHostname": (b"h", b"H"),
    "dicomRelatedDeviceReference": (f"dicomDeviceName=a,{ABOVE}".encode(), f"DICOMDEVICENAME=A, {ABOVE}".encode()),
}


def a_change(draw: random.Random, ours: list[Entry]) -> Change:
    """A change of one of *ours* that may fit or not."""
    entry = draw.choice(ours) if ours and draw.random() < 0.9 else Entry(ABOVE.child("dicomDeviceName", "nobody"))
    match draw.randrange(8):
        case 0 | 1:
            return an_add(draw, draw.choice(ours).dn if ours and draw.random() < 0.5 else ABOVE)
        case 2:
            return Delete(entry.dn)
        case 3:
            superior = draw.choice(ours).dn if ours and draw.random() < 0.3 else None
            new = RDN.of(entry.dn.rdn.parts[0][0], draw.choice(NAMES))
            return Rename(entry.dn, new, delete_old_rdn=draw.random() < 0.6, new_superior=superior)
        case _:
            return Modify(entry.dn, tuple(a_modification(draw, entry) for _ in range(draw.randint(1, 2))))


def an_add(draw: random.Random, above: DN) -> Add:
    name = draw.choice(NAMES)
    if above == ABOVE:
        device = {"objectClass": ("dicomDevice", "dcmDevice"), "dicomInstalled": "TRUE"}
        return Add(Entry.from_values(above.child("dicomDeviceName", name), device))
    connection = {"objectClass": "dicomNetworkConnection", "cn": name, "dicomHostname": "h"}
    return Add(Entry.from_values(above.child("cn", name), connection))


def a_modification(draw: random.Random, entry: Entry) -> Modification:
    operation = draw.choice((Operation.ADD, Operation.DELETE, Operation.REPLACE))
    held = [each for each in entry.attributes if each.name in VALUES or each.name in ("cn", "dicomDeviceName")]
    if held and draw.random() < 0.5:
        name, values = draw.choice(held)
        values = values[: draw.randint(0, len(values))]
    else:
        name = draw.choice(list(VALUES))
        values = tuple(draw.choices(VALUES[name], k=draw.randint(0, 2)))
    if operation is Operation.ADD and not values:
        operation = Operation.REPLACE
    return Modification(operation, name, values)


def in_memory(tree: Tree, change: Change) -> Tree | None:
    try:
        return tree.with_changes([change])
    except DoesNotApply:
        return None


def result_at(directory: LdapDirectory, change: Change) -> int | None:
    try:
        directory.apply(change)
    except NotFound:
        return 32
    except DirectoryError as refused:
        return refused.result_code or -1
    return None


@pytest.mark.parametrize("seed", range(4))
def test_the_tree_in_memory_does_what_slapd_does(slapd: RunningSlapd, seed: int) -> None:
    draw = random.Random(seed)
    ours: list[Entry] = []
    results = []
    with connect(server_of(slapd)) as directory:
        tree = read_tree(directory)
        others = set(tree.entries)
        for _ in range(CHANGES):
            change = a_change(draw, ours)
            after, result = in_memory(tree, change), result_at(directory, change)
            results.append(result)
            if result in LEFT_TO_THE_SERVER:
                continue
            assert (after is None) == (result is not None), f"{result}\n{format_change(change)}"
            tree = after or tree
            ours = [entry for key, entry in tree.entries.items() if key not in others]
        found = read_tree(directory)
    assert tree.entries.keys() == found.entries.keys()
    for entry in ours:
        same = found.get(entry.dn)
        assert same is not None
        assert same.dn == entry.dn
        # slapd keeps a DN among values in a spelling of its own.
        assert entry_diff.find_differing_attributes(entry, same, tree.schema) == ()
    assert results.count(None) > CHANGES / 5
    assert {16, 20, 32, 66, 68} <= set(results)
