"""Each of httpx's transport errors has its words, and is known as sent or not sent."""

from __future__ import annotations

import httpx
import pytest

from dcmcfg.archive.failures import translate_no_response, was_sent


def name(kind: type[httpx.TransportError]) -> str:
    return kind.__name__


def concrete(kind: type[httpx.TransportError]) -> set[type[httpx.TransportError]]:
    subclasses = kind.__subclasses__()
    return {kind} if not subclasses else set().union(*(concrete(sub) for sub in subclasses))


NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.ProxyError,
)
MAYBE_SENT = (
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.RemoteProtocolError,
    httpx.CloseError,
)


def test_every_transport_error_is_known() -> None:
    assert concrete(httpx.TransportError) == {*NOT_SENT, *MAYBE_SENT}


@pytest.mark.parametrize("kind", [*NOT_SENT, *MAYBE_SENT], ids=name)
def test_transport_error_is_told_with_the_next_step(kind: type[httpx.TransportError]) -> None:
    error = kind("the\nreason")
    failure = translate_no_response(error, "http://h/ctrl/reload", 7)
    assert was_sent(error) == (kind in MAYBE_SENT)
    assert failure.subject == "http://h/ctrl/reload"
    assert "7 s" in failure.message if issubclass(kind, httpx.TimeoutException) else "the reason" in failure.message
    assert failure.next_step
