"""The program as a whole: help without loading, options on both sides of the command, how runs end."""

from __future__ import annotations

import importlib
import json
import os
import platform
import pty
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dcmcfg import __version__
from dcmcfg.cli import commands, invocation
from dcmcfg.cli.completion import completion_command
from dcmcfg.cli.options.site_command import site_options
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.terminal import confirm, get_bind_password
from dcmcfg.errors import LdifError
from dcmcfg.settings import Settings, format_site_headline, write_profile
from tests.archive.scripted import Scripted
from tests.cli.at_terminal import read_until
from tests.cli.conftest import Run
from tests.patience import PATIENCE_S


def dcmcfg(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "dcmcfg", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | environment,
        timeout=PATIENCE_S,
    )


def add_command(monkeypatch: pytest.MonkeyPatch, command: click.Command) -> None:
    """Have the program know *command* as ``trial``."""
    monkeypatch.setitem(commands.COMMANDS, "trial", commands.Command("status", "trial_command", "Try."))
    monkeypatch.setattr("dcmcfg.cli.status.trial_command", command, raising=False)


def add_failing(monkeypatch: pytest.MonkeyPatch, error: BaseException, *, writing: bool = False) -> None:
    @click.command("trial")
    @click.option("--json", is_flag=True, expose_value=False)
    def trial() -> None:
        invocation.current().may_have_changed = writing
        raise error

    add_command(monkeypatch, trial)


# -- help


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_each_command_exists_and_the_table_has_its_own_short_help(name: str) -> None:
    check_row(name, commands.COMMANDS[name])


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group, rows in commands.SUBCOMMANDS.items() for name in rows]
)
def test_each_subcommand_exists_and_the_table_has_its_own_short_help(group: str, name: str) -> None:
    check_row(name, commands.SUBCOMMANDS[group][name])


def check_row(name: str, entry: commands.Command) -> None:
    command = getattr(importlib.import_module(f"dcmcfg.cli.{entry.module}"), entry.attribute)
    assert isinstance(command, click.Command)
    assert command.name == name
    own = command.short_help or (command.help or "").split("\n\n")[0].replace("\n", " ")
    assert own == entry.help


def test_help_lists_every_command_and_loads_none() -> None:
    code = (
        "import sys; from dcmcfg.cli.main import program\n"
        "try: program(['--help'], prog_name='dcmcfg')\n"
        "finally: print(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, _, loaded = result.stdout.rstrip().rpartition("\n")
    for heading, section in commands.SECTIONS.items():
        listed = text.partition(f"\n{heading}:\n")[2].partition("\n\n")[0]
        assert [line.split(maxsplit=1) for line in listed.splitlines()] == [
            [name, entry.help] for name, entry in section.items()
        ]
    for entry in commands.COMMANDS.values():
        assert f"dcmcfg.cli.{entry.module}" not in loaded.split()
    heavy = {"httpx", "ldap3", "pydicom", "pynetdicom", "rich", "platformdirs", "dcmcfg.settings"}
    heavy |= {"tomlkit", "dcmcfg.cli.help_pages.page", "dcmcfg.cli.help_pages.topics"}
    assert not heavy & set(loaded.split())


def test_the_export_does_not_load_rich() -> None:
    """rich takes a quarter of the time of an export of the default tree."""
    script = "import sys, dcmcfg.cli.export_ldif; print('rich' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "False\n"
    )


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("arguments", [[], ["reload"]])
def test_help_is_short_and_long(run: Run, arguments: list[str], option: str) -> None:
    result = run(*arguments, option)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: {' '.join(['dcmcfg', *arguments])} [OPTIONS]")


def test_version() -> None:
    result = dcmcfg("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"dcmcfg {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--version", "--json"], ["--json", "--version"]])
def test_version_as_json_has_those_of_the_libraries(arguments: list[str]) -> None:
    result = dcmcfg(*arguments)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "version": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("ldap3", "pynetdicom", "pydicom")},
    }


def test_help_works_with_a_broken_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", "nonsense")
    monkeypatch.setenv("DCMCFG_PROFILE", "missing")
    assert run("reload", "--help").exit_code == 0


# -- usage


def test_no_command_shows_the_help_and_is_exit_code_2(run: Run) -> None:
    result = run()
    assert result.exit_code == 2
    assert result.output.startswith("Usage: dcmcfg")


