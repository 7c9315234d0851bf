"""Conditions that the archive reads, and those that it does not."""

from __future__ import annotations

import pytest

from dcmcfg.lint.linter import lint
from dcmcfg.lint.rules.conditions import RULES
from dcmcfg.schema.archive_values import get_value_kinds
from dcmcfg.schema.value_kinds.conditions import CONDITION, HL7_CONDITION
from dcmcfg.schema.web_form import get_form_fields
from tests.lint.breaking import NOW, RULE, STORAGE, more, valid_tree


def messages(value: str, dn: str = RULE) -> list[str]:
    return [found.message for found in lint(valid_tree().with_changes([more(dn, "dcmProperty", value)]), NOW, RULES)]


@pytest.mark.parametrize(
    "value",
    [
        "StudyDescription=",
        "StudyDescription!=.*CT.*",
        "SendingApplicationEntityTitle!=(CT|MR)[0-9]+?",
        "PatientName=^(?i)smith\\^.*$",
        "PatientName=a\\*\\(b\\[",
        "PatientName=\\Q(*[\\E",
        "PatientName=[(*]",
        "PatientName=\\p{Lu}++(?<name>x)",
        "PatientName=(?ix)smith # not (jones",
        "00400275[1].00400007=x",
        'ConceptCode=(113001, DCM, "smile :-)")|(113039, DCM, "x")',
        "PatientName=\\Q{\\E\\{[{]",
        "PatientName=a{2}\\p{Lu}{1,}[a-z&&[^{]]{2,3}(?<=x{1})\\x{41}{2}",
        "PatientName=\\Q1\\Q\\E*",
    ],
)
def test_what_the_archive_reads_is_none_of_it(value: str) -> None:
    assert messages(value) == []


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("StudyDescription", "not a condition: expected KEY=PATTERN or KEY!=PATTERN"),
        (
            "StudyDescription=*",
            "not a regular expression: there is nothing to repeat before *, + or ? (for any text, use .*)",
        ),
        (
            "StudyDescription=(?i)(*)",
            "not a regular expression: there is nothing to repeat before *, + or ? (for any text, use .*)",
        ),
        ("StudyDescription=CT\\", "not a regular expression: the pattern ends with a single backslash"),
        ("StudyDescription=[A-Z", "not a regular expression: a [ is not closed"),
        ("StudyDescription=(CT", "not a regular expression: a ( is not closed"),
        ("StudyDescription=CT)(", "not a regular expression: a ) has no matching ("),
    ],
)
def test_what_it_does_not_read_is_told(value: str, problem: str) -> None:
    assert messages(value) == [f"{problem}; the archive cannot load the device"]


@pytest.mark.parametrize(
    "pattern",
    [
        "{",
        "CT{",
        "CT{x}",
        "{,3}",
        "(CT|{)",
        "\\Q(*[\\E{",
        "\\p{Lu}{",
        "[a-z&&[^b]]{",
        "(?<=a){",
        "\\x{41}{a}",
        "{(?x) a # b",
    ],
)
def test_a_stray_brace_is_found_whatever_stands_before_it(pattern: str) -> None:
    """OpenJDK 17 and 25 refuse each: illegal repetition."""
    reason = "not a regular expression: { and } must contain a number of repetitions, as in {1,3}"
    assert messages(f"StudyDescription={pattern}") == [f"{reason}; the archive cannot load the device"]


def test_a_property_that_is_no_condition_may_be_anything() -> None:
    assert messages("anything (*", STORAGE) == []


def test_the_classes_are_those_whose_properties_the_web_form_calls_conditions() -> None:
    fields = get_form_fields("dcmProperty")
    read = [name for name, kind in get_value_kinds("dcmProperty").items() if kind in (CONDITION, HL7_CONDITION)]
    assert sorted(name for name, field in fields.items() if field.label.startswith("Condition")) == sorted(read)
