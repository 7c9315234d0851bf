"""The next step after a reload that could not open a listener names what the archive's reason is about."""

from __future__ import annotations

import pytest

from dcmcfg.archive.http_client import HttpResponse
from dcmcfg.archive.reload_failures import Reload, ReloadAttempt, ReloadFailed, build_reload_error
from dcmcfg.archive.reload_outcome import classify_reload_response

URL = "http://127.0.0.1:8080/dcm4chee-arc/ctrl/reload"
FRAMES = (
    "\n\tat org.dcm4che3.net.SSLManagerFactory.createKeyManager(SSLManagerFactory.java:1)"
    "\n\tat org.dcm4che3.net.Device.rebindConnections(Device.java:1)\n"
)
FORCED = "java.io.IOException: Unable to start TCPListener on localhost:9112" + FRAMES
STORES = (
    "Correct the key store or the trust store of the archive's device (dcmKeyStoreURL, dcmKeyStoreType, "
    "dcmKeyStorePin, dcmKeyStoreKeyPin; dcmTrustStoreURL, dcmTrustStoreType, dcmTrustStorePin). Then run dcmcfg reload"
)
FILES = (
    "Correct dcmKeyStoreURL or dcmTrustStoreURL of the archive's device. The URL must lead to a file that the archive "
    "can read. Then run dcmcfg reload"
)


def failure(status: int, body: str, device: str = "") -> ReloadFailed:
    outcome = classify_reload_response(HttpResponse(status, {}, body))
    assert outcome is not None
    return build_reload_error(Reload((ReloadAttempt(status, outcome, 0.1),)), URL, device)


@pytest.mark.parametrize(
    ("body", "next_step"),
    [
        (f"java.security.KeyStoreException: FOO not found{FRAMES}", STORES),
        (f"java.security.UnrecoverableKeyException: Cannot recover key{FRAMES}", STORES),
        (f"java.security.cert.CertificateException: Unable to initialize{FRAMES}", STORES),
        (f"java.lang.IllegalStateException: keyStoreURL requires keyStoreType{FRAMES}", STORES),
        (f"java.lang.IllegalStateException: No such trustStorePinProperty: x{FRAMES}", STORES),
        (f"{FORCED}Caused by: java.io.IOException: keystore password was incorrect\n", STORES),
        (f"{FORCED}Caused by: java.io.FileNotFoundException: /nosuch.p12 (No such file or directory)\n", FILES),
    ],
)
def test_store_that_cannot_be_read_names_the_attributes_of_the_stores(body: str, next_step: str) -> None:
    assert failure(500, body).next_step == next_step


@pytest.mark.parametrize(
    ("text", "attribute", "other"),
    [
        ("Unsupported CipherSuite: FOO", "dicomTLSCipherSuite", "dcmTLSProtocol"),
        ("Unsupported protocolFOO", "dcmTLSProtocol", "dicomTLSCipherSuite"),
    ],
)
def test_name_that_java_does_not_know_names_its_attribute_alone(text: str, attribute: str, other: str) -> None:
    error = failure(409, f'{{"errorMessage":"java.lang.IllegalArgumentException: {text}"}}')
    assert error.next_step.startswith(f"Correct {attribute} of the TLS connection. Use Java's names")
    assert other not in error.next_step


def test_reason_about_something_else_names_no_attribute() -> None:
    error = failure(500, f"java.lang.IllegalStateException: Already listening - x{FRAMES}")
    assert error.next_step == (
        "Fix the problem that the reason describes (the archive's server.log has the full error). Then run "
        "dcmcfg reload"
    )


@pytest.mark.parametrize(("device", "command"), [("", ""), ("dcm4chee-arc", " (dcmcfg connection list dcm4chee-arc)")])
def test_port_in_use_names_the_command_that_lists_the_connections(device: str, command: str) -> None:
    body = f"{FORCED}Caused by: java.net.BindException: Address already in use\n"
    assert failure(500, body, device).next_step == (
        f"Find out what else uses port 9112. Check the other connections of the archive{command}. Check the other "
        "processes on the archive's machine (ss -tlnp 'sport = :9112'). Then run dcmcfg reload"
    )


def test_address_of_another_machine_names_the_attributes_of_the_address() -> None:
    body = f"{FORCED}Caused by: java.net.BindException: Cannot assign requested address\n"
    assert failure(500, body).next_step == (
        "Correct the address of the connection with port 9112 (dcmBindAddress, or dicomHostname if "
        "dcmBindAddress is not set). Then run dcmcfg reload"
    )
