"""The control service, against real HTTP servers on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.control import ControlService, NotStarted, StatusPolling
from dcmcfg.archive.http_client import HttpTimeouts
from dcmcfg.archive.reload_failures import NotReloaded, ReloadFailed, ReloadUnconfirmed, ReloadUnfinished
from dcmcfg.errors import ArchiveError, MalformedInput
from tests.archive.scripted import Scripted, scripted_archive, self_signed_certificate
from tests.patience import PATIENCE_S

QUICK = HttpTimeouts(response=0.3)
HASTE = StatusPolling(retry_period_s=0.2, retry_interval_s=0.05, slow_after_s=0.1)
LONG = StatusPolling(retry_period_s=PATIENCE_S, retry_interval_s=0.05, slow_after_s=PATIENCE_S)
FORCED = "java.io.IOException: Unable to start TCPListener on localhost:9112\n\tat a.B.c(D.java:1)\n"
FORCED += "Caused by: java.net.BindException: Address already in use\n\t... 1 more\n"
PAGE = "<html><head><title>Error</title></head><body>{}</body></html>"


def refused_reload(archive: Scripted, *, token: str | None = None) -> ArchiveError:
    with pytest.raises(ArchiveError) as error_info:
        ControlService(archive.url, token).reload()
    assert not isinstance(error_info.value, ReloadUnconfirmed)
    assert error_info.value.subject == f"{archive.url}/ctrl/reload"
    assert error_info.value.exit_code == 3
    return error_info.value


def test_status_of_a_started_archive(archive: Scripted) -> None:
    archive.answer(200, '{"status":"STARTED"}')
    status = ControlService(archive.url).status()
    assert (status.reported_status, status.started) == ("STARTED", True)
    assert 0 < status.seconds < 5
    assert archive.requests == [("GET", "/dcm4chee-arc/ctrl/status", None)]


def test_status_of_a_stopped_archive(archive: Scripted) -> None:
    archive.answer(200, '{"status":"STOPPED"}')
    assert not ControlService(archive.url).status().started


@pytest.mark.parametrize(
    "body", ["<html>Welcome to WildFly</html>", "", "[]", '{"status":1}', '{"status":"a\\u001bb"}', "{}"]
)
def test_status_that_is_not_the_archives_asks_for_the_base_url(archive: Scripted, body: str) -> None:
    archive.answer(200, body)
    with pytest.raises(ArchiveError) as error_info:
        ControlService(archive.url).status()
    assert error_info.value.message == "The response is not from an archive (HTTP 200)"
    assert "base URL" in error_info.value.next_step
    assert state_of(error_info.value) is ServiceState.NOT_AN_ARCHIVE


def state_of(error: ArchiveError) -> ServiceState:
    assert isinstance(error, NotStarted)
    return error.state


def test_reload_posts_with_the_bearer_token(archive: Scripted) -> None:
    reload = ControlService(archive.url + "/", "abc.def").reload()
    assert 0 < reload.seconds < 5
    assert (reload.in_force, reload.binding_failure, reload.repaired_binding_failure, len(reload.attempts)) == (
        True,
        None,
        None,
        1,
    )
    assert archive.requests == [("POST", "/dcm4chee-arc/ctrl/reload", "Bearer abc.def")]


@pytest.mark.parametrize("status", [200, 202, 206])
def test_only_204_is_a_reload(archive: Scripted, status: int) -> None:
    archive.answer(status, "<html>")
    assert f"HTTP {status}" in refused_reload(archive).message


def test_redirect_is_not_followed_and_says_token(archive: Scripted) -> None:
    with scripted_archive() as login:
        archive.answer(302, Location=f"{login.url}/auth?state=secret")
        error = refused_reload(archive, token="t")
        assert login.requests == []
    assert error.message == f"redirected to {login.url}/auth (HTTP 302), but dcmcfg does not follow redirects"
    assert "token" in error.next_step


@pytest.mark.parametrize(
    ("status", "token", "what"),
    [
        (401, None, "the archive requires a token (HTTP 401)"),
        (401, "old", "the token was not accepted (HTTP 401)"),
        (403, None, "the archive requires a token (HTTP 403)"),
        (403, "weak", "the token's user has no permission for this request (HTTP 403)"),
    ],
)
def test_want_of_a_token_says_how_to_give_one_and_a_refused_one_who_tells_why(
    archive: Scripted, status: int, token: str | None, what: str
) -> None:
    archive.answer(status, "<html>Unauthorized</html>")
    error = refused_reload(archive, token=token)
    assert error.message == what
    assert ("--archive-token-file" if token is None else "dcmcfg token") in error.next_step


def test_token_that_the_answer_gives_back_is_not_told(archive: Scripted) -> None:
    archive.answer(500, "cannot read eyJ0b2tlbg")
    with pytest.raises(ArchiveError) as error_info:
        ControlService(archive.url, "eyJ0b2tlbg").reload()
    assert error_info.value.message.startswith("Archive error: cannot read … (HTTP 500). ")
    archive.answer(302, Location="https://login/eyJ0b2tlbg")
    with pytest.raises(ArchiveError) as error_info:
        ControlService(archive.url, "eyJ0b2tlbg").reload()
    assert error_info.value.message.startswith("redirected to https://login/… ")


def test_wrong_base_url_is_asked_about(archive: Scripted) -> None:
    archive.answer(404, "<html>Not Found</html>")
    error = refused_reload(archive)
    assert error.message == "The response is not from an archive (HTTP 404)"
    assert "base URL" in error.next_step


def test_conflict_while_loading_keeps_the_configuration_and_shows_the_unescaped_message(archive: Scripted) -> None:
    body = '{"errorMessage":"java.lang.IllegalArgumentException: Illegal "X" of\n\tdcmProtocol: \x1b[31mFOO\\BAR"}'
    archive.answer(409, body)
    error = refused_reload(archive)
    assert isinstance(error, NotReloaded)
    assert error.reload is not None
    assert error.reload.in_force is False
    assert error.message == (
        'The archive could not load the new configuration: IllegalArgumentException: Illegal "X" of dcmProtocol: '
        "[31mFOO\\BAR (HTTP 409). "
        "The archive keeps its previous configuration"
    )


def unfinished(archive: Scripted) -> ReloadUnfinished:
    with pytest.raises(ReloadUnfinished) as error_info:
        ControlService(archive.url).reload()
    assert error_info.value.exit_code == 4
    return error_info.value


def test_answer_that_shows_nothing_leaves_open_what_is_in_force(archive: Scripted) -> None:
    archive.answer(409, '{"errorMessage":"x"}')
    error = unfinished(archive)
    assert error.message == (
        "Archive error: x (HTTP 409). dcmcfg does not know whether the archive uses the new configuration"
    )
    assert f"send GET {archive.url}/aets" in error.next_step
    assert error.reload is not None
    assert error.reload.in_force is None
    assert archive.reloads == 1


def test_unsupported_cipher_suite_is_in_force_and_not_repeated(archive: Scripted) -> None:
    archive.answer(409, '{"errorMessage":"java.lang.IllegalArgumentException: Unsupported CipherSuite: FOO"}')
    error = unfinished(archive)
    assert error.message.startswith(
        "The new configuration is in force, but the archive could not open a listener: IllegalArgumentException: "
        "Unsupported CipherSuite: FOO (HTTP 409). "
    )
    assert "dicomTLSCipherSuite" in error.next_step
    assert archive.reloads == 1


def test_listener_that_was_not_opened_is_opened_by_a_second_reload(archive: Scripted) -> None:
    archive.once["ctrl/reload"] = (500, FORCED.encode())
    reload = ControlService(archive.url).reload()
    assert archive.reloads == 2
    assert (reload.in_force, reload.binding_failure) == (True, None)
    assert reload.repaired_binding_failure is not None
    assert reload.repaired_binding_failure.listener == "localhost:9112"


def test_listener_that_stays_closed_is_named_after_two_reloads(archive: Scripted) -> None:
    archive.answer(500, FORCED)
    error = unfinished(archive)
    assert archive.reloads == 2
    assert error.message == (
        "The new configuration is in force, but the archive could not open the listener localhost:9112: IOException: "
        "Unable to start TCPListener on localhost:9112; cause: BindException: Address already in use (HTTP 500; "
        "dcmcfg reloaded twice). Until a reload succeeds, other listeners might be closed too, and the AE cache of "
        "the archive still contains old AEs"
    )
    assert "ss -tlnp 'sport = :9112'" in error.next_step


def test_second_reload_may_name_another_listener(archive: Scripted) -> None:
    archive.once["ctrl/reload"] = (500, FORCED.encode())
    archive.answer(500, FORCED.replace("9112", "9762"))
    error = unfinished(archive)
    assert error.reload is not None
    assert error.reload.binding_failure is not None
    assert error.reload.binding_failure.listener == "localhost:9762"


@pytest.mark.parametrize(("status", "body"), [(401, "<html>"), (500, "boom")])
def test_second_reload_that_ends_otherwise_leaves_the_new_configuration_in_force(
    archive: Scripted, status: int, body: str
) -> None:
    archive.once["ctrl/reload"] = (500, FORCED.encode())
    archive.answer(status, body)
    error = unfinished(archive)
    assert error.reload is not None
    assert error.reload.in_force is True
    assert "The second reload ended with" in error.message
    assert f"(HTTP {status})" in error.message


def test_second_reload_without_an_answer_is_unconfirmed_and_in_force(archive: Scripted) -> None:
    archive.once["ctrl/reload"] = (500, FORCED.encode())
    archive.answer(504)
    with pytest.raises(ReloadUnconfirmed) as error_info:
        ControlService(archive.url).reload()
    assert error_info.value.message.startswith(
        "The new configuration is in force, but the archive could not open the listener localhost:9112. dcmcfg sent a "
        "second reload, but the archive did not confirm the second reload: "
    )
    assert error_info.value.reload is not None
    assert (error_info.value.reload.in_force, len(error_info.value.reload.attempts)) == (True, 2)


STACK_TRACE = """\
jakarta.ejb.EJBException: org.dcm4che3.conf.api.ConfigurationException: Failed to load
\tat org.jboss.as.ejb3@26/CMTTxInterceptor.invoke(CMTTxInterceptor.java:374)
\tat java.base/java.lang.Thread.run(Thread.java:833)
Caused by: org.dcm4che3.conf.api.ConfigurationException: Failed to load device
\tat org.dcm4che3.conf.ldap.LdapDicomConfiguration.loadDevice(LdapDicomConfiguration.java:1)
\t... 12 more
Caused by: javax.naming.NameNotFoundException: [LDAP: error code 32 - No Such Object];
remaining name 'cn=gone,dicomDeviceName=x'
\tat java.naming/com.sun.jndi.ldap.LdapCtx.mapErrorCode(LdapCtx.java:3284)
\t... 30 more
"""


def test_stack_trace_becomes_its_first_line_and_its_deepest_cause(archive: Scripted) -> None:
    archive.answer(500, STACK_TRACE)
    assert refused_reload(archive).message == (
        "The archive could not load the new configuration: ConfigurationException: Failed to load; cause: "
        "NameNotFoundException: [LDAP: error code 32 - No "
        "Such Object]; remaining name 'cn=gone,dicomDeviceName=x' (HTTP 500). The archive keeps its previous "
        "configuration"
    )


def test_stack_trace_without_a_cause_becomes_its_first_line(archive: Scripted) -> None:
    archive.answer(500, "java.lang.NullPointerException\n\tat org.dcm4chee.arc.Foo.bar(Foo.java:1)\n")
    assert unfinished(archive).message.startswith(
        "Archive error: NullPointerException (HTTP 500). dcmcfg does not know "
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "no reason given"),
        ("<html><h1>Oops</h1>", "the response is a web page that contains no reason"),
        ("x " * 1000, "x " * 149),
    ],
)
def test_other_errors_are_shown_in_one_bounded_line(archive: Scripted, body: str, reason: str) -> None:
    archive.answer(500, body)
    with pytest.raises(ReloadFailed) as error_info:
        ControlService(archive.url).reload()
    assert reason in error_info.value.message
    assert len(error_info.value.message) < 400


def test_endless_body_is_cut(archive: Scripted) -> None:
    archive.answer(500, "x" * 3_000_000)
    assert len(unfinished(archive).message) < 400


def test_archive_behind_a_proxy_that_is_not_ready(archive: Scripted) -> None:
    archive.answer(503)
    assert refused_reload(archive).message == "the archive is not ready (HTTP 503)"


def test_page_of_the_web_server_says_that_nothing_was_reloaded(archive: Scripted) -> None:
    archive.answer(500, PAGE.format("500 - Internal Server Error"))
    with pytest.raises(NotReloaded) as error_info:
        ControlService(archive.url, polling=HASTE).reload()
    assert error_info.value.message.startswith(
        "The archive did not reload. The archive failed to start, or it is still starting (HTTP 500"
    )
    assert "a reload does not start the archive" in error_info.value.next_step
    assert archive.reloads == 1


def test_page_that_passes_while_the_archive_is_deployed_asks_for_another_reload(archive: Scripted) -> None:
    archive.by_path["ctrl/reload"] = (500, PAGE.format("500 - Internal Server Error").encode())
    archive.answer(200, '{"status":"STARTED"}')
    with pytest.raises(NotReloaded) as error_info:
        ControlService(archive.url, polling=LONG).reload()
    assert error_info.value.message == (
        "The archive did not reload, because it was not ready. The status of the archive is now STARTED"
    )


@pytest.mark.parametrize(
    ("status", "text", "state"),
    [
        (404, "404 - Not Found", ServiceState.NOT_DEPLOYED),
        (500, "500 - Internal Server Error", ServiceState.FAILED),
        (503, "503 - Service Unavailable", ServiceState.STOPPING),
        (400, "Bad Request", ServiceState.STOPPING),
    ],
)
def test_pages_of_the_web_server_show_in_which_way_the_archive_does_not_run(
    archive: Scripted, status: int, text: str, state: ServiceState
) -> None:
    archive.answer(status, PAGE.format(text))
    with pytest.raises(NotStarted) as error_info:
        ControlService(archive.url, polling=HASTE).status()
    assert error_info.value.state is state
    assert (len(archive.requests) > 1) == (status != 404)


def test_page_that_passes_is_asked_for_again_and_the_wait_is_announced(archive: Scripted) -> None:
    archive.answer(200, '{"status":"STARTED"}')
    archive.once["ctrl/status"] = (500, PAGE.format("500 - Internal Server Error").encode())
    announced: list[str] = []
    assert ControlService(archive.url, polling=LONG).status(announced.append).started
    assert announced == ["HTTP 500 from the web server; dcmcfg retries for up to 120 s"]


def test_another_path_of_the_archive_is_not_taken_for_an_archive_that_is_not_deployed(archive: Scripted) -> None:
    archive.answer(404, **{"Access-Control-Allow-Origin": "*"})
    with pytest.raises(NotStarted) as error_info:
        ControlService(archive.url).status()
    assert error_info.value.state is ServiceState.WRONG_PATH


def test_slow_answer_is_announced(archive: Scripted) -> None:
    archive.hang = threading.Event()
    announced: list[str] = []
    with pytest.raises(NotStarted):
        ControlService(archive.url, timeouts=QUICK, polling=HASTE).status(announced.append)
    assert announced == [f"no response yet from {archive.url}/ctrl/status; waiting"]


def test_slow_answer_to_a_reload_is_announced(archive: Scripted) -> None:
    archive.hang = threading.Event()
    announced: list[str] = []
    with pytest.raises(ReloadUnconfirmed):
        ControlService(archive.url, timeouts=QUICK, polling=HASTE).reload(announced.append)
    assert announced == [f"no response yet from {archive.url}/ctrl/reload; waiting"]


def test_reload_without_an_answer_is_unconfirmed_within_its_timeout(archive: Scripted) -> None:
    archive.hang = threading.Event()
    with pytest.raises(ReloadUnconfirmed) as error_info:
        ControlService(archive.url, timeouts=QUICK).reload()
    assert (
        error_info.value.message
        == "dcmcfg sent a reload, but the archive did not confirm the reload: no answer within 0.3 s"
    )
    assert error_info.value.exit_code == 4


def test_an_answer_in_drips_does_not_outlast_the_timeouts() -> None:
    """Each octet comes within the time-out, and there is no end to them: not of the headers even."""
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        with listener.accept()[0] as connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 204 No Content\r\nX-Drip: ")
            while not ended.wait(0.05):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        service = ControlService(f"http://127.0.0.1:{listener.getsockname()[1]}", timeouts=QUICK)
        watchdog = threading.Timer(PATIENCE_S, ended.set)
        watchdog.start()
        with pytest.raises(ReloadUnconfirmed, match="no answer within"):
            service.reload()
        assert not ended.is_set()
        watchdog.cancel()
        ended.set()


def test_reload_whose_connection_was_lost_is_unconfirmed(archive: Scripted) -> None:
    archive.drop = True
    with pytest.raises(ReloadUnconfirmed) as error_info:
        ControlService(archive.url).reload()
    assert "the connection ended" in error_info.value.message


@pytest.mark.parametrize("status", [502, 504])
def test_reload_lost_behind_a_gateway_is_unconfirmed(archive: Scripted, status: int) -> None:
    archive.answer(status)
    with pytest.raises(ReloadUnconfirmed, match=f"HTTP {status}"):
        ControlService(archive.url).reload()


def test_status_without_an_answer_fails_within_its_timeout(archive: Scripted) -> None:
    archive.hang = threading.Event()
    with pytest.raises(ArchiveError) as error_info:
        ControlService(archive.url, timeouts=QUICK).status()
    assert error_info.value.message == (
        "The server accepted the connection, but did not answer within 0.3 s. The server is starting, or it hangs"
    )
    assert state_of(error_info.value) is ServiceState.NO_RESPONSE


def test_status_of_a_server_that_is_not_running() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ArchiveError) as error_info:
        ControlService(f"http://127.0.0.1:{port}/dcm4chee-arc").status()
    assert error_info.value.message == f"Connection refused: no server listens at 127.0.0.1:{port}"
    assert state_of(error_info.value) is ServiceState.NOT_RUNNING


def test_archive_that_is_down_refuses_the_connection_and_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ArchiveError) as error_info:
        ControlService(f"http://127.0.0.1:{port}/dcm4chee-arc").reload()
    assert not isinstance(error_info.value, ReloadUnconfirmed)
    assert error_info.value.message == "connection refused"
    assert "check that the archive is running" in error_info.value.next_step


def test_server_that_does_not_speak_http_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        with pytest.raises(ArchiveError) as error_info:
            ControlService(f"http://127.0.0.1:{server.getsockname()[1]}").status()
        thread.join(PATIENCE_S)
    assert "not HTTP" in error_info.value.message


def test_unknown_host_is_told() -> None:
    with pytest.raises(ArchiveError) as error_info:
        ControlService("http://archive.invalid/dcm4chee-arc").status()
    assert error_info.value.message.startswith("unknown host name: ")


@pytest.mark.parametrize("host", ["1.2.3.400", "xn--a"])
def test_host_that_cannot_be_asked_is_told_and_nothing_was_sent(host: str) -> None:
    with pytest.raises(ArchiveError) as error_info:
        ControlService(f"http://{host}/dcm4chee-arc").reload()
    assert not isinstance(error_info.value, ReloadUnconfirmed)
    assert error_info.value.message.startswith("no connection: not a usable URL: ")


def test_tls_is_verified_unless_the_ca_is_given(tmp_path: Path) -> None:
    certificate = self_signed_certificate(tmp_path)
    with scripted_archive(certificate) as archive:
        with pytest.raises(ArchiveError) as error_info:
            ControlService(archive.url, "secret").reload()
        assert "the server's certificate was not accepted: self-signed certificate" in error_info.value.message
        assert "--ca-file" in error_info.value.next_step
        assert archive.requests == []
        ControlService(archive.url, "secret", tmp_path / "certificate.pem").reload()
        assert archive.requests == [("POST", "/dcm4chee-arc/ctrl/reload", "Bearer secret")]


def test_https_to_a_plain_port_is_told(archive: Scripted) -> None:
    with pytest.raises(ArchiveError) as error_info:
        ControlService(archive.url.replace("http:", "https:")).status()
    assert error_info.value.message.startswith("TLS failed: ")


@pytest.mark.parametrize(("content", "what"), [(None, "cannot be read"), ("not PEM", "no certificate in PEM form")])
def test_unusable_ca_file_is_malformed(tmp_path: Path, content: str | None, what: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(MalformedInput, match=what):
        ControlService("https://127.0.0.1:1", ca_file=path)


def test_no_proxy_sees_the_token(archive: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_archive() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/dcm4chee-arc"))
        monkeypatch.setenv("ALL_PROXY", proxy.url.removesuffix("/dcm4chee-arc"))
        ControlService(archive.url, "secret").reload()
        assert proxy.requests == []


@pytest.mark.parametrize("body", ["\n" * 250_000, "x" + "\n" * 250_000 + "x", "{" * 250_000, "[" * 300_000])
def test_status_and_reload_end_with_any_body(archive: Scripted, body: str) -> None:
    """Once a regular expression took hours for 250,000 line ends; no more is read than the limit."""
    archive.answer(500, body)
    service = ControlService(archive.url, polling=HASTE)
    with pytest.raises(ArchiveError, match=r"\(HTTP 500\)"):
        service.status()
    with pytest.raises(ReloadUnfinished):
        service.reload()
    archive.answer(200, body)
    with pytest.raises(NotStarted) as error_info:
        service.status()
    assert error_info.value.state is ServiceState.NOT_AN_ARCHIVE
