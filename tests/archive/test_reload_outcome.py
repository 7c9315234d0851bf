"""What an answer to a reload shows of the configuration that is in force."""

from __future__ import annotations

import pytest

from dcmcfg.archive.http_client import HttpResponse
from dcmcfg.archive.reload_outcome import (
    LoadedButNotBound,
    NotLoaded,
    NotRunning,
    ReloadSucceeded,
    ReloadUnclear,
    classify_reload_response,
)

REBIND = "\tat x//org.dcm4che3.net.Device.rebindConnections(Device.java:752)\n"
LOAD = "\tat x//org.dcm4chee.arc.impl.ArchiveDeviceProducer.findDevice(ArchiveDeviceProducer.java:173)\n"
EJB = "jakarta.ejb.EJBException: java.lang.ArrayIndexOutOfBoundsException: Index -1\n\tat org.jboss.A.b(A.java:1)\n"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (204, "", ReloadSucceeded()),
        (
            409,
            '{"errorMessage":"java.nio.charset.IllegalCharsetNameException: FOO bar"}',
            NotLoaded("IllegalCharsetNameException: FOO bar"),
        ),
        (
            409,
            '{"errorMessage":"java.lang.IllegalArgumentException: Unsupported CipherSuite: X"}',
            LoadedButNotBound("IllegalArgumentException: Unsupported CipherSuite: X"),
        ),
        (
            409,
            '{"errorMessage":"java.lang.IllegalArgumentException: Unsupported protocolTLSv9"}',
            LoadedButNotBound("IllegalArgumentException: Unsupported protocolTLSv9"),
        ),
        (409, '{"errorMessage":"some text"}', ReloadUnclear("some text")),
        (409, "", ReloadUnclear("")),
        (
            500,
            "java.io.IOException: Unable to start TCPListener on pacs:11112\n" + REBIND,
            LoadedButNotBound("IOException: Unable to start TCPListener on pacs:11112", "pacs:11112", True),
        ),
        (
            500,
            "java.io.IOException: Cannot start UDP listener on pacs:514\n",
            LoadedButNotBound("IOException: Cannot start UDP listener on pacs:514", "pacs:514", True),
        ),
        (
            500,
            "java.security.KeyStoreException: FOO not found\n" + REBIND,
            LoadedButNotBound("KeyStoreException: FOO not found"),
        ),
        (
            500,
            "org.dcm4che3.conf.api.ConfigurationNotFoundException: Device with specified name not found",
            NotLoaded("ConfigurationNotFoundException: Device with specified name not found"),
        ),
        (
            500,
            EJB + "Caused by: java.lang.ArrayIndexOutOfBoundsException: Index -1\n" + LOAD,
            NotLoaded("ArrayIndexOutOfBoundsException: Index -1"),
        ),
        (500, EJB, ReloadUnclear("ArrayIndexOutOfBoundsException: Index -1")),
        (500, EJB.splitlines()[0], NotLoaded("ArrayIndexOutOfBoundsException: Index -1")),
        (500, "java.lang.NullPointerException\n\tat a.B.c(D.java:1)\n", ReloadUnclear("NullPointerException")),
        (500, "", ReloadUnclear("")),
        (
            500,
            "<html><head><title>Error</title></head><body>500 - Internal Server Error</body></html>",
            NotRunning("the web server returned its own error page"),
        ),
        (
            500,
            "<html><head><title>Error</title></head><body>Internal Server Error</body></html>",
            ReloadUnclear("the response is a web page that contains no reason"),
        ),
        (500, "<html>", ReloadUnclear("the response is a web page that contains no reason")),
        (401, "", None),
        (404, "", None),
        (502, "", None),
    ],
)
def test_outcome_of_an_answer(status: int, body: str, outcome: object) -> None:
    assert classify_reload_response(HttpResponse(status, {}, body)) == outcome


def test_what_is_in_force_follows_from_the_outcome() -> None:
    outcomes = (ReloadSucceeded(), NotLoaded(""), LoadedButNotBound(""), NotRunning(""), ReloadUnclear(""))
    assert [each.in_force for each in outcomes] == [True, False, True, False, None]
