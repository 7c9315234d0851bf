"""``dcmcfg edit``: an editor that is a program, a plan, and a text that is never lost."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.sites import DEVICES, CliSite

pytestmark = pytest.mark.real

STORESCP_DN = f"dicomDeviceName=storescp,{DEVICES}"


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file of Python that is the editor's hand: it sees ``text`` and leaves another; what it saw is beside it."""
    hand = tmp_path / "hand.py"
    program = tmp_path / "editor.py"
    program.write_text(
        "import os, pathlib, sys\n"
        "path = pathlib.Path(sys.argv[-1])\n"
        f"seen = pathlib.Path({str(tmp_path / 'seen')!r})\n"
        "text = path.read_text()\n"
        "seen.write_text(f'{path.stat().st_mode & 0o777:o}\\n' + text)\n"
        f"exec(pathlib.Path({str(hand)!r}).read_text())\n"
        "path.write_text(text)\n"
    )
    monkeypatch.setenv("VISUAL", f"{sys.executable} {program}")
    hand.write_text("")
    return hand


def saved_texts() -> list[Path]:
    return sorted((Path(os.environ["XDG_STATE_HOME"]) / "dcmcfg" / "edits").glob("*"))


def test_what_is_edited_becomes_a_plan_that_is_undone_to_the_octet(run: Run, site: CliSite, editor: Path) -> None:
    before = site.octets()
    untouched = run("edit", "storescp", "--yes")
    assert (untouched.exit_code, untouched.stderr) == (0, "")
    assert "No changes." in untouched.stdout
    assert (editor.parent / "seen").read_text() == (
        "600\n"
        f"# LDIF of {STORESCP_DN} ({site.headline}).\n"
        "# dcmcfg shows a plan of your changes before the changes are applied. To delete a value, an attribute or\n"
        "# an entry, remove its lines. To add an entry, write a new record. Do not change names (dn): use\n"
        "# dcmcfg ae rename, dcmcfg device rename or dcmcfg rename. To change nothing, close the file unchanged.\n"
        "\n"
        f"dn: {STORESCP_DN}\n"
        "objectClass: dicomDevice\n"
        "objectClass: dcmDevice\n"
    ) + (editor.parent / "seen").read_text().partition("objectClass: dcmDevice\n")[2]

    editor.write_text(
        "head, *records = text.split('\\n\\n')\n"
        "records = [each for each in records if 'dicomSOPClass: 1.2.840.10008.5.1.4.1.1.2\\n' not in each]\n"
        "installed = 'dicomInstalled: FALSE\\ndicomManufacturer: Röntgen'\n"
        "records[0] = records[0].replace('dicomInstalled: TRUE', installed)\n"
        f"new = 'dn: cn=new,{STORESCP_DN}\\nobjectClass: dicomNetworkConnection\\ncn: new\\ndicomHostname: h'\n"
        "text = '\\n\\n'.join([head, *records, new])\n"
    )
    changed = run("edit", "storescp", "--subtree", "--yes")
    assert changed.exit_code == 0, changed.stderr
    assert "1 to add, 1 to change, 1 to delete" in changed.stdout
    assert site.values("dicomManufacturer", STORESCP_DN) == ("Röntgen",)
    assert site.values("dicomHostname", f"cn=new,{STORESCP_DN}") == ("h",)
    assert saved_texts() == []
    assert run("undo", "--yes").exit_code == 0
    assert site.octets() == before


def test_secrets_are_not_in_the_text_unless_asked_for_and_stay(
    run: Run, site: CliSite, editor: Path, tmp_path: Path
) -> None:
    (tmp_path / "pin").write_text("geheim")
    assert run("set", "dcm4chee-arc", f"dcmKeyStorePin=@{tmp_path / 'pin'}", "--yes").exit_code == 0
    editor.write_text("text = text.replace('dicomInstalled: TRUE', 'dicomInstalled: FALSE')")
    result = run("edit", "dcm4chee-arc", "--yes")
    assert result.exit_code == 0, result.stderr
    seen = (tmp_path / "seen").read_text()
    assert "geheim" not in seen
    assert "# Not shown, and unchanged: " in seen
    assert site.values("dcmKeyStorePin") == ("geheim",)
    assert site.values("dicomInstalled") == ("FALSE",)
    editor.write_text("text = text.replace('dcmKeyStorePin: geheim\\n', '')")
    without_pin = run("edit", "dcm4chee-arc", "--with-secrets", "--yes")  # the key store has no other
    assert (without_pin.exit_code, site.values("dcmKeyStorePin")) == (3, ("geheim",))
    assert "geheim" not in without_pin.output
    assert run("edit", "dcm4chee-arc", "--with-secrets", "--yes", "--force-unloadable").exit_code == 0
    assert site.values("dcmKeyStorePin") == ()


