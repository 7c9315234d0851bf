"""What a plan puts on the lists that say who is let in."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.model.tree import Tree
from dcmcfg.plan.access_lists import find_unknown_accepted_titles, warn_about_new_restrictions
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.risk_checks import find_risks
from tests.trees import ARCHIVE, STORESCP, network_ae, site, storage_scp, tree

AE = f"dicomAETitle=DCM4CHEE,{ARCHIVE}"
DESTINATIONS, CALLERS = "dcmAcceptedMoveDestination", "dcmAcceptedCallingAETitle"


def plan(*changes: Change, before: Tree | None = None) -> Plan:
    return make_plan(before or site(), [DesiredChange(change) for change in changes])


def holding(name: str, *values: str, dn: str = AE) -> Modify:
    return Modify(DN.parse(dn), (Modification(Operation.REPLACE, name, tuple(v.encode() for v in values)),))


def having(name: str, *values: str) -> Tree:
    return plan(holding(name, *values)).after


def test_a_destination_without_an_ae_is_let_in_by_its_name_only() -> None:
    (risk,) = find_risks(plan(holding(DESTINATIONS, "STORSCP", "STORESCP")), device="dcm4chee-arc")
    assert (risk.name, risk.entries) == ("dangling-reference", (f"{AE} ({DESTINATIONS}: STORSCP)",))


@pytest.mark.parametrize(
    "changes",
    [
        (holding(DESTINATIONS, "NEW"), Add(network_ae(STORESCP, "NEW"))),
        (holding(DESTINATIONS, "${env.AE}"),),
        (holding(DESTINATIONS, "OLD"), holding(DESTINATIONS)),
        (holding(DESTINATIONS, "OLD"), Delete(DN.parse(f"cn=CT Image Storage SCP,{AE}")), Delete(DN.parse(AE))),
        (holding(CALLERS, "MODALITY"),),
        (Modify(DN.parse(AE), (Modification(Operation.ADD, "dicomDescription", (b"x",)),)),),
    ],
)
def test_titles_the_plan_adds_or_removes_again_and_callers_are_not_reported(changes: tuple[Change, ...]) -> None:
    assert list(find_unknown_accepted_titles(plan(*changes))) == []


def test_values_listed_before_the_plan_are_ignored_even_if_renamed() -> None:
    before = having(DESTINATIONS, "GONE")
    assert list(find_unknown_accepted_titles(plan(holding(DESTINATIONS, "GONE", "STORESCP"), before=before))) == []
    renamed = Rename(DN.parse(ARCHIVE), RDN.of("dicomDeviceName", "other"))
    described = holding("dicomDescription", "x", dn=AE.replace("dcm4chee-arc", "other"))
    assert list(find_unknown_accepted_titles(plan(renamed, described, before=before))) == []


@pytest.mark.parametrize(
    ("name", "who", "others"),
    [(DESTINATIONS, "destination", "refused (C801)"), (CALLERS, "caller", "rejected (1/1/3)")],
)
def test_a_list_that_becomes_restrictive_is_reported(name: str, who: str, others: str) -> None:
    titles = ("STORESCP", "DCM4CHEE", "AS_RECEIVED", "WORKLIST")
    assert list(warn_about_new_restrictions(plan(holding(name, *titles))))[:1] == [
        f"{AE}: {name} was empty, so the archive accepted every {who}. After this change, the archive accepts "
        f"only STORESCP, DCM4CHEE, AS_RECEIVED and 1 more. Every other {who} is {others}"
    ]


def test_one_that_has_been_closed_is_not_nor_one_that_opens_or_comes_with_a_new_ae() -> None:
    before = having(DESTINATIONS, "DCM4CHEE")
    for each in (("DCM4CHEE", "STORESCP"), ()):
        assert list(warn_about_new_restrictions(plan(holding(DESTINATIONS, *each), before=before))) == []
    new = network_ae(ARCHIVE, "NEW", **{DESTINATIONS: "STORESCP"})
    assert list(warn_about_new_restrictions(plan(Add(new)))) == []


def test_a_caller_with_a_title_similar_to_an_ae_is_reported() -> None:
    before = having(CALLERS, "STORESCP")
    assert list(
        warn_about_new_restrictions(plan(holding(CALLERS, "STORESCP", "AS_RECEVED", "CT1"), before=before))
    ) == [
        f"{AE}: {CALLERS} contains the title 'AS_RECEVED', but no AE has this title. This is allowed, but did you mean "
        "AS_RECEIVED?"
    ]


def test_the_first_scp_capability_of_a_peer_shuts_out_the_others_of_the_archive_does_not() -> None:
    before = tree(*(entry for entry in site().sorted_entries() if not entry.is_a("dicomTransferCapability")))
    first = Add(storage_scp(STORESCP, "STORESCP"))
    assert list(warn_about_new_restrictions(plan(first, Add(storage_scp(ARCHIVE, "DCM4CHEE")), before=before))) == [
        f"dicomAETitle=STORESCP,{STORESCP}: this AE had no SCP capability, so the archive sent all SOP classes to "
        "this AE. After this change, the archive sends only CT Image Storage"
    ]
    new = network_ae(STORESCP, "NEW")
    assert list(warn_about_new_restrictions(plan(Add(new), Add(storage_scp(STORESCP, "NEW")), before=before))) == []
