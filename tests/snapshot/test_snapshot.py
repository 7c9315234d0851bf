"""What keeps a snapshot from loading, and what only the archive would stumble over."""

from __future__ import annotations

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.snapshot.file import Snapshot, SnapshotFacts
from dcmcfg.snapshot.snapshot import find_snapshot_problems, is_loadable
from tests.trees import ARCHIVE, BASE, site

FACTS = SnapshotFacts(DN.parse(BASE), taken="", program="", server="")


def with_value(name: str, value: bytes) -> Snapshot:
    change = Modify(DN.parse(f"dicomAETitle=DCM4CHEE,{ARCHIVE}"), (Modification(Operation.REPLACE, name, (value,)),))
    return Snapshot(FACTS, site().with_changes([change]))


def test_what_is_in_order_has_no_findings() -> None:
    assert find_snapshot_problems(Snapshot(FACTS, site())) == ()


def test_what_a_server_refuses_is_an_error() -> None:
    for name, value, rule in (
        ("dicomInstalled", b"true", "syntax"),
        ("uid", b"x", "attribute-not-allowed"),
        ("dcmNoSuch", b"x", "unknown-attribute"),
    ):
        (found,) = find_snapshot_problems(with_value(name, value))
        assert (found.rule.name, found.severity) == (rule, "error")
        assert not is_loadable([found])


def test_what_only_the_archive_asks_for_is_a_warning() -> None:
    nowhere = f"cn=nowhere,{ARCHIVE}".encode()
    (found,) = find_snapshot_problems(with_value("dicomNetworkConnectionReference", nowhere))
    assert (found.rule.name, found.severity) == ("required-reference", "warning")
    assert is_loadable([found])
