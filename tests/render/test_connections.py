"""Where connections listen, as it is printed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.dn import DN
from dcmcfg.model.devices import Connection
from dcmcfg.render.connections import format_listening_address

CONNECTION = Connection(DN.parse("cn=dicom,dicomDeviceName=x"), "host", 104, "DICOM", tls=False, installed=True)


@pytest.mark.parametrize(
    ("host", "port", "shown"),
    [
        ("host", 104, "host:104"),
        ("host", None, "host (does not listen)"),
        ("2001:db8::1", 104, "[2001:db8::1]:104"),
    ],
)
def test_an_address_shows_whether_it_listens(host: str, port: int | None, shown: str) -> None:
    assert format_listening_address(replace(CONNECTION, host=host, port=port)) == shown
