"""``dcmcfg verify`` over TLS at the lab's archive, whose cipher suites are those of a stock one, both ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dcmcfg.lab.certificates import make_certificates
from dcmcfg.lab.site import Site
from dcmcfg.lab.studies import get_standard_study
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment
from tests.cli.verifying import WORKSTATION
from tests.dicom.certificates import make_pki
from tests.lab.purging import purge
from tests.lab.running_site import RunningSite, running_site

pytestmark = pytest.mark.real
SUITE = "TLS_RSA_WITH_AES_128_CBC_SHA"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("lab")) as lab:
        make_certificates(lab.site)
        lab.start("storage", "external", "archive")
        lab.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
        lab.reload()
        yield lab


@pytest.fixture
def lab(shared: RunningSite, monkeypatch: pytest.MonkeyPatch) -> RunningSite:
    name_in_environment(shared, monkeypatch)
    return shared


def verify(run: Run, lab: RunningSite, name: str, *arguments: str) -> Result:
    site = lab.site
    shown = ("--tls-cert", str(site.client_certificate), "--tls-key", str(site.client_key))
    trusted = ("--tls-ca", str(site.ca_certificate))
    return run("verify", "--study", get_standard_study(name).uid, *arguments, "--json", *trusted, *shown)


def load_verdict(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def test_a_study_is_verified_over_tls(run: Run, lab: RunningSite) -> None:
    answer = load_verdict(verify(run, lab, "local", "--dest", "STORESCP", "--tls"))
    assert answer["archive"] == f"DCM4CHEE@127.0.0.1:{lab.site.ports.archive_tls}"
    secured = answer["request"]["archive_identity"]["tls_session"]
    assert (secured["version"], secured["cipher_suite"]) == ("TLSv1.2", "AES128-SHA")
    assert len(lab.received()) == 5


@pytest.mark.parametrize("name", ["local", "three"], ids=["what it has itself", "what it has sent back"])
def test_the_archive_sends_to_a_temporary_destination_over_tls(run: Run, lab: RunningSite, name: str) -> None:
    result = verify(run, lab, name, "--temporary-dest", "--yes", "--tls")
    answer = load_verdict(result)
    assert "with TLS" in result.stderr
    assert answer["verified"]
    assert (answer["received"]["instance_count"], answer["received"]["calling_ae_titles"]) == (
        len(get_standard_study(name).sop_instance_uids),
        ["DCM4CHEE"],
    )


@pytest.fixture
def tls_only(lab: RunningSite) -> Iterator[None]:
    """WORKSTATION is called over TLS only."""
    lab.put("dicomTLSCipherSuite", SUITE, dn=f"cn=dicom,{WORKSTATION}")
    lab.reload()
    yield
    lab.put("dicomTLSCipherSuite", dn=f"cn=dicom,{WORKSTATION}")
    lab.reload()


@pytest.mark.usefixtures("tls_only")
def test_the_archive_sends_over_tls_to_a_destination_that_has_tls_only(run: Run, lab: RunningSite) -> None:
    purge(lab.site, get_standard_study("three").uid)
    answer = load_verdict(verify(run, lab, "three", "--dest", "WORKSTATION", "--receive"))
    assert (answer["verified"], answer["received"]["instance_count"]) == (True, 3)
    assert answer["archive"] == f"DCM4CHEE@127.0.0.1:{lab.site.ports.archive}", "it was asked on its plain port"


@pytest.mark.usefixtures("tls_only")
@pytest.mark.parametrize("wrong", ["authority", "kind of key"])
def test_a_destination_whose_certificate_does_not_suit_the_archive_gets_nothing(
    run: Run, lab: RunningSite, tmp_path: Path, wrong: str
) -> None:
    if wrong == "authority":
        (tmp_path / "other").mkdir()
        other = Site(tmp_path / "other", lab.site.ports)
        make_certificates(other)
        certificate, key, comment = other.client_certificate, other.client_key, "PKIX path building failed:"
    else:
        elliptic = make_pki(tmp_path).server
        certificate, key, comment = elliptic.certificate, elliptic.key, "Received fatal alert: hands"
    options = ("--receive", "--tls-cert", str(certificate), "--tls-key", str(key), "--json")
    result = run("verify", "--study", get_standard_study("local").uid, "--dest", "WORKSTATION", *options)
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["received"]["instance_count"], answer["reported"]["status_hex"]) == (1, 0, "A702")
    assert answer["reported"]["comment"] == f"javax.net.ssl.SSLHandshakeException: {comment}"
    assert answer["next_steps"][0].startswith("the TLS handshake between DCM4CHEE and dcmcfg failed: ")
