"""Calls from several titles: who is called, the words for the results, and the matrix at each width."""

from __future__ import annotations

import io

import pytest
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time
from rich.console import Console

from dcmcfg.connectivity.call import CallResult, CallStage, PeerEndpoint
from dcmcfg.connectivity.echo import EchoTarget
from dcmcfg.connectivity.echo_matrix import (
    CallState,
    call_matrix,
    classify_call,
    expand_nodes,
    list_calling_ae_titles,
)
from dcmcfg.dicom.peer import Peer
from dcmcfg.model.devices import Configuration
from dcmcfg.render.echo_matrix import echo_matrix_json, print_echo_matrix
from tests.dicom.dcmtk import LOOPBACK
from tests.dicom.serving import served
from tests.patience import PATIENT
from tests.ports import free_port
from tests.render.reports.examples import list_echo_targets, make_example_matrix
from tests.trees import site


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (None, CallState.NOT_CALLED),
        (CallResult(0.1), CallState.ANSWERED),
        (CallResult(problem="x", failed_stage=CallStage.TCP), CallState.NO_ANSWER),
        (CallResult(problem="x", failed_stage=CallStage.TLS), CallState.TLS_PROBLEM),
        (CallResult(problem="x", failed_stage=CallStage.ASSOCIATION), CallState.FAILED),
        (CallResult(problem="x", failed_stage=CallStage.ASSOCIATION, is_rejected=True), CallState.REFUSED),
        (CallResult(problem="x", failed_stage=CallStage.ECHO), CallState.FAILED),
        (CallResult(problem="internal error"), CallState.FAILED),
    ],
)
def test_a_result_is_a_word(result: CallResult | None, state: CallState) -> None:
    assert classify_call(result) is state


def test_the_installed_aes_of_the_archive_that_open_associations_call() -> None:
    assert list_calling_ae_titles(Configuration(site()).get_device("dcm4chee-arc")) == ("AS_RECEIVED", "DCM4CHEE")


def test_aes_of_the_archive_are_called_at_each_node() -> None:
    rows = expand_nodes(list_echo_targets(), "dcm4chee-arc", [("a", "127.0.0.2"), ("b", "127.0.0.3")])
    assert [
        (each.ae.title, node, each.endpoint.peer.host if each.endpoint is not None else "") for each, node in rows
    ] == [
        ("AS_RECEIVED", "", ""),
        ("DCM4CHEE", "a", "127.0.0.2"),
        ("DCM4CHEE", "b", "127.0.0.3"),
        ("STORESCP", "", "127.0.0.1"),
    ]


@pytest.mark.real
def test_a_peer_may_refuse_one_calling_title_and_answer_another() -> None:
    entity = AE("PEER")
    entity.add_supported_context(Verification)
    entity.require_calling_aet = ["KNOWN"]
    storescp = list_echo_targets()[-1]
    with served(entity, (LOOPBACK, 0), [(evt.EVT_C_ECHO, lambda _: 0)]) as port:
        targets = [
            (EchoTarget(storescp.ae, PeerEndpoint(Peer("PEER", LOOPBACK, port))), ""),
            (EchoTarget(storescp.ae, PeerEndpoint(Peer("OFF", LOOPBACK, free_port()))), ""),
            (EchoTarget(storescp.ae, None, "no port"), ""),
        ]
        matrix = call_matrix(targets, ["KNOWN", "STRANGER"], timeouts=PATIENT)
    entity.shutdown()
    assert [[each["state"] for each in row["calls"]] for row in echo_matrix_json(matrix)["aes"]] == [
        ["ok", "refused"],
        ["no answer", "no answer"],
        ["not called", "not called"],
    ]


def printed(width: int) -> list[str]:
    target = io.StringIO()
    print_echo_matrix(Console(file=target, width=width, height=25), make_example_matrix())
    return [line.rstrip() for line in target.getvalue().splitlines()]


def test_the_matrix_becomes_narrower_with_the_terminal() -> None:
    assert printed(80)[1:-2] == [
        " Called AE           DCM4CHEE     WORKLIST",
        " ───────────────────────────────────────────",
        " AS_RECEIVED         not called   not called",
        " DCM4CHEE (node-1)   ok           refused",
        " STORESCP            no answer    no answer",
        "",
        "AS_RECEIVED: not called: no port",
        "DCM4CHEE (node-1) (called as WORKLIST): no association: rejected",
        "STORESCP: no answer within 5 s",
        "Next step for DCM4CHEE (node-1): ask",
        "Called as 2 AE titles: 0 answered to all titles, 1 to some, 1 to none, 1 not called",
    ]
    assert printed(30)[1:9] == [
        " Called AE           1   2",
        " ─────────────────────────",
        " AS_RECEIVED         .   .",
        " DCM4CHEE (node-1)   +   R",
        " STORESCP            -   -",
        "",
        "Called as: 1 DCM4CHEE, 2",
        "  WORKLIST",
    ]
