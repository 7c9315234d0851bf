"""The values that a completion offers: loaded only when a shell asks, since the rules for plans load slowly."""

from __future__ import annotations

from datetime import UTC, datetime

from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import target
from dcmcfg.schema.definitions import bundled
from dcmcfg.search import completions
from dcmcfg.search.acceptable_values import acceptable, external_retrieve_titles


def new_values(configuration: Configuration, text: str, name: str, begun: str) -> list[str]:
    """Return the values of *name* that *begun* may become and that the target *text* would accept."""
    entry = target(configuration, text)
    known = completions.values(bundled(), name, begun)
    values = dict.fromkeys((*known, *completions.referable(configuration, name, begun, entry)))
    return list(acceptable(configuration, entry, name, values, datetime.now(UTC)))


def external_retrieves(configuration: Configuration, device: str, begun: str) -> list[tuple[str, str]]:
    """Return the titles of the AEs of the archive *device* that external retrieves can be sent to."""
    return list(external_retrieve_titles(configuration.device(device), begun))
