"""The destination of a run: what the archive does not know ends it before the first C-MOVE."""

from __future__ import annotations

import pytest

from dcmcfg.bulk.session import require_known_destination
from dcmcfg.changes import Change
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.verify.addresses import find_addresses
from tests.lint.breaking import STORESCP, put, valid_tree


def refused(destination: str, *changes: Change) -> str:
    addresses = find_addresses(Configuration(valid_tree().with_changes(changes)), "dcm4chee-arc", destination)
    try:
        require_known_destination(destination, addresses)
    except NotFound as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("destination", "changes", "told"),
    [
        ("STORESCP", (), ""),
        (
            "STORESCP",
            (put(STORESCP, dicomInstalled="FALSE"),),
            "STORESCP is not installed (dicomInstalled), so the archive would refuse every study — set "
            "dicomInstalled to TRUE (on the AE or on its device), then run dcmcfg reload; or specify another AE with "
            "--dest",
        ),
        (
            "STORESCPP",
            (),
            "the AE STORESCPP does not exist in LDAP, so the archive would refuse every study — did you mean "
            "STORESCP? Otherwise specify another AE with --dest, or create the AE: dcmcfg ae add STORESCPP@HOST:PORT",
        ),
        (
            "NOBODY",
            (),
            "the AE NOBODY does not exist in LDAP, so the archive would refuse every study — specify another AE "
            "with --dest, or create the AE: dcmcfg ae add NOBODY@HOST:PORT",
        ),
    ],
)
def test_a_destination_is_refused_unless_an_installed_ae_has_the_title(
    destination: str, changes: tuple[Change, ...], told: str
) -> None:
    assert refused(destination, *changes) == told
