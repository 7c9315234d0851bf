"""The work of an upgrade grows with the number of devices, not with its square."""

from __future__ import annotations

from collections.abc import Callable

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.device_roles import match_devices
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.signs import SignIndex
from dcmcfg.upgrade.trees import UpgradeTree
from tests.growth import growth
from tests.trees import BASE, DEVICES, network_ae, site_entries

SCHEMA = load_bundled_schema()


def make_site(count: int) -> UpgradeTree:
    names = [f"dicomDeviceName=ct{number},{DEVICES}" for number in range(count)]
    devices = [Entry.from_values(each, {"objectClass": "dicomDevice", "dicomDeviceName": each[16:]}) for each in names]
    aes = [network_ae(each, f"CT{number}") for number, each in enumerate(names)]
    root = Entry.from_values(f"cn=DICOM Configuration,{BASE}", {"objectClass": "dicomConfigurationRoot"})
    return UpgradeTree.from_entries(SCHEMA, (*site_entries(), root, *devices, *aes))


def test_finding_a_device_among_many_is_linear() -> None:
    entries = (*make_site(0).entries.values(), *make_site(1).entries.values())
    default = ConfigurationView(UpgradeTree.from_entries(SCHEMA, entries))

    def run(count: int) -> Callable[[], object]:
        site = make_site(count)
        del site.entries[site.key(DN.parse(f"dicomDeviceName=ct0,{DEVICES}"))]
        view = ConfigurationView(site)
        return lambda: match_devices(default, view, {}, {})

    assert growth(run, 50) < 5


def test_the_signs_of_devices_without_any_cost_nothing() -> None:
    base = DN.parse(BASE)
    index = SignIndex([], NameMapping(SCHEMA, base, base), UpgradeTree(SCHEMA))

    def run(count: int) -> Callable[[], object]:
        site = make_site(count)
        return lambda: [index.match(site, [key]) for key in site.entries]

    assert growth(run, 50) < 5
