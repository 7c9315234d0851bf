from __future__ import annotations

import socket
from dataclasses import astuple

import pytest

from dcmcfg.errors import LabError
from dcmcfg.lab.ports import PORT_RANGE, RECEIVER_PORT_RANGE, choose_ports


def test_chosen_ports_are_different_and_free() -> None:
    chosen = choose_ports()
    ports = astuple(chosen)
    assert len(set(ports)) == len(ports) == 7
    for port in ports:
        assert port in (RECEIVER_PORT_RANGE if port == chosen.workstation else PORT_RANGE)
        with socket.create_server(("127.0.0.1", port)):
            pass


@pytest.mark.parametrize(("address", "start"), [("127.0.0.1", 29000), ("", 29500)])
def test_a_port_on_which_something_listens_is_not_chosen(address: str, start: int) -> None:
    # Eight in a row that are free, of which one is then taken; not the same ones for both, which may run at once.
    candidates = next(found for first in range(start, start + 500, 8) if _all_free(found := range(first, first + 8)))
    with socket.create_server((address, candidates[3])):
        for _ in range(10):
            assert candidates[3] not in astuple(choose_ports(candidates, candidates))


def test_no_free_port_names_the_range() -> None:
    candidates = next(found for first in range(28000, 29000) if _all_free(found := range(first, first + 1)))
    with (
        socket.create_server(("127.0.0.1", candidates[0])),
        pytest.raises(LabError, match="no free TCP port") as error,
    ):
        choose_ports(candidates)
    assert f"{candidates[0]} to {candidates[0]}" in str(error.value)


def _all_free(candidates: range) -> bool:
    """Return whether none is in use, nor in TIME-WAIT, which ``create_server`` does not see."""
    for port in candidates:
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True
