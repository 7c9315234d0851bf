"""Completion of values. Kept apart: the rules for plans, which it uses, load slowly."""

from __future__ import annotations

from datetime import UTC, datetime

from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.search import completions
from dcmcfg.search.acceptable_values import complete_external_retrieve_titles, filter_acceptable_values


def list_new_values(configuration: Configuration, entry: Entry, name: str, incomplete: str) -> list[str]:
    """Return the values of *name* that begin with *incomplete* and that *entry* of *configuration* would accept."""
    known_values = completions.complete_values(load_bundled_schema(), name, incomplete)
    values = dict.fromkeys((*known_values, *completions.complete_references(configuration, name, incomplete, entry)))
    return list(filter_acceptable_values(configuration, entry, name, values=values, now=datetime.now(UTC)))


def list_external_retrieve_titles(configuration: Configuration, device: str, incomplete: str) -> list[tuple[str, str]]:
    """Return the titles of the AEs of the archive *device* that external retrieves can be sent to."""
    return list(complete_external_retrieve_titles(configuration.get_device(device), incomplete))
