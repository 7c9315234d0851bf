"""An error about a node suggests the setting of this node, not the option for the whole archive."""

from __future__ import annotations

from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.ports import free_port


def test_a_node_that_does_not_run_is_named_with_the_command_that_sets_its_url(run: Run) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/dcm4chee-arc"
    for key, value in {"ldap_url": "ldap://127.0.0.1:9", "nodes.east.archive_url": url}.items():
        assert run("config", "set", f"site.{key}", value).exit_code == 0
    done = run("status", "--profile", "site")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        3,
        f"east: Connection refused: no server listens at 127.0.0.1:{port} — Start the archive's server. If the server "
        "is already starting, wait some seconds. If the URL is wrong, run: "
        "dcmcfg config set site.nodes.east.archive_url URL",
    )


def test_a_node_that_is_slow_is_reported_before_it_responds(run: Run, archive: Scripted) -> None:
    archive.run_as_an_archive_does()
    archive.once["ctrl/status"] = (
        500,
        b"<html><head><title>Error</title></head><body>500 - Internal Server Error</body></html>",
    )
    for key, value in {"ldap_url": "ldap://127.0.0.1:9", "nodes.east.archive_url": archive.url}.items():
        assert run("config", "set", f"site.{key}", value).exit_code == 0
    done = run("status", "--profile", "site")
    assert (done.exit_code, done.stderr) == (0, "HTTP 500 from the web server; dcmcfg retries for up to 3 s …\n")
