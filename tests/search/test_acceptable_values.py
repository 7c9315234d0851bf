"""A completion offers only values that the command would accept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dcmcfg.edits.attribute_values import AttributeValues, set_values
from dcmcfg.lint.plan_risks import assess_plan_risks
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import classify_entry, resolve_entry
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.search.acceptable_values import complete_external_retrieve_titles, filter_acceptable_values
from dcmcfg.search.completions import complete_attributes, complete_references, complete_values
from tests.lint.breaking import ARCHIVE, RULE, put, valid_tree
from tests.sampling import sample

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONFIGURATION = Configuration(valid_tree())
#: One entry for each combination of object classes.
ENTRIES = {entry.values("objectClass"): entry for entry in valid_tree().sorted_entries()}
CASES = [
    (entry, name) for entry in ENTRIES.values() for name, _ in complete_attributes(load_bundled_schema(), "", entry)
]


def offered(text: str, name: str, configuration: Configuration = CONFIGURATION) -> list[str]:
    entry = resolve_entry(configuration, text)
    found = dict.fromkeys(
        (*complete_values(load_bundled_schema(), name, ""), *complete_references(configuration, name, "", entry))
    )
    return list(filter_acceptable_values(configuration, entry, name, values=found, now=NOW))


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("dcm4chee-arc", "dcmExternalRetrieveAEDestination", ["DCM4CHEE"]),
        ("dcm4chee-arc/DCM4CHEE", "dcmExternalRetrieveAEDestination", ["DCM4CHEE"]),
        ("dcm4chee-arc/DCM4CHEE", "dcmObjectStorageID", ["fs1"]),
        (RULE, "dcmEntity", ["Study", "Series", "Instance"]),
        (f"cn=dicom,{ARCHIVE}", "dcmProtocol", ["DICOM"]),
        ("dcm4chee-arc", "dicomDeviceName", []),
        ("dcm4chee-arc", "dicomInstalled", ["TRUE", "FALSE"]),
        ("dcm4chee-arc", "dcmNoSuchAttribute", []),
    ],
)
def test_what_would_be_refused_is_not_offered(text: str, name: str, expected: list[str]) -> None:
    assert offered(text, name) == expected


def test_aes_for_external_retrieves_are_those_that_can_store() -> None:
    titles = complete_external_retrieve_titles(CONFIGURATION.get_device("dcm4chee-arc"), "")
    assert [title for title, _ in titles] == ["DCM4CHEE"]
    assert list(complete_external_retrieve_titles(CONFIGURATION.get_device("dcm4chee-arc"), "A")) == []
    off = Configuration(valid_tree().with_changes([put(f"dicomAETitle=DCM4CHEE,{ARCHIVE}", dicomInstalled="FALSE")]))
    assert list(complete_external_retrieve_titles(off.get_device("dcm4chee-arc"), "")) == []


def test_every_value_that_is_offered_is_accepted() -> None:
    count = 0
    for entry, name in sample(CASES, 0.08):
        values = dict.fromkeys(
            (*complete_values(load_bundled_schema(), name, ""), *complete_references(CONFIGURATION, name, "", entry))
        )
        for value in filter_acceptable_values(CONFIGURATION, entry, name, values=values, now=NOW):
            edit = set_values(
                load_bundled_schema(), classify_entry(CONFIGURATION, entry), [AttributeValues(name, (value.encode(),))]
            )
            plan = make_plan(valid_tree(), [DesiredChange(change) for change in edit.changes])
            assert assess_plan_risks(plan, NOW, device="dcm4chee-arc").risks == (), (entry.dn, name, value)
            count += 1
    assert count > 50
