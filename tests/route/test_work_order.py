"""What another archive has to be told, for each thing that the archive may ask it for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dcmcfg.changes import Change
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.route.work_order import WorkOrder, create_work_order
from tests.route.sites import DCM4CHEE, another_archive, lab, put

BACK = put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
OTHER = another_archive("OTHER")


def order(
    *changes: Change, external: str = "LONGTERM", calling: Sequence[str] = ("VIEWER",), dest: Sequence[str] = ()
) -> WorkOrder:
    configuration = Configuration(lab().with_changes(list(changes)))
    archive_ae = configuration.get_device("dcm4chee-arc").get_network_ae("DCM4CHEE")
    return create_work_order(configuration, archive_ae, external, requesters=calling, destinations=dest)


def in_words(found: WorkOrder) -> dict[str, str]:
    """What each AE may, where it is sent to."""
    return {
        peer.ae_title: ", ".join(peer.allowed_services) + (f" > {peer.address}" if peer.receives_studies else "")
        for peer in found.peers
    }


def test_an_external_archive_lets_the_exporter_store_and_whoever_asks_retrieve() -> None:
    found = order(BACK)
    assert in_words(found) == {"DCM4CHEE": "C-MOVE, C-STORE, storage commitment > 127.0.0.1:3", "VIEWER": "C-MOVE"}
    assert (found.external_ae_title, str(found.address)) == ("LONGTERM", "127.0.0.1:4")
    assert found.notes == (
        (
            "the archive (host 127.0.0.1) also sends requests with the calling AE titles "
            "of other systems (VIEWER). For these AE titles, do not check the host of the caller"
        ),
        "each C-STORE must contain the Move Originator AE Title (0000,1030): the calling AE title of the C-MOVE",
        (
            "the external archive must send objects under its own AE title LONGTERM: the archive ignores objects from "
            "another AE title"
        ),
    )


def test_without_a_destination_of_its_own_it_must_know_each_destination() -> None:
    direct = {"DCM4CHEE": "C-MOVE, C-STORE, storage commitment > 127.0.0.1:3", "VIEWER": "C-MOVE"}
    assert in_words(order(dest=["STORESCP"])) == direct | {"STORESCP": " > 127.0.0.1:5"}
    assert in_words(order()) == direct | {"STORESCP": " > 127.0.0.1:5", "WORKSTATION": " > 127.0.0.1:6"}
    assert in_words(order(put("dcmAcceptedMoveDestination", "WORKSTATION", on=DCM4CHEE))) == direct | {
        "WORKSTATION": " > 127.0.0.1:6"
    }


def test_a_destination_without_an_address_is_told() -> None:
    assert "the tree has no address for the Move Destination NEWCOMER" in order(dest=["NEWCOMER"]).notes


def test_a_given_title_that_no_ae_has_is_warned_of() -> None:
    assert order(dest=["NEWCOMER"]).warnings == ("no AE has the title NEWCOMER",)
    assert order().warnings == ()


def test_who_asks_is_whom_the_archive_accepts_or_the_other_aes() -> None:
    assert [peer.ae_title for peer in order(BACK, calling=()).peers] == ["DCM4CHEE", "STORESCP", "WORKSTATION"]
    accepted = put("dcmAcceptedCallingAETitle", "VIEWER", "LONGTERM", on=DCM4CHEE)
    assert [peer.ae_title for peer in order(BACK, accepted, calling=()).peers] == ["DCM4CHEE", "VIEWER", "LONGTERM"]


def test_a_fallback_is_asked_under_its_title_and_sends_back() -> None:
    changes = (
        *OTHER,
        put("dcmFallbackCMoveSCP", "OTHER"),
        put("dcmFallbackCMoveSCPDestination", "DCM4CHEE"),
        put("dcmFallbackCMoveSCPCallingAET", "DCM4CHEE"),
        put("dcmFallbackCMoveSCPLeadingCFindSCP", "OTHER"),
    )
    found = order(*changes, external="OTHER")
    assert in_words(found) == {"DCM4CHEE": "C-FIND, C-MOVE > 127.0.0.1:3"}
    assert found.notes == (
        "each C-STORE must contain the Move Originator AE Title (0000,1030): the calling AE title of the C-MOVE",
    )


def test_the_alternative_is_asked_to_send_straight_to_the_destination() -> None:
    found = order(*OTHER, BACK, put("dcmAltCMoveSCP", "OTHER"), external="OTHER", dest=["STORESCP"])
    assert in_words(found) == {"VIEWER": "C-MOVE", "STORESCP": " > 127.0.0.1:5"}


def test_masqueraded_titles_are_those_to_enter() -> None:
    found = order(BACK, put("dcmMasqueradeCallingAETitle", "[LONGTERM]PACS", on=DCM4CHEE))
    assert in_words(found) == {
        "PACS": "C-MOVE, C-STORE, storage commitment",
        "DCM4CHEE": " > 127.0.0.1:3",
        "VIEWER": "C-MOVE",
    }


def test_an_archive_that_is_asked_for_nothing_is_refused_with_those_that_are() -> None:
    with pytest.raises(NotFound, match="DCM4CHEE sends no requests to OTHER") as refused:
        order(*OTHER, external="OTHER")
    assert refused.value.next_step.endswith(": LONGTERM")
