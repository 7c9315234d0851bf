"""The part ``echo``: a C-ECHO to the archive's own AE on each node, and to further AEs."""

from __future__ import annotations

from collections.abc import Sequence

from dcmcfg.connectivity.echo import AeEchoResult, EchoTarget, call_at_node, echo_all, select_targets
from dcmcfg.connectivity.probe import PROBE_TIMEOUTS
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.errors import DcmcfgError, MalformedInput
from dcmcfg.model.devices import Configuration
from dcmcfg.monitoring.deadline import Deadline, run_all
from dcmcfg.monitoring.metrics import ECHO_FAILED, ECHO_RESPONSE, ECHO_SUCCESS
from dcmcfg.monitoring.parts import Part
from dcmcfg.monitoring.report import Figure, PartResult
from dcmcfg.monitoring.site import MonitoredSite, SharedTree
from dcmcfg.monitoring.state import Limit, State, find_worst
from dcmcfg.network_address import format_host_port
from dcmcfg.printable import format_count
from dcmcfg.route.request import get_default_ae

#: The calling AE title for an archive without a default AE.
_CALLING_AE_TITLE = "DCMCFG"


def check_echo(
    site: MonitoredSite, shared: SharedTree, titles: Sequence[str], limit: Limit, *, deadline: Deadline
) -> PartResult:
    """Return whether the archive's own AE answers on each node, and the AEs *titles* answer.

    *limit* is that of the AEs that do not answer. An unknown title is UNKNOWN.
    """
    configuration = shared.wait().configuration
    inner = deadline.leave_margin()
    device = configuration.get_device(site.device)
    own: tuple[str, ...] = ()
    calling_ae_title, problems = _CALLING_AE_TITLE, []
    try:
        default = get_default_ae(device, "--echo")
        calling_ae_title, own = default.title, (f"{device.name}/{default.title}",)
    except MalformedInput as error:
        # Without a default AE, only the AEs that the user names are called.
        if not titles:
            problems.append(f"{error.message}; {error.next_step}")
    targets: list[EchoTarget] = []
    for title in dict.fromkeys((*own, *titles)):
        try:
            targets += _select(configuration, title, site)
        except DcmcfgError as error:
            problems.append(f"{title}: {error.message}")
    unique = tuple({(each.ae.title, _format_address(each)): each for each in targets}.values())
    results = _call(unique, calling_ae_title, site, inner)
    failures = [f"{_format_target(target)}: {reason}" for target, reason in _find_failures(unique, results, inner)]
    return PartResult(
        part=Part.ECHO,
        state=find_worst([limit.judge(len(failures)), *(State.UNKNOWN for _ in problems)]),
        summary=f"{len(unique) - len(failures)} of {format_count(len(unique) + len(problems), 'AE')} answered a C-ECHO",
        details=(*failures, *problems),
        figures=tuple(_list_figures(unique, results, len(failures), limit)),
    )


def _select(configuration: Configuration, title: str, site: MonitoredSite) -> list[EchoTarget]:
    """Return the AE *title*; an AE of the archive once for each node."""
    found = select_targets(configuration, [title])
    hosts = [each.host for each in site.nodes if each.host]
    if found[0].ae.device.name != site.device or not hosts:
        return list(found)
    return [target for host in hosts for target in call_at_node(found, site.device, host)]


def _call(
    targets: Sequence[EchoTarget], calling_ae_title: str, site: MonitoredSite, deadline: Deadline
) -> dict[tuple[str, str], AeEchoResult]:
    """Return the results that arrived before the *deadline*, by AE title and address."""
    results: dict[tuple[str, str], AeEchoResult] = {}

    def collect(result: AeEchoResult) -> None:
        results[result.target.ae.title, _format_address(result.target)] = result

    uses_tls = any(each.endpoint is not None and each.endpoint.tls for each in targets)
    tls = site.make_tls_context() if uses_tls else None
    timeout_s = max(0.1, min(PROBE_TIMEOUTS.connect, deadline.remaining_s))
    timeouts = DicomTimeouts(connect=timeout_s, acse=timeout_s, dimse=timeout_s, network=timeout_s)
    outcome = run_all(
        {"": lambda: echo_all(targets, calling_ae_title, tls=tls, timeouts=timeouts, on_result=collect)}, deadline
    )[""]
    if outcome.error is not None:
        raise outcome.error
    return dict(results)


def _find_failures(
    targets: Sequence[EchoTarget], results: dict[tuple[str, str], AeEchoResult], deadline: Deadline
) -> list[tuple[EchoTarget, str]]:
    """Return each AE that did not answer, with the reason."""
    failures = []
    for each in targets:
        result = results.get((each.ae.title, _format_address(each)))
        if each.endpoint is None:
            failures.append((each, each.problem))
        elif result is None or result.call_result is None:
            failures.append((each, f"no answer within {deadline.seconds:.1f} s"))
        elif not result.call_result.is_success:
            failures.append((each, result.call_result.problem))
    return failures


def _list_figures(
    targets: Sequence[EchoTarget], results: dict[tuple[str, str], AeEchoResult], failure_count: int, limit: Limit
) -> list[Figure]:
    figures = [Figure(metric=ECHO_FAILED, value=failure_count, limit=limit)]
    for each in targets:
        labels = (each.ae.title, _format_address(each))
        result = results.get(labels)
        call_result = result.call_result if result is not None else None
        is_success = call_result is not None and call_result.is_success
        figures.append(Figure(metric=ECHO_SUCCESS, value=int(is_success), label_values=labels))
        if call_result is not None and is_success:
            figures.append(Figure(metric=ECHO_RESPONSE, value=call_result.seconds, label_values=labels))
    return figures


def _format_address(target: EchoTarget) -> str:
    peer = target.endpoint.peer if target.endpoint is not None else None
    return format_host_port(peer.host, peer.port) if peer is not None else ""


def _format_target(target: EchoTarget) -> str:
    address = _format_address(target)
    return f"{target.ae.title} ({address})" if address else target.ae.title
