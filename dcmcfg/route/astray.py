"""A Move Destination for external archives that is no AE of the archive."""

from __future__ import annotations

from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import effective
from dcmcfg.route.command import command
from dcmcfg.route.way import DESTINATION_REFUSED, SILENCE, Failure

EXTERNAL_RETRIEVE = "dcmExternalRetrieveAEDestination"


def astray(
    configuration: Configuration, asked: NetworkAE, title: str, attribute: str = EXTERNAL_RETRIEVE, holder: str = ""
) -> Failure | None:
    """Return why what *holder* sends to *title*, which *attribute* names, does not come back; None where it does.

    Without *holder* it is any external archive.
    """
    if asked.device.answering(title) is not None:
        return None
    storage = [ae.title for ae in asked.device.network_aes if ae.takes_storage]
    step = f"set {attribute} to a storage SCP of the archive: {', '.join(storage) or 'it has none'}"
    if len(storage) == 1:
        step = _setting(asked, attribute, storage[0])
    other = configuration.network_ae(title)
    if other is not None:
        why = f"{attribute} {title} is an AE of {other.device.name}: the objects go there, and nobody forwards them"
        return Failure(SILENCE, why, step)
    sender = holder or "the external archive"
    why = f"{attribute} {title} is no AE of the archive: {sender} cannot know where to send to it"
    return Failure(DESTINATION_REFUSED, why, step)


def _setting(asked: NetworkAE, attribute: str, title: str) -> str:
    """Return the command that gives *attribute* the value *title* where the wrong one stands."""
    own = effective(asked, attribute).level == "AE"
    if attribute == EXTERNAL_RETRIEVE:
        return command("set-external-retrieve", title, *(("--ae", asked.title) if own else ()))
    return command("set", asked.qualified_title if own else asked.device.name, f"{attribute}={title}")
