"""``-v`` and ``-vv``: each LDAP, DICOM and HTTP request on standard error, and never a secret."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from dcmcfg.cli.main import program
from dcmcfg.dicom.peer import Peer
from dcmcfg.protocol_log import PROTOCOL_LOG
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite
from tests.cli.test_given_once import EVERY
from tests.cli.verifying import Verify
from tests.running_slapd import PASSWORD

pytestmark = pytest.mark.real
DURATION = re.compile(r" \(\d+\.\d{3} s\)$")


def protocol(stderr: str) -> list[str]:
    """The lines of the protocol log, without times and without the number of an LDAP message."""
    lines = [line for line in stderr.splitlines() if line.startswith(("ldap:", "dicom:", "http:"))]
    return [re.sub(r"message ID \d+", "message ID N", DURATION.sub("", line)) for line in lines]


@pytest.mark.parametrize(("name", "command"), EVERY, ids=[" ".join(name) for name, _ in EVERY])
def test_each_command_has_it_hidden(name: tuple[str, ...], command: click.Command) -> None:
    context = click.Context(command, parent=click.Context(program, **program.context_settings), info_name=name[-1])
    (option,) = (each for each in command.get_params(context) if "--verbose" in each.opts)
    assert isinstance(option, click.Option)
    assert (option.opts, option.count, option.hidden) == (["-v", "--verbose"], True, True)


def test_the_program_lists_it(run: Run) -> None:
    assert "-v, --verbose" in run("--help").stdout


def test_a_command_that_reads_has_a_line_for_each_request(run: Run, site: CliSite) -> None:
    silent = run("ae", "list", "--json")
    expected = [
        f"ldap: connect {site.slapd.url}: done",
        f"ldap: bind {site.slapd.bind_dn}: success",
        f'ldap: search "dc=dcm4che,dc=org" subtree (objectClass=*): success, {len(site.octets())} entries',
        "ldap: unbind",
    ]
    for words in ("-v ae list --json", "ae list --json --verbose"):
        result = run(*words.split())
        assert (result.exit_code, protocol(result.stderr)) == (0, expected)
        assert result.stdout == silent.stdout
    assert (silent.stderr, PROTOCOL_LOG.level) == ("", 0)
    for words in ("-v ae list -v", "ae list -vv"):
        assert protocol(run(*words.split()).stderr) == [
            *expected[:3],
            "ldap:   message ID N, attributes: *, entryCSN, ref",
            "ldap:   controls: 1.2.840.113556.1.4.319 (paged results), 2.16.840.1.113730.3.4.2 (ManageDsaIT)",
            expected[3],
        ]


def test_a_change_has_no_secret_and_no_value_in_the_log(run: Run, site: CliSite, tmp_path: Path) -> None:
    secret = tmp_path / "pin"
    secret.write_text("hunter2")
    token = tmp_path / "token"
    token.write_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.")
    result = run(
        *("set", "dcm4chee-arc", f"dcmKeyStorePin=@{secret}", "dicomDescription=Patient Doe", "--yes", "-vv"),
        *("--archive-token-file", str(token)),
    )
    assert result.exit_code == 0, result.stderr
    lines = protocol(result.stderr)
    start = lines.index(f'ldap: modify "{ARCHIVE_DN}": success')
    assert "ldap:   delete dcmKeyStorePin (1 value)" in lines[start:] or (
        "ldap:   replace dcmKeyStorePin (1 value)" in lines[start:]
    )
    assert f"http: POST {site.archive.url}/ctrl/reload: 204" in lines
    assert any(line.startswith("http:   request headers: ") and "Authorization" in line for line in lines)
    log = "\n".join(lines)
    for text in ("hunter2", token.read_text(), "eyJ", PASSWORD, "Patient Doe", "Bearer"):
        assert text not in log
    assert site.values("dcmKeyStorePin") == ("hunter2",)


def test_a_refused_bind_and_a_search_that_fails_have_their_results(run: Run, site: CliSite, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("wrong-password-7")
    refused = run("ae", "list", "-vv", "--bind-password-file", str(wrong))
    assert refused.exit_code == 3
    assert protocol(refused.stderr)[1] == f"ldap: bind {site.slapd.bind_dn}: invalidCredentials"
    assert "wrong-password-7" not in refused.output
    right = tmp_path / "right"
    right.write_text(site.slapd.password)
    missing = run(
        *("ae", "list", "-v", "--base-dn", "dc=none"),
        *("--bind-dn", site.slapd.bind_dn, "--bind-password-file", str(right)),
    )
    assert 'ldap: search "dc=none" subtree (objectClass=*): noSuchObject, 0 entries' in protocol(missing.stderr)


def test_verify_has_its_associations_and_messages(verify: Verify, plain_pacs: Peer) -> None:
    quiet = verify(plain_pacs, "--receive", "--json")
    result = verify(plain_pacs, "--receive", "-v", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["verified"] == json.loads(quiet.stdout)["verified"]
    lines = [line for line in protocol(result.stderr) if line.startswith("dicom:")]
    label = f"DCMCFG → {plain_pacs}"
    assert lines[0] == f"dicom: A-ASSOCIATE {label}: accepted"
    assert lines[-1] == f"dicom: association {label}: ended: released"
    assert any(line.startswith(f"dicom: C-FIND {label}: status 0000") for line in lines)
    assert any(line.startswith(f"dicom: C-MOVE {label}: status 0000") for line in lines)
    assert any(re.fullmatch(r"dicom: A-ASSOCIATE DCM4CHEE \(.*\) → WORKSTATION: accepted", line) for line in lines)
    assert any(re.fullmatch(r"dicom: C-STORE DCM4CHEE \(.*\) → WORKSTATION: status 0000", line) for line in lines)

    detailed = [line for line in protocol(verify(plain_pacs, "-vv").stderr) if line.startswith("dicom:")]
    assert re.fullmatch(r"dicom:   sent A-ASSOCIATE-RQ, \d+ octets", detailed[0])
    assert re.fullmatch(r"dicom:   received A-ASSOCIATE-AC, \d+ octets", detailed[1])
    assert any(re.fullmatch(r"dicom:   context \d+ Study Root .* MOVE: accepted with .*", line) for line in detailed)
    assert any(re.fullmatch(r"dicom:   sent C-MOVE, message \d+, data set of \d+ octets", line) for line in detailed)
    assert any(", completed " in line for line in detailed)
    assert "dicom:   sent A-RELEASE-RQ, 4 octets" in detailed


def test_an_archive_that_does_not_listen_is_in_the_log(run: Run, site: CliSite) -> None:
    result = run("status", "-v", "--archive-url", "http://127.0.0.1:1/dcm4chee-arc")
    assert result.exit_code == 3
    assert "http: GET http://127.0.0.1:1/dcm4chee-arc/ctrl/status: ConnectError" in protocol(result.stderr)
