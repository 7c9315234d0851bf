"""Each rule: the tree that breaks it, and the sound tree that breaks none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from dcmcfg.changes import Add
from dcmcfg.entry import Attribute
from dcmcfg.lint.catalogue import BY_NAME, OF_ARCHIVES, RULES, TOPICS
from dcmcfg.lint.lint import Found, lint
from dcmcfg.model.tree import Tree
from tests.lint.breaking import ARCHIVE, BREAKS, EXPORTER, NOW, STORAGE, Break, new, put, sound


def found_by(rule: str, tree: Tree) -> list[Found]:
    return list(lint(tree, NOW, [BY_NAME[rule]]))


def told(found: list[Found]) -> list[tuple[str, str, str]]:
    return [(str(each.finding.dn), each.finding.attribute, each.finding.message) for each in found]


def test_no_rule_finds_anything_in_the_sound_tree() -> None:
    assert lint(sound(), NOW) == ()


def test_every_rule_has_a_tree_that_breaks_it() -> None:
    assert sorted(each.rule for each in BREAKS) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize("case", BREAKS, ids=[each.rule for each in BREAKS])
def test_the_rule_tells_what_breaks_it(case: Break) -> None:
    tree = sound().after(case.changes)
    dn, attribute, message = told(found_by(case.rule, tree))[0]
    assert (dn, attribute) == (case.dn, case.attribute)
    assert case.message in message


def test_what_stands_in_references_to_connections_holds_no_equals_sign_and_other_names_may() -> None:
    connection = new(f"cn=a=b,{ARCHIVE}", objectClass="dicomNetworkConnection", cn="a=b", dicomHostname="host")
    queue = new(f"dcmQueueName=a=b,{ARCHIVE}", objectClass="dcmQueue", dcmQueueName="a=b")
    (found,) = told(found_by("name-with-special-characters", sound().after([connection, queue])))
    message = "in references it may stand otherwise, so that the archive does not load the device"
    assert found == (f"cn=a=b,{ARCHIVE}", "cn", message)


@pytest.mark.parametrize("case", BREAKS, ids=[each.rule for each in BREAKS])
def test_a_rule_says_it_can_mend_where_it_has_changes(case: Break) -> None:
    found = found_by(case.rule, sound().after(case.changes))
    assert {bool(each.changes) for each in found} == {BY_NAME[case.rule].mends}


@pytest.mark.parametrize("case", BREAKS, ids=[each.rule for each in BREAKS])
def test_a_topic_of_archives_has_nothing_to_say_without_one(case: Break) -> None:
    tree = sound().after(case.changes)
    others = (replace(entry, attributes=tuple(_no_archive(entry.attributes))) for entry in tree.ordered())
    found = found_by(case.rule, Tree.of(tree.schema, others))
    topic = next(topic for topic, rules in TOPICS.items() if BY_NAME[case.rule] in rules)
    assert not (found and topic in OF_ARCHIVES)


def _no_archive(attributes: Iterable[Attribute]) -> Iterator[Attribute]:
    for each in attributes:
        yield Attribute(each.name, tuple(value for value in each.values if value != b"dcmArchiveDevice"))


def test_the_only_storage_below_its_threshold_is_written_to_no_more() -> None:
    tree = sound().after([put(STORAGE, dcmStorageThreshold="10GB")])
    message = "below it, DCM4CHEE refuses each C-STORE: dcmObjectStorageID names no other storage"
    assert told(found_by("storage-threshold", tree)) == [(STORAGE, "dcmStorageThreshold", message)]


@pytest.mark.parametrize("uri", ["dicom:LONGTERM", "xds-i:https://x", "wado:http://x", "stow:DCM4CHEE", "noop:"])
def test_the_schemes_of_the_archives_exporters_are_known(uri: str) -> None:
    assert told(found_by("exporter-scheme-unknown", sound().after([put(EXPORTER, dcmURI=uri)]))) == []


def test_a_rule_is_fit_to_be_read() -> None:
    for rule in RULES:
        assert rule.name == rule.name.lower()
        assert " " not in rule.name
        for text in (rule.asks, rule.reason, rule.fix):
            assert text.endswith((".", ";"))
            assert text[0] in "*[" or not text[0].islower() or text.startswith(("dcm", "hl7")), text
        assert rule.command.startswith("dcmcfg ")
    assert len(BY_NAME) == len(RULES)


def test_only_what_is_in_the_tree_is_judged() -> None:
    """A file without an archive, without registries, without anything the rules look at."""
    lonely = [each.entry for each in BREAKS[0].changes if isinstance(each, Add)]
    assert lint(Tree.of(sound().schema, lonely), NOW) == ()
