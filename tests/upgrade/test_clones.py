"""Clones of the archive's AEs: found by their capabilities, and given the changes of their original."""

from __future__ import annotations

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.clones import CloneOffer, add_clones, choose_clones, find_clones, leave_out_chosen
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.roles import Roles
from dcmcfg.upgrade.trees import UpgradeTree
from tests.trees import ARCHIVE, BASE, network_ae, site_entries, storage_scp

SCHEMA = load_bundled_schema()
ROLES = Roles(base_dn=DN.parse(BASE), device="dcm4chee-arc", devices={}, titles={"DCM4CHEE": "DCM4CHEE"}, web_apps={})


def make_tree(*entries: Entry) -> UpgradeTree:
    return UpgradeTree.from_entries(SCHEMA, (*site_entries(), *entries))


def capabilities(title: str, count: int) -> list[Entry]:
    first = storage_scp(ARCHIVE, title)
    return [
        first.with_dn(first.dn.parent.child("cn", str(number)))
        .with_values("cn", [str(number).encode()])
        .with_values("dicomSOPClass", [f"1.2.{number}".encode()])
        for number in range(count)
    ]


def test_an_ae_with_nine_of_ten_capabilities_is_a_clone() -> None:
    base = make_tree(*capabilities("DCM4CHEE", 19))
    for count, offers in ((18, (CloneOffer("DCM4CHEE", ("TELERAD",)),)), (16, ())):
        own = [network_ae(ARCHIVE, "TELERAD"), storage_scp(ARCHIVE, "TELERAD"), *capabilities("TELERAD", count)]
        assert find_clones(base, ConfigurationView(make_tree(*own)), ROLES) == offers


def test_an_ae_that_also_holds_a_smaller_ae_is_a_clone_of_the_larger_one() -> None:
    small = [network_ae(ARCHIVE, "SMALL"), *capabilities("SMALL", 2)]
    base = make_tree(*capabilities("DCM4CHEE", 30), *small)
    own = [network_ae(ARCHIVE, "TELERAD"), *capabilities("TELERAD", 30)]
    view = ConfigurationView(make_tree(*own))
    roles = Roles(
        base_dn=ROLES.base_dn,
        device=ROLES.device,
        devices={},
        titles={"DCM4CHEE": "DCM4CHEE", "SMALL": "SMALL"},
        web_apps={},
    )
    assert find_clones(base, view, roles) == (CloneOffer("DCM4CHEE", ("TELERAD",)),)


def test_only_chosen_clones_are_added() -> None:
    tree = make_tree(*capabilities("DCM4CHEE", 2))
    offers = [CloneOffer("DCM4CHEE", ("TELERAD", "RESEARCH"))]
    result = add_clones(tree, choose_clones(offers, ["TELERAD"]), SCHEMA.normalise_dn(DN.parse(ARCHIVE)))

    new = [each for key, each in result.entries.items() if key not in tree.entries]
    assert sorted(str(each.dn).removesuffix(f",{ARCHIVE}") for each in new) == [
        "cn=0,dicomAETitle=TELERAD",
        "cn=1,dicomAETitle=TELERAD",
        "cn=CT Image Storage SCP,dicomAETitle=TELERAD",
        "dicomAETitle=TELERAD",
    ]
    ae = result.get(DN.parse(f"dicomAETitle=TELERAD,{ARCHIVE}"))
    assert ae is not None
    assert ae.texts("dicomAETitle") == ("TELERAD",)


def test_an_ae_with_many_capabilities_of_its_own_is_no_clone() -> None:
    base = make_tree(*capabilities("DCM4CHEE", 2))
    own = [network_ae(ARCHIVE, "TELERAD"), *capabilities("TELERAD", 30)]
    assert find_clones(base, ConfigurationView(make_tree(*own)), ROLES) == ()


def test_what_is_chosen_is_no_longer_offered() -> None:
    offers = [CloneOffer("DCM4CHEE", ("TELERAD", "RESEARCH")), CloneOffer("WORKLIST", ("MWL",))]
    assert leave_out_chosen(offers, ["RESEARCH", "MWL"]) == (CloneOffer("DCM4CHEE", ("TELERAD",)),)


def test_an_ae_that_is_no_clone_cannot_be_chosen() -> None:
    with pytest.raises(NotFound, match="--also CT1") as refusal:
        choose_clones([CloneOffer("DCM4CHEE", ("TELERAD", "RESEARCH"))], ["TELERAD", "CT1"])
    assert refusal.value.next_step == "additional AEs with the same capabilities: RESEARCH, TELERAD"
    with pytest.raises(NotFound) as refusal:
        choose_clones([], ["CT1"])
    assert refusal.value.next_step.startswith("plan without --also")
