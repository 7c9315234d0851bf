"""Devices and AEs whose names or hosts fit what somebody looks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate

from dcmcfg.model.devices import Connection, Device, NetworkAE

#: What makes a text a pattern, as shells have them.
_WILD = re.compile(r"[*?\[]")


def filter_aes(aes: Iterable[NetworkAE], pattern: str) -> tuple[NetworkAE, ...]:
    """Return those of *aes* whose title, device or a host fits *pattern*, all for an empty one.

    A pattern with ``*``, ``?`` or ``[…]`` must fit the whole; any other text only has to be part of it. Case does not
    count, nor does an AE have to be called just that: ``pacs`` finds ``OLDPACS``.
    """
    matches = _make_matcher(pattern)
    return tuple(ae for ae in aes if any(map(matches, (ae.title, ae.device.name, *_iterate_hosts(ae.connections)))))


def filter_devices(devices: Iterable[Device], pattern: str) -> tuple[Device, ...]:
    """Return those of *devices* that fit *pattern* by name, host, or the title of an AE; see :func:`filter_aes`."""
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
