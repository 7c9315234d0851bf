"""The AE that is asked where none is named."""

from __future__ import annotations

import pytest

from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.devices import Configuration
from dcmcfg.route.request import get_default_ae
from tests.trees import ARCHIVE, connection, network_ae, site_entries, storage_scp, tree

DEVICE = site_entries()[3]


def usual(*entries: Entry) -> str:
    containers = site_entries()[:3]
    return get_default_ae(
        Configuration(tree(*containers, DEVICE, connection(ARCHIVE), *entries)).get_device("dcm4chee-arc")
    ).title


def test_it_is_the_one_that_takes_storage_whatever_its_title() -> None:
    others = (network_ae(ARCHIVE, "AS_RECEIVED"), network_ae(ARCHIVE, "WORKLIST"))
    assert usual(*others, network_ae(ARCHIVE, "HOSPPACS"), storage_scp(ARCHIVE, "HOSPPACS")) == "HOSPPACS"


def test_it_is_the_only_one_even_if_it_takes_no_storage() -> None:
    assert usual(network_ae(ARCHIVE, "AS_RECEIVED")) == "AS_RECEIVED"


@pytest.mark.parametrize("titles", [(), ("ONE", "TWO")])
def test_of_several_one_has_to_be_named(titles: tuple[str, ...]) -> None:
    entries = [entry for title in titles for entry in (network_ae(ARCHIVE, title), storage_scp(ARCHIVE, title))]
    with pytest.raises(MalformedInput) as refused:
        usual(*entries)
    assert refused.value.next_step == f"specify an AE with --ae: {', '.join(titles) or 'the device has no AE'}"
