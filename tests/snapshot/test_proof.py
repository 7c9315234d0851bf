"""What keeps a snapshot from loading, and what only the archive would stumble over."""

from __future__ import annotations

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.snapshot.file import Facts, Snapshot
from dcmcfg.snapshot.snapshot import findings, loadable
from tests.trees import ARCHIVE, BASE, site

FACTS = Facts(DN.parse(BASE), taken="", program="", server="")


def with_value(name: str, value: bytes) -> Snapshot:
    change = Modify(DN.parse(f"dicomAETitle=DCM4CHEE,{ARCHIVE}"), (Modification(Operation.REPLACE, name, (value,)),))
    return Snapshot(FACTS, site().after([change]))


def test_what_is_in_order_has_no_findings() -> None:
    assert findings(Snapshot(FACTS, site())) == ()


def test_what_a_server_refuses_is_an_error() -> None:
    for name, value, rule in (
        ("dicomInstalled", b"true", "syntax"),
        ("uid", b"x", "attribute-not-allowed"),
        ("dcmNoSuch", b"x", "unknown-attribute"),
    ):
        (found,) = findings(with_value(name, value))
        assert (found.rule.name, found.severity) == (rule, "error")
        assert not loadable([found])


def test_what_only_the_archive_asks_for_is_a_warning() -> None:
    nowhere = f"cn=nowhere,{ARCHIVE}".encode()
    (found,) = findings(with_value("dicomNetworkConnectionReference", nowhere))
    assert (found.rule.name, found.severity) == ("required-reference", "warning")
    assert loadable([found])
