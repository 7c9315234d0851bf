"""Devices and AEs picked by a pattern."""

from __future__ import annotations

import pytest

from dcmcfg.model.devices import Configuration
from dcmcfg.search.name_filter import filter_aes, filter_devices
from tests.trees import STORESCP, connection, site_entries, tree


def configuration() -> Configuration:
    return Configuration(tree(*site_entries(), connection(STORESCP, name="second", dicomHostname="PACS[1].hospital")))


@pytest.mark.parametrize(
    ("pattern", "titles"),
    [
        ("", ["AS_RECEIVED", "DCM4CHEE", "STORESCP"]),
        ("*", ["AS_RECEIVED", "DCM4CHEE", "STORESCP"]),
        ("receive", ["AS_RECEIVED"]),
        ("store*", ["STORESCP"]),
        ("?TORESCP", ["STORESCP"]),
        ("arc", ["AS_RECEIVED", "DCM4CHEE"]),
        ("LOCALHOST", ["AS_RECEIVED", "DCM4CHEE", "STORESCP"]),
        ("hospital", []),
        ("[ad]*", ["AS_RECEIVED", "DCM4CHEE"]),
    ],
)
def test_an_ae_is_picked_by_title_device_or_a_host_that_it_is_at(pattern: str, titles: list[str]) -> None:
    assert [ae.title for ae in filter_aes(configuration().network_aes(), pattern)] == titles


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("HOSPITAL", ["storescp"]), ("dcm4chee", ["dcm4chee-arc"]), ("as_r*", ["dcm4chee-arc"]), ("nowhere", [])],
)
def test_a_device_is_picked_by_name_a_host_or_an_ae(pattern: str, names: list[str]) -> None:
    assert [device.name for device in filter_devices(configuration().devices, pattern)] == names
