"""Each rule: the tree that breaks it, and the sound tree that breaks none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from dcmcfg.changes import Add, Modify
from dcmcfg.entry import Attribute
from dcmcfg.lint.catalogue import ARCHIVE_TOPICS, RULES, RULES_BY_NAME, RULES_BY_TOPIC
from dcmcfg.lint.linter import lint
from dcmcfg.model.tree import Tree
from dcmcfg.schema.findings import EntryFinding
from tests.lint.breaking import ARCHIVE, BREAKS, EXPORTER, NOW, RULE, STORAGE, Break, more, new, put, valid_tree


def findings_of(rule: str, tree: Tree) -> list[EntryFinding]:
    return list(lint(tree, NOW, [RULES_BY_NAME[rule]]))


def summaries(found: list[EntryFinding]) -> list[tuple[str, str, str]]:
    return [(str(each.dn), each.attribute, each.message) for each in found]


def test_no_rule_finds_anything_in_the_sound_tree() -> None:
    assert lint(valid_tree(), NOW) == ()


def test_every_rule_has_a_tree_that_breaks_it() -> None:
    assert sorted(each.rule for each in BREAKS) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize("case", BREAKS, ids=[each.rule for each in BREAKS])
def test_the_rule_tells_what_breaks_it(case: Break) -> None:
    tree = valid_tree().with_changes(case.changes)
    dn, attribute, message = summaries(findings_of(case.rule, tree))[0]
    assert (dn, attribute) == (case.dn, case.attribute)
    assert case.message in message


def test_what_stands_in_references_to_connections_holds_no_equals_sign_and_other_names_may() -> None:
    connection = new(f"cn=a=b,{ARCHIVE}", objectClass="dicomNetworkConnection", cn="a=b", dicomHostname="host")
    queue = new(f"dcmQueueName=a=b,{ARCHIVE}", objectClass="dcmQueue", dcmQueueName="a=b")
    (found,) = summaries(findings_of("name-with-special-characters", valid_tree().with_changes([connection, queue])))
    message = "a reference may have another spelling of this name; then the archive cannot load the device"
    assert found == (f"cn=a=b,{ARCHIVE}", "cn", message)


def test_each_name_of_an_entry_besides_that_in_its_dn_has_a_command() -> None:
    tree = valid_tree().with_changes([more(RULE, "cn", "a"), more(RULE, "CN", "b c")])
    commands = [each.fix_command for each in findings_of("name-not-in-dn", tree)]
    assert commands == [("set", RULE, "cn-=a"), ("set", RULE, "cn-=b c")]


def test_the_fix_of_an_unset_destination_breaks_no_other_rule() -> None:
    unset = [put(ARCHIVE, dcmExternalRetrieveAEDestination=(), dcmCStoreSCUOfCMoveSCP=())]
    (found,) = findings_of("external-retrieve-unset", valid_tree().with_changes(unset))
    destination, mapping = "dcmExternalRetrieveAEDestination=DCM4CHEE", "dcmCStoreSCUOfCMoveSCP+=LONGTERM=LONGTERM"
    assert found.fix_command == ("set", "dcm4chee-arc", destination, mapping)
    fixed = valid_tree().with_changes([put(ARCHIVE, dcmCStoreSCUOfCMoveSCP="LONGTERM=LONGTERM")])
    assert lint(fixed, NOW) == ()
    mapped = fixed.with_changes([put(ARCHIVE, dcmExternalRetrieveAEDestination=())])
    (found,) = findings_of("external-retrieve-unset", mapped)
    assert found.fix_command == ("set-external-retrieve", "DCM4CHEE")


@pytest.mark.parametrize("rule", ["external-retrieve-unset", "mixed-retrieve-not-forwarded"])
def test_an_external_archive_without_an_ae_sends_no_objects(rule: str) -> None:
    case = next(each for each in BREAKS if each.rule == rule)
    misspelt = put(STORAGE, dcmExternalRetrieveAET=("LONGTERM", "LONGTERN"))
    found = findings_of(rule, valid_tree().with_changes([*case.changes, misspelt]))
    assert found
    assert "LONGTERN" not in "".join(each.message for each in found)


@pytest.mark.parametrize(
    ("rule", "change", "commands"),
    [
        ("queue-unknown", put(EXPORTER, dcmQueueName="Exporr"), (("set", EXPORTER, "dcmQueueName=Export"),)),
        ("queue-unknown", put(EXPORTER, dcmQueueName="Expo"), (("set", EXPORTER, "dcmQueueName=Export"),)),
        ("queue-unknown", put(EXPORTER, dcmQueueName="Other"), ()),
        (
            "exporter-unknown",
            put(RULE, dcmExporterID="LONGTERN"),
            (("set", RULE, "dcmExporterID+=LONGTERM", "dcmExporterID-=LONGTERN"),),
        ),
    ],
)
def test_a_misspelt_part_has_the_command_that_corrects_it(
    rule: str, change: Modify, commands: tuple[tuple[str, ...], ...]
) -> None:
    (found,) = findings_of(rule, valid_tree().with_changes([change]))
    assert found.correction_commands == commands


@pytest.mark.parametrize("case", BREAKS, ids=[each.rule for each in BREAKS])
def test_a_rule_says_it_can_mend_where_it_has_changes(case: Break) -> None:
    found = findings_of(case.rule, valid_tree().with_changes(case.changes))
    assert {bool(each.fix_changes) for each in found} == {RULES_BY_NAME[case.rule].is_auto_fixable}


@pytest.mark.parametrize("case", BREAKS, ids=[each.rule for each in BREAKS])
def test_a_topic_of_archives_has_nothing_to_say_without_one(case: Break) -> None:
    tree = valid_tree().with_changes(case.changes)
    others = (replace(entry, attributes=tuple(_no_archive(entry.attributes))) for entry in tree.sorted_entries())
    found = findings_of(case.rule, Tree.from_entries(tree.schema, others))
    topic = next(topic for topic, rules in RULES_BY_TOPIC.items() if RULES_BY_NAME[case.rule] in rules)
    assert not (found and topic in ARCHIVE_TOPICS)


def _no_archive(attributes: Iterable[Attribute]) -> Iterator[Attribute]:
    for each in attributes:
        yield Attribute(each.name, tuple(value for value in each.values if value != b"dcmArchiveDevice"))


def test_the_only_storage_below_its_threshold_is_written_to_no_more() -> None:
    tree = valid_tree().with_changes([put(STORAGE, dcmStorageThreshold="10GB")])
    message = (
        "if the free space is below this threshold, DCM4CHEE refuses every C-STORE, because dcmObjectStorageID "
        "contains no other storage"
    )
    assert summaries(findings_of("storage-threshold", tree)) == [(STORAGE, "dcmStorageThreshold", message)]


@pytest.mark.parametrize("uri", ["dicom:LONGTERM", "xds-i:https://x", "wado:http://x", "stow:DCM4CHEE", "noop:"])
def test_the_schemes_of_the_archives_exporters_are_known(uri: str) -> None:
    assert (
        summaries(findings_of("exporter-scheme-unknown", valid_tree().with_changes([put(EXPORTER, dcmURI=uri)]))) == []
    )


def test_a_rule_is_fit_to_be_read() -> None:
    for rule in RULES:
        assert rule.name == rule.name.lower()
        assert " " not in rule.name
        for text in (rule.requirement, rule.reason, rule.fix):
            assert text.endswith((".", ";"))
            assert text[0] in "*[" or not text[0].islower() or text.startswith(("dcm", "hl7")), text
        assert rule.example_command.startswith("dcmcfg ")
    assert len(RULES_BY_NAME) == len(RULES)


def test_only_what_is_in_the_tree_is_judged() -> None:
    """A file without an archive, without registries, without anything the rules look at."""
    lonely = [each.entry for each in BREAKS[0].changes if isinstance(each, Add)]
    assert lint(Tree.from_entries(valid_tree().schema, lonely), NOW) == ()
