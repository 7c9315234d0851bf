from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from dcmcfg.dicom.storage.local_host import (
    ALL_ADDRESSES,
    find_listen_addresses,
    find_listening_process,
    is_this_machine,
)
from tests.dicom.dcmtk import LOOPBACK
from tests.ports import free_port

TEST_NET = "192.0.2.1"  # RFC 5737: nobody's


@pytest.mark.parametrize("host", ["localhost", LOOPBACK, "127.0.1.1", "127.0.0.5"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize("host", [TEST_NET, "no-such-host.invalid", "a..b", "x" * 300])
def test_other_machines_and_unknown_names_are_not(host: str) -> None:
    assert not is_this_machine(host)
    assert find_listen_addresses(host) == ()


def test_localhost_stays_on_loopback() -> None:
    assert find_listen_addresses("localhost")[0] == LOOPBACK
    assert set(find_listen_addresses("localhost")) <= {LOOPBACK, "::1"}


def _resolving_to(*addresses: str) -> Any:
    return lambda *_args, **_options: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses
    ]


def test_a_name_that_is_only_loopback_here_is_listened_for_on_all_interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolving_to("127.0.1.1"))
    assert find_listen_addresses("pacs.example.org") == (ALL_ADDRESSES,)
    assert find_listen_addresses("localhost") == ("127.0.1.1",)


def test_only_the_addresses_of_this_machine_are_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolving_to(LOOPBACK, TEST_NET))
    assert find_listen_addresses("localhost") == (LOOPBACK,)


def test_the_listener_of_a_port_is_named_with_its_pid() -> None:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        assert f"(pid {os.getpid()})" in find_listening_process(listener.getsockname()[1])


def test_a_free_port_has_no_listener() -> None:
    assert find_listening_process(free_port()) == ""
