from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import Secured, Site


@pytest.mark.parametrize("secured", [None, Secured("https://k/realms/r"), Secured("https://k", "archivist", "rs")])
def test_site_is_kept_with_whose_tokens_its_archive_takes(tmp_path: Path, secured: Secured | None) -> None:
    site = Site(tmp_path, choose_ports(), secured)
    site.save()
    assert Site.load(tmp_path) == site
