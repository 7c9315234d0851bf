"""C-ECHO from several calling AE titles to several AEs."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import product

from dcmcfg.connectivity.call import CallResult, CallStage
from dcmcfg.connectivity.echo import AeEchoResult, EchoTarget, call_at_node
from dcmcfg.connectivity.probe import DEFAULT_PARALLEL, PROBE_TIMEOUTS, ProbeCall, probe_calls
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.model.devices import Device


class CallState(Enum):
    """The result of a call in a word."""

    ANSWERED = "ok"
    REFUSED = "refused"
    NO_ANSWER = "no answer"
    TLS_PROBLEM = "TLS problem"
    FAILED = "failed"
    NOT_CALLED = "not called"


def classify_call(result: CallResult | None) -> CallState:
    """Return the state of *result*, which is None if the AE was not called.

    An AE that rejects the association has refused the call. Another failure of the association, and of the C-ECHO in
    it, is ``FAILED``.
    """
    if result is None:
        return CallState.NOT_CALLED
    if result.is_success:
        return CallState.ANSWERED
    if result.is_rejected:
        return CallState.REFUSED
    match result.failed_stage:
        case CallStage.TCP:
            return CallState.NO_ANSWER
        case CallStage.TLS:
            return CallState.TLS_PROBLEM
        case _:
            return CallState.FAILED


@dataclass(frozen=True)
class MatrixRow:
    """A called AE, at a ``node`` of the archive if that is not empty, with a result for each calling AE title.

    A result is None if the AE was not called.
    """

    target: EchoTarget
    node: str
    results: tuple[CallResult | None, ...]

    @property
    def name(self) -> str:
        """The AE title, with the node."""
        return f"{self.target.ae.title} ({self.node})" if self.node else self.target.ae.title

    def map_results(self, transform: Callable[[AeEchoResult], AeEchoResult]) -> MatrixRow:
        """Return a copy with *transform* applied to the AE and to each result."""
        transformed = [transform(AeEchoResult(self.target, each)) for each in self.results]
        return replace(
            self,
            target=transform(AeEchoResult(self.target)).target,
            results=tuple(each.call_result for each in transformed),
        )


@dataclass(frozen=True)
class EchoMatrix:
    """The calling AE titles, and a row for each called AE, with a result for each of them."""

    calling_ae_titles: tuple[str, ...]
    rows: tuple[MatrixRow, ...]

    def map_results(self, transform: Callable[[AeEchoResult], AeEchoResult]) -> EchoMatrix:
        """Return a copy with *transform* applied to each AE and each result."""
        return replace(self, rows=tuple(row.map_results(transform) for row in self.rows))


def list_calling_ae_titles(device: Device) -> tuple[str, ...]:
    """Return the titles of the installed AEs of *device* that can open associations."""
    return tuple(each.title for each in device.network_aes if each.installed and each.is_initiator)


def expand_nodes(
    echo_targets: Sequence[EchoTarget], device_name: str, hosts: Sequence[tuple[str, str]]
) -> tuple[tuple[EchoTarget, str], ...]:
    """Return *echo_targets* with the name of a node, or an empty name.

    An AE of the device *device_name* is repeated for each of *hosts*, which are pairs of the node's name and host.
    """
    return tuple(
        pair
        for each in echo_targets
        for pair in (
            [(call_at_node([each], device_name, host)[0], name) for name, host in hosts]
            if hosts and each.endpoint is not None and each.ae.device.name == device_name
            else [(each, "")]
        )
    )


def call_matrix(
    rows: Sequence[tuple[EchoTarget, str]],
    calling_ae_titles: Sequence[str],
    *,
    tls: ssl.SSLContext | None = None,
    parallel: int = DEFAULT_PARALLEL,
    timeouts: DicomTimeouts = PROBE_TIMEOUTS,
    on_result: Callable[[int], None] = lambda _: None,
    collected: dict[tuple[int, int], CallResult] | None = None,
) -> EchoMatrix:
    """Return the results of calling each target of *rows* as each of *calling_ae_titles*.

    Targets without an address are not called. *tls* is required if one of them is called over TLS. *on_result* is
    called with the number of results so far. *collected*, if any, gets each result as it arrives, by the positions of
    row and title; :func:`make_matrix` makes a matrix of it after an interruption.
    """
    results: dict[tuple[int, int], CallResult] = {} if collected is None else collected
    positions = [
        (row, column)
        for row, column in product(range(len(rows)), range(len(calling_ae_titles)))
        if rows[row][0].endpoint is not None
    ]
    calls = [
        ProbeCall(endpoint, calling_ae_titles[column])
        for row, column in positions
        if (endpoint := rows[row][0].endpoint) is not None
    ]

    def collect(index: int, result: CallResult) -> None:
        results[positions[index]] = result
        on_result(len(results))

    probe_calls(calls, tls=tls, parallel=parallel, timeouts=timeouts, on_result=collect)
    return make_matrix(rows, calling_ae_titles, results)


def make_matrix(
    rows: Sequence[tuple[EchoTarget, str]],
    calling_ae_titles: Sequence[str],
    results: dict[tuple[int, int], CallResult],
) -> EchoMatrix:
    """Return the matrix of *results*, by the positions of row and calling AE title; a missing one was not called."""
    columns = range(len(calling_ae_titles))
    return EchoMatrix(
        tuple(calling_ae_titles),
        tuple(
            MatrixRow(target, node, tuple(results.get((row, column)) for column in columns))
            for row, (target, node) in enumerate(rows)
        ),
    )
