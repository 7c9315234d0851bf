"""The option that raises a limit on what peers send."""

from __future__ import annotations

import pytest

from dcmcfg.limits import HTTP_BODY
from tests.cli.conftest import Run
from tests.cli.sites import CliSite


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (("device", "list"), 0),
        (("--max", "ldap-entries=3", "device", "list"), 3),
        (("device", "list", "--max", "ldap-entries=3"), 3),
        (("--max", "ldap-entries=3", "device", "list", "--max", "ldap-octets=1G", "--max", "ldap-entries=4"), 4),
    ],
)
def test_a_limit_is_given_before_or_after_the_command(
    run: Run, site: CliSite, arguments: tuple[str, ...], number: int
) -> None:
    result = run(*arguments)
    if not number:
        assert (result.exit_code, result.stderr) == (0, "")
        return
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: the directory server sent too much: more than {number} entries in one search result\n"
        f"  next: If you expect this amount of data, repeat the command with --max ldap-entries={2 * number}\n"
    )


def test_a_limit_that_is_none_is_a_usage_error(run: Run) -> None:
    result = run("device", "list", "--max", "http-body=x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'--max': http-body must be a positive integer, optionally with the suffix K, M or G." in result.stderr
    assert HTTP_BODY.maximum == HTTP_BODY.default


def test_a_limit_is_no_option_that_others_have_to_go_with(run: Run) -> None:
    result = run("verify", "--dest", "A", "--max", "find-responses=5")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == (
        "Error: Missing option '--study'. Instead of --study, you can specify --studies, --query or --recall."
    )
