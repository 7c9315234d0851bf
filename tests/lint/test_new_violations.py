"""Errors of lint that a plan brings about."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.lab.large_tree import generate_large_tree
from dcmcfg.lint.catalogue import RULES as ALL
from dcmcfg.lint.linter import lint
from dcmcfg.lint.new_load_failures import find_new_load_failures
from dcmcfg.lint.new_violations import PLAN_RULES, changes_certificates, describe_new_violations, find_new_violations
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import EntryFinding
from tests.lint.breaking import BREAKS, Break, put, valid_tree
from tests.trees import ARCHIVE, DEVICES, STORESCP, connection, site, site_entries

OTHER = f"dicomDeviceName=other,{DEVICES}"
REPORTED = [each for each in BREAKS if each.rule in {rule.name for rule in PLAN_RULES}]
NOW = datetime(2026, 11, 24, tzinfo=UTC)
NAME = "dcmExternalRetrieveAEDestination"


def messages(*changes: Change, tree: Tree | None = None) -> list[str]:
    plan = make_plan(tree or site(), [DesiredChange(change) for change in changes])
    return list(describe_new_violations(find_new_violations(plan, NOW)))


def setting(name: str, value: str) -> Modify:
    return Modify(DN.parse(ARCHIVE), (Modification(Operation.REPLACE, name, (value.encode(),)),))


def test_the_delete_of_an_ae_that_is_named_is_told_at_the_entry_that_names_it() -> None:
    tree = site(dcmFallbackCMoveSCP="STORESCP")
    ae = f"dicomAETitle=STORESCP,{STORESCP}"
    (message,) = messages(Delete(DN.parse(f"cn=CT Image Storage SCP,{ae}")), Delete(DN.parse(ae)), tree=tree)
    assert message == f"{ARCHIVE}: dcmFallbackCMoveSCP: no AE has the title STORESCP (rule: fallback-scp-unknown)"


def test_what_was_wrong_before_is_not_told() -> None:
    assert messages(setting("dicomDescription", "x"), tree=site(dcmFallbackCMoveSCP="NOSUCHAE")) == []


def test_an_ae_that_the_plan_is_refused_for_is_not_told_again() -> None:
    plan = make_plan(site(), [DesiredChange(setting(NAME, "NOSUCHAE"))])
    refused = [each.finding for each in find_new_load_failures(plan, NOW)]
    assert [each.rule.name for each in refused] == ["external-retrieve-unknown"]
    assert list(describe_new_violations(find_new_violations(plan, NOW), excluded=refused)) == []
    assert len(find_new_violations(plan, NOW)) == 1


@pytest.mark.parametrize("breaking", REPORTED, ids=[f"{each.rule}-{n}" for n, each in enumerate(REPORTED)])
def test_each_error_of_lint_is_told(breaking: Break) -> None:
    lines = messages(*breaking.changes, tree=valid_tree())
    (line,) = (line for line in lines if line.endswith(f"(rule: {breaking.rule})") and breaking.message in line)
    assert line.startswith(breaking.dn)


@cache
def valid_tree_with_modalities() -> Tree:
    """The tree that breaks no rule, with 5 devices more, of which the archive knows nothing."""
    entries = [
        *valid_tree().sorted_entries(),
        *(entry for entry in generate_large_tree(103) if valid_tree().get(entry.dn) is None),
    ]
    return Tree.from_entries(valid_tree().schema, entries)


def _format(found: EntryFinding) -> str:
    attribute = f"{found.attribute}: " if found.attribute else ""
    return f"{found.dn}: {attribute}{found.message} (rule: {found.rule.name})"


@cache
def messages_of_lint(*changes: Change) -> dict[tuple[object, ...], str]:
    """What all of lint finds after *changes*, as :func:`describe_new_violations` says it."""
    return {
        (found.rule.name, found.dn, found.value): _format(found)
        for found in lint(valid_tree_with_modalities().with_changes(changes), NOW, PLAN_RULES)
    }


@pytest.mark.parametrize("breaking", BREAKS, ids=[f"{each.rule}-{n}" for n, each in enumerate(BREAKS)])
def test_what_touches_the_plan_is_all_that_full_lint_finds(breaking: Break) -> None:
    changes = tuple(breaking.changes)
    new = (line for key, line in messages_of_lint(*changes).items() if key not in messages_of_lint())
    assert sorted(messages(*changes, tree=valid_tree_with_modalities())) == sorted(new)


def test_no_plan_and_no_tree_is_too_large() -> None:
    many = [Add(connection(STORESCP, name=f"c{number}")) for number in range(300)]
    (message,) = messages(*many, setting("dcmFallbackCMoveSCP", "NOSUCHAE"))
    assert message.startswith(f"{ARCHIVE}: dcmFallbackCMoveSCP: no AE has the title NOSUCHAE")
    large = Tree.from_entries(
        load_bundled_schema(),
        [*generate_large_tree(6_003), *(each for each in site_entries() if each.is_a("dicomDevice"))],
    )
    (message,) = messages(setting("dcmFallbackCMoveSCP", "NOSUCHAE"), tree=large)
    assert message.startswith(f"{ARCHIVE}: dcmFallbackCMoveSCP: no AE has the title NOSUCHAE")


def test_a_rename_makes_nothing_wrong_that_was_wrong_before() -> None:
    tree = site(dcmFallbackCMoveSCP="NOSUCHAE")
    assert messages(Rename(DN.parse(STORESCP), RDN.of("dicomDeviceName", "other")), tree=tree) == []
    renamed = (Rename(DN.parse(ARCHIVE), RDN.of("dicomDeviceName", "other")), put(OTHER, dcmFallbackCMoveSCP="GONE"))
    assert messages(*renamed, put(OTHER, dcmAltCMoveSCP="NOSUCH"), tree=tree) == [
        f"{OTHER}: dcmAltCMoveSCP: no AE has the title NOSUCH (rule: external-archive-unknown)"
    ]


def test_values_that_the_user_has_seen_are_left_out() -> None:
    plan = make_plan(site(), [DesiredChange(setting("dcmFallbackCMoveSCP", "NOSUCHAE"))])
    value = (DN.parse(ARCHIVE), "dcmFallbackCMoveSCP", b"NOSUCHAE")
    assert len(find_new_violations(plan, NOW)) == 1
    assert list(describe_new_violations(find_new_violations(plan, NOW), reported_values={value})) == []


@pytest.mark.parametrize(
    ("name", "title", "is_misspelt"),
    [
        ("dcmFallbackCMoveSCP", "STORSCP", True),
        ("dcmFallbackCMoveSCP", "NOSUCHAE", False),
        ("dcmFallbackCMoveSCPDestination", "DCM4CHE", True),
        ("dcmFallbackCMoveSCPDestination", "STORSCP", False),  # no title of the archive is similar
    ],
)
def test_a_title_that_resembles_another_is_misspelt(name: str, title: str, is_misspelt: bool) -> None:
    fallback = setting("dcmFallbackCMoveSCP", "STORESCP")
    plan = make_plan(site(), [DesiredChange(fallback), DesiredChange(setting(name, title))])
    found = [each for each in find_new_violations(plan, NOW) if each.violation.attribute == name]
    assert [each.is_misspelt_ae for each in found] == [is_misspelt]
    plan = make_plan(site(**{name: title}), [DesiredChange(setting("dicomDescription", "x"))])
    assert not any(each.is_misspelt_ae for each in find_new_violations(plan, NOW))


def test_a_certificate_asks_for_its_rules() -> None:
    plan = make_plan(valid_tree(), [DesiredChange(put(ARCHIVE, dicomDescription="x"))])
    assert not changes_certificates(plan)
    expired = next(each for each in BREAKS if each.rule == "certificate-expired")
    plan = make_plan(valid_tree(), [DesiredChange(change) for change in expired.changes])
    assert changes_certificates(plan)
    (line,) = map(str, find_new_violations(plan, NOW, ALL))
    assert line.endswith("(rule: certificate-expired)")
