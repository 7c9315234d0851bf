"""The role of a new AE: its words, and what it requires."""

from __future__ import annotations

import pytest

from dcmcfg.errors import MalformedInput
from dcmcfg.onboarding.role import DEFAULT_ROLE, AERole, describe_roles, parse_new_address, parse_role


def test_roles_are_described_in_one_line_the_default_first() -> None:
    assert describe_roles() == (
        "workstation: accepts associations; modality: only sends objects and requires no port; "
        "archive: accepts associations, and its device gets the type ARCHIVE if the device is new"
    )
    assert describe_roles().startswith(f"{DEFAULT_ROLE.value}: ")


def test_a_role_is_read_in_any_case() -> None:
    assert parse_role("Modality") is AERole.MODALITY
    with pytest.raises(MalformedInput, match="unknown role; must be one of workstation, modality, archive"):
        parse_role("viewer")


def test_only_a_role_that_does_not_listen_needs_no_port() -> None:
    assert parse_new_address("CT1@ct1", AERole.MODALITY) == ("CT1", "ct1", None)
    assert parse_new_address("CT1@ct1:104", AERole.MODALITY) == ("CT1", "ct1", 104)
    assert parse_new_address("WS1@ws1:104", AERole.ARCHIVE) == ("WS1", "ws1", 104)
    for role in (AERole.WORKSTATION, AERole.ARCHIVE):
        for address in ("WS1@ws1", "WS1@[2001:db8::1]"):
            with pytest.raises(MalformedInput, match=r"the port is missing — .* only --role modality requires no port"):
                parse_new_address(address, role)
        with pytest.raises(MalformedInput, match="not the address of an AE"):
            parse_new_address("WS1", role)