def test_unknown_command_is_exit_code_2() -> None:
    result = dcmcfg("relaod")
    assert (result.returncode, result.stdout) == (2, "")
    assert "No such command 'relaod'" in result.stderr


def test_unknown_option_is_exit_code_2() -> None:
    result = dcmcfg("reload", "--bind-password", "secret")
    assert (result.returncode, result.stdout) == (2, "")
    assert "No such option" in result.stderr


# -- site options


@click.command("trial")
@site_options
@click.option("--own", default="x")
def print_site(settings: Settings, own: str) -> None:
    """Print the site."""
    click.echo(f"{format_site_headline(settings)} · {settings.device} · {own}")


def test_site_options_count_before_and_after_the_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_command(monkeypatch, print_site)
    before, after = ["--ldap-url", "ldap://before", "--device", "d1"], ["--ldap-url", "ldap://after", "--own", "y"]
    archive = "archive http://localhost:8080/dcm4chee-arc"
    admin = "cn=admin,dc=dcm4che,dc=org"
    assert run("trial").stdout == f"{admin} @ ldap://localhost:389 · {archive} · dcm4chee-arc · x\n"
    assert run(*before, "trial").stdout == f"{admin} @ ldap://before:389 · {archive} · d1 · x\n"
    assert run("trial", *after).stdout == f"{admin} @ ldap://after:389 · {archive} · dcm4chee-arc · y\n"
    assert run(*before, "trial", *after).stdout == f"{admin} @ ldap://after:389 · {archive} · d1 · y\n"


def test_profile_of_the_user_is_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_command(monkeypatch, print_site)
    write_profile("lab", {"ldap_url": "ldap://127.0.0.1:3389", "device": "d2"})
    monkeypatch.setenv("DCMCFG_LDAP_URL", "ldap://production")
    assert " @ ldap://127.0.0.1:3389 · " in run("--profile", "lab", "trial").stdout
    assert " @ ldap://production:389 · " in run("trial").stdout


def test_malformed_setting_is_exit_code_2() -> None:
    result = dcmcfg("status", "--archive-url", "localhost:8080")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "dcmcfg: --archive-url 'localhost:8080': invalid URL: the URL must start with one of http://, https://\n"
        "  next: for example http://localhost:8080/dcm4chee-arc\n"
    )


def test_missing_profile_names_those_there_are() -> None:
    where = write_profile("lab", {"device": "x"}).with_name("prod.toml")
    result = dcmcfg("status", "--profile", "prod")
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {where}: the profile prod does not exist (specified by --profile)\n  next: existing profiles: lab\n"
    )


def test_a_misspelt_command_names_those_spelt_alike() -> None:
    result = dcmcfg("set-external-retreive", "DCM4CHEE")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith("No such command 'set-external-retreive'. Did you mean set-external-retrieve?\n")


def test_a_full_disk_is_told_and_no_internal_error() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "dcmcfg", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
        )
    assert (ended.returncode, ended.stderr) == (
        3,
        "dcmcfg: the output cannot be written (No space left on device)\n",
    )


# -- how runs end


def test_error_is_told_with_what_and_where_and_the_next_step(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_failing(monkeypatch, LdifError("no colon", subject="a.ldif:7", next_step="write attribute: value"))
    result = run("trial")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "dcmcfg: a.ldif:7: no colon\n  next: write attribute: value\n"


@pytest.mark.parametrize("writing", [False, True])
def test_with_json_each_failure_is_an_object_on_stdout_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, writing: bool
) -> None:
    refused = LdifError("no \x1b[2Jcolon", subject="a.ldif:7", next_step="dcmcfg history")
    known = {
        "message": "no \x1b[2Jcolon",
        "exit_code": 3,
        "subject": "a.ldif:7",
        "next_step": "dcmcfg --device d history",
    }
    crash = {
        "message": "internal error (ZeroDivisionError: x)",
        "exit_code": 4 if writing else 3,
        "subject": "",
        "next_step": "please report this error, with the traceback that DCMCFG_DEBUG=1 prints",
    }
    changed = "; some changes might have been made" if writing else ""
    stopped = {"message": f"interrupted{changed}", "exit_code": 130, "subject": "", "next_step": ""}
    for error, expected_error in ((refused, known), (ZeroDivisionError("x"), crash), (KeyboardInterrupt(), stopped)):
        add_failing(monkeypatch, error, writing=writing)
        result = run("--device", "d", "trial", "--json")
        assert (result.exit_code, json.loads(result.stdout)) == (expected_error["exit_code"], {"error": expected_error})
        assert "\x1b" not in result.stdout
        assert result.stderr.lstrip("\n").startswith("dcmcfg: ")


