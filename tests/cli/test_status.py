from __future__ import annotations

import json
import re
import socket

from tests.archive.scripted import Scripted
from tests.cli.conftest import Run


def test_started_archive_is_exit_code_0(run: Run, archive: Scripted) -> None:
    archive.answer(200, '{"status":"STARTED"}')
    result = run("status", "--archive-url", archive.url)
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.fullmatch(rf"STARTED: archive {archive.url} \(\d+\.\d\d s\)\n", result.stdout)


def test_stopped_archive_is_exit_code_1(run: Run, archive: Scripted) -> None:
    archive.answer(200, '{"status":"STOPPED"}')
    result = run("status", "--archive-url", archive.url, "--json")
    assert (result.exit_code, result.stderr) == (1, "")
    content = json.loads(result.stdout)
    assert content.pop("seconds") > 0
    assert content == {"archive_url": archive.url, "status": "STOPPED"}


def test_archive_that_is_down_is_exit_code_3(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/dcm4chee-arc"
    result = run("status", "--archive-url", url)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {url}/ctrl/status: connection refused\n"
        "  next: is the archive running? its URL is set with --archive-url\n"
    )


def test_wrong_base_url_is_exit_code_3(run: Run, archive: Scripted) -> None:
    archive.answer(404, "<html><body>Not Found</body></html>")
    result = run("status", "--archive-url", archive.url)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {archive.url}/ctrl/status: there is nothing to control here (HTTP 404)\n"
        "  next: is this the archive's base URL? a stock one is http://HOST:8080/dcm4chee-arc (--archive-url)\n"
    )
