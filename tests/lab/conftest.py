"""Sites for the tests of the lab's DICOM peers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.running_site import RunningSite, running_site


@pytest.fixture
def bare_site(tmp_path: Path) -> Iterator[RunningSite]:
    """A new site with its directory; the test starts the processes that it wants."""
    folder = tmp_path / "lab"
    folder.mkdir()
    with running_site(folder) as site:
        yield site


@pytest.fixture
def site(bare_site: RunningSite) -> RunningSite:
    """A new site with archive, external archive and storage SCP."""
    bare_site.start("external", "storage", "archive")
    return bare_site
