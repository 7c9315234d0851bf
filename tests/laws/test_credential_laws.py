"""Law: whatever the sources hold, a credential goes to the servers that its own source names, or that were typed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmcfg.errors import MalformedInput
from dcmcfg.settings import Settings, resolve_settings, write_profile

URLS = ("archive_url", "oidc_issuer", "oidc_token_url")
NAMES = (*URLS, "oidc_client_id", "oidc_client_secret_file", "archive_token_file")


@pytest.fixture
def fresh_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def described(source: str) -> st.SearchStrategy[dict[str, str]]:
    """Some of the settings, each with a value that tells which source it is of."""
    values = {name: f"https://{source}/{name}" if name in URLS else f"/{source}/{name}" for name in NAMES}
    return st.sets(st.sampled_from(NAMES)).map(lambda names: {name: values[name] for name in names})


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    options=described("options"),
    environment=described("environment"),
    profile=described("profile"),
    named=st.booleans(),
)
def test_credential_goes_to_the_servers_of_its_own_source_or_to_what_was_typed(
    fresh_folder: None, options: dict[str, str], environment: dict[str, str], profile: dict[str, str], named: bool
) -> None:
    write_profile("default", profile)
    chosen = options | ({"profile": "default"} if named else {})
    with suppress(MalformedInput):  # a refusal sends nothing
        _held(resolve_settings(chosen, {f"DCMCFG_{name.upper()}": value for name, value in environment.items()}))


def _held(site: Settings) -> None:
    secret = site.oidc.secret if site.oidc else None
    if secret is not None and site.oidc is not None:
        owner = secret.path.parts[1] if secret.path else ""
        goes_to = [site.oidc.server_url, site.oidc.client_id, site.archive_url]
        assert owner == "options" or all(owner in each or "localhost:8080" in each for each in goes_to)
    if site.token_secret is not None and site.token_secret.path is not None:
        owner = site.token_secret.path.parts[1]
        assert owner == "options" or owner in site.archive_url or "localhost:8080" in site.archive_url
        assert site.oidc is None
