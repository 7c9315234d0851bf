"""Render a verification as one web page for archiving and printing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.dicom.uid_registry import look_up_uid_name
from dcmcfg.render.evidence import format_timestamp_ms
from dcmcfg.render.html.page import (
    SCROLL,
    Cell,
    PageHead,
    escape_html,
    render_banner,
    render_definition_list,
    render_list,
    render_page,
    render_table,
)
from dcmcfg.render.html.sequence_diagram import FinalResponse, build_sequence_diagrams, render_svg
from dcmcfg.render.route import format_prerequisite
from dcmcfg.render.verify_parts import format_request_lines, format_stored_files
from dcmcfg.render.verify_transfers import format_leg
from dcmcfg.timestamps import format_timestamp
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.legs import StoreGroup, StoreRecord, group_stores
from dcmcfg.verify.proof import Proof, VerifiedConfiguration
from dcmcfg.verify.store_legs import collect_legs
from dcmcfg.verify.timeline import TimelineEvent
from dcmcfg.verify.verdict import (
    ReceiptAssessment,
    ReceiptFinding,
    RouteAssessment,
    RouteFinding,
    Verdict,
    format_instance_count,
)

_GOOD, _BAD, _OPEN = "is-good", "is-bad", "is-open"
#: The maximum number of rows shown in a table; the JSON file has all.
_MAX_ROWS = 1000
#: A long C-MOVE has thousands of pending responses. Only the start and the end of its timeline are shown.
_FIRST_EVENTS, _LAST_EVENTS = 12, 6


def render_evidence_page(proof: Proof) -> Iterator[str]:
    """Yield the document: first the verdict, then the evidence."""
    head = PageHead(proof.verdict.headline, command="dcmcfg verify", created=proof.ended)
    yield from render_page(head, _render_body(proof))


def _render_body(proof: Proof) -> Iterator[str]:
    evidence, verdict = proof.evidence, proof.verdict
    yield render_banner(verdict.headline, "good" if verdict.is_accepted else "bad")
    yield from render_definition_list(
        [
            ("Study Instance UID", evidence.request.study_uid),
            ("Time", f"{format_timestamp(proof.began)}, for {_format_duration(proof.ended - proof.began)}"),
            ("Archive and caller", f"{evidence.request.archive} by {evidence.request.calling_ae_title}"),
            ("Request", "; ".join(format_request_lines(evidence))),
            ("Destination", str(proof.configuration.addresses.destination or evidence.request.destination_ae_title)),
        ]
    )
    yield from _render_cards(verdict, evidence)
    if verdict.next_steps:
        yield f"<h2>Next steps</h2>\n{render_list(verdict.next_steps)}"
    yield from _render_configured_route(proof.configuration, verdict)
    yield from _render_file_locations(evidence)
    yield from _render_configuration(proof.configuration)
    yield from _render_request_and_responses(proof)
    yield from _render_transfers(evidence)
    yield from _render_instances(evidence)
    yield from _render_logged_moves(evidence)
    if verdict.notes:
        yield f"<h2>Notes</h2>\n{render_list(verdict.notes)}"
    yield "<h2>Versions and clock</h2>\n"
    yield from render_definition_list(
        [*proof.versions.items(), ("Local time zone", proof.time_zone), ("Time zone of this page", "UTC")]
    )


def _render_cards(verdict: Verdict, evidence: Evidence) -> Iterator[str]:
    yield '<div class="cards">\n'
    status_reason = f"status {verdict.report.status or 0:04X}"
    # The card already shows the status as its finding.
    reasons = [reason for reason in verdict.report.reasons if reason != status_reason]
    yield _render_card("Reported by the archive", _describe_reported(verdict), reasons)
    yield _render_card(
        "Observed by the receiver", _describe_received(verdict.receipt, evidence), verdict.receipt.reasons
    )
    yield _render_card("Route through the external archive", _describe_route(verdict.route), verdict.route.reasons)
    yield "</div>\n"


def _render_card(title: str, assessment: tuple[str, str, list[str]], reasons: Iterable[str]) -> str:
    """Return the card of one *assessment*, which consists of finding, CSS class and lines of text."""
    finding, css_class, lines = assessment
    paragraphs = "".join(f"<p>{escape_html(line)}</p>" for line in lines)
    return (
        f'<div class="card"><h3>{escape_html(title)}</h3><p class="{css_class}"><b>{escape_html(finding)}</b></p>'
        f"{paragraphs}{render_list(reasons)}</div>\n"
    )


def _describe_reported(verdict: Verdict) -> tuple[str, str, list[str]]:
    reported = verdict.report
    status = "no final response" if reported.status is None else f"{reported.status:04X} {reported.meaning}"
    expected = "unknown" if reported.expected_count is None else str(reported.expected_count)
    lines = [
        f"completed {reported.completed}, failed {reported.failed}, warning {reported.warning}; expected: {expected}"
    ]
    if reported.comment:
        lines.append(f"Comment: {reported.comment}")
    # A success that the archive reported must not look good if the study was not delivered.
    success_class = _GOOD if verdict.is_accepted else _OPEN
    return status, success_class if reported.is_success else _BAD, lines


def _describe_received(received: ReceiptAssessment, evidence: Evidence) -> tuple[str, str, list[str]]:
    if received.finding is ReceiptFinding.NOT_OBSERVED:
        return "not observed", _OPEN, ["dcmcfg was not the receiver"]
    expected = evidence.expected_count
    expected_text = (
        "instances; the expected number is unknown" if expected is None else f"of {format_instance_count(expected)}"
    )
    css_class = {ReceiptFinding.COMPLETE: _GOOD, ReceiptFinding.UNCHECKED: _OPEN}.get(received.finding, _BAD)
    lines = []
    if received.callers:
        originators = ", ".join(received.move_originators) or "none"
        lines.append(
            f"Caller: {', '.join(received.callers)}, Move Originator {originators} (as reported by the caller)"
        )
    if evidence.receiver_info is not None:
        lines.append(
            f"Receiver: {evidence.receiver_info.address}, listening since "
            f"{format_timestamp(evidence.receiver_info.listening_since)}"
        )
    if received.stored_files:
        lines.append(format_stored_files(received))
    return f"{received.finding.value}: {received.instance_count} {expected_text}", css_class, lines


def _describe_route(route: RouteAssessment) -> tuple[str, str, list[str]]:
    css_class = {RouteFinding.SHOWN: _GOOD, RouteFinding.CONTRADICTED: _BAD}.get(route.finding, _OPEN)
    number = f" for {format_instance_count(route.shown_count)}" if route.finding is RouteFinding.SHOWN else ""
    return f"{route.finding.value}{number}", css_class, [f"Configured: {route.configured_path}"]


def _render_configured_route(configuration: VerifiedConfiguration, verdict: Verdict) -> Iterator[str]:
    yield "<h2>Configured route</h2>\n"
    yield (
        f'<p class="soft">{escape_html(verdict.route.configured_path)}. '
        "The diagram shows the messages according to the configuration. Only the final "
        "response is from this C-MOVE.</p>\n"
    )
    yield SCROLL
    yield from render_svg(build_sequence_diagrams(configuration.route, _build_final_response(verdict)))
    yield "</div>\n"
    prerequisites = dict.fromkeys(
        format_prerequisite(prerequisite) for path in configuration.route.paths for prerequisite in path.prerequisites
    )
    if prerequisites:
        yield (
            "<p>Configure on the remote system (the archive's configuration does not show these "
            f"settings):</p>\n{render_list(prerequisites)}"
        )


def _build_final_response(verdict: Verdict) -> FinalResponse:
    """Return the actual final response, which is rated good only if the verdict is good."""
    reported = verdict.report
    text = "no response" if reported.status is None else f"{reported.status:04X}"
    if verdict.is_accepted:
        return FinalResponse(text, "good")
    return FinalResponse(text, "open" if reported.is_success else "bad")


def _render_file_locations(evidence: Evidence) -> Iterator[str]:
    database = evidence.database
    if database.before is None and evidence.instances_after is None:
        return
    yield "<h2>File locations</h2>\n"
    rows: list[Sequence[Cell]] = [
        (
            "Instance Availability (C-FIND)",
            _format_availability(evidence.instances_before),
            _format_availability(evidence.instances_after),
        )
    ]
    if database.before is not None:
        pairs = zip(_describe_stored_study(database.before), _describe_stored_study(database.after), strict=True)
        rows += [(name, before, after) for (name, before), (_, after) in pairs]
    yield from render_table(("", "Before the C-MOVE", "After the C-MOVE"), rows)


def _format_availability(instances: Sequence[Instance] | None) -> str:
    if instances is None:
        return "not queried"
    values = sorted({each.availability or "not returned" for each in instances})
    return ", ".join(values) or "no instances listed"


def _describe_stored_study(study: StoredStudy | None) -> Iterator[tuple[str, str]]:
    is_known = study is not None and study.is_known
    unknown_text = "not queried" if study is None else "unknown study"
    yield "Storage IDs (database)", (", ".join(study.storage_ids) or "none") if study and is_known else unknown_text
    yield (
        "External archive (database)",
        (study.external_ae_title or "none recorded") if study and is_known else unknown_text,
    )
    yield "Completeness (database)", (study.completeness or "COMPLETE") if study and is_known else unknown_text


def _render_configuration(configuration: VerifiedConfiguration) -> Iterator[str]:
    yield "<h2>Configuration</h2>\n"
    yield from render_definition_list(
        [
            ("Entries", f"{configuration.tree.entries} below {configuration.tree.base_dn}"),
            ("SHA-256 of the export", configuration.tree.sha256),
            ("Archive device", configuration.device),
            ("Archive software version", ", ".join(configuration.software)),
            ("Archive", str(configuration.addresses.archive)),
            ("Destination", str(configuration.addresses.destination or "no address in the configuration")),
        ]
    )
    values = [(each.name, ", ".join(each.values) or "not set", each.level or "") for each in configuration.settings]
    yield from render_table(("Setting", "Value", "Set on"), values)
    yield from render_table(
        ("Site setting", "Value", "Origin"), [(each.name, each.value, each.origin) for each in configuration.site]
    )


def _render_request_and_responses(proof: Proof) -> Iterator[str]:
    outcome = proof.evidence.outcome
    yield "<h2>Request and responses</h2>\n"
    yield from render_definition_list(
        [
            ("Final response", "none" if outcome.status is None else f"{outcome.status:04X}"),
            ("Comment", outcome.comment),
            ("Interruption", outcome.interruption),
            ("Offending elements", ", ".join(outcome.offending_elements)),
            ("Failed instances", ", ".join(outcome.failed_sop_instance_uids[:_MAX_ROWS])),
            ("C-MOVE duration", f"{outcome.seconds:.3f} s"),
        ]
    )
    events, hidden_count = proof.events, 0
    if len(events) > _FIRST_EVENTS + _LAST_EVENTS + 1:
        hidden_count = len(events) - _FIRST_EVENTS - _LAST_EVENTS
        rows = [
            *map(_build_event_row, events[:_FIRST_EVENTS]),
            ("", f"{hidden_count} more (the JSON file contains all)", *[""] * 4),
        ]
        rows += map(_build_event_row, events[-_LAST_EVENTS:])
    else:
        rows = list(map(_build_event_row, events))
    columns = ("Time (UTC)", "Event", "Remaining", "Completed", "Failed", "Warning")
    yield from render_table(columns, rows, frozenset(columns[2:]))


def _build_event_row(event: TimelineEvent) -> tuple[str, ...]:
    progress = event.progress
    numbers = (progress.remaining, progress.completed, progress.failed, progress.warning) if progress else (None,) * 4
    return (
        format_timestamp_ms(event.time)[11:23],
        event.description,
        *("" if number is None else str(number) for number in numbers),
    )


def _render_transfers(evidence: Evidence) -> Iterator[str]:
    """Yield the C-STORE operations of each leg: the number of each kind, then the logged ones one by one."""
    legs = collect_legs(evidence)
    if not legs:
        return
    yield "<h2>C-STORE operations</h2>\n"
    kinds = [
        (format_leg(leg), *_build_store_cells(each), str(each.count), leg.evidence_source)
        for leg in legs
        for each in group_stores(leg.stores)
    ]
    columns = ("Sender → receiver", "SOP class", "Transfer syntax", "Status", "Instances", "Evidence source")
    yield from render_table(columns, kinds, frozenset({"Instances"}))
    rows: list[list[Cell]] = [
        [
            (each.sop_instance_uid or "not logged", "code"),
            format_leg(leg),
            *_build_store_cells(each),
            _format_time(each),
        ]
        for leg in evidence.legs
        for each in leg.stores
    ]
    if rows:
        yield "<h3>Logged C-STORE operations</h3>\n"
        columns = ("SOP Instance UID", "Sender → receiver", "SOP class", "Transfer syntax", "Status", "Time (UTC)")
        yield from render_table(columns, rows[:_MAX_ROWS])
        if len(rows) > _MAX_ROWS:
            yield f'<p class="soft">{len(rows) - _MAX_ROWS} more (the JSON file contains all)</p>\n'


def _build_store_cells(store: StoreGroup | StoreRecord) -> tuple[str, str, str]:
    syntax = look_up_uid_name(store.transfer_syntax) or "not logged"
    if store.file_transfer_syntax and store.file_transfer_syntax != store.transfer_syntax:
        syntax += f" (file: {look_up_uid_name(store.file_transfer_syntax)})"
    status = "no response" if store.status is None else f"{store.status:04X}"
    return look_up_uid_name(store.sop_class_uid) or "not logged", syntax, status


def _format_time(store: StoreRecord) -> str:
    return format_timestamp_ms(store.time)[11:23] if store.time else ""


def _render_instances(evidence: Evidence) -> Iterator[str]:
    received_by_uid: dict[str, ReceivedInstance] = {each.sop_instance_uid: each for each in evidence.received or ()}
    availability_after = {each.sop_instance_uid: each.availability for each in evidence.instances_after or ()}
    listed_before = {each.sop_instance_uid: each for each in evidence.instances_before}
    uids = list(dict.fromkeys((*listed_before, *received_by_uid)))
    if not uids:
        return
    yield "<h2>Instances</h2>\n"
    is_observed = evidence.received is not None
    columns = ["SOP Instance UID", "SOP class", "Availability before", "Availability after"]
    columns += (
        ["Octets", "Transfer syntax", "Calling AE title", "Move Originator", "Received (UTC)", "SHA-256"]
        if is_observed
        else []
    )
    rows: list[list[Cell]] = []
    for uid in uids[:_MAX_ROWS]:
        instance, received = listed_before.get(uid), received_by_uid.get(uid)
        sop_class = instance.sop_class_uid if instance else received.sop_class_uid if received else ""
        row: list[Cell] = [(uid, "code"), look_up_uid_name(sop_class)]
        row += [instance.availability if instance else ("not listed", _BAD), availability_after.get(uid, "")]
        rows.append(row + _build_received_cells(received) if is_observed else row)
    yield from render_table(columns, rows, frozenset({"Octets"}))
    if len(uids) > _MAX_ROWS:
        yield f'<p class="soft">{len(uids) - _MAX_ROWS} more (the JSON file contains all)</p>\n'


def _build_received_cells(received: ReceivedInstance | None) -> list[Cell]:
    if received is None:
        return [("not received", _BAD), *[""] * 5]
    syntax = look_up_uid_name(received.transfer_syntax)
    originator = received.move_originator_ae_title or ""
    received_at = format_timestamp_ms(received.received_at)[11:23] if received.received_at else ""
    return [
        str(received.data_set_length),
        syntax,
        received.calling_ae_title,
        originator,
        received_at,
        (received.sha256 or "", "code"),
    ]


def _render_logged_moves(evidence: Evidence) -> Iterator[str]:
    if evidence.move_records is None:
        return
    heading = "Archive log" if evidence.log_is_from_archive else "External archive log"
    yield f"<h2>{heading}</h2>\n"
    if not evidence.move_records:
        yield "<p>No C-MOVE of this study since the request was sent</p>\n"
        return
    columns = (
        "Started (UTC)",
        "Calling AE title",
        "Called AE title",
        "Move Destination",
        "Status",
        "Completed",
        "Failed",
        "Forwarded",
    )
    rows = [
        (
            format_timestamp(each.started).removesuffix(" UTC"),
            each.calling_ae_title or "not logged",
            each.called_ae_title or "not logged",
            each.destination_ae_title,
            each.failure or ("not logged" if each.status is None else f"{each.status:04X}"),
            "not logged" if each.completed is None else str(each.completed),
            "not logged" if each.failed is None else str(each.failed),
            "" if each.forwarded_count is None else str(each.forwarded_count),
        )
        for each in evidence.move_records
    ]
    yield from render_table(columns, rows, frozenset({"Completed", "Failed", "Forwarded"}))


def _format_duration(length: timedelta) -> str:
    return f"{length.total_seconds():.1f} s"
