"""An AE of the tree as a row."""

from __future__ import annotations

from dcmcfg.model.devices import NetworkAE
from dcmcfg.onboarding.role import role_of
from dcmcfg.onboarding.row import DESCRIPTION, DEVICE, HOST, PORT, ROLE, TITLE, TLS
from dcmcfg.secret_values import is_secret


def described(ae: NetworkAE) -> dict[str, str]:
    """Return the values of *ae* by column, empty ones left out; such a row is so already, whatever the tree holds.

    Of its connections the first that listens counts, one without TLS before one with; else the first.
    """
    connection = ae.listening() or ae.listening(tls=True) or next(iter(ae.connections), None)
    values = {
        TITLE: ae.title.strip(),
        DESCRIPTION: (ae.entry.text("dicomDescription") or "").strip(),
        ROLE: role_of(ae).value,
        DEVICE: ae.device.name.strip(),
    }
    if connection is not None:
        values[HOST] = connection.host.strip()
        values[PORT] = "" if connection.port is None else str(connection.port)
        values[TLS] = "yes" if connection.tls else "no"
    return {column: values[column] for column in values if values[column]}


def described_openly(ae: NetworkAE) -> dict[str, str]:
    """Return :func:`described` without values that are secrets; a row that says less of an AE is so as well."""
    return {column: value for column, value in described(ae).items() if not is_secret(column, value.encode())}