def test_a_text_with_faults_is_told_with_its_line_and_kept_to_go_on_with(run: Run, site: CliSite, editor: Path) -> None:
    before = site.octets()
    editor.write_text("text = text.replace('dicomInstalled: TRUE', 'dicomInstalled FALSE')")
    wrong = run("edit", "storescp", "--yes")
    (path,) = saved_texts()
    assert wrong.exit_code == 3
    line = 1 + path.read_text().splitlines().index("dicomInstalled FALSE")
    assert f"{path}:{line}" in wrong.stderr
    assert f"The text is saved. To continue: dcmcfg edit storescp --resume {path}\n" in wrong.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    editor.write_text("text = text.replace('dicomInstalled FALSE', 'dicomInstalled: FALSE')")
    fixed = run("edit", "storescp", "--resume", str(path), "--yes")
    assert fixed.exit_code == 0, fixed.stderr
    assert site.values("dicomInstalled", STORESCP_DN) == ("FALSE",)
    assert saved_texts() == [], "what it says is done"
    assert run("undo", "--yes").exit_code == 0

    for hand, problem in (
        (
            "text = text.replace('storescp', 'pacs')",
            "to rename the entry and update all references to the entry: dcmcfg device rename",
        ),
        ("text = text.replace(' TRUE', ' true')", "not a boolean: must be TRUE or FALSE, in capital letters"),
        ("text += 'dicomManufacturer: acme\\n'", "or remove the empty line before this line"),
        (
            "text = text.replace('\\nobjectClass', '\\nchangetype: add\\nobjectClass', 1)",
            "a record with changetype is not an entry",
        ),
        ("path.write_text('half'); sys.exit(5)", "the editor ended with exit code 5"),
    ):
        editor.write_text(hand)
        refused = run("edit", "storescp", "--yes")
        assert refused.exit_code == 3
        assert problem in refused.stderr
        assert "The text is saved. To continue: " in refused.stderr
    count = len(saved_texts())
    editor.write_text("sys.exit(1)")
    assert "The text is saved" not in run("edit", "storescp", "--yes").stderr, "as it was given"
    assert len(saved_texts()) == count
    declined = run("edit", "storescp", "--resume", str(saved_texts()[0]), "--with-secrets")
    assert declined.exit_code == 2
    assert site.octets() == before


