"""The table of the images' variables is consistent in itself."""

from __future__ import annotations

import pytest

from dcmcfg.environment.container import Role
from dcmcfg.environment.variables import (
    VARIABLES,
    VARIABLES_BY_NAME,
    Effect,
    ImageVariable,
    Target,
    find_variable,
    list_names,
)


def test_an_image_has_each_variable_once() -> None:
    assert len(VARIABLES_BY_NAME) == len(VARIABLES)
    assert {each.role for each in VARIABLES} == set(Role)


@pytest.mark.parametrize("row", VARIABLES, ids=lambda row: f"{row.role.name}-{row.name}")
def test_a_row_has_what_its_comparison_requires(row: ImageVariable) -> None:
    assert row.touches
    assert bool(row.device) == (row.target in (Target.DEVICE_HOST, Target.DEVICE_PORT))
    assert bool(row.listener) == (row.target is Target.ARCHIVE_PORT)
    if row.device:
        assert VARIABLES_BY_NAME[row.role, row.device].target is Target.DEVICE
    if row.is_secret:
        assert row.target is Target.NONE, "values of compared variables are shown"
    if row.role is Role.ARCHIVE:
        assert row.effect is Effect.EACH_START


def test_a_file_variant_stands_for_its_variable() -> None:
    found = find_variable(Role.ARCHIVE, "LDAP_ROOTPASS_FILE")
    assert found is VARIABLES_BY_NAME[Role.ARCHIVE, "LDAP_ROOTPASS"]
    assert find_variable(Role.ARCHIVE, "HTTP_PORT_FILE") is None
    assert "POSTGRES_USER_FILE" in list_names(Role.ARCHIVE)
    assert "LDAP_URL_FILE" not in list_names(Role.ARCHIVE)
