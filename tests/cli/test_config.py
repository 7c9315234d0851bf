"""``dcmcfg config``: whole outputs, then the files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from dcmcfg.cli.main import program
from dcmcfg.settings.profile_edits import lock_profiles
from dcmcfg.settings.profiles import PROFILE_KEYS, get_profile_path, get_selection_path, list_profile_names
from tests.cli.conftest import Run
from tests.patience import PATIENCE_S

COMMENTED = """\
# the archive of the hospital
format = 1
ldap_url = 'ldap://10.1.2.3/dc=example,dc=org'  # since 2019

device = "arc"
"""


def write(name: str, text: str) -> Path:
    path = get_profile_path(name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text)
    path.chmod(0o600)
    return path


def offered(*words: str) -> list[str]:
    completion = ShellComplete(program, {}, "dcmcfg", "_DCMCFG_COMPLETE")
    return [item.value for item in completion.get_completions(list(words[:-1]), words[-1])]


def test_a_profile_is_made_key_by_key(run: Run, tmp_path: Path) -> None:
    path = get_profile_path("hospital")
    result = run("config", "set", "hospital.ldap_url", "ldap://10.1.2.3/dc=example,dc=org")
    assert (result.exit_code, result.output) == (
        0,
        f"hospital.ldap_url = ldap://10.1.2.3/dc=example,dc=org ({path})\nCreated the profile hospital.\n",
    )
    assert path.stat().st_mode & 0o777 == 0o600
    result = run("config", "set", "hospital.starttls", "yes")
    assert (result.exit_code, result.output) == (0, f"hospital.starttls = true ({path})\n")
    password = tmp_path / "password"
    result = run("config", "set", "hospital.bind_password_file", str(password))
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        f"hospital.bind_password_file = {password} ({path})\n",
        f"warning: the file {password} does not exist yet\n",
    )
    assert path.read_text() == (
        'format = 1\nldap_url = "ldap://10.1.2.3/dc=example,dc=org"\nstarttls = true\n'
        f'bind_password_file = "{password}"\n'
    )


def test_a_new_profile_is_reported_with_the_similar_names_of_others(run: Run) -> None:
    first = run("config", "set", "lab.device", "arc")
    assert (first.exit_code, first.stderr) == (0, "Created the profile lab.\n")
    assert run("config", "set", "lab.device", "other").stderr == ""
    assert run("config", "set", "clinic.device", "arc").stderr == "Created the profile clinic.\n"
    path = get_profile_path("labb")
    typo = run("config", "set", "labb.device", "arc")
    assert (typo.exit_code, typo.stdout) == (0, f"labb.device = arc ({path})\n")
    assert typo.stderr == (
        f"Created the profile labb.\nnote: did you mean the profile lab? To remove the new profile: rm {path}\n"
    )


def test_a_shared_folder_that_is_not_safe_is_shown_when_it_is_entered(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "history"
    result = run("config", "set", "hospital.history_dir", str(folder))
    assert result.stderr == (
        f"warning: the folder {folder} cannot be used yet (No such file or directory). To create it: "
        f"sudo install -d -m 2770 -g GROUP {folder}\nCreated the profile hospital.\n"
    )
    folder.mkdir(mode=0o755)
    refused = run("config", "set", "hospital.history_dir", str(folder))
    assert (refused.exit_code, "all accounts have access to this folder" in refused.stderr) == (0, True)
    folder.chmod(0o2770)
    assert run("config", "set", "hospital.history_dir", str(folder)).stderr == ""


def test_comments_order_quotes_and_mode_survive(run: Run) -> None:
    path = write("hospital", COMMENTED)
    path.chmod(0o640)
    assert run("config", "set", "hospital.ldap_url", "ldaps://10.1.2.4").exit_code == 0
    assert run("config", "set", "hospital.base_dn", "dc=x").exit_code == 0
    assert run("config", "unset", "hospital.device").output == f"hospital.device removed ({path})\n"
    assert path.read_text() == (
        '# the archive of the hospital\nformat = 1\nldap_url = "ldaps://10.1.2.4"  # since 2019\n\nbase_dn = "dc=x"\n'
    )
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_value_that_is_there_is_not_written_again(run: Run) -> None:
    path = write("hospital", COMMENTED)
    before = path.stat()
    assert run("config", "set", "hospital.device", "arc").output == f"Unchanged: hospital.device ({path})\n"
    assert run("config", "unset", "hospital.base_dn").output == f"Unchanged: hospital.base_dn ({path})\n"
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_link_is_followed(run: Run, tmp_path: Path) -> None:
    path, dotfiles = get_profile_path("hospital"), tmp_path / "dotfiles"
    write("other", "")
    dotfiles.mkdir(mode=0o700)
    target = dotfiles / "pacs.toml"
    target.write_text(COMMENTED)
    target.chmod(0o600)
    path.symlink_to(target)
    assert run("config", "set", "hospital.device", "new").exit_code == 0
    assert path.is_symlink()
    assert target.read_text() == COMMENTED.replace('"arc"', '"new"')


def test_a_relative_file_is_that_of_the_current_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").touch()
    assert run("config", "set", "hospital.ca_file", "ca.pem").exit_code == 0
    assert run("config", "set", "hospital.tls_ca", "~/ca.pem").exit_code == 0
    text = get_profile_path("hospital").read_text()
    assert text == f'format = 1\nca_file = "{tmp_path}/ca.pem"\ntls_ca = "~/ca.pem"\n'


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("hospital.ldap-url", "ldap://x", "hospital.ldap-url: unknown key 'ldap-url'\n  next: did you mean ldap_url?"),
        (
            "hospital.bind_password",
            "geheim",
            "hospital.bind_password: the key bind_password is not allowed: a profile contains no secrets\n  "
            "next: use bind_password_file or bind_password_keychain",
        ),
        (
            "hospital.archive_url",
            "localhost:8080",
            "hospital.archive_url 'localhost:8080': invalid URL: the URL must start with one of http://, https://\n"
            "  next: for example http://localhost:8080/dcm4chee-arc",
        ),
        ("hospital.starttls", "maybe", "hospital.starttls: the value must be true or false, not 'maybe'"),
        (
            "hospital.device",
            "",
            "hospital.device: the value is empty\n  next: to remove the key: dcmcfg config unset hospital.device",
        ),
        ("hospital.device", "a\nb", "hospital.device: the value contains control characters"),
        (
            "hospital.node.west.ldap_url",
            "ldaps://ldap-west",
            "hospital.node.west.ldap_url: the profile hospital.node.west does not exist, and the name of a new profile "
            "must not contain a dot\n  next: did you mean hospital.nodes.west.ldap_url?",
        ),
        (
            "hospital.west.archive_url",
            "http://west/dcm4chee-arc",
            "hospital.west.archive_url: the profile hospital.west does not exist, and the name of a new profile must "
            "not contain a dot\n  next: did you mean hospital.nodes.west.archive_url?",
        ),
        (
            "clinic.west.device",
            "arc",
            "clinic.west.device: the profile clinic.west does not exist, and the name of a new profile must not "
            "contain a dot\n  next: did you mean clinic-west.device?",
        ),
        ("../up.device", "x", "'../up': a profile name may contain only letters, digits, '_', '-' and '.'"),
        (
            "hospital.format",
            "2",
            "hospital.format: unknown key 'format'\n  next: did you mean audit_format?",
        ),
    ],
)
def test_what_the_reader_would_refuse_is_not_written(run: Run, key: str, value: str, message: str) -> None:
    path = write("hospital", COMMENTED)
    result = run("config", "set", key, value)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"dcmcfg: {message}\n")
    assert path.read_text() == COMMENTED
    assert list_profile_names() == ("hospital",)


def test_an_existing_profile_with_a_dot_in_its_name_can_be_edited(run: Run) -> None:
    write("hospital", COMMENTED)
    path = write("hospital.west", COMMENTED)
    assert run("config", "set", "hospital.west.ldap_url", "ldap://x").exit_code == 0
    assert run("config", "unset", "hospital.west.device").exit_code == 0
    assert ("ldap://x" in path.read_text(), "device" in path.read_text()) == (True, False)


@pytest.mark.parametrize("name", ["hospital", "hospital.west"])
def test_a_profile_without_a_key_is_refused_with_the_command_that_removes_it(run: Run, name: str) -> None:
    path = write(name, COMMENTED)
    result = run("config", "unset", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(
        f"{name!r} is a profile. To remove a key, specify NAME.KEY. To remove the profile: "
        f'rm "$(dcmcfg config path {name})"\n'
    )
    assert run("config", "path", name).stdout == f"{path}\n"


def test_a_key_without_a_profile_is_a_usage_error(run: Run) -> None:
    result = run("config", "set", "ldap_url", "ldap://x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("'ldap_url' does not have the form NAME.KEY. Example: hospital.ldap_url\n")


@pytest.mark.parametrize("key", ["bind_password=Geheim123", "hospital.bind_password=Geheim123", "a.b=Geheim.123"])
@pytest.mark.parametrize("arguments", [("set",), ("set", "x"), ("unset",)])
def test_text_after_an_equals_sign_is_never_printed(run: Run, arguments: tuple[str, ...], key: str) -> None:
    verb, *value = arguments
    result = run("config", verb, key, *value, "--json")
    assert (result.exit_code, "Geheim" in result.output, "123" in result.output) == (2, False, False)
    name = key.partition("=")[0]
    assert result.stderr.endswith(f"write a space instead of '=' between '{name}' and the value\n")


def test_settings_that_contradict_each_other_are_written_with_a_warning(run: Run) -> None:
    write("hospital", 'ldap_url = "ldaps://10.1.2.3"\n')
    result = run("config", "set", "hospital.starttls", "true")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "warning: the profile cannot be used with these settings: profile hospital: StartTLS"
    )


def test_a_broken_file_is_named_with_its_line_and_stays(run: Run) -> None:
    broken = 'device = "arc"\nldap_url = "ldap://10.1.2'
    path = write("hospital", broken)
    for arguments in (("set", "hospital.base_dn", "dc=x"), ("unset", "hospital.device")):
        result = run("config", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"dcmcfg: {path}")
        assert "not valid TOML: " in result.stderr
        assert result.stderr.endswith("  next: correct the line in an editor; nothing was changed\n")
    assert path.read_text() == broken
    write("hospital", 'device = "arc"\nldap_url ldap\n')
    assert run("config", "unset", "hospital.device").stderr.startswith(f"dcmcfg: {path}:2: not valid TOML: ")


def test_an_unknown_key_survives_and_can_be_removed(run: Run) -> None:
    path = write("hospital", 'ldap_ulr = "x"\n[extra]\na = 1\n')
    result = run("config", "set", "hospital.device", "arc")
    assert (result.exit_code, result.stdout) == (0, f"hospital.device = arc ({path})\n")
    assert result.stderr == (
        "warning: dcmcfg refuses the profile because of the unknown key 'ldap_ulr'; "
        "to remove the key: dcmcfg config unset hospital.ldap_ulr\n"
        "warning: dcmcfg refuses the profile because of the unknown key 'extra'; "
        "to remove the key: dcmcfg config unset hospital.extra\n"
    )
    assert path.read_text() == 'ldap_ulr = "x"\ndevice = "arc"\n\n[extra]\na = 1\n'
    assert run("config", "unset", "hospital.extra").exit_code == 0
    assert run("config", "unset", "hospital.ldap_ulr").stderr == ""
    assert path.read_text() == 'device = "arc"\n\n'


def test_a_file_of_a_later_format_stays(run: Run) -> None:
    path = write("hospital", "format = 99\n")
    result = run("config", "set", "hospital.device", "arc")
    assert (result.exit_code, path.read_text()) == (3, "format = 99\n")
    assert "has format 99" in result.stderr


def test_a_profile_that_others_can_write_to_is_refused(run: Run) -> None:
    path = write("hospital", COMMENTED)
    path.chmod(0o666)
    result = run("config", "set", "hospital.device", "new")
    assert (result.exit_code, path.read_text()) == (3, COMMENTED)
    assert result.stderr.startswith(f"dcmcfg: {path}: everybody can write to this path\n")


def test_a_missing_profile_has_nothing_to_unset(run: Run) -> None:
    write("hospital", COMMENTED)
    result = run("config", "unset", "clinic.device")
    assert (result.exit_code, result.stderr) == (
        3,
        f"dcmcfg: {get_profile_path('clinic')}: the profile clinic does not exist\n"
        "  next: existing profiles: hospital\n",
    )
    assert not get_profile_path("clinic").exists()


def test_two_at_once_lose_nothing() -> None:
    """Each process sets one key; all keys are there in the end."""
    keys = [key for key in PROFILE_KEYS if key.endswith("_file")] + ["device", "oidc_client_id", "oidc_scope"]

    def set_key(key: str) -> int:
        command = [sys.executable, "-m", "dcmcfg", "config", "set", f"busy.{key}", "x"]
        return subprocess.run(command, capture_output=True, env=os.environ, timeout=PATIENCE_S).returncode

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(set_key, keys)) == {0}
    lines = get_profile_path("busy").read_text().splitlines()
    assert sorted(line.partition(" ")[0] for line in lines) == sorted([*keys, "format"])


def test_the_profile_in_use(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    hospital, selection = write("hospital", COMMENTED), get_selection_path()
    write("lab", 'ldap_url = "ldap://127.0.0.1:3389"\narchive_url = "http://127.0.0.1:8080/dcm4chee-arc"\n')
    folder = hospital.parent
    result = run("config", "use", "hospital")
    assert (result.exit_code, result.output) == (0, "Commands use the profile hospital by default.\n")
    assert selection.read_text() == 'format = 1\nprofile = "hospital"\n'
    result = run("config", "list")
    assert (result.exit_code, result.output) == (
        0,
        "\n"
        " Profile    Used   Directory server                    Archive\n"
        " ────────────────────────────────────────────────────────────────────────────────────────\n"
        " hospital   yes    ldap://10.1.2.3/dc=example,dc=org\n"
        " lab               ldap://127.0.0.1:3389               http://127.0.0.1:8080/dcm4chee-arc\n"
        "\n"
        f"Folder: {folder}\n"
        f"Selected by: 'dcmcfg config use' ({selection})\n",
    )
    monkeypatch.setenv("DCMCFG_PROFILE", "lab")
    result = run("config", "use", "hospital")
    assert (
        result.stderr
        == "warning: commands use the profile lab, because the environment variable DCMCFG_PROFILE takes precedence\n"
    )
    listed = json.loads(run("config", "list", "--json").stdout)
    assert (listed["used_profile"], listed["selected_by"], listed["folder"]) == ("lab", "DCMCFG_PROFILE", str(folder))
    assert [(each["name"], each["used"]) for each in listed["profiles"]] == [("hospital", False), ("lab", True)]
    monkeypatch.delenv("DCMCFG_PROFILE")
    result = run("config", "use", "--none")
    assert (result.exit_code, result.output) == (0, "No profile is selected.\n")
    assert not selection.exists()
    assert json.loads(run("config", "list", "--json").stdout)["used_profile"] is None


def test_a_profile_that_does_not_exist_is_not_selected(run: Run) -> None:
    write("hospital", COMMENTED)
    result = run("config", "use", "hosptial")
    assert (result.exit_code, get_selection_path().exists()) == (3, False)
    assert result.stderr.endswith("next: existing profiles: hospital\n")
    assert run("config", "use").exit_code == run("config", "use", "hospital", "--none").exit_code == 2


def test_a_selected_profile_that_is_gone_is_named_with_the_way_out(run: Run) -> None:
    path = write("hospital", COMMENTED)
    run("config", "use", "hospital")
    path.unlink()
    result = run("config", "show")
    assert (result.exit_code, result.stderr) == (
        3,
        f"dcmcfg: {path}: the profile hospital does not exist (specified by {get_selection_path()})\n"
        "  next: existing profiles: none; to use no profile: dcmcfg config use --none\n",
    )
    assert run("config", "list").stderr.startswith("warning: 'dcmcfg config use' (")
    assert run("config", "use", "--none").exit_code == 0
    assert run("config", "show").exit_code == 0


@pytest.mark.parametrize("text", ["profile = hospital", "profile = 1", 'profile = "a"\nother = 1', "format = 99"])
def test_a_selection_that_cannot_be_read_is_refused(run: Run, text: str) -> None:
    write("hospital", COMMENTED)
    get_selection_path().write_text(text)
    assert run("config", "show").stderr.startswith(f"dcmcfg: {get_selection_path()}: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("hospital",), "argument NAME"), (("--profile", "hospital"), "option --profile")],
)
def test_show_names_what_selected_the_profile(run: Run, arguments: tuple[str, ...], expected: str) -> None:
    write("hospital", COMMENTED)
    assert run("config", "show", *arguments).stdout.endswith(f"Selected by: {expected}\n")


def test_show_names_the_source_of_each_setting(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write(
        "hospital",
        'ldap_url = "ldaps://10.1.2.3"\nbind_password_file = "p"\nrequire_crl = true\n'
        'oidc_issuer = "https://10.1.2.4/realms/dcm4che"\noidc_client_id = "dcmcfg"\n'
        'oidc_client_secret_keychain = "hospital"\narchive_url = "https://10.1.2.4/dcm4chee-arc"\n',
    )
    monkeypatch.setenv("DCMCFG_DEVICE", "arc")
    monkeypatch.setenv("DCMCFG_TLS_CERT", "/etc/tls.pem")
    monkeypatch.setenv("DCMCFG_TLS_KEY_PASSPHRASE", "geheim")
    result = run("config", "show", "hospital", "--base-dn", "dc=example,dc=org")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [line.strip() for line in result.stdout.splitlines() if line.strip()][2:]
    assert [" ".join(row.split()) for row in rows] == [
        "ldap_url ldaps://10.1.2.3:636 profile hospital",
        "base_dn dc=example,dc=org option --base-dn",
        "bind_dn cn=admin,dc=example,dc=org default",
        f"bind_password set, in the file {path.parent}/p profile hospital",
        "device arc environment variable DCMCFG_DEVICE",
        "archive_url https://10.1.2.4/dcm4chee-arc profile hospital",
        "archive_token not set",
        "oidc_issuer https://10.1.2.4/realms/dcm4che profile hospital",
        "oidc_token_url not set",
        "oidc_client_id dcmcfg profile hospital",
        "oidc_client_secret set, in the keychain as hospital profile hospital",
        "oidc_scope not set",
        "ca_file not set",
        "require_crl true profile hospital",
        "starttls false default",
        "client_cert not set",
        "client_key not set",
        "tls_ca not set",
        "tls_cert /etc/tls.pem environment variable DCMCFG_TLS_CERT",
        "tls_key not set",
        "tls_key_passphrase set environment variable DCMCFG_TLS_KEY_PASSPHRASE",
        "archive_bind_dn not set",
        "history_dir not set",
        "audit_to not set",
        "audit_format syslog default",
        "external_move_log not set",
        f"Profile hospital: {path}",
        "Selected by: argument NAME",
    ]


def test_no_secret_is_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BIND_PASSWORD", "ARCHIVE_TOKEN", "TLS_KEY_PASSPHRASE"):
        monkeypatch.setenv(f"DCMCFG_{name}", "geheim")
    monkeypatch.setenv("DCMCFG_TLS_CERT", "/etc/tls.pem")
    for arguments in (["config", "show"], ["config", "show", "--json"]):
        result = run(*arguments)
        assert (result.exit_code, "geheim" in result.output) == (0, False)
    settings = {each["name"]: each for each in json.loads(result.stdout)["settings"]}
    assert settings["bind_password"] == {
        "name": "bind_password",
        "set": True,
        "value": None,
        "secret": True,
        "secret_file": None,
        "keychain_service": None,
        "source": "environment",
        "origin": "DCMCFG_BIND_PASSWORD",
    }


def test_paths(run: Run) -> None:
    folder = get_profile_path("x").parent
    assert run("config", "path").output == f"{folder}\n"
    assert run("config", "path", "hospital").output == f"{folder}/hospital.toml\n"
    assert json.loads(run("config", "path", "--json").stdout) == {"path": str(folder), "exists": False}


def test_json_of_a_change(run: Run) -> None:
    path = get_profile_path("hospital")
    expected = {
        "profile": "hospital",
        "key": "starttls",
        "value": True,
        "file": str(path),
        "changed": True,
        "unknown_keys": [],
    }
    assert json.loads(run("config", "set", "hospital.starttls", "1", "--json").stdout) == expected
    expected |= {"value": None}
    assert json.loads(run("config", "unset", "hospital.starttls", "--json").stdout) == expected
    assert json.loads(run("config", "use", "hospital", "--json").stdout) == {
        "selected_profile": "hospital",
        "changed": True,
        "file": str(get_selection_path()),
    }


def test_names_and_keys_are_completed() -> None:
    write("hospital", COMMENTED)
    write("site.b", 'base_dn = "dc=b"\n')
    assert offered("config", "use", "") == offered("config", "show", "") == ["hospital", "site.b"]
    assert offered("config", "set", "") == ["hospital.", "site.b."]
    assert offered("config", "set", "hospital.bind") == [
        "hospital.bind_dn",
        "hospital.bind_password_file",
        "hospital.bind_password_keychain",
    ]
    assert offered("config", "unset", "hospital.") == ["hospital.ldap_url", "hospital.device"]
    assert offered("config", "unset", "site.b.") == ["site.b.base_dn"]
    assert offered("config", "set", "hospital.starttls", "") == ["true", "false"]


def test_a_profile_that_cannot_be_read_is_listed_with_a_warning(run: Run) -> None:
    path = write("hospital", "device = ")
    write("lab", 'ldap_url = "ldap://127.0.0.1:3389"\n')
    result = run("config", "list")
    assert (result.exit_code, result.stdout) == (
        0,
        "\n"
        " Profile    Used   Directory server        Archive\n"
        " ─────────────────────────────────────────────────\n"
        " hospital          (unreadable)\n"
        " lab               ldap://127.0.0.1:3389\n"
        "\n"
        f"Folder: {path.parent}\n",
    )
    assert result.stderr.startswith(f"warning: hospital: {path}: the profile is not TOML: ")
    listed = {each["name"]: each for each in json.loads(run("config", "list", "--json").stdout)["profiles"]}
    assert (listed["hospital"]["ldap_url"], listed["lab"]["problem"]) == (None, None)
    assert "the profile is not TOML" in listed["hospital"]["problem"]


def test_an_option_before_the_command_counts(run: Run) -> None:
    write("hospital", COMMENTED)
    write("lab", "")
    shown = json.loads(run("--profile", "hospital", "--device", "other", "config", "show", "--json").stdout)
    assert (shown["profile"], shown["profile_selected_by"]) == ("hospital", "--profile")
    sources = {each["name"]: (each["value"], each["source"], each["origin"]) for each in shown["settings"]}
    assert sources["device"] == ("other", "option", "--device")
    assert sources["ldap_url"] == ("ldap://10.1.2.3:389", "profile", "profile hospital")
    assert json.loads(run("--profile", "lab", "config", "list", "--json").stdout)["used_profile"] == "lab"
    result = run("config", "show", "hospital", "--profile", "lab")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        "Error: NAME and --profile cannot be used together",
    )


def test_no_server_library_is_loaded_and_other_commands_load_no_toml_writer() -> None:
    def list_loaded(code: str) -> set[str]:
        printed = subprocess.run(
            [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        )
        return set(printed.stdout.split())

    assert not {"ldap3", "httpx", "pydicom", "pynetdicom"} & list_loaded("import dcmcfg.cli.config")
    others = list_loaded("import dcmcfg.settings, dcmcfg.cli.ae_list, dcmcfg.cli.session.change_report")
    assert "dcmcfg.settings.profiles" in others
    assert not {"tomlkit", "tomli_w"} & others


def test_a_change_waits_for_another_one_and_gives_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("hospital", COMMENTED)
    monkeypatch.setattr("dcmcfg.settings.profile_edits._LOCK_TIMEOUT_S", 0.05)
    with lock_profiles():
        result = run("config", "set", "hospital.device", "new")
    assert (result.exit_code, result.stdout, path.read_text()) == (3, "", COMMENTED)
    assert result.stderr == (
        f"dcmcfg: {path.parent}: another dcmcfg process is changing profiles; nothing was changed\n"
        "  next: wait until the other process has ended, then run the command again\n"
    )
    assert run("config", "set", "hospital.device", "new").exit_code == 0
    assert [each.name for each in path.parent.iterdir()] == ["hospital.toml"], "no temporary file, no lock file"
