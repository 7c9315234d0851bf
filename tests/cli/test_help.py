"""``dcmcfg help``, and the form of every help page."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

import dcmcfg
from dcmcfg.cli.commands import SECTIONS
from dcmcfg.cli.help_pages.page import list_arguments
from dcmcfg.cli.help_pages.topics import get_topic
from dcmcfg.cli.main import program
from dcmcfg.cli.options.change_options import HELP_BY_RISK
from dcmcfg.cli.options.site_settings import SITE_SETTINGS
from dcmcfg.cli.topics import TOPICS
from dcmcfg.limits import LIMITS
from dcmcfg.settings.sources import VARIABLES
from tests.cli.conftest import Run
from tests.cli.test_examples import COMMANDS

LONGEST_PAGE_LINES = 75
DOCS = Path(__file__).parents[2] / "docs"
PACKAGE = Path(dcmcfg.__file__).parent

RELOAD = """\
Usage: dcmcfg reload [OPTIONS]

  Make the archive load its configuration again.

  A change in the directory takes effect when the archive reloads. If the
  archive cannot open a port, dcmcfg repeats the reload once. If the profile
  lists nodes, they are reloaded one after the other: see 'dcmcfg help nodes'.

  Exit codes: 0 the archive reloaded. 3 dcmcfg could not reach the archive, the
  archive does not run, or the archive could not load the new configuration and
  keeps its previous configuration. 4 the new configuration is in effect but a
  port is closed, or the result is unknown. With nodes: 4 at least one node has
  not reloaded.

Options:
  --json      Print the result as JSON.
  -h, --help  Show this message and exit.

More options:
  dcmcfg help site-options  Directory server, archive and credentials.
  dcmcfg help nodes         Nodes, replicas and confirmed reloads (--node).

Examples:
  # Make the archive load its configuration
  dcmcfg reload
  # Make the archive of a profile load its configuration
  dcmcfg reload --profile hospital
"""

EXIT_CODES = """\
The help of a command lists the exit codes that have a special meaning for this
command.

Exit codes:
  0    Success, also if there was nothing to do.
  1    Negative result: the user declined, a study was not verified, or the
       command found problems or differences. A dry run has this exit code if
       dcmcfg would refuse the plan.
  2    Usage error: the command line or a setting is wrong. Examples: an unknown
       option, an invalid AE title, an unknown SOP class.
  3    The command failed, and nothing was changed. Examples: an unknown
       attribute, a value that the schema of the server does not allow, a
       missing entry.
  4    The command did not finish, and something has changed or might have
       changed.
  130  Interrupted with Ctrl-C.
  141  The program that was reading the output has ended. Example: head in
       'dcmcfg ae list | head'.
