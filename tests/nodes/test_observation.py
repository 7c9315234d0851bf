"""A node is observed from outside, at a real web server and real DICOM listeners."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.http_client import HttpClient
from dcmcfg.archive.loaded_configuration import LoadedConfiguration
from dcmcfg.nodes.expectations import (
    AssociationExpectation,
    AssociationFact,
    EndpointExpectation,
    Match,
    PortExpectation,
)
from dcmcfg.nodes.observation import NodeObserver
from tests.archive.scripted import Scripted
from tests.dicom.serving import served
from tests.echo_scps import UNKNOWN_HOST
from tests.ports import free_port

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
OWN_HOST = "127.0.0.1"
AET = EndpointExpectation("/aets", "dicomAETitle", "DCM4CHEE", shown_key="dicomDescription", shown="new")


def observer(archive: Scripted, *, other_urls: tuple[str, ...] = (), uses_own_host: bool = False) -> NodeObserver:
    loaded = LoadedConfiguration(archive.url, AuthorizedClient(HttpClient()))
    return NodeObserver(loaded, "DCMCFG", uses_own_host=uses_own_host, other_urls=other_urls)


def describe_ae(archive: Scripted, description: str) -> None:
    archive.by_path["aets"] = 200, json.dumps([{"dicomAETitle": "DCM4CHEE", "dicomDescription": description}]).encode()


@contextmanager
def listener(
    title: str = "DCM4CHEE",
    *,
    sop_classes: Sequence[str] = (),
    maximum_length: int = 16378,
    address: str = OWN_HOST,
    callers: Sequence[str] = (),
) -> Iterator[int]:
    entity = AE(title)
    entity.maximum_pdu_size = maximum_length
    entity.require_called_aet = True
    entity.require_calling_aet = list(callers)
    for each in (Verification, *sop_classes):
        entity.add_supported_context(each)
    with served(entity, (address, 0)) as port:
        yield port


def ask(
    fact: AssociationFact, expected: int, port: int, called: str = "DCM4CHEE", sop_class: str = "", host: str = OWN_HOST
) -> AssociationExpectation:
    return AssociationExpectation(
        fact=fact, host=host, port=port, called=called, expected=expected, sop_class=sop_class
    )


def test_each_observation_asks_the_node_anew(archive: Scripted) -> None:
    describe_ae(archive, "old")
    node = observer(archive)
    assert node.observe([AET, AET]) == (Match.NOT_SHOWN, Match.NOT_SHOWN)
    describe_ae(archive, "new")
    assert node.observe([AET]) == (Match.SHOWN,)
    assert [path for _, path, _ in archive.requests] == ["/dcm4chee-arc/aets"] * 2


def test_an_endpoint_that_cannot_be_read_is_unknown_and_the_problem_is_known(archive: Scripted) -> None:
    archive.answer(403)
    node = observer(archive)
    assert node.observe([AET]) == (Match.UNKNOWN,)
    assert node.problem.startswith("GET /aets: ")


def test_nothing_is_asked_if_nothing_is_expected(archive: Scripted) -> None:
    assert observer(archive).observe([]) == ()
    assert archive.requests == []


def test_a_port_is_open_or_closed(archive: Scripted) -> None:
    closed = free_port()
    with socket.create_server((OWN_HOST, 0)) as server:
        port = server.getsockname()[1]
        expected = [PortExpectation(OWN_HOST, port, is_open=True), PortExpectation(OWN_HOST, closed, is_open=False)]
        assert observer(archive).observe(expected) == (Match.SHOWN, Match.SHOWN)
        opposite = [replace(each, is_open=not each.is_open) for each in expected]
        assert observer(archive).observe(opposite) == (Match.NOT_SHOWN, Match.NOT_SHOWN)


@pytest.mark.parametrize("host", [UNKNOWN_HOST, "", "a" * 300])
def test_a_host_that_cannot_be_reached_shows_nothing(archive: Scripted, host: str) -> None:
    """A closed port is one whose host refuses the connection."""
    expected = (PortExpectation(host, 11112, is_open=False), ask(AssociationFact.CALLED_TITLE, 0, 11112, host=host))
    assert observer(archive).observe(expected) == (Match.UNKNOWN, Match.UNKNOWN)


def test_a_called_title_is_recognised_or_rejected(archive: Scripted) -> None:
    with listener("DCM4CHEE") as port:
        expected = (
            ask(AssociationFact.CALLED_TITLE, 1, port),
            ask(AssociationFact.CALLED_TITLE, 1, port, "ALIAS"),
            ask(AssociationFact.CALLED_TITLE, 0, port, "ALIAS"),
        )
        assert observer(archive).observe(expected) == (Match.SHOWN, Match.NOT_SHOWN, Match.SHOWN)


def test_a_rejected_caller_learns_nothing_about_the_title(archive: Scripted) -> None:
    with listener(callers=["NOBODY"]) as port:
        expected = (ask(AssociationFact.CALLED_TITLE, 1, port), ask(AssociationFact.CALLED_TITLE, 0, port))
        assert observer(archive).observe(expected) == (Match.UNKNOWN, Match.UNKNOWN)


def test_the_maximum_length_is_that_of_the_acceptance(archive: Scripted) -> None:
    with listener(maximum_length=20000) as port:
        expected = tuple(ask(AssociationFact.MAXIMUM_LENGTH, each, port) for each in (20000, 16378))
        assert observer(archive).observe(expected) == (Match.SHOWN, Match.NOT_SHOWN)


def test_a_presentation_context_is_accepted_or_not(archive: Scripted) -> None:
    with listener(sop_classes=[CT]) as port:
        expected = tuple(ask(AssociationFact.CONTEXT, 1, port, sop_class=each) for each in (CT, MR))
        assert observer(archive).observe(expected) == (Match.SHOWN, Match.NOT_SHOWN)


@pytest.mark.parametrize("fact", AssociationFact)
def test_a_closed_port_answers_no_association_request(archive: Scripted, fact: AssociationFact) -> None:
    expected = [ask(fact, each, free_port(), sop_class=CT) for each in (0, 1)]
    assert observer(archive).observe(expected) == (Match.UNKNOWN, Match.UNKNOWN)


@pytest.mark.parametrize("called", ["", "a\\b", "A" * 17])
def test_a_title_that_cannot_be_called_shows_nothing(archive: Scripted, called: str) -> None:
    with listener() as port:
        assert observer(archive).observe([ask(AssociationFact.CALLED_TITLE, 1, port, called)]) == (Match.UNKNOWN,)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.9", "::1", "LOCALHOST"])
def test_a_loopback_host_of_the_configuration_is_the_host_of_the_node(archive: Scripted, host: str) -> None:
    with listener() as port:
        expected = (PortExpectation(host, port, is_open=True), ask(AssociationFact.CALLED_TITLE, 1, port, host=host))
        assert observer(archive).observe(expected) == (Match.SHOWN, Match.SHOWN)


def test_nodes_listen_on_their_own_hosts_whatever_the_shared_configuration_names(archive: Scripted) -> None:
    with listener() as port:
        expected = [PortExpectation(UNKNOWN_HOST, port, is_open=True)]
        assert observer(archive).observe(expected) == (Match.UNKNOWN,)
        assert observer(archive, uses_own_host=True).observe(expected) == (Match.SHOWN,)


@pytest.mark.parametrize(
    "other_url", ["http://127.0.0.1:8180/dcm4chee-arc", "http://localhost:8180/dcm4chee-arc", "https://127.0.0.1/node2"]
)
def test_a_host_that_two_nodes_share_shows_nothing_of_either(archive: Scripted, other_url: str) -> None:
    """The port may be that of the other node, or of a proxy."""
    describe_ae(archive, "new")
    with listener() as port:
        expected = (AET, PortExpectation(OWN_HOST, port, is_open=True), ask(AssociationFact.CALLED_TITLE, 1, port))
        node = observer(archive, uses_own_host=True, other_urls=(other_url,))
        assert node.observe(expected) == (Match.SHOWN, Match.UNKNOWN, Match.UNKNOWN)


@pytest.mark.parametrize("other_url", ["http://127.0.0.2:8080/dcm4chee-arc", f"http://{UNKNOWN_HOST}/dcm4chee-arc"])
def test_nodes_on_different_hosts_are_told_apart(archive: Scripted, other_url: str) -> None:
    with listener() as port:
        node = observer(archive, uses_own_host=True, other_urls=(other_url,))
        assert node.observe([PortExpectation("elsewhere", port, is_open=True)]) == (Match.SHOWN,)
