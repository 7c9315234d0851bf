"""When a change of an attribute takes effect: the table, held to the schema."""

from __future__ import annotations

import pytest

from dcmcfg.schema.archive_values import is_loaded
from dcmcfg.schema.definitions import bundled
from dcmcfg.schema.effect_timing import BEHAVIOUR, TAKES_EFFECT, Needs, Place, behaviour, explained_effect, takes_effect


def known(pattern: str) -> bool:
    prefix, star, suffix = pattern.partition("*")
    if not star:
        return bundled().attribute(pattern) is not None
    return any(each.name.startswith(prefix) and each.name.endswith(suffix) for each in bundled().attributes)


def test_every_attribute_is_in_the_schema_and_allowed_on_its_classes() -> None:
    for each in TAKES_EFFECT:
        assert known(each.attribute), each.attribute
        for name in each.object_class.split(", "):
            object_class = bundled().object_class(name)
            assert object_class is not None, name
            if "*" not in each.attribute:
                assert each.attribute in (*object_class.must, *object_class.may), (each.attribute, name)
    assert all(known(each.attribute) for each in BEHAVIOUR)


def test_no_row_is_there_twice() -> None:
    rows = [(each.attribute, each.place) for each in TAKES_EFFECT]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("dcmMasqueradeCalledAETitle", [(Place.ARCHIVE, Needs.RESTART)]),
        ("DCMMASQUERADECALLEDAETITLE", [(Place.ARCHIVE, Needs.RESTART)]),
        ("dcmMasqueradeCallingAETitle", []),
        ("dcmTaskPollingInterval", [(Place.ARCHIVE, Needs.START_DELAY)]),
        ("hl7PSUTaskPollingInterval", [(Place.ARCHIVE, Needs.START_DELAY)]),
        ("dcmKeyStorePin", [(Place.ARCHIVE, Needs.NEXT_START)]),
        ("dcmTrustStorePin", []),
        ("dicomHostname", [(Place.ARCHIVE, Needs.REBIND), (Place.OTHER, Needs.CACHE)]),
        ("dicomPort", [(Place.OTHER, Needs.CACHE)]),
        ("dcmExternalRetrieveAEDestination", []),
    ],
)
def test_what_puts_a_change_in_force(attribute: str, expected: list[tuple[Place, Needs]]) -> None:
    assert [(each.place, each.needs) for each in takes_effect(attribute)] == expected


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("dcmObjectStorageID", [("AEs of the archive's device", Needs.RELOAD)]),
        ("DICOMDESCRIPTION", [("the archive's device", Needs.RELOAD)]),
        ("dicomPort", [("the archive's device", Needs.RELOAD), ("another device", Needs.CACHE)]),
        ("dcmMasqueradeCalledAETitle", [("AEs of the archive's device", Needs.RESTART)]),
        ("dcmuiDeviceClusterDevices", []),  # for the web interface
        ("dcmJndiName", []),  # in the schema only
        ("noSuchAttribute", []),
    ],
)
def test_what_a_reload_puts_in_force_is_explained_too(attribute: str, expected: list[tuple[str, Needs]]) -> None:
    assert [(each.on, each.needs) for each in explained_effect(attribute)] == expected


def test_every_attribute_that_is_not_loaded_is_in_the_schema() -> None:
    names = {name for each in bundled().object_classes for name in (*each.must, *each.may)}
    assert sum(not is_loaded(name) for name in names) == 32


def test_what_no_request_shows_is_explained_for_each_such_attribute() -> None:
    for name in ("dcmExternalRetrieveAEDestination", "dcmFallbackCMoveSCPDestination", "dcmAcceptedMoveDestination"):
        (text,) = behaviour(name)
        assert text.startswith("No request to the archive shows which value it has loaded.")
