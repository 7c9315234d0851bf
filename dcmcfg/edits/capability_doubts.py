"""What becomes of an AE by the capabilities that it will have."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.capabilities import SCP, ability, withheld
from dcmcfg.devices import Configuration, NetworkAE
from dcmcfg.entry import Entry
from dcmcfg.suggestions import first_of

_NAMED = 3


def doubts(configuration: Configuration, ae: NetworkAE, after: list[Entry]) -> Iterator[str]:
    """Yield what becomes of *ae* once *after* are its capabilities."""
    shared = ae.shared_from
    if shared is not ae:
        yield f"{ae.title} shares the capabilities of {shared.title}; its own count for nothing."
        return
    scps = [each for each in after if ability(each)[1] == SCP]
    had_scps = any(ability(each)[1] == SCP for each in ae.capabilities)
    if ae.device.is_archive:
        if not scps and had_scps:
            yield f"{ae.title} has no SCP capability any more: it accepts nothing."
        return
    if had_scps and not scps:
        yield f"{ae.title} lists no SCP capability any more, so the archive sends it everything."
    before = withheld(configuration, ae.capabilities, ae)
    if names := [name for name in withheld(configuration, after, ae) if name not in before]:
        told = first_of(names, _NAMED)
        if had_scps:
            yield f"the archive will not send {ae.title} what it does not list: {told}."
        else:
            yield (
                f"{ae.title} has listed no SCP capability, and was sent everything; from now on the archive will not "
                f"send it {told}."
            )
