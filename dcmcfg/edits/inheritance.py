"""Which of the two levels wins, where an archive AE takes an attribute from its device unless it has its own."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.model.devices import Device, NetworkAE
from dcmcfg.secret_values import is_secret


def overriding(device: Device, name: str, wanted: tuple[bytes, ...]) -> Iterator[str]:
    """Yield a sentence for each AE of *device* whose own values of *name* win over *wanted*, those of the device."""
    for ae in device.network_aes:
        own = ae.entry.values(name)
        if own and frozenset(own) != frozenset(wanted):
            yield f"the AE {ae.title} has its own value {_told(name, own)}, which wins over the device's."


def overridden(ae: NetworkAE, name: str, wanted: tuple[bytes, ...]) -> Iterator[str]:
    """Yield a sentence when *wanted*, the AE's own values of *name*, win over others of its device, or end doing so."""
    of_device = ae.device.entry.values(name)
    if not of_device or frozenset(of_device) == frozenset(wanted):
        return
    if wanted:
        yield f"the AE's own value wins over that of the device {ae.device.name}, {_told(name, of_device)}."
    elif ae.entry.values(name):
        yield f"what counts for {ae.title} then is the value of the device {ae.device.name}, {_told(name, of_device)}."


def _told(name: str, values: tuple[bytes, ...]) -> str:
    return ", ".join(
        "(secret)" if is_secret(name, value) else value.decode("utf-8", "backslashreplace") for value in values
    )
