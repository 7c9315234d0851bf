"""Reports of each command as Markdown and as a web page, whole.

``WRITE_ANSWERS=1 pytest tests/render/reports/test_golden.py`` writes the files anew: read the difference, then commit
it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dcmcfg.render.html.report_page import render_report_page
from dcmcfg.render.report import Report
from dcmcfg.render.report_markdown import render_report_markdown
from tests.render.reports.examples import build_reports

EXPECTED = Path(__file__).parent / "expected"
VALUE = "<b>x</b> | `y` @all #1"
FORMS: dict[str, Callable[[Report], Iterable[str]]] = {"md": render_report_markdown, "html": render_report_page}


def settle(text: str, folder: Path) -> str:
    """Return *text* without the account, the time and the folder of this run; of a page, only the main part."""
    main = re.search(r"<main>\n(.*)</main>", text, re.DOTALL)
    text = main[1] if main else text
    text = text.replace(str(folder), "FOLDER").replace(str(folder).replace("/", "/<wbr>"), "FOLDER")
    text = re.sub(r"\b20(?!26-01-02)\d\d-\d\d-\d\d \d\d:\d\d(:\d\d UTC)?", "TIME", text)
    return re.sub(r"[\w.-]+@[\w.-]+(?=`|<)", "ACCOUNT", text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def reports(folder: Path) -> dict[str, Report]:
    return build_reports(folder, VALUE)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["plan", "applied", "diff", "check", "rules", "history", "change", "echo", "matrix"])
def test_a_report_is_as_recorded(reports: dict[str, Report], folder: Path, name: str, form: str) -> None:
    path = EXPECTED / f"{name}.{form}"
    text = settle("".join(FORMS[form](reports[name])), folder)
    if os.environ.get("WRITE_ANSWERS"):
        EXPECTED.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")