def test_a_text_that_was_kept_is_the_only_one_and_goes_when_it_is_done(
    run: Run, site: CliSite, editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor.write_text("text = text.replace('dicomInstalled: TRUE', 'dicomInstalled FALSE')")
    assert run("edit", "storescp", "--yes").exit_code == 3
    (path,) = saved_texts()
    monkeypatch.chdir(path.parent)
    editor.write_text("text += '# looked at\\n'")
    again = run("edit", "storescp", "--resume", path.name, "--yes")
    assert again.exit_code == 3
    (path,) = saved_texts()
    resume_note = "The text is saved. To continue: dcmcfg edit storescp --resume"
    assert f"{resume_note} {path}\n" in again.stderr
    assert f"{path}:" in again.stderr.partition(resume_note)[2], "the place of the fault is in the file that is kept"
    for hand in ("text = ''", ""):
        editor.write_text(hand)
        assert f"{resume_note} {path.name}\n" in run("edit", "storescp", "--resume", path.name, "--yes").stderr
        assert saved_texts() == [path]
        assert path.read_text().endswith("# looked at\n"), "what was emptied is there as it was kept"
    editor.write_text("text = text.replace('dicomInstalled FALSE', 'dicomInstalled: FALSE')")
    tried = run("edit", "storescp", "--resume", path.name, "--dry-run")
    (path,) = saved_texts()
    assert (tried.exit_code, tried.stderr) == (0, f"{resume_note} {path}\n")
    editor.write_text("text = text.replace('dicomInstalled: FALSE', 'dicomInstalled: TRUE')")
    assert "No changes." in run("edit", "storescp", "--resume", path.name, "--yes").stdout
    assert saved_texts() == []
    own = Path("../own.ldif").resolve()
    own.write_text((editor.parent / "seen").read_text().partition("\n")[2])
    editor.write_text("")
    assert run("edit", "storescp", "--resume", str(own), "--yes").exit_code == 0
    assert (saved_texts(), own.exists()) == ([], True), "the user's own file stays"


def test_an_emptied_text_is_not_kept_and_names_the_command_that_removes(run: Run, site: CliSite, editor: Path) -> None:
    for hand in ("text = ''", "text = '# nothing\\n\\n'"):
        editor.write_text(hand)
        for target, step in (
            (
                "storescp",
                (
                    "to delete the entry and all entries below, and to list the references to the entry: "
                    "dcmcfg device remove storescp"
                ),
            ),
            (
                "AE:STORESCP",
                "to delete the entry and all entries below, and to list the references to the entry: "
                "dcmcfg ae remove storescp/STORESCP",
            ),
            (f"cn=dicom,{STORESCP_DN}", "to delete an entry, edit its parent with --subtree"),
        ):
            refused = run("edit", target, "--yes")
            assert refused.exit_code == 3
            assert "the text contains no entry" in refused.stderr
            assert refused.stderr.endswith(f"  next: {step}\n")
            assert saved_texts() == []


def test_what_somebody_else_changed_meanwhile_is_not_written_over(run: Run, site: CliSite, editor: Path) -> None:
    words = ["ldapmodify", "-x", "-H", site.slapd.url, "-D", site.slapd.bind_dn, "-w", site.slapd.password]
    change = f"dn: {STORESCP_DN}\nchangetype: modify\nreplace: dicomManufacturer\ndicomManufacturer: theirs\n"
    editor.write_text(
        f"import subprocess; subprocess.run({words!r}, input={change!r}.encode(), check=True)\n"
        "text = text.replace('dicomInstalled: TRUE', 'dicomInstalled: TRUE\\ndicomManufacturer: mine')\n"
    )
    refused = run("edit", "storescp", "--yes")
    assert refused.exit_code == 3
    assert "somebody has changed dicomManufacturer (expected none, found 'theirs')" in refused.stderr
    assert site.values("dicomManufacturer", STORESCP_DN) == ("theirs",)
    assert len(saved_texts()) == 1


def test_at_a_terminal_a_fault_can_be_edited_again(site: CliSite, editor: Path) -> None:
    editor.write_text(
        "text = text.replace('dicomInstalled FALSE', 'dicomInstalled: FALSE') if ' FALSE' in text else "
        "text.replace('dicomInstalled: TRUE', 'dicomInstalled FALSE')"
    )
    exit_code, seen = at_terminal(["edit", "storescp"], [("Edit the text again? [y/N]: ", "y"), ("[y/N]: ", "y")])
    assert exit_code == 0, seen
    assert site.values("dicomInstalled", STORESCP_DN) == ("FALSE",)


def test_a_fault_that_is_not_edited_again_is_printed_once(site: CliSite, editor: Path) -> None:
    before = site.octets()
    editor.write_text("text = text.replace('dicomInstalled: TRUE', 'dicomInstaled: TRUE')")
    exit_code, seen = at_terminal(["edit", "storescp"], [("Edit the text again? [y/N]: ", "n")])
    assert (exit_code, seen.count("unknown attribute"), site.octets()) == (1, 1, before)
    assert seen.rstrip().endswith("dcmcfg: declined; nothing was changed")
    assert len(saved_texts()) == 1


def test_a_text_that_was_written_is_not_kept_though_the_archive_did_not_reload(
    run: Run, site: CliSite, editor: Path
) -> None:
    site.archive.by_path["ctrl/reload"] = (500, b"")
    editor.write_text("text = text.replace('dicomInstalled: TRUE', 'dicomInstalled: FALSE')")
    assert run("edit", "storescp", "--yes").exit_code == 4
    assert saved_texts() == []


@pytest.mark.parametrize("named", [True, False])
def test_without_a_terminal_no_editor_is_started_that_might_wait_for_one(
    run: Run, site: CliSite, editor: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    if not named:
        monkeypatch.delenv("VISUAL")
        monkeypatch.delenv("EDITOR", raising=False)
    for more in ((), ("--yes",), ("--dry-run",)):
        refused = run("edit", "storescp", *more)
        if named and more:
            assert refused.exit_code == 0
            continue
        assert (refused.exit_code, refused.stdout, refused.stderr) == (
            1,
            "",
            "dcmcfg: there is no terminal for the editor; nothing was changed\n"
            "  next: use dcmcfg set or dcmcfg apply; or pass --yes, and set $VISUAL or $EDITOR to a script that "
            "edits the file\n",
        )
    assert (editor.parent / "seen").exists() == named
    assert saved_texts() == []


def test_an_editor_that_reads_its_input_does_not_wait_without_a_terminal(site: CliSite, editor: Path) -> None:
    editor.write_text("sys.stdin.read()")
    arguments = [sys.executable, "-m", "dcmcfg", "edit", "storescp", "--yes"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "No changes." in process.stdout.read(), "nobody has closed its input"
    assert process.returncode == 0
