"""Filter devices and AEs by a pattern for their names and hosts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate

from dcmcfg.model.devices import Connection, Device, NetworkAE

#: The characters that make a text a shell pattern.
_WILD = re.compile(r"[*?\[]")


def filter_aes(aes: Iterable[NetworkAE], pattern: str) -> tuple[NetworkAE, ...]:
    """Return those of *aes* whose title, device or host matches *pattern*; all for an empty pattern.

    A pattern with ``*``, ``?`` or ``[…]`` must match the whole name. Any other text must be part of it: ``pacs``
    matches ``OLDPACS``. Case is ignored.
    """
    matches = _make_matcher(pattern)
    return tuple(ae for ae in aes if any(map(matches, (ae.title, ae.device.name, *_iterate_hosts(ae.connections)))))


def filter_devices(devices: Iterable[Device], pattern: str) -> tuple[Device, ...]:
    """Return those of *devices* whose name, host or AE title matches *pattern*; see :func:`filter_aes`."""
    matches = _make_matcher(pattern)
    return tuple(
        device
        for device in devices
        if any(
            map(matches, (device.name, *_iterate_hosts(device.connections), *(ae.title for ae in device.network_aes)))
        )
    )


def _iterate_hosts(connections: Iterable[Connection]) -> Iterable[str]:
    return (connection.host for connection in connections)


def _make_matcher(pattern: str) -> Callable[[str], bool]:
    folded = pattern.casefold()
    if not _WILD.search(pattern):
        return lambda text: folded in text.casefold()
    compiled = re.compile(translate(folded))
    return lambda text: compiled.match(text.casefold()) is not None
