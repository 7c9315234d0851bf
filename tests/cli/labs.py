"""Labs whose archive has what it recalls sent back to itself, for commands that are run on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.running_site import RunningSite, running_site


@contextmanager
def recalling_lab(folder: Path, *parts: str) -> Iterator[RunningSite]:
    """A new lab of which *parts* run, with dcmExternalRetrieveAEDestination set and loaded."""
    with running_site(folder) as lab:
        lab.start(*parts)
        lab.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
        lab.reload()
        yield lab


def name_in_environment(lab: RunningSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the environment name the lab's directory and archive."""
    monkeypatch.setenv("DCMCFG_LDAP_URL", lab.slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", lab.slapd.password)
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", lab.site.archive_url)
