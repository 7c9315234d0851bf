"""``docs/how-to/upgrade.md`` shows what the commands print, one after the other, on a lab with an older release."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.page_reader import Reader, reading, without_times
from tests.cli.pages import Shown, assert_shows, shown_on
from tests.sampling import LONG
from tests.upgrade.customised import Releases

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "upgrade.md"
#: Files of a distribution next to its folder ``ldap``: no more than their names count.
OTHER_FILES = ("sql/psql/update-5.31.0-psql.sql", "sql/psql/update-5.33.0-psql.sql", "deploy/dcm4chee-arc-ear.ear")


def pack_distribution(folder: Path, version: str, releases: Releases, *, with_updates: bool) -> None:
    """Write the ZIP file of a distribution, as a site downloads it; its vendor data has a file that others change."""
    source, top = releases.find_folder(version), f"dcm4chee-arc-{version}-psql"
    updates = [each / "updates" for each in (releases.more, releases.upstream)]
    with zipfile.ZipFile(folder / f"{top}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for root in (source, *(updates if with_updates else ())):
            for each in sorted(root.rglob("*.*")):
                if each.is_file():
                    archive.write(each, f"{top}/ldap/{each.relative_to(root).as_posix()}")
        archive.writestr(f"{top}/ldap/vendor-data.zip", _pack_vendor_data(version))
        for name in OTHER_FILES:
            archive.writestr(f"{top}/{name}", version)


def _pack_vendor_data(version: str) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        archive.writestr("dcm2hl7.xsl", version)
        archive.writestr("mpps2hl7.xsl", "unchanged")
    return octets.getvalue()


@pytest.fixture
def reader(tmp_path: Path, releases: Releases) -> Iterator[Reader]:
    pack_distribution(tmp_path, "5.29.0", releases, with_updates=False)
    pack_distribution(tmp_path, "5.33.1", releases, with_updates=True)
    with reading(tmp_path) as reader:
        yield reader


@pytest.mark.skipif(not LONG, reason="the pages are a sample without DCMCFG_LONG: the tutorial and others are followed")
def test_the_page_leads_from_the_zip_files_to_a_verified_archive_and_back(reader: Reader) -> None:
    shown = list(shown_on(PAGE))
    for each in shown:
        printed = reader.run(each.command).splitlines()
        assert_shows(Shown(each.section, each.command, tuple(without_times(list(each.lines)))), without_times(printed))
    assert len(shown) > 12
    # The page for those who approve the change is the only file that the reader looks at in a browser.
    assert (reader.folder / "upgrade.html").read_text("utf-8").startswith("<!DOCTYPE html>")
