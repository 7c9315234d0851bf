"""A verification as one web page, to be kept and to be printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.dicom.uid_registry import look_up_uid_name
from dcmcfg.render.evidence import format_timestamp_ms
from dcmcfg.render.html.page import (
    Cell,
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
    ReportAssessment,
    RouteAssessment,
    RouteFinding,
    Verdict,
    format_instance_count,
)

_GOOD, _BAD, _OPEN = "is-good", "is-bad", "is-open"
#: Rows of a table that are shown; the JSON file has all.
_MOST_ROWS = 1000
_FIRST_EVENTS, _LAST_EVENTS = 12, 6


def render_evidence_page(proof: Proof) -> Iterator[str]:
    """Yield the document: the verdict first, then what it rests on."""
    yield from render_page(f"dcmcfg verify: {proof.verdict.headline}", _body(proof))


def _body(proof: Proof) -> Iterator[str]:
    evidence, verdict = proof.evidence, proof.verdict
    yield render_banner(verdict.headline, success=verdict.accepted)
    yield from render_definition_list(
        [
            ("Study Instance UID", evidence.request.study_uid),
            ("Time", f"{format_timestamp(proof.began)}, for {_duration(proof.ended - proof.began)}"),
            ("Archive and caller", f"{evidence.request.archive} by {evidence.request.calling_ae_title}"),
            ("Request", "; ".join(format_request_lines(evidence))),
            ("Destination", str(proof.configuration.addresses.destination or evidence.request.destination_ae_title)),
        ]
    )
    yield from _cards(verdict, evidence)
    if verdict.next_steps:
        yield f"<h2>Next steps</h2>\n{render_list(verdict.next_steps)}"
    yield from _configured_route(proof.configuration, verdict)
    yield from _file_locations(evidence)
    yield from _configured(proof.configuration)
    yield from _request_and_responses(proof)
    yield from _transfers(evidence)
    yield from _instances(evidence)
    yield from _logged_moves(evidence)
    if verdict.notes:
        yield f"<h2>Notes</h2>\n{render_list(verdict.notes)}"
    yield "<h2>Versions and clock</h2>\n"
    yield from render_definition_list(
        [*proof.versions.items(), ("Local time zone", proof.time_zone), ("Time zone of this page", "UTC")]
    )


def _cards(verdict: Verdict, evidence: Evidence) -> Iterator[str]:
    yield '<div class="cards">\n'
    said_already = f"status {verdict.reported.status or 0:04X}"
    reasons = [reason for reason in verdict.reported.reasons if reason != said_already]
    yield _card("Reported by the archive", _reported(verdict.reported), reasons)
    yield _card("Observed by the receiver", _received(verdict.received, evidence), verdict.received.reasons)
    yield _card("Route through the external archive", _route(verdict.route), verdict.route.reasons)
    yield "</div>\n"


def _card(title: str, assessment: tuple[str, str, list[str]], reasons: Iterable[str]) -> str:
    """Return the card of one assessment: its finding, the CSS class of that, and lines of text."""
    finding, css_class, lines = assessment
    more = "".join(f"<p>{escape_html(line)}</p>" for line in lines)
    return (
        f'<div class="card"><h3>{escape_html(title)}</h3><p class="{css_class}"><b>{escape_html(finding)}</b></p>'
        f"{more}{render_list(reasons)}</div>\n"
    )


def _reported(reported: ReportAssessment) -> tuple[str, str, list[str]]:
    status = "no final response" if reported.status is None else f"{reported.status:04X} {reported.meaning}"
    expected = "not known" if reported.expected_count is None else str(reported.expected_count)
    lines = [
        f"completed {reported.completed}, failed {reported.failed}, warning {reported.warning}; expected: {expected}"
    ]
    if reported.comment:
        lines.append(f"Comment: {reported.comment}")
    return status, _GOOD if reported.ok else _BAD, lines


def _received(received: ReceiptAssessment, evidence: Evidence) -> tuple[str, str, list[str]]:
    if received.finding is ReceiptFinding.NOT_OBSERVED:
        return "not observed", _OPEN, ["nobody of ours listened as the destination"]
    expected = evidence.expected_count
    of = "instances, of an unknown number" if expected is None else f"of {format_instance_count(expected)}"
    mood = {ReceiptFinding.COMPLETE: _GOOD, ReceiptFinding.UNCHECKED: _OPEN}.get(received.finding, _BAD)
    lines = []
    if received.callers:
        originators = ", ".join(received.move_originators) or "none"
        lines.append(f"called by {', '.join(received.callers)}, Move Originator {originators}")
    if evidence.receiver_info is not None:
        lines.append(
            f"listened as {evidence.receiver_info.address} from "
            f"{format_timestamp(evidence.receiver_info.listening_since)}"
        )
    if received.stored_files:
        lines.append(format_stored_files(received))
    return f"{received.finding.value}: {received.instance_count} {of}", mood, lines


def _route(route: RouteAssessment) -> tuple[str, str, list[str]]:
    mood = {RouteFinding.SHOWN: _GOOD, RouteFinding.CONTRADICTED: _BAD}.get(route.finding, _OPEN)
    number = f" for {format_instance_count(route.shown_count)}" if route.finding is RouteFinding.SHOWN else ""
    return f"{route.finding.value}{number}", mood, [f"Configured: {route.configured_path}"]


def _configured_route(configured: VerifiedConfiguration, verdict: Verdict) -> Iterator[str]:
    yield "<h2>Configured route</h2>\n"
    yield (
        f'<p class="soft">{escape_html(verdict.route.configured_path)}. '
        "According to the configuration alone, apart from the final "
        "response, which is the one that came.</p>\n"
    )
    yield '<div class="scroll">'
    yield from render_svg(build_sequence_diagrams(configured.route, _response(verdict)))
    yield "</div>\n"
    needs = dict.fromkeys(format_prerequisite(need) for way in configured.route.paths for need in way.prerequisites)
    if needs:
        yield (
            "<p>What the other side has to see to, which no configuration of the archive "
            f"shows:</p>\n{render_list(needs)}"
        )


def _response(verdict: Verdict) -> FinalResponse:
    """Return the final response that came; it is good only where the verdict is."""
    reported = verdict.reported
    words = "no answer" if reported.status is None else f"{reported.status:04X}"
    if verdict.accepted:
        return FinalResponse(words, "good")
    return FinalResponse(words, "open" if reported.ok else "bad")


def _file_locations(evidence: Evidence) -> Iterator[str]:
    stored = evidence.database
    if stored.before is None and evidence.instances_after is None:
        return
    yield "<h2>File locations</h2>\n"
    rows: list[Sequence[Cell]] = [
        (
            "Instance Availability (C-FIND)",
            _availability(evidence.instances_before),
            _availability(evidence.instances_after),
        )
    ]
    if stored.before is not None:
        pairs = zip(_stored(stored.before), _stored(stored.after), strict=True)
        rows += [(name, before, after) for (name, before), (_, after) in pairs]
    yield from render_table(("", "Before the C-MOVE", "After the C-MOVE"), rows)


def _availability(instances: Sequence[Instance] | None) -> str:
    if instances is None:
        return "not asked"
    values = sorted({each.availability or "not given" for each in instances})
    return ", ".join(values) or "nothing listed"


def _stored(study: StoredStudy | None) -> Iterator[tuple[str, str]]:
    known = study is not None and study.is_known
    unknown = "not asked" if study is None else "study not known"
    yield "Storage IDs (database)", (", ".join(study.storage_ids) or "none") if study and known else unknown
    yield "External archive (database)", (study.external_ae_title or "none recorded") if study and known else unknown
    yield "Completeness (database)", (study.completeness or "COMPLETE") if study and known else unknown


def _configured(found: VerifiedConfiguration) -> Iterator[str]:
    yield "<h2>Configuration</h2>\n"
    yield from render_definition_list(
        [
            ("Entries", f"{found.tree.entries} below {found.tree.base_dn}"),
            ("SHA-256 of the export", found.tree.sha256),
            ("Archive device", found.device),
            ("Archive software version", ", ".join(found.software)),
            ("Archive", str(found.addresses.archive)),
            ("Destination", str(found.addresses.destination or "no address in the tree")),
        ]
    )
    values = [(each.name, ", ".join(each.values) or "not set", each.level or "") for each in found.settings]
    yield from render_table(("Setting", "Value", "Set on"), values)
    yield from render_table(
        ("Site setting", "Value", "Origin"), [(each.name, each.value, each.origin) for each in found.site]
    )


def _request_and_responses(proof: Proof) -> Iterator[str]:
    outcome = proof.evidence.outcome
    yield "<h2>Request and responses</h2>\n"
    yield from render_definition_list(
        [
            ("Final response", "none" if outcome.status is None else f"{outcome.status:04X}"),
            ("Comment", outcome.comment),
            ("Interruption", outcome.interruption),
            ("Offending elements", ", ".join(outcome.offending_elements)),
            ("Failed instances", ", ".join(outcome.failed_sop_instance_uids[:_MOST_ROWS])),
            ("C-MOVE duration", f"{outcome.seconds:.3f} s"),
        ]
    )
    shown, hidden = proof.events, 0
    if len(shown) > _FIRST_EVENTS + _LAST_EVENTS + 1:
        hidden = len(shown) - _FIRST_EVENTS - _LAST_EVENTS
        rows = [*map(_event, shown[:_FIRST_EVENTS]), ("", f"{hidden} more (the JSON file has all)", *[""] * 4)]
        rows += map(_event, shown[-_LAST_EVENTS:])
    else:
        rows = list(map(_event, shown))
    columns = ("Time (UTC)", "Event", "Remaining", "Completed", "Failed", "Warning")
    yield from render_table(columns, rows, frozenset(columns[2:]))


def _event(event: TimelineEvent) -> tuple[str, ...]:
    progress = event.progress
    numbers = (progress.remaining, progress.completed, progress.failed, progress.warning) if progress else (None,) * 4
    return (
        format_timestamp_ms(event.time)[11:23],
        event.description,
        *("" if number is None else str(number) for number in numbers),
    )


def _transfers(evidence: Evidence) -> Iterator[str]:
    """Yield the C-STOREs of each leg: how many of each kind, then each one that a log shows."""
    legs = collect_legs(evidence)
    if not legs:
        return
    yield "<h2>C-STORE operations</h2>\n"
    kinds = [
        (format_leg(leg), *_kind(each), str(each.count), leg.evidence_source)
        for leg in legs
        for each in group_stores(leg.stores)
    ]
    columns = ("Sender → receiver", "SOP class", "Transfer syntax", "Status", "Instances", "Evidence source")
    yield from render_table(columns, kinds, frozenset({"Instances"}))
    rows: list[list[Cell]] = [
        [(each.sop_instance_uid or "not logged", "code"), format_leg(leg), *_kind(each), _time(each)]
        for leg in evidence.legs
        for each in leg.stores
    ]
    if rows:
        yield "<h3>Logged C-STORE operations</h3>\n"
        columns = ("SOP Instance UID", "Sender → receiver", "SOP class", "Transfer syntax", "Status", "Time (UTC)")
        yield from render_table(columns, rows[:_MOST_ROWS])
        if len(rows) > _MOST_ROWS:
            yield f'<p class="soft">{len(rows) - _MOST_ROWS} more (the JSON file has all)</p>\n'


def _kind(each: StoreGroup | StoreRecord) -> tuple[str, str, str]:
    syntax = look_up_uid_name(each.transfer_syntax) or "not logged"
    if each.file_transfer_syntax and each.file_transfer_syntax != each.transfer_syntax:
        syntax += f" (file: {look_up_uid_name(each.file_transfer_syntax)})"
    status = "no response" if each.status is None else f"{each.status:04X}"
    return look_up_uid_name(each.sop_class_uid) or "not logged", syntax, status


def _time(store: StoreRecord) -> str:
    return format_timestamp_ms(store.time)[11:23] if store.time else ""


def _instances(evidence: Evidence) -> Iterator[str]:
    arrived: dict[str, ReceivedInstance] = {each.sop_instance_uid: each for each in evidence.received or ()}
    after = {each.sop_instance_uid: each.availability for each in evidence.instances_after or ()}
    before = {each.sop_instance_uid: each for each in evidence.instances_before}
    uids = list(dict.fromkeys((*before, *arrived)))
    if not uids:
        return
    yield "<h2>Instances</h2>\n"
    observed = evidence.received is not None
    columns = ["SOP Instance UID", "SOP class", "Availability before", "Availability after"]
    columns += (
        ["Octets", "Transfer syntax", "Calling AE title", "Move Originator", "Received (UTC)", "SHA-256"]
        if observed
        else []
    )
    rows: list[list[Cell]] = []
    for uid in uids[:_MOST_ROWS]:
        instance, came = before.get(uid), arrived.get(uid)
        sop_class = instance.sop_class_uid if instance else came.sop_class_uid if came else ""
        row: list[Cell] = [(uid, "code"), look_up_uid_name(sop_class)]
        row += [instance.availability if instance else ("not listed", _BAD), after.get(uid, "")]
        rows.append(row + _received_cells(came) if observed else row)
    yield from render_table(columns, rows, frozenset({"Octets"}))
    if len(uids) > _MOST_ROWS:
        yield f'<p class="soft">{len(uids) - _MOST_ROWS} more (the JSON file has all)</p>\n'


def _received_cells(came: ReceivedInstance | None) -> list[Cell]:
    if came is None:
        return [("did not arrive", _BAD), *[""] * 5]
    syntax = look_up_uid_name(came.transfer_syntax)
    originator = came.move_originator_ae_title or ""
    at = format_timestamp_ms(came.received_at)[11:23] if came.received_at else ""
    return [str(came.data_set_length), syntax, came.calling_ae_title, originator, at, (came.sha256 or "", "code")]


def _logged_moves(evidence: Evidence) -> Iterator[str]:
    if evidence.move_records is None:
        return
    heading = "Archive log" if evidence.log_is_from_archive else "External archive log"
    yield f"<h2>{heading}</h2>\n"
    if not evidence.move_records:
        yield "<p>no C-MOVE of this study since the request was sent</p>\n"
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
            each.calling_ae_title or "not told",
            each.called_ae_title or "not told",
            each.destination_ae_title,
            each.failure or ("not told" if each.status is None else f"{each.status:04X}"),
            "not told" if each.completed is None else str(each.completed),
            "not told" if each.failed is None else str(each.failed),
            "" if each.forwarded_count is None else str(each.forwarded_count),
        )
        for each in evidence.move_records
    ]
    yield from render_table(columns, rows, frozenset({"Completed", "Failed", "Forwarded"}))


def _duration(length: timedelta) -> str:
    return f"{length.total_seconds():.1f} s"
