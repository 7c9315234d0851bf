"""A secured archive end to end: a real issuer, the lab's archive that verifies, a real directory."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.lab.site import TokenRequirements
from dcmcfg.lab.studies import get_standard_study
from tests.archive.scripted import Scripted
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NAME, NOT_CONFIRMED
from tests.issuer import Issuer, new_keys, running_issuer
from tests.lab.running_site import RunningSite, running_site
from tests.ports import free_port

pytestmark = pytest.mark.real

#: Seconds in which all is done for which the first token must do.
LIFESPAN_S = 4


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningSite, Issuer]]:
    """One site and issuer for all tests of this file: no test leaves anything in the directory."""
    with pytest.MonkeyPatch.context() as patch, running_issuer() as issuer:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        with running_site(tmp_path_factory.mktemp("secured"), TokenRequirements(issuer.url)) as site:
            site.start("archive")
            yield site, issuer


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, secured: tuple[RunningSite, Issuer]) -> RunningSite:
    """The site as the environment names it, with no token yet."""
    site, _ = secured
    monkeypatch.setenv("DCMCFG_LDAP_URL", site.site.ldap_url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD_FILE", str(site.site.password_file))
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", site.site.archive_url)
    return site


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch, lab: RunningSite, secured: tuple[RunningSite, Issuer]) -> Iterator[Issuer]:
    """The issuer as the environment names it, with the client's secret; what a test changes of it is put back."""
    _, issuer = secured
    issuer.issued.clear()
    monkeypatch.setenv("DCMCFG_OIDC_ISSUER", issuer.url)
    monkeypatch.setenv("DCMCFG_OIDC_CLIENT_ID", "dcmcfg")
    monkeypatch.setenv("DCMCFG_OIDC_CLIENT_SECRET", issuer.clients["dcmcfg"].secret)
    before = replace(issuer)
    yield issuer
    for name, value in vars(before).items():
        setattr(issuer, name, value)


def masked(text: str) -> str:
    """*text* with its moments masked."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "(moment)", text)


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.delenv(f"DCMCFG_OIDC_{name}")


def give(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Have the environment hold *token* instead of the client."""
    without(monkeypatch, "ISSUER", "CLIENT_ID", "CLIENT_SECRET")
    monkeypatch.setenv("DCMCFG_ARCHIVE_TOKEN", token)


# -- the archive takes it


def test_good_token_is_told_and_taken(run: Run, lab: RunningSite, issuer: Issuer) -> None:
    result = run("token")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        masked(result.stdout)
        == (
            f"Token     requested as client dcmcfg from {issuer.url} (DCMCFG_OIDC_ISSUER)\n"
            f"Issuer    {issuer.url}\n"
            "Client    dcmcfg, as service-account-dcmcfg\n"
            "Audience  account\n"
            "Issued    (moment)\n"
            "Expires   (moment), in 5 min 0 s according to the archive's clock\n"
            "Roles     auth, user\n"
            "          client account: view-profile\n"
            "Signature verified\n"
            f"Archive   {lab.site.archive_url} accepts the token\n"
            f"Requires  issuer {issuer.url}\n"
            "          realm role auth (property auth-user-role), root for super users\n"
        )
        or "in 4 min 59 s" in result.stdout
    )


