"""A completion offers only values that the command would accept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dcmcfg.edits.attribute_values import Values, set_values
from dcmcfg.lint.plan_risks import plan_risks
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import seen_as, target
from dcmcfg.plan.plan import Wanted, make_plan
from dcmcfg.schema.definitions import bundled
from dcmcfg.search.acceptable_values import acceptable, external_retrieve_titles
from dcmcfg.search.completions import attributes, referable, values
from tests.lint.breaking import ARCHIVE, RULE, put, sound
from tests.sampling import sample

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONFIGURATION = Configuration(sound())
#: One entry for each combination of object classes.
ENTRIES = {entry.values("objectClass"): entry for entry in sound().ordered()}
CASES = [(entry, name) for entry in ENTRIES.values() for name, _ in attributes(bundled(), "", entry)]


def offered(text: str, name: str, configuration: Configuration = CONFIGURATION) -> list[str]:
    entry = target(configuration, text)
    found = dict.fromkeys((*values(bundled(), name, ""), *referable(configuration, name, "", entry)))
    return list(acceptable(configuration, entry, name, found, NOW))


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
    titles = external_retrieve_titles(CONFIGURATION.device("dcm4chee-arc"), "")
    assert [title for title, _ in titles] == ["DCM4CHEE"]
    assert list(external_retrieve_titles(CONFIGURATION.device("dcm4chee-arc"), "A")) == []
    off = Configuration(sound().after([put(f"dicomAETitle=DCM4CHEE,{ARCHIVE}", dicomInstalled="FALSE")]))
    assert list(external_retrieve_titles(off.device("dcm4chee-arc"), "")) == []


def test_every_value_that_is_offered_is_accepted() -> None:
    count = 0
    for entry, name in sample(CASES, 0.08):
        held = dict.fromkeys((*values(bundled(), name, ""), *referable(CONFIGURATION, name, "", entry)))
        for value in acceptable(CONFIGURATION, entry, name, held, NOW):
            edit = set_values(bundled(), seen_as(CONFIGURATION, entry), [Values(name, (value.encode(),))])
            plan = make_plan(sound(), [Wanted(change) for change in edit.changes])
            assert plan_risks(plan, NOW, device="dcm4chee-arc").risks == (), (entry.dn, name, value)
            count += 1
    assert count > 50
