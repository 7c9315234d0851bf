"""Run the parts of a check in parallel, until the deadline of the run."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dcmcfg.errors import DcmcfgError, MalformedInput
from dcmcfg.monitoring.configuration import check_certificates, check_drift, check_rules
from dcmcfg.monitoring.deadline import Deadline, Outcome, run_all
from dcmcfg.monitoring.echo import check_echo
from dcmcfg.monitoring.nodes import check_loaded, check_nodes, check_replicas, describe_error
from dcmcfg.monitoring.parts import Part
from dcmcfg.monitoring.recall_request import RecallRequest
from dcmcfg.monitoring.report import PartResult, SiteReport
from dcmcfg.monitoring.site import MonitoredSite, SharedTree, TreeUnavailable
from dcmcfg.monitoring.state import Limit, State

#: The parts that use the tree of the directory.
_NEEDS_TREE = frozenset(
    {Part.DIRECTORY, Part.LOADED, Part.CHECK, Part.DRIFT, Part.ECHO, Part.CERTIFICATES, Part.RECALL}
)


@dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """The parts to check, and their parameters.

    ``drift_file`` has the expected configuration, ``ae_titles`` are further AEs for ``echo``. ``timeout_s`` is the
    time for the whole check in seconds.
    """

    parts: Collection[Part]
    limits: Mapping[Part, Limit]
    timeout_s: float
    drift_file: Path | None = None
    ae_titles: tuple[str, ...] = ()
    recall: RecallRequest | None = None


def select_parts(
    only: Collection[Part], skipped: Collection[Part], prerequisites: Mapping[Part, str]
) -> tuple[Part, ...]:
    """Return the parts of a check: those of *only*, or all that can be checked, without *skipped*.

    *prerequisites* are the parts that cannot be checked, each with the option or setting that it requires. Raises
    :class:`MalformedInput` if one of them is in *only*, and if no part remains.
    """
    for part in only:
        if part in prerequisites:
            raise MalformedInput(f"the part {part.value} requires {prerequisites[part]}", subject="--only")
    selected = tuple(each for each in Part if each in (only or Part) and each not in (*skipped, *prerequisites))
    if not selected:
        raise MalformedInput("there is no part to check, because --skip excludes all selected parts")
    return selected


def check_site(site: MonitoredSite, request: CheckRequest, site_name: str) -> SiteReport:
    """Return the results of all requested parts, at the latest after ``request.timeout_s``.

    A part that does not end in time, or fails in an unexpected way, does not affect the others.
    """
    started = time.monotonic()
    deadline = Deadline(request.timeout_s)
    shared = SharedTree(site, deadline, with_schema=Part.CHECK in request.parts)
    functions = _make_functions(site, request, shared, deadline)
    to_run = {part: function for part, function in functions.items() if part in request.parts}
    if _NEEDS_TREE & to_run.keys():
        to_run[Part.DIRECTORY] = shared.read
    outcomes = run_all(to_run, deadline)
    return SiteReport(
        site_name=site_name,
        parts=tuple(_make_result(part, outcomes[part], deadline) for part in Part if part in request.parts),
        seconds=time.monotonic() - started,
    )


def _make_functions(
    site: MonitoredSite, request: CheckRequest, shared: SharedTree, deadline: Deadline
) -> dict[Part, Callable[[], PartResult]]:
    limits, drift_file, recall = request.limits, request.drift_file, request.recall
    functions: dict[Part, Callable[[], PartResult]] = {
        Part.DIRECTORY: shared.read,
        Part.NODES: lambda: check_nodes(site, limits[Part.NODES], deadline),
        Part.LOADED: lambda: check_loaded(site, shared, limits[Part.LOADED], deadline),
        Part.REPLICAS: lambda: check_replicas(site, limits[Part.REPLICAS], deadline),
        Part.CHECK: lambda: check_rules(shared, limits[Part.CHECK]),
        Part.ECHO: lambda: check_echo(site, shared, request.ae_titles, limits[Part.ECHO], deadline=deadline),
        Part.CERTIFICATES: lambda: check_certificates(shared, limits[Part.CERTIFICATES]),
    }
    if drift_file is not None:
        functions[Part.DRIFT] = lambda: check_drift(shared, drift_file, limits[Part.DRIFT])
    if recall is not None:
        from dcmcfg.monitoring.recall import check_recall  # loads the modules of verify

        functions[Part.RECALL] = lambda: check_recall(site, shared, recall, limits[Part.RECALL], deadline=deadline)
    return functions


def _make_result(part: Part, outcome: Outcome[PartResult], deadline: Deadline) -> PartResult:
    """Return the result of *part*; UNKNOWN for a failed part, CRITICAL for a directory that does not respond."""
    if outcome.value is not None:
        return replace(outcome.value, seconds=outcome.seconds)
    state = State.UNKNOWN
    match outcome.error:
        case None:
            summary = f"no result within {deadline.seconds:g} s"
            state = State.CRITICAL if part is Part.DIRECTORY else State.UNKNOWN
        case TreeUnavailable() as error:
            summary = error.message
        case DcmcfgError() as error:
            summary = f"{error.subject}: {error.message}" if error.subject else error.message
        case error:
            summary = describe_error(error)
    return PartResult(part=part, state=state, summary=summary, seconds=outcome.seconds)
