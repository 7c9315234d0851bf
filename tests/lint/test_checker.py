"""All parts of ``check`` together: nothing that one part finds is lost, and each defect is reported once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lab.large_tree import generate_large_tree
from dcmcfg.lint.catalogue import CHECK_RULES, RULES, RULES_BY_NAME
from dcmcfg.lint.checker import CheckSubject, check_configuration, select_rules
from dcmcfg.lint.linter import lint
from dcmcfg.model.tree import Tree
from dcmcfg.schema.check import LocatedEntry, check_entries
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import PARTS, SEVERITIES, EntryFinding, SourceLocation
from tests.growth import growth
from tests.lint.breaking import ARCHIVE, BREAKS, NOW, Break, valid_tree
from tests.sampling import sample

Key = tuple[str, str, str, bytes | None]


def build_key(finding: EntryFinding, rule: str | None = None) -> Key:
    return rule or finding.rule.name, str(finding.dn), finding.attribute.lower(), finding.value


def severities(findings: Iterable[EntryFinding]) -> dict[Key, str]:
    return {build_key(each): each.severity for each in findings}


def find_separately(tree: Tree) -> dict[Key, str]:
    """Return what the schema part and the rules find, each by itself."""
    entries = check_entries(map(LocatedEntry, tree.sorted_entries()), tree.schema, live=True)
    return severities(entries) | severities(lint(tree, NOW))


#: Those whose defect a rule for entries finds too, and some others.
CASES = [each for each in BREAKS if RULES_BY_NAME[each.rule].supersedes or each in sample(BREAKS, 0.3)]


@pytest.mark.parametrize("case", CASES, ids=lambda each: each.rule)
def test_each_finding_of_each_part_is_reported_once_with_its_severity(case: Break) -> None:
    tree = valid_tree().with_changes(case.changes)
    findings = check_configuration(CheckSubject.from_tree(tree, tree.schema), NOW).findings
    reported = severities(findings)
    superseded = {
        build_key(each, general.name)
        for each in findings
        if each.rule.name in RULES_BY_NAME
        for general in RULES_BY_NAME[each.rule.name].supersedes
    }
    separately = find_separately(tree)
    assert case.rule in {rule for rule, *_ in reported}
    assert reported == {key: severity for key, severity in separately.items() if key not in superseded}
    assert not superseded & reported.keys()
    assert set(Counter((build_key(each), each.message) for each in findings).values()) == {1}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.supersedes], ids=lambda rule: rule.name)
def test_a_superseded_rule_has_the_same_severity_or_a_lower_one(rule: object) -> None:
    assert any(each is rule for each in RULES)
    found = next(each for each in RULES if each is rule)
    for general in found.supersedes:
        assert general.part in (found.part, "schema")
        assert SEVERITIES.index(found.severity) <= SEVERITIES.index(general.severity)
        if general.severity == found.severity and general.impact != "rule":
            assert general.impact == found.impact


def test_no_two_rules_have_one_name_and_none_is_called_as_a_part() -> None:
    names = [rule.name for rule in CHECK_RULES]
    assert len(set(names)) == len(names)
    assert not set(names) & set(PARTS)
    assert {rule.part for rule in CHECK_RULES} == set(PARTS)


def test_every_rule_belongs_to_the_selection_of_its_part_and_of_its_name() -> None:
    assert select_rules((), (), ()) == CHECK_RULES
    assert [rule for part in PARTS for rule in select_rules((part,), (), ())] == sorted(
        CHECK_RULES, key=lambda rule: PARTS.index(rule.part)
    )
    for rule in CHECK_RULES:
        assert select_rules((), (rule.name,), ()) == (rule,)
        assert rule not in select_rules((), (), (rule.name,))
        assert rule not in select_rules((), (), (rule.part,))


def subject_of(tree: Tree, is_wanted: Callable[[Entry], bool] = lambda _: True) -> CheckSubject:
    """Return the wanted entries of *tree* as if they stood in a file, one a line."""
    located = (
        LocatedEntry(entry, SourceLocation("site.ldif", line))
        for line, entry in enumerate(tree.sorted_entries(), 1)
        if is_wanted(entry)
    )
    return CheckSubject.from_entries(located, tree.schema)


def test_errors_come_first_and_the_findings_of_an_entry_stand_together() -> None:
    tree = valid_tree()
    for case in BREAKS:
        if case.rule in (
            "connection-dangling",
            "registry-orphan",
            "storage-unknown",
            "fallback-retries",
            "fallback-loop",
        ):
            tree = tree.with_changes(case.changes)
    findings = check_configuration(subject_of(tree), NOW).findings
    assert len({each.rule.name for each in findings}) >= 5
    lines = [(SEVERITIES.index(each.severity), each.location.line) for each in findings if each.location is not None]
    assert len(lines) == len(findings)
    assert lines == sorted(lines)


def test_a_part_of_a_configuration_is_not_checked_by_rules_that_need_a_whole_one() -> None:
    (case,) = (each for each in BREAKS if each.rule == "storage-unknown")
    tree = valid_tree().with_changes(case.changes)
    whole, part = (
        check_configuration(subject_of(tree, is_wanted), NOW)
        for is_wanted in (lambda _: True, lambda entry: str(entry.dn).endswith(ARCHIVE))
    )
    assert "storage-unknown" in {each.rule.name for each in whole.findings}
    assert whole.rules_for_whole == ()
    assert whole.rules == CHECK_RULES
    assert "storage-unknown" not in {each.rule.name for each in part.findings}
    skipped = {rule.name for rule in part.rules_for_whole}
    assert skipped == {rule.name for rule in RULES if rule.needs_whole_tree}
    assert set(part.rules).isdisjoint(part.rules_for_whole)
    assert len(part.rules) + len(part.rules_for_whole) == len(CHECK_RULES)


@pytest.mark.parametrize("case", sample(BREAKS, 0.2), ids=lambda each: each.rule)
def test_a_part_has_no_finding_that_the_whole_has_not(case: Break) -> None:
    """What is not in the file may be in another one, so it is no reason for a finding."""
    tree = valid_tree().with_changes(case.changes)
    whole = severities(check_configuration(subject_of(tree), NOW).findings)
    superseded = {
        (general.name, *key[1:])
        for key in whole
        if key[0] in RULES_BY_NAME
        for general in RULES_BY_NAME[key[0]].supersedes
    }
    for top in {str(entry.dn) for entry in tree.sorted_entries() if entry.is_a("dicomDevice")}:
        part = severities(
            check_configuration(subject_of(tree, lambda entry: str(entry.dn).endswith(top)), NOW).findings  # noqa: B023
        )
        assert part.keys() <= whole.keys() | superseded


def test_names_by_oid_and_values_of_the_rdn_alone_are_understood() -> None:
    entries = [
        Entry.from_values("cn=DICOM Configuration,dc=x", {"objectClass": "dicomConfigurationRoot"}),
        Entry.from_values(
            "dicomDeviceName=a,cn=DICOM Configuration,dc=x",
            {"2.5.4.0": ("dicomDevice", "dcmDevice", "dcmArchiveDevice"), "dicomInstalled": "TRUE"},
        ),
    ]
    subject = CheckSubject.from_entries(map(LocatedEntry, entries), load_bundled_schema())
    assert (subject.is_whole, subject.has_archive) == (True, True)
    device = subject.tree.get(DN.parse("dicomDeviceName=a,cn=DICOM Configuration,dc=x"))
    assert device is not None
    assert device.text("dicomDeviceName") == "a"


def test_the_work_grows_with_the_entries() -> None:
    def prepare(count: int) -> Callable[[], object]:
        entries = tuple(map(LocatedEntry, generate_large_tree(count)))
        return lambda: check_configuration(CheckSubject.from_entries(entries, load_bundled_schema()), NOW)

    assert growth(prepare, 120) < 6
