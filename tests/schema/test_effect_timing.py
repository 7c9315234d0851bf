"""When a change of an attribute takes effect: the table, held to the schema."""

from __future__ import annotations

import pytest

from dcmcfg.schema.archive_values import is_loaded_by_archive
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.effect_timing import (
    BEHAVIOURS,
    EFFECT_TIMINGS,
    DeviceKind,
    RequiredAction,
    describe_behaviour,
    find_all_effect_timings,
    find_special_effect_timings,
)


def known(pattern: str) -> bool:
    prefix, star, suffix = pattern.partition("*")
    if not star:
        return load_bundled_schema().attribute(pattern) is not None
    return any(each.name.startswith(prefix) and each.name.endswith(suffix) for each in load_bundled_schema().attributes)


def test_every_attribute_is_in_the_schema_and_allowed_on_its_classes() -> None:
    for each in EFFECT_TIMINGS:
        assert known(each.attribute), each.attribute
        for name in each.object_class.split(", "):
            object_class = load_bundled_schema().object_class(name)
            assert object_class is not None, name
            if "*" not in each.attribute:
                assert each.attribute in (*object_class.must, *object_class.may), (each.attribute, name)
    assert all(known(each.attribute) for each in BEHAVIOURS)


def test_no_row_is_there_twice() -> None:
    rows = [(each.attribute, each.device_kind) for each in EFFECT_TIMINGS]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("dcmMasqueradeCalledAETitle", [(DeviceKind.ARCHIVE, RequiredAction.RESTART)]),
        ("DCMMASQUERADECALLEDAETITLE", [(DeviceKind.ARCHIVE, RequiredAction.RESTART)]),
        ("dcmMasqueradeCallingAETitle", []),
        ("dcmTaskPollingInterval", [(DeviceKind.ARCHIVE, RequiredAction.RELOAD_AND_START_DELAY)]),
        ("hl7PSUTaskPollingInterval", [(DeviceKind.ARCHIVE, RequiredAction.RELOAD_AND_START_DELAY)]),
        ("dcmKeyStorePin", [(DeviceKind.ARCHIVE, RequiredAction.NEXT_START)]),
        ("dcmTrustStorePin", []),
        (
            "dicomHostname",
            [(DeviceKind.ARCHIVE, RequiredAction.RELOAD_UP_TO_TWICE), (DeviceKind.OTHER, RequiredAction.CACHE_EXPIRY)],
        ),
        ("dicomPort", [(DeviceKind.OTHER, RequiredAction.CACHE_EXPIRY)]),
        ("dcmExternalRetrieveAEDestination", []),
    ],
)
def test_what_puts_a_change_in_force(attribute: str, expected: list[tuple[DeviceKind, RequiredAction]]) -> None:
    assert [(each.device_kind, each.required_action) for each in find_special_effect_timings(attribute)] == expected


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("dcmObjectStorageID", [("AEs of the archive's device", RequiredAction.RELOAD)]),
        ("DICOMDESCRIPTION", [("the archive's device", RequiredAction.RELOAD)]),
        (
            "dicomPort",
            [("the archive's device", RequiredAction.RELOAD), ("another device", RequiredAction.CACHE_EXPIRY)],
        ),
        ("dcmMasqueradeCalledAETitle", [("AEs of the archive's device", RequiredAction.RESTART)]),
        ("dcmuiDeviceClusterDevices", []),  # for the web interface
        ("dcmJndiName", []),  # in the schema only
        ("noSuchAttribute", []),
    ],
)
def test_what_a_reload_puts_in_force_is_explained_too(
    attribute: str, expected: list[tuple[str, RequiredAction]]
) -> None:
    assert [(each.affected_entries, each.required_action) for each in find_all_effect_timings(attribute)] == expected


def test_every_attribute_that_is_not_loaded_is_in_the_schema() -> None:
    names = {name for each in load_bundled_schema().object_classes for name in (*each.must, *each.may)}
    assert sum(not is_loaded_by_archive(name) for name in names) == 32


def test_what_no_request_shows_is_explained_for_each_such_attribute() -> None:
    for name in ("dcmExternalRetrieveAEDestination", "dcmFallbackCMoveSCPDestination", "dcmAcceptedMoveDestination"):
        (text,) = describe_behaviour(name)
        assert text.startswith("dcmcfg cannot query the value that the archive has loaded.")