def test_good_token_as_json(run: Run, lab: RunningSite, issuer: Issuer) -> None:
    result = run("token", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    content = json.loads(result.stdout)
    token = content.pop("token")
    assert content.pop("archive")["http_status"] == 200
    assert content == {
        "archive_url": lab.site.archive_url,
        "outcome": "accepted",
        "source": f"requested as client dcmcfg from {issuer.url} (DCMCFG_OIDC_ISSUER)",
        "is_jwt": True,
        "expected": {"issuer": issuer.url, "role": "auth", "super_user_role": "root"},
        "reasons": [],
    }
    assert (token["issuer"], token["realm_roles"], token["signature"]) == (issuer.url, ["auth", "user"], "verified")
    assert 290 <= token["expires_in_seconds"] <= 300
    assert issuer.issued[0] not in result.stdout


def test_token_is_printed_only_when_asked(run: Run, issuer: Issuer) -> None:
    result = run("token", "--print")
    assert (result.exit_code, result.stdout) == (0, f"{issuer.issued[0]}\n")
    assert result.stderr == (
        "warning: until the token expires, anyone who has the token has your permissions on the archive\n"
    )
    assert run("token", "--print", "--json").exit_code == 2


def test_pasted_token_works_as_before(
    run: Run, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    printed = run("token", "--print").stdout
    (tmp_path / "token").write_text(printed)
    (tmp_path / "token").chmod(0o600)
    assert run("reload", "--archive-token-file", str(tmp_path / "token")).exit_code == 0
    give(monkeypatch, printed.strip())
    assert run("status").exit_code == 0
    assert run("token").stdout.startswith("Token     configured (DCMCFG_ARCHIVE_TOKEN)\nIssuer    ")
    assert len(issuer.issued) == 1


def test_change_is_rolled_out_and_the_archive_reloads_with_one_token(
    run: Run, lab: RunningSite, issuer: Issuer
) -> None:
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(f"Applied in one change.\nTo revert it: dcmcfg undo 1\n{NOT_CONFIRMED}\n")
    assert len(issuer.issued) == 1
    assert run("undo", "--yes").exit_code == 0
    assert len(issuer.issued) == 2


def test_token_that_expires_on_the_way_is_renewed_for_the_reload(
    run: Run, lab: RunningSite, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.lifespan = LIFESPAN_S

    def slowly(_question: str) -> bool:
        time.sleep(LIFESPAN_S + 1.1)  # somebody reads the plan while the token expires
        issuer.lifespan = 300
        return True

    monkeypatch.setattr("dcmcfg.cli.session.change.confirm", slowly)
    monkeypatch.setattr("dcmcfg.cli.session.change.require_terminal", lambda: None)
    result = run("set-external-retrieve", "DCM4CHEE")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(f"{NOT_CONFIRMED}\n")
    assert len(issuer.issued) == 2
    assert run("undo", "--yes").exit_code == 0


# -- the archive does not


def test_want_of_a_token_tells_the_issuer_and_changes_nothing(run: Run, lab: RunningSite) -> None:
    site = lab.site
    result = run("token")
    assert (result.exit_code, result.stderr) == (1, "")
    issuer = re.findall(r"issuer (\S+)", result.stdout)[0]
    assert result.stdout == (
        "Token     not set\n"
        f"Archive   {site.archive_url} requires a token\n"
        f"Requires  issuer {issuer}\n"
        "          realm role auth (property auth-user-role), root for super users\n"
        f"Reason    the archive requires a token of {issuer}, but no token is set\n"
        "Next step Set up a client that requests tokens: dcmcfg help secured\n"
    )
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert result.exit_code == 3
    assert result.stderr == (
        f"dcmcfg: {site.archive_url}/ctrl/status: the archive requires a token (HTTP 401)\n"
        "  next: run dcmcfg token to see the issuer, then see dcmcfg help secured; or set a token with "
        "--archive-token-file FILE; "
        "nothing was changed; to change the directory without a reload of the archive: --no-reload\n"
    )
    assert destination(lab) == ()


def destination(lab: RunningSite) -> tuple[str, ...]:
    (entry,) = (entry for entry in lab.slapd.entries() if str(entry.dn) == ARCHIVE_DN)
    return entry.texts(NAME)


def why(run: Run, *arguments: str) -> str:
    """What ``dcmcfg token`` says from the archive's answer on, which is no."""
    result = run("token", *arguments)
    assert (result.exit_code, result.stderr) == (1, "")
    return "Archive " + result.stdout.partition("\nArchive ")[2]


def test_token_of_a_user_without_the_role_is_403(run: Run, lab: RunningSite, issuer: Issuer) -> None:
    issuer.realm_roles = ("user",)
    assert why(run) == (
        f"Archive   {lab.site.archive_url} refuses the token (HTTP 403)\n"
        f"Requires  issuer {issuer.url}\n"
        "          realm role auth (property auth-user-role), root for super users\n"
        "Reason    the token does not have the realm role auth\n"
        "Next step Assign the realm role auth (in Keycloak: Clients > the client > Service accounts roles). If the "
        "role is already assigned, add the role to the client's scope (Client scopes)\n"
    )
    result = run("status")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {lab.site.archive_url}/ctrl/status: the token's user has no permission for this request (HTTP 403)\n"
        "  next: run dcmcfg token to see the reason\n"
    )


def test_expired_token_is_told(run: Run, lab: RunningSite, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer.lifespan = -60
    give(monkeypatch, run("token", "--print").stdout.strip())
    reasons = why(run)
    assert "refuses the token (HTTP 401)\n          message: Signature has expired\n" in reasons
    assert re.search(
        r"^Reason    according to the archive's clock, the token expired 1 min \d s ago$", reasons, re.MULTILINE
    )


def test_token_by_another_name_of_the_issuer_is_told(run: Run, lab: RunningSite, issuer: Issuer) -> None:
    issuer.in_tokens = issuer.url.replace("127.0.0.1", "localhost")
    assert why(run).endswith(
        f"Reason    the token's issuer is {issuer.in_tokens}, but the archive accepts only tokens of {issuer.url}. "
        "If both are names of the same server, the archive still treats them as different issuers\n"
        f"Next step Use the name that the archive accepts: set oidc_issuer to {issuer.url}\n"
    )


def test_token_of_keys_that_are_gone_is_told(run: Run, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer.published = issuer.keys
    issuer.keys = new_keys()
    assert re.search(
        r"^Reason    the token is signed with key \S+, but the issuer does not publish", why(run), re.MULTILINE
    )


def test_altered_and_opaque_tokens_are_told(run: Run, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    head, claims, signature = run("token", "--print").stdout.strip().split(".")
    other = run("token", "--print").stdout.strip().split(".")[1]
    give(monkeypatch, f"{head}.{other}.{signature}")
    assert "Reason    the signature is invalid: the token is truncated, altered or from another realm\n" in why(run)
    monkeypatch.setenv("DCMCFG_ARCHIVE_TOKEN", f"{head}.{claims[:-3]}")
    assert "Reason    the token is truncated or damaged\n" in why(run)
    monkeypatch.setenv("DCMCFG_ARCHIVE_TOKEN", "d0a9f2")
    assert "Reason    the token is not a JSON Web Token, but the archive requires this format\n" in why(run)


def test_audience_is_what_is_left_when_nothing_else_is_wrong(
    run: Run, issuer: Issuer, archive: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.status = 401
    root, realm = issuer.url.split("/realms/")
    archive.by_path["ui2/rs/keycloak.json"] = (200, json.dumps({"realm": realm, "auth-server-url": root}).encode())
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", archive.url)
    assert why(run).startswith(
        f"Archive   {archive.url} refuses the token (HTTP 401)\nRequires  issuer {issuer.url}\n          realm role "
        "auth (property auth-user-role)\nReason    dcmcfg found no problem in the token. The audience of the token is "
        "'account'. The archive might accept only tokens whose audience contains the archive's client ID\n"
    )


def test_token_is_told_even_when_the_archive_is_away(run: Run, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://127.0.0.1:{free_port()}/dcm4chee-arc"
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", url)
    result = run("token")
    assert result.exit_code == 3
    assert (
        f"Roles     auth, user\n          client account: view-profile\nSignature verified\nArchive   {url} could"
        in result.stdout
    )
    assert result.stderr == (
        f"dcmcfg: {url}/ctrl/status: connection refused\n"
        "  next: check that the archive is running, and that its URL is correct (--archive-url)\n"
    )
    content = json.loads(run("token", "--json").stdout)
    assert (content["outcome"], content["token"]["issuer"]) == ("not checked", issuer.url)
    assert content["error"]["message"] == "connection refused"


# -- there is none


def test_wrong_secret_is_told_before_anything_is_written(
    run: Run, lab: RunningSite, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_OIDC_CLIENT_SECRET", "wrong")
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert result.exit_code == 3
    assert "the issuer does not know the client dcmcfg, or the secret is incorrect (HTTP 401" in result.stderr
    assert result.stderr.endswith(
        "; nothing was changed; to change the directory without a reload of the archive: --no-reload\n"
    )
    assert "wrong" not in result.stdout + result.stderr
    assert destination(lab) == ()
    failed = run("token", "--json")
    assert (failed.exit_code, json.loads(failed.stdout)["error"]["exit_code"]) == (3, 3)


def test_token_that_is_not_renewed_leaves_the_change_with_exit_code_4(
    run: Run, lab: RunningSite, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.lifespan = LIFESPAN_S

    def meanwhile(_question: str) -> bool:
        time.sleep(LIFESPAN_S + 0.1)
        issuer.clients = {}
        return True

    monkeypatch.setattr("dcmcfg.cli.session.change.confirm", meanwhile)
    monkeypatch.setattr("dcmcfg.cli.session.change.require_terminal", lambda: None)
    clients = issuer.clients
    result = run("set-external-retrieve", "DCM4CHEE")
    assert result.exit_code == 4
    assert result.stderr == (
        f"dcmcfg: {issuer.token_url}: The directory was changed, but the archive did not reload: the issuer does not "
        "know the client dcmcfg, or the secret is incorrect (HTTP 400: The client does not exist on this server.)\n"
        "  next: check the client's ID and secret (in Keycloak: Clients > the client > Credentials); then run dcmcfg "
        "reload\n"
    )
    issuer.clients, issuer.lifespan = clients, 300
    assert run("undo", "--yes").exit_code == 0
    assert destination(lab) == ()


def test_want_of_a_secret_is_told(run: Run, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "CLIENT_SECRET")
    result = run("status")
    assert (result.exit_code, result.stderr) == (
        3,
        f"dcmcfg: {issuer.url}: no secret for the client dcmcfg\n"
        "  next: set oidc_client_secret_file where the issuer is set: both in the profile, or both in the environment "
        "(dcmcfg help secured)\n",
    )


def test_secret_is_asked_for_at_a_terminal(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "CLIENT_SECRET")
    secret = issuer.clients["basic-only"].secret
    monkeypatch.setenv("DCMCFG_OIDC_CLIENT_ID", "basic-only")
    issuer.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
    code, seen = at_terminal(["status"], [(f"Secret of the client basic-only @ {issuer.url}: ", secret)])
    assert (code, secret in seen, "STARTED" in seen) == (0, False, True)


def test_secret_of_another_source_does_not_go_to_the_issuer_of_an_option(run: Run, issuer: Issuer) -> None:
    result = run("--oidc-issuer", "http://127.0.0.1:1/realms/x", "--oidc-client-id", "dcmcfg", "status")
    assert result.exit_code == 3
    assert "no secret for the client dcmcfg" in result.stderr


def test_unsecured_archive_says_that_it_asks_for_none(
    run: Run, archive: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.run_as_an_archive_does()
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", archive.url)
    result = run("token")
    assert (result.exit_code, result.stdout) == (
        0,
        f"Token     not set\nArchive   {archive.url} requires no token\n",
    )


def test_a_destination_for_one_run_at_an_archive_that_wants_tokens(run: Run, lab: RunningSite, issuer: Issuer) -> None:
    done = run("verify", "--study", get_standard_study("local").uid, "--temporary-dest", "--yes", "--json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["verified"], answer["temporary_destination"]["removed"]) == (0, True, True)
    assert run("verify", "--clean-temporary").stdout == "No temporary destinations found.\n"
    assert done.stderr.count("the archive has reloaded\n") == 2
