"""Warnings about attributes that archive AEs inherit from their device, unless they have their own value.

Kept apart: edits.attribute_values and edits.external_retrieve use it and do not load each other.
"""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.model.devices import Device, NetworkAE
from dcmcfg.secret_values import is_secret


def warn_about_overriding_aes(device: Device, name: str, device_values: tuple[bytes, ...]) -> Iterator[str]:
    """Yield a warning for each AE of *device* whose own values of *name* override *device_values*."""
    for ae in device.network_aes:
        own = ae.entry.values(name)
        if own and frozenset(own) != frozenset(device_values):
            yield (
                f"the AE {ae.title} has its own value {_format_values(name, own)}, which overrides the value of the "
                "device."
            )


def warn_about_overridden_device(ae: NetworkAE, name: str, ae_values: tuple[bytes, ...]) -> Iterator[str]:
    """Yield a warning if the AE's own *ae_values* of *name* override those of its device, or no longer do."""
    device_values = ae.device.entry.values(name)
    if not device_values or frozenset(device_values) == frozenset(ae_values):
        return
    if ae_values:
        yield (
            f"the AE's own value overrides the value {_format_values(name, device_values)} of the device "
            f"{ae.device.name}."
        )
    elif ae.entry.values(name):
        yield (f"{ae.title} will use the value of the device {ae.device.name}: {_format_values(name, device_values)}.")


def _format_values(name: str, values: tuple[bytes, ...]) -> str:
    return ", ".join(
        "(secret)" if is_secret(name, value) else value.decode("utf-8", "backslashreplace") for value in values
    )