"""


def offered(*words: str) -> list[str]:
    completion = ShellComplete(program, {}, "dcmcfg", "_DCMCFG_COMPLETE")
    return [item.value for item in completion.get_completions(list(words[:-1]), words[-1])]


def context_of(path: str) -> click.Context:
    context = click.Context(program, info_name="dcmcfg", **program.context_settings)
    for word in path.split():
        group = context.command
        assert isinstance(group, click.Group)
        command = group.get_command(context, word)
        assert command is not None
        context = click.Context(command, parent=context, info_name=word)
    return context


@pytest.mark.parametrize("arguments", [["help", "reload"], ["reload", "--help"], ["reload", "-h"]])
def test_help_of_a_command_is_its_help_option(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.output) == (0, RELOAD)


def test_help_of_a_subcommand_a_group_and_an_alias(run: Run) -> None:
    assert run("help", "ae", "add").output == run("ae", "add", "--help").output
    assert run("help", "ae").output == run("ae", "--help").output
    assert run("help", "aes").output == run("ae", "list", "--help").output
    assert run("help").output == run("--help").output


def test_help_of_a_topic(run: Run) -> None:
    result = run("help", "exit-codes")
    assert (result.exit_code, result.output) == (0, EXIT_CODES)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["relaod"], "No command or topic 'relaod'. Did you mean reload?"),
        (["site-option"], "No command or topic 'site-option'. Did you mean site-options?"),
        (["xyzzy"], "No command or topic 'xyzzy'."),
        (["ae", "ad"], "dcmcfg ae has no command 'ad'. Did you mean add?"),
        (["reload", "now"], "dcmcfg reload has no command 'now'."),
        (["ae", "site-options"], "dcmcfg ae has no command 'site-options'."),
    ],
)
def test_what_is_unknown_is_exit_code_2_with_similar_names(run: Run, words: list[str], message: str) -> None:
    result = run("help", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"Usage: dcmcfg help [OPTIONS] [COMMAND|TOPIC]...\nTry 'dcmcfg help --help' for help.\n\nError: {message}\n"
    )


def test_commands_and_topics_are_completed() -> None:
    assert offered("help", "re") == ["rename", "restore", "results", "reload"]
    assert offered("help", "site") == ["site-options"]
    assert offered("help", "results", "") == ["list", "clear"]
    assert offered("help", "reload", "") == offered("help", "xyzzy", "") == []
    assert "site-options" not in offered("help", "ae", "")


# -- the form of pages


def test_the_first_page_lists_commands_and_topics_and_no_site_option(run: Run) -> None:
    result = run("--help")
    assert len(result.stdout.splitlines()) <= LONGEST_PAGE_LINES
    assert [name for name in (*SECTIONS, *TOPICS) if name not in result.stdout] == []
    assert "--ldap-url" not in result.stdout
    assert "--max" not in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


@pytest.mark.parametrize("path", COMMANDS)
def test_every_argument_has_a_text(path: str) -> None:
    context = context_of(path)
    assert [each for each in list_arguments(context.command, context) if not each.text.endswith(".")] == []


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_has_a_text(path: str) -> None:
    context = context_of(path)
    options = [each for each in context.command.get_params(context) if isinstance(each, click.Option)]
    assert [each.name for each in options if not each.hidden and not (each.help or "").endswith(".")] == []


@pytest.mark.parametrize("path", COMMANDS)
def test_shared_options_are_one_line_and_are_accepted_and_completed(run: Run, path: str) -> None:
    page = run(*path.split(), "--help").stdout.partition("\nExamples:\n")[0]
    names = {each.opts[-1] for each in COMMANDS[path].params if isinstance(each, click.Option)}
    assert ("\n  dcmcfg help site-options" in page) == ("--ldap-url" in names)
    assert ("\n  dcmcfg help safety-overrides" in page) == ("--force-vendor-data" in names)
    for option in ("--ldap-url", "--force-vendor-data"):
        assert f"\n  {option}" not in page
        assert (option in offered(*path.split(), option)) == (option in names)


@pytest.mark.parametrize("arguments", [["help", "site-options"], ["help", "--json"], ["help", "ae", "--json"]])
def test_topics_and_lists_load_no_server_library(arguments: list[str]) -> None:
    code = (
        "import sys; from dcmcfg.cli.main import program\n"
        f"try: program({arguments}, prog_name='dcmcfg')\n"
        "finally: print('LOADED', *sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    loaded = set(result.stdout.rpartition("\nLOADED ")[2].split())
    assert "dcmcfg.cli.help" in loaded
    assert not {"ldap3", "pydicom", "pynetdicom", "httpx", "tomlkit"} & loaded


@pytest.mark.parametrize("path", COMMANDS)
def test_no_option_is_broken_at_its_hyphens(run: Run, path: str) -> None:
    lines = run(*path.split(), "--help").stdout.splitlines()
    assert [line for line in lines if line.endswith("-")] == []


# -- topics


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_has_paragraphs_and_rows_that_fit(run: Run, name: str) -> None:
    topic = get_topic(name)
    assert topic.name == name
    assert all(section.rows for section in topic.sections)
    assert all(text.endswith(".") or name in ("limits", "targets") for s in topic.sections for _, text in s.rows)
    assert all(len(line) <= 80 for line in run("help", name).stdout.splitlines())


def test_topics_list_what_the_code_has(run: Run) -> None:
    site = run("help", "site-options").stdout
    assert [each for each in SITE_SETTINGS if f"--{each.replace('_', '-')}" not in site] == []
    risks = run("help", "safety-overrides").stdout
    assert [each for each in HELP_BY_RISK if f"--force-{each} " not in risks] == []
    limits = run("help", "limits").stdout
    assert [each.name for each in LIMITS if f"  {each.name} (" not in limits] == []
    environment = run("help", "environment").stdout
    assert [each for each in (*VARIABLES.values(), "DCMCFG_PROFILE") if f"  {each}" not in environment] == []


# -- JSON


def test_a_command_as_json(run: Run) -> None:
    shown = json.loads(run("help", "undo", "--json").stdout)
    assert (shown["command"], shown["usage"]) == ("dcmcfg undo", "dcmcfg undo [OPTIONS] [N]")
    assert shown["description"].startswith("Revert a change.\n")
    assert shown["arguments"] == [
        {"name": "[N]", "text": "Number of the change. Default: the interrupted change, or else the newest change."}
    ]
    assert {
        "heading": "Options",
        "option": "--partial",
        "text": "Revert only the steps that no later change affects, and list the other steps.",
    } in shown["options"]
    assert shown["option_topics"] == ["site-options", "safety-overrides", "nodes"]
    assert shown["examples"][0] == {"purpose": "Revert the newest change", "command": "dcmcfg undo"}
    assert (shown["commands"], shown["topics"]) == ([], [])


def test_the_program_and_a_topic_as_json(run: Run) -> None:
    shown = json.loads(run("help", "--json").stdout)
    assert [each["name"] for each in shown["commands"]] == [name for section in SECTIONS.values() for name in section]
    assert [each["name"] for each in shown["topics"]] == list(TOPICS)
    topic = json.loads(run("--json", "help", "exit-codes").stdout)
    assert (topic["topic"], topic["summary"]) == ("exit-codes", TOPICS["exit-codes"])
    assert topic["sections"][0]["rows"][-2] == {"term": "130", "text": "Interrupted with Ctrl-C."}


# -- where texts point to


_PAGE_NAMES = frozenset(path.name for path in DOCS.rglob("*.md"))


def find_page_references(text: str) -> list[str]:
    """Return each name of a page in docs/ that *text* contains: pip does not install these pages."""
    return re.findall(r"docs/\S*", text) + [word for word in re.findall(r"[\w-]+\.md\b", text) if word in _PAGE_NAMES]


def list_texts(source: str) -> list[str]:
    """Return the strings in the Python *source* without docstrings, which are for readers of the code."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    constants = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return [node.value for node in constants if isinstance(node.value, str)]


def test_no_text_points_to_a_page_that_is_not_installed(run: Run) -> None:
    assert find_page_references("see docs/how-to/x.md, design.md or note.md") == ["docs/how-to/x.md,", "design.md"]
    texts = [text for path in PACKAGE.rglob("*.py") for text in list_texts(path.read_text("utf-8"))]
    texts += [context_of(path).get_help() for path in COMMANDS] + [run("help", name).stdout for name in TOPICS]
    assert [found for text in texts for found in find_page_references(text)] == []


def test_every_topic_that_a_text_names_exists() -> None:
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    names = {name for source in sources for name in re.findall(r"dcmcfg help ([a-z][a-z-]*)", source)}
    assert {"secured", "another-base"} <= names
    assert names - {*TOPICS, *program.list_commands(click.Context(program))} == set()
