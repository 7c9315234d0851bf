"""The lab's tree as a value, and a study on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.lab.site import Ports
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from tests.dicom.dcmtk import Made, make_instances

PORTS = Ports(
    ldap=20001, http=20002, archive=20003, external=20004, storage=20005, archive_tls=20007, workstation=20006
)


@pytest.fixture(scope="session")
def configuration() -> Configuration:
    return Configuration(Tree.from_entries(load_bundled_schema(), load_site_entries(PORTS)))


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_instances(tmp_path / "made", per_series=3)
