"""``make site`` fails if a page loads something from the network, or if a link leads nowhere."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

CHECK = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "check_site.py"))
GOOD = (
    '<link rel="stylesheet" href="a.css"><link rel="canonical" href="b/"><a href="b/index.html#top">x</a><a '
    'href="#here"></a><h1 id="here"></h1><img src="data:image/png;base64,AA=="><svg><use href="#here"></use></svg>'
    '<a href="https://dicom.nema.org/x">PS3</a>'
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "index.html").write_text('<p id="top"></p>')
    (tmp_path / "a.css").write_text("p { background: url(data:image/png;base64,AA==) }")
    (tmp_path / "a.js").write_text('const name = "http://www.w3.org/2000/svg"; // https://example.org')
    (tmp_path / "index.html").write_text(GOOD)
    return tmp_path


def problems(site: Path) -> list[str]:
    return list(CHECK["find_problems"](site))


def test_a_site_in_order_has_no_problems(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert problems(site) == []
    assert CHECK["main"](site) == 0
    assert capsys.readouterr().out == f"{site}: 2 pages, 0 problems\n"


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ('<script src="https://cdn.example.org/x.js"></script>', "loads https://cdn.example.org/x.js"),
        ('<img src="//cdn.example.org/x.png">', "loads //cdn.example.org/x.png"),
        ('<img srcset="a.css 1x, https://e.org/x.png 2x">', "loads https://e.org/x.png"),
        ('<link rel="preconnect" href="https://fonts.example.org">', "loads https://fonts.example.org"),
        ('<p style="background:url(https://e.org/x.png)">', "loads https://e.org/x.png"),
        ("<style>@import 'https://e.org/x.css';</style>", "loads https://e.org/x.css"),
        ('<svg><use href="https://e.org/x.svg#y"></use></svg>', "loads https://e.org/x.svg#y"),
        ('<img src="none.png">', "none.png leads to no file"),
        ('<a href="none.html">x</a>', "none.html leads to no file"),
        ('<a href="b/index.html#none">x</a>', "b/index.html#none leads to no anchor"),
        ('<a href="b/#none">x</a>', "b/#none leads to no anchor"),
        ('<a href="#none">x</a>', "#none leads to no anchor"),
        ('<a href="file:///etc">x</a>', "file:///etc has another scheme"),
        (
            '<a href="https://unknown.example.org/">x</a>',
            "https://unknown.example.org/ is on no known host (KNOWN_HOSTS in docs/check_site.py)",
        ),
    ],
)
def test_a_problem_of_a_page_is_found(site: Path, added: str, problem: str) -> None:
    (site / "index.html").write_text(GOOD + added)
    assert problems(site) == [f"index.html: {problem}"]
    assert CHECK["main"](site) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.css", "@font-face { src: url('https://e.org/x') }"),
        ("a.svg", "<svg><style>@font-face { src: url(https://e.org/x) }</style></svg>"),
        ("a.js", 'fetch("https://e.org/x")'),
        ("a.js", 'script.src = "https://e.org/x"'),
    ],
)
def test_a_load_of_another_file_is_found(site: Path, file: str, text: str) -> None:
    (site / file).write_text(text)
    assert problems(site) == [f"{file}: loads https://e.org/x"]


def test_an_empty_folder_is_a_failure(tmp_path: Path) -> None:
    assert CHECK["main"](tmp_path) == 1
