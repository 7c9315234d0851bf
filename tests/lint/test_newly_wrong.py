"""Errors of lint that a plan brings about."""

from __future__ import annotations

from datetime import UTC, datetime

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.lint.newly_wrong import newly_wrong
from dcmcfg.plan.plan import Wanted, make_plan
from dcmcfg.tree import Tree
from tests.trees import ARCHIVE, STORESCP, connection, site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "dcmExternalRetrieveAEDestination"


def told(*changes: Change, tree: Tree | None = None) -> list[str]:
    return list(newly_wrong(make_plan(tree or site(), [Wanted(change) for change in changes]), NOW))


def setting(name: str, value: str) -> Modify:
    return Modify(DN.parse(ARCHIVE), (Modification(Operation.REPLACE, name, (value.encode(),)),))


def test_a_destination_that_no_ae_carries_is_told() -> None:
    (doubt,) = told(setting(NAME, "NOSUCHAE"))
    assert doubt.startswith(f"{ARCHIVE}: no AE has the title NOSUCHAE; ")
    assert "(lint: external-retrieve" in doubt


def test_the_delete_of_an_ae_that_is_named_is_told_at_the_entry_that_names_it() -> None:
    tree = site(dcmFallbackCMoveSCP="STORESCP")
    ae = f"dicomAETitle=STORESCP,{STORESCP}"
    (doubt,) = told(Delete(DN.parse(f"cn=CT Image Storage SCP,{ae}")), Delete(DN.parse(ae)), tree=tree)
    assert doubt == f"{ARCHIVE}: no AE has the title STORESCP (lint: fallback-scp-unknown)"


def test_what_was_wrong_before_is_not_told() -> None:
    assert told(setting("dicomDescription", "x"), tree=site(**{NAME: "NOSUCHAE"})) == []
    renamed = Rename(DN.parse(ARCHIVE), RDN.of("dicomDeviceName", "other"))
    assert told(renamed, tree=site(**{NAME: "NOSUCHAE"})) == []


def test_of_a_large_plan_nothing_is_said() -> None:
    many = [Add(connection(STORESCP, name=f"c{number}")) for number in range(200)]
    assert told(*many[1:], setting(NAME, "NOSUCHAE")) != []
    assert told(*many, setting(NAME, "NOSUCHAE")) == []
