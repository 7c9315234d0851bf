"""The man pages have the text of the help, and are valid for the programs that show them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import click
import pytest

from dcmcfg.cli.help_pages.page import list_arguments, list_examples
from dcmcfg.cli.help_pages.topics import get_topic
from dcmcfg.cli.main import program
from dcmcfg.cli.options.help_page import list_option_sections
from dcmcfg.cli.topics import TOPICS
from release import roff
from release.man_pages import list_man_pages, read_release_date, write_man_pages
from tests.cli.test_examples import COMMANDS
from tests.cli.test_help import context_of
from tests.release.conftest import Distributions

PAGES = {page.path: page for page in list_man_pages()}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_man_pages(tmp_path_factory.mktemp("man"))


def require_program(name: str) -> str:
    """Return the path of the program *name*; skip the test if it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def list_help_texts() -> dict[str, list[str]]:
    """Return the texts of the help of each command and topic, by the name of its man page."""
    texts: dict[str, list[str]] = {}
    for path in COMMANDS:
        context = context_of(path)
        page = texts[f"dcmcfg-{path.replace(' ', '-')}(1)"] = []
        page += (context.command.help or "").replace("\b\n", "").split("\n\n")
        page += [text for each in list_arguments(context.command, context) for text in (each.metavar, each.text)]
        options = list_option_sections(context.command, context).values()
        page += [text for rows in options for row in rows for text in row]
        page += [text for each in list_examples(context.command, context) for text in (each.purpose, each.command)]
    for name in TOPICS:
        topic = get_topic(name)
        rows = [text for each in topic.sections for row in each.rows for text in row]
        texts[f"dcmcfg-{name}(7)"] = [*topic.paragraphs, *rows]
    return texts


def test_every_command_and_topic_has_a_page() -> None:
    context = click.Context(program)
    groups = {f"dcmcfg-{name}(1)" for name in program.list_commands(context)}
    assert {f"{each.name}({each.section})" for each in PAGES.values()} == {"dcmcfg(1)", *groups, *list_help_texts()}


def test_a_shown_page_has_every_text_of_the_help(files: list[Path]) -> None:
    groff = require_program("groff")
    # All pages in one run. Lines are long, so that a term is on the line of its text, and nothing is wrapped.
    options = ["-ww", "-man", "-Tutf8", "-P-cbou", "-rLL=9000n"]
    done = subprocess.run([groff, *options, *files], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    # Each page begins with a line that has its name twice.
    _, *shown = re.split(r"^(DCMCFG\S*\(\d\)) +dcmcfg +\1$", done.stdout, flags=re.MULTILINE)
    texts = {name.lower(): " ".join(text.split()) for name, text in zip(shown[::2], shown[1::2], strict=True)}
    assert len(texts) == len(PAGES)
    missing = [
        (name, each)
        for name, expected in list_help_texts().items()
        for each in expected
        if " ".join(each.split()).removeprefix("Exit codes: ") not in texts[name]
    ]
    assert missing == []


def test_the_pages_are_valid(files: list[Path]) -> None:
    mandoc = require_program("mandoc")
    done = subprocess.run([mandoc, "-Tlint", "-Wwarning", *files], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_the_pages_show_no_warnings_in_man(files: list[Path]) -> None:
    man = require_program("man")
    if "minimized" in Path(man).read_bytes()[:200].decode("ascii", "replace"):
        pytest.skip("man is a stub in this container")
    done = subprocess.run([man, "--warnings", "-l", files[0]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("DCMCFG(1)")


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (".hidden", r"\&.hidden"),
        ("'quoted'", r"\(aqquoted\(aq"),
        (r"a\b", r"a\(rsb"),
        ("--dry-run", r"\-\-dry\-run"),
        ("~/x^`", r"\(ti/x\(ha\(ga"),
        ("a … b", r"a \[u2026] b"),
    ],
)
def test_characters_that_roff_interprets_are_escaped(text: str, source: str) -> None:
    assert roff.escape(text) == source


def test_usage_has_options_in_bold_and_placeholders_in_italics() -> None:
    assert roff.format_usage("-o, --output FILE") == r"\fB\-o\fR, \fB\-\-output\fR \fIFILE\fR"
    assert roff.format_usage("--max NAME=N") == r"\fB\-\-max\fR \fINAME\fR=\fIN\fR"


def test_the_date_is_that_of_the_newest_release() -> None:
    changelog = "# Changelog\n\n## Unreleased\n\n## 1.1.0 - 2031-02-03\n\n## 1.0.0 - 2030-01-02\n"
    assert read_release_date(changelog) == "2031-02-03"
    assert read_release_date("# Changelog\n\n## Unreleased\n") == ""


@pytest.mark.real
def test_the_wheel_installs_the_pages(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        found = {
            name.partition(".data/data/share/man/")[2]: wheel.read(name).decode("ascii")
            for name in wheel.namelist()
            if "/share/" in name
        }
    assert found == {path: page.text for path, page in PAGES.items()}
    with tarfile.open(distributions.sdist) as sdist:
        assert not [name for name in sdist.getnames() if re.search(r"\.[17]$", name)]