def test_with_json_what_is_printed_already_stays_the_only_object(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("trial")
    @click.option("--json", "as_json", is_flag=True)
    def trial(*, as_json: bool) -> None:
        print_json({"as_json": as_json})
        raise LdifError("too late")

    add_command(monkeypatch, trial)
    monkeypatch.setattr("dcmcfg.cli.session.output.json", json)  # this command has no schema to be held to
    result = run("trial", "--json")
    assert (result.exit_code, result.stdout) == (3, '{\n  "as_json": true\n}\n')
    assert result.stderr == "dcmcfg: too late\n"


def test_json_after_two_dashes_is_an_argument(run: Run) -> None:
    assert (run("show", "--", "--json").exit_code, run("show", "--", "--json").stdout) == (3, "")


def test_error_cannot_steer_the_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_failing(monkeypatch, LdifError("bad \x1b[2J\x07 é", subject="a\r.ldif"))
    assert run("trial").stderr == "dcmcfg: a\\x0d.ldif: bad \\x1b[2J\\x07 é\n"


def test_error_begins_no_line_of_its_own(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = "bad\n  next: rm -rf /\u2028x"
    add_failing(monkeypatch, LdifError(forged, subject=forged, next_step=forged, details=["one", forged]))
    shown = "bad\\x0a  next: rm -rf /\\u2028x"
    assert run("trial").stderr == f"dcmcfg: {shown}: {shown}\n  one\n  {shown}\n  next: {shown}\n"


@pytest.mark.parametrize(("writing", "code"), [(False, 3), (True, 4)])
def test_want_of_memory_is_no_internal_error(
    run: Run, monkeypatch: pytest.MonkeyPatch, writing: bool, code: int
) -> None:
    add_failing(monkeypatch, MemoryError(), writing=writing)
    result = run("trial")
    changed = "; some changes might have been made" if writing else ""
    assert (result.exit_code, result.stdout, result.stderr) == (
        code,
        "",
        "dcmcfg: out of memory: this machine has too little memory, or its memory limit (ulimit -v) is too "
        f"low{changed}\n"
        "  next: process less data in one run, for example a smaller file or fewer studies\n",
    )


@pytest.mark.parametrize(("writing", "code"), [(False, 3), (True, 4)])
def test_internal_error_says_how_to_see_more(
    run: Run, monkeypatch: pytest.MonkeyPatch, writing: bool, code: int
) -> None:
    add_failing(monkeypatch, ZeroDivisionError("division by zero"), writing=writing)
    result = run("trial")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == (
        "dcmcfg: internal error (ZeroDivisionError: division by zero)\n"
        "  next: please report this error, with the traceback that DCMCFG_DEBUG=1 prints\n"
    )


def test_debugging_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_failing(monkeypatch, ZeroDivisionError("division by zero"))
    monkeypatch.setenv("DCMCFG_DEBUG", "1")
    assert isinstance(run("trial").exception, ZeroDivisionError)


def test_an_interrupted_change_points_to_the_history(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("trial")
    def trial() -> None:
        invocation.current().changes_directory = invocation.current().may_have_changed = True
        raise KeyboardInterrupt

    add_command(monkeypatch, trial)
    assert run("--device", "d", "trial").stderr.lstrip("\n") == (
        "dcmcfg: interrupted; some changes might have been made\n"
        "  next: to see which changes were made: dcmcfg --device d history\n"
    )


@pytest.mark.parametrize("writing", [False, True])
def test_interrupt_is_exit_code_130(run: Run, monkeypatch: pytest.MonkeyPatch, writing: bool) -> None:
    add_failing(monkeypatch, KeyboardInterrupt(), writing=writing)
    result = run("trial")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr.lstrip("\n").startswith("dcmcfg: interrupted")
    assert ("changes might have been made" in result.stderr) == writing


def test_reader_that_goes_away_ends_the_run_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        result = subprocess.run(
            [sys.executable, "-m", "dcmcfg", "completion", "bash"],
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=PATIENCE_S,
        )
    assert (result.returncode, result.stderr) == (141, b"")


def test_exit_code_of_a_process_is_that_of_its_command(archive: Scripted) -> None:
    archive.answer(200, '{"status":"STOPPED"}')
    assert dcmcfg("status", DCMCFG_ARCHIVE_URL=archive.url).returncode == 1


# -- questions


@click.command("trial")
@site_options
def question(settings: Settings) -> int:
    """Ask for the password, and whether to go on."""
    click.echo(f"password {get_bind_password(settings)}", err=True)
    return 0 if confirm("Go on?") else 1


def test_question_without_a_terminal_is_answered_with_no(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_command(monkeypatch, question)
    (tmp_path / "password").write_text("geheim\n")
    (tmp_path / "password").chmod(0o600)
    result = run("trial", "--bind-password-file", str(tmp_path / "password"), input="y\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "password geheim\ndcmcfg: there is no terminal for the confirmation; nothing was changed\n  next: pass --yes "
        "to confirm\n"
    )


def test_password_without_source_and_terminal_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_command(monkeypatch, question)
    result = run("trial", input="geheim\n")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "dcmcfg: ldap://localhost:389: no password for cn=admin,dc=dcm4che,dc=org\n"
        "  next: specify --bind-password-file FILE; or set the password where the LDAP URL is set: both in the "
        "profile, or both in the environment (dcmcfg help secrets)\n"
    )


def test_profiles_are_suggested_if_no_password_and_no_url_is_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_command(monkeypatch, question)
    for name in ("lab", "hospital"):
        write_profile(name, {"ldap_url": "ldap://ldap.invalid"})
    suggestion = "  next: select a profile with --profile NAME (hospital, lab); or specify --bind-password-file FILE"
    assert suggestion in run("trial").stderr
    assert "select a profile" not in run("trial", "--ldap-url", "ldap://ldap.invalid").stderr


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_terminal_is_asked_without_echo_of_the_password(answer: str, code: int) -> None:
    run = (
        "import sys\n"
        "from dcmcfg.cli import commands, main, status\n"
        "from tests.cli.test_main import question\n"
        "status.trial_command = question\n"
        "commands.COMMANDS['trial'] = commands.Command('status', 'trial_command', 'Try.')\n"
        "main.program(['trial'], prog_name='dcmcfg')\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", run])
    seen = read_until(terminal, b"389: ")
    os.write(terminal, b"geheim\n")
    seen += read_until(terminal, b"[y/N]: ")
    os.write(terminal, answer.encode() + b"\n")
    seen += read_until(terminal, None)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == code
    assert seen.decode().replace("\r\n", "\n").rstrip("\n") == (
        f"Password of cn=admin,dc=dcm4che,dc=org @ ldap://localhost:389: \npassword geheim\nGo on? [y/N]: {answer}"
    ).rstrip("\n")


# -- shell completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_calls_the_program_back(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"_DCMCFG_COMPLETE={shell}_complete" in result.stdout
    assert result.stdout.rstrip().splitlines()


def test_completion_offers_commands_and_site_options() -> None:
    commands = dcmcfg(_DCMCFG_COMPLETE="bash_complete", COMP_LINE="dcmcfg rel")
    assert (commands.returncode, commands.stdout) == (0, "plain,reload\n")
    options = dcmcfg(_DCMCFG_COMPLETE="bash_complete", COMP_WORDS="dcmcfg reload --arch", COMP_CWORD="2")
    assert options.stdout == "plain,--archive-url\nplain,--archive-token-file\n"


def test_completion_help_says_how_to_install() -> None:
    text = CliRunner().invoke(completion_command, ["--help"]).stdout
    assert "completion bash >" in text
    assert "completion fish >" in text


@pytest.mark.parametrize("name", [name for name, command in commands.COMMANDS.items() if command.uses_site])
def test_a_command_that_is_told_carries_the_site(name: str) -> None:
    run = invocation.Invocation(site_options={"ldap_url": "ldap://pacs"})
    assert run.insert_site_options(f"next: dcmcfg {name} …") == f"next: dcmcfg --ldap-url ldap://pacs {name} …"
