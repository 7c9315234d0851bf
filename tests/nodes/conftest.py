from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.archive.scripted import Scripted, scripted_archive


@pytest.fixture
def archive() -> Iterator[Scripted]:
    with scripted_archive() as script:
        yield script
