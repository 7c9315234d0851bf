"""What a run has left behind is told from what somebody works with."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from dcmcfg.dicom.peer import Peer
from dcmcfg.edits.temporary_mark import OwnerProcess
from dcmcfg.model.devices import Configuration
from dcmcfg.temporary.leftovers import LeftoverDestination, ReachabilityCheck, find_leftover_destinations
from dcmcfg.temporary.maker_process import describe_this_process
from dcmcfg.temporary.title_claims import TitleClaim, hold_claim
from tests.edits.test_temporary_destination import MAKER, NEW, added
from tests.trees import site

URL = "ldap://localhost:389"
NOW = MAKER.created + timedelta(minutes=5)
US = describe_this_process(MAKER.created)


def nobody(peer: Peer, tls: bool) -> bool:
    return False


def found(
    state: Path, maker: OwnerProcess, answers: ReachabilityCheck = nobody, later: timedelta = timedelta()
) -> list[LeftoverDestination]:
    held = Configuration(added(site(), replace(NEW, owner=maker)).after)
    return list(find_leftover_destinations(state, URL, held, NOW + later, check_reachable=answers))


def test_what_a_process_of_this_machine_works_with_is_nobodys_to_remove(tmp_path: Path) -> None:
    assert (US.host, US.pid) == (socket.gethostname(), os.getpid())
    assert found(tmp_path, US) == []


def test_a_process_that_has_the_number_now_is_another(tmp_path: Path) -> None:
    assert [each.is_certain for each in found(tmp_path, replace(US, started=US.started - 60))] == [True]


def test_a_process_of_this_machine_that_is_gone_has_left_it(tmp_path: Path) -> None:
    dead_process = replace(US, pid=2**22 + 1)
    assert [str(each) for each in found(tmp_path, dead_process)] == [
        f"DCMCFG_0A1B2C3D4 (of {US.user}@{US.host} (process 4194305), 2026-11-25 14:26:32 UTC)"
    ]


def test_what_another_machine_has_made_may_be_in_use_until_it_is_a_day_old(tmp_path: Path) -> None:
    assert [str(each) for each in found(tmp_path, MAKER)] == [
        "DCMCFG_0A1B2C3D4 (of ann@desk7 (process 4711), 2026-11-25 14:26:32 UTC; the destination may be in use)"
    ]
    assert [each.is_certain for each in found(tmp_path, MAKER, later=timedelta(days=1))] == [True]


def test_who_answers_under_its_title_works_with_it_however_old_it_is(tmp_path: Path) -> None:
    echoed: list[tuple[Peer, bool]] = []

    def somebody(peer: Peer, tls: bool) -> bool:
        echoed.append((peer, tls))
        return True

    assert found(tmp_path, MAKER, somebody, timedelta(days=30)) == []
    assert echoed == [(Peer(NEW.ae_title, NEW.host, NEW.port), False)]


def test_a_claim_that_nobody_holds_finds_what_the_tree_does_not_tell(tmp_path: Path) -> None:
    with hold_claim(tmp_path, TitleClaim(NEW.ae_title, URL, "2026-11-25T14:26:32Z")):
        assert found(tmp_path, MAKER) == []
    assert [str(each) for each in found(tmp_path, MAKER)] == [
        "DCMCFG_0A1B2C3D4 (of this account, 2026-11-25 14:26:32 UTC)"
    ]
    empty = Configuration(site())
    assert [str(each) for each in find_leftover_destinations(tmp_path, URL, empty, NOW, check_reachable=nobody)] == [
        "DCMCFG_0A1B2C3D4 (of this account, 2026-11-25 14:26:32 UTC; the archive may still know the destination)"
    ]
    assert find_leftover_destinations(tmp_path, "ldap://elsewhere", empty, NOW, check_reachable=nobody) == ()
