"""The next step after a failure names the setting, and whose it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judge import judge
from tests.verify.evidence import (
    ALONE,
    DIRECT,
    GOOD,
    LOCAL_STUDY,
    UIDS,
    UNWITNESSED,
    VIA_ARCHIVE,
    arrived,
    listed,
    recorded,
    reporting,
    stored,
)

A801 = replace(UNWITNESSED, outcome=MoveOutcome(0xA801, "Move Destination: WORKSTATION unknown"))
REFUSED_RELAY = recorded("WORKSTATION", 0xA801, None)
FOREIGN = replace(
    VIA_ARCHIVE,
    destination="STORESCP",
    astray="STORESCP is an AE of storescp: the objects go there, and nobody forwards them",
    mending="dcmcfg set-external-retrieve DCM4CHEE",
)
DOWN = replace(UNWITNESSED, records=(), outcome=MoveOutcome(0xA702, "java.net.ConnectException: Connection refused"))

CASES: dict[str, tuple[Evidence, str]] = {
    "A801 relayed, attribute unset": (replace(A801, route=DIRECT), "dcmcfg set-external-retrieve DCM4CHEE"),
    "A801 relayed, attribute unset, recorded": (
        replace(A801, route=DIRECT, records=(REFUSED_RELAY,)),
        "dcmcfg set-external-retrieve DCM4CHEE",
    ),
    "A801 with the attribute set": (A801, "administrator must enter DCM4CHEE"),
    "A801 with the attribute set, recorded": (
        replace(A801, records=(recorded("DCM4CHEE", 0xA801, None),)),
        "administrator must enter DCM4CHEE",
    ),
    "A801 by an external archive that is told to send elsewhere": (
        replace(A801, route=FOREIGN),
        "and nobody forwards them; dcmcfg set-external-retrieve DCM4CHEE",
    ),
    "nothing came, the external archive is told to send elsewhere": (
        replace(reporting(UNWITNESSED), route=FOREIGN),
        "and nobody forwards them; dcmcfg set-external-retrieve DCM4CHEE",
    ),
    "A702, the external archive is down": (
        replace(DOWN, route=replace(VIA_ARCHIVE, places=frozenset({("LONGTERM", "127.0.0.1:31998")}))),
        "dcmcfg echo LONGTERM tells",
    ),
    "A702, the destination of a local study has a host name that is unknown": (
        replace(stored(ALONE, LOCAL_STUDY), outcome=MoveOutcome(0xA702, "java.net.UnknownHostException: nohost")),
        "correct dicomHostname of WORKSTATION",
    ),
    "0000 with too few, partly local before": (
        replace(
            reporting(UNWITNESSED, completed=1),
            expected=(*listed("ONLINE", UIDS[:1]), *listed("NEARLINE", UIDS[1:])),
        ),
        "only where dcmCStoreSCUOfCMoveSCP",
    ),
    "0000 with too few, none local before": (reporting(UNWITNESSED, completed=1), "hold all 3? Its log says"),
    "A801 relayed although set": (replace(A801, records=(REFUSED_RELAY,)), "dcmcfg reload"),
    "A801 by the archive, in its words": (
        replace(A801, outcome=MoveOutcome(0xA801, "Unknown AE: WORKSTATION")),
        "reload, because the archive remembers unknown titles",
    ),
    "A801 by the archive, destination not in the tree": (
        replace(A801, route=replace(VIA_ARCHIVE, destination_known=False)),
        "the tree has no AE WORKSTATION",
    ),
    "A801 by the archive, destination misspelt": (
        replace(A801, route=replace(VIA_ARCHIVE, destination_known=False, near_destination=("WORKSTATION2",))),
        "did you mean WORKSTATION2?",
    ),
    "A801, the external archive was never asked": (replace(A801, records=()), "the AE WORKSTATION of a device"),
    "A702, cut comment": (
        replace(
            UNWITNESSED,
            outcome=MoveOutcome(0xA702, "org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE"),
        ),
        "lost its AE title",
    ),
    "A702 while the study is local": (
        replace(
            UNWITNESSED,
            expected=listed("ONLINE"),
            outcome=MoveOutcome(0xA702, "java.net.ConnectException: Connection refused"),
        ),
        "it is WORKSTATION that the archive could not send to",
    ),
    "A702, the external archive delivered to the archive": (
        replace(GOOD, outcome=MoveOutcome(0xA702, failed=3), received=()),
        "could not send it on to WORKSTATION",
    ),
    "no answer in time": (
        replace(UNWITNESSED, outcome=MoveOutcome(None, interrupted="no response within 9 s", timed_out=True)),
        "dcmRetrieveTimeout",
    ),
    "an abort": (
        replace(UNWITNESSED, outcome=MoveOutcome(None, interrupted="the peer aborted the association")),
        "the device of WORKSTATION",
    ),
    "0000 without counters, unknown study": (
        reporting(replace(UNWITNESSED, expected=())),
        "dcmFallbackCMoveSCP",
    ),
    "0000 without counters, recalled": (reporting(replace(GOOD, received=())), "dcmCStoreSCUOfCMoveSCP"),
    "0000 without counters, never asked": (reporting(UNWITNESSED), "dcmRestrictRetrieveSilently"),
    "reported but not received": (replace(GOOD, received=()), "another storage SCP"),
    "foreign instances": (replace(GOOD, received=arrived(("9.1",))), "another sender"),
    "purged, delivered, but not in the record": (replace(GOOD, records=()), "the record is that of the external"),
    "called directly": (
        replace(GOOD, received=arrived(calling="LONGTERM")),
        "see in the external archive's log",
    ),
}


@pytest.mark.parametrize(("evidence", "words"), CASES.values(), ids=CASES)
def test_the_first_next_step_names_the_way_out(evidence: Evidence, words: str) -> None:
    assert words in judge(evidence).next_steps[0]


def test_what_went_well_needs_no_next_step() -> None:
    assert judge(GOOD).next_steps == ()


@pytest.mark.parametrize("status", [*range(0x0100, 0x0220), 0xA700, 0xA701, 0xA900, 0xB000, 0xC000, 0xFE00, 0x1234])
def test_every_failure_status_has_a_next_step(status: int) -> None:
    assert judge(replace(UNWITNESSED, outcome=MoveOutcome(status))).next_steps


def test_who_is_down_is_named_with_its_address_where_it_is_known_whom_the_archive_asks() -> None:
    placed = replace(VIA_ARCHIVE, places=frozenset({("LONGTERM", "127.0.0.1:31998")}))
    assert judge(replace(DOWN, route=placed)).headline.endswith(
        "nothing listens where the archive looks for LONGTERM (127.0.0.1:31998)"
    )
    untold = judge(replace(DOWN, expected=listed("ONLINE")))
    assert untold.headline.endswith(
        "the external archive (a purged study), or the destination (a study in the archive's own storage)"
    )


def test_a_way_that_does_not_lead_back_is_not_told_as_one_that_does() -> None:
    assert judge(replace(UNWITNESSED, route=FOREIGN)).route.way == (
        f"external archive → STORESCP, and not to WORKSTATION: {FOREIGN.astray}"
    )
