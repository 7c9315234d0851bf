"""YAML is read as text with its lines, and no file makes the reader slow, large or active."""

from __future__ import annotations

import time

import pytest

from dcmcfg.environment.yaml_documents import YamlMapping, YamlScalar, YamlSequence, read_documents
from dcmcfg.errors import DcmcfgError
from tests.patience import PATIENCE_S


def mapping(text: str) -> YamlMapping:
    (found,) = read_documents("a.yml", text)
    assert isinstance(found, YamlMapping)
    return found


def test_values_stay_text_and_know_their_lines() -> None:
    found = mapping("title: NO\nport: 0104\nnothing:\nempty: ''\nnull: ~\nlist:\n  - 1\n  - on\n")
    assert [found.get_text(key) for key in found.values] == ["NO", "0104", None, "", None, None]
    assert found.key_lines == {"title": 1, "port": 2, "nothing": 3, "empty": 4, "null": 5, "list": 6}
    assert [each.text for each in found.get_items("list") if isinstance(each, YamlScalar)] == ["1", "on"]


def test_several_documents_are_read_without_the_empty_ones() -> None:
    found = read_documents("a.yml", "---\na: 1\n---\n---\n# nothing\n---\n- b\n")
    assert [type(each) for each in found] == [YamlMapping, YamlSequence]


def test_anchors_and_merge_keys_are_resolved_and_own_keys_win() -> None:
    found = mapping("base: &b {A: 1, B: 2}\nmore: &m {B: 3, C: 4}\nown:\n  <<: [*b, *m]\n  A: 9\nsame: *b\n")
    own, same = found.get_mapping("own"), found.get_mapping("same")
    assert own is not None
    assert same is not None
    assert {key: own.get_text(key) for key in own.values} == {"A": "9", "B": "2", "C": "4"}
    assert own.key_lines == {"A": 5, "B": 1, "C": 2}
    assert same.get_text("A") == "1"


def test_a_tag_creates_no_object() -> None:
    found = mapping("a: !!python/object/apply:os.system ['echo hacked']\nb: !secret x\n")
    assert isinstance(found.values["a"], YamlSequence)
    assert found.get_text("b") == "x"


BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{{', '.join(f'k{n}_{i}: 1' for i in range(50))}, <<: [{', '.join(f'*a{m}' for m in range(n))}]}}\n"
    for n in range(1, 200)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 300_000, "not YAML"),
        ("a:\n" + "".join(f"{' ' * n}- \n" for n in range(1, 150)) + " " * 151 + "x", "levels of lists and mappings"),
        (BOMB, "more than 200000 values"),
        ("a: &a\n  b: *a\n", "an alias refers to an unknown anchor"),
        ("a: *b\n", "an alias refers to an unknown anchor"),
        ("a: [1\n", "not YAML"),
        ("a: 'secret\n", "not YAML"),
        ("a: \x01\n", "control character"),
        ("a: {{ .Values.x }}\n  b: c", "not YAML"),
    ],
    ids=["flow", "block", "merges", "itself", "unknown", "open", "quote", "control", "template"],
)
def test_a_hostile_or_broken_file_is_an_error_soon(text: str, problem: str) -> None:
    started = time.monotonic()
    with pytest.raises(DcmcfgError, match=problem) as raised:
        read_documents("a.yml", text)
    assert raised.value.subject.startswith("a.yml:")
    assert "secret" not in str(raised.value)
    assert time.monotonic() - started < PATIENCE_S


def test_laughs_that_are_only_referred_to_cost_nothing() -> None:
    """Each level has ten times the one below: 10^12 values, if anything walked through them."""
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 13))
    assert len(mapping(text).values) == 13


def test_a_template_is_named_as_the_likely_reason() -> None:
    with pytest.raises(DcmcfgError) as raised:
        read_documents("a.yml", "a: {{ .Values.x }}\n  b: c")
    assert "helm template" in raised.value.next_step


def test_tabs_are_named() -> None:
    with pytest.raises(DcmcfgError) as refused:
        read_documents("a.yml", "services:\n\tarc: 1\n")
    assert refused.value.next_step == "indent lines with spaces, because YAML does not permit tabs for indentation"
