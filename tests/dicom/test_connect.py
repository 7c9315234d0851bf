"""Why there is no connection, and where the address that is wrong comes from."""

from __future__ import annotations

import pytest

from dcmcfg.dicom.connect import measure_connect_time
from dcmcfg.dicom.peer import Peer
from dcmcfg.errors import Unreachable
from tests.dicom.dcmtk import LOOPBACK
from tests.patience import PATIENT
from tests.ports import free_port


@pytest.mark.parametrize(("host", "step"), [(LOOPBACK, "check the host and port"), ("a..b", "correct the host")])
def test_an_address_that_an_option_gives_is_corrected_there_and_not_in_ldap(host: str, step: str) -> None:
    with pytest.raises(Unreachable) as given:
        measure_connect_time(Peer("A", host, free_port(), "--connect"), PATIENT)
    assert f"{step} in --connect" in given.value.next_step
    assert "LDAP" not in given.value.next_step
    with pytest.raises(Unreachable, match="LDAP"):
        measure_connect_time(Peer("A", host, free_port()), PATIENT)


@pytest.mark.parametrize("host", [LOOPBACK, "a..b"])
def test_an_address_of_a_known_connection_has_the_command_that_changes_it(host: str) -> None:
    with pytest.raises(Unreachable) as unreachable:
        measure_connect_time(Peer("A", host, free_port(), connection_name="ct1/dicom"), PATIENT)
    assert unreachable.value.next_step.endswith("; to change the address: dcmcfg connection set ct1/dicom HOST:PORT")
