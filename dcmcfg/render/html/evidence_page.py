"""A verification as one web page, to be kept and to be printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.dicom.uid_registry import uid_name
from dcmcfg.render.evidence import moment
from dcmcfg.render.html.page import Cell, banner, facts, items, page, table, text
from dcmcfg.render.html.sequence_diagram import Response, sequences, svg
from dcmcfg.render.route import need_in_words
from dcmcfg.render.verify_parts import asked_lines, kept_line
from dcmcfg.render.verify_transfers import route_of
from dcmcfg.timestamps import readable
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.legs import Alike, Store, alike
from dcmcfg.verify.proof import Configured, Proof
from dcmcfg.verify.store_legs import legs_of
from dcmcfg.verify.timeline import Event
from dcmcfg.verify.verdict import Received, Reported, Route, RouteFinding, Verdict, Witness, counted

_GOOD, _BAD, _OPEN = "is-good", "is-bad", "is-open"
#: Rows of a table that are shown; the JSON file has all.
_MOST_ROWS = 1000
_FIRST_EVENTS, _LAST_EVENTS = 12, 6


def proof_page(proof: Proof) -> Iterator[str]:
    """Yield the document: the verdict first, then what it rests on."""
    yield from page(f"dcmcfg verify: {proof.verdict.headline}", _body(proof))


def _body(proof: Proof) -> Iterator[str]:
    evidence, verdict = proof.evidence, proof.verdict
    yield banner(verdict.headline, good=verdict.accepted)
    yield from facts(
        [
            ("Study Instance UID", evidence.question.study_uid),
            ("when", f"{readable(proof.began)}, for {_duration(proof.ended - proof.began)}"),
            ("asked", f"{evidence.question.archive} by {evidence.question.calling}"),
            ("how", "; ".join(asked_lines(evidence))),
            ("sent to", str(proof.configured.addresses.destination or evidence.question.destination)),
        ]
    )
    yield from _cards(verdict, evidence)
    if verdict.next_steps:
        yield f"<h2>What to do next</h2>\n{items(verdict.next_steps)}"
    yield from _way(proof.configured, verdict)
    yield from _files(evidence)
    yield from _configured(proof.configured)
    yield from _answers(proof)
    yield from _sent(evidence)
    yield from _instances(evidence)
    yield from _record(evidence)
    if verdict.notes:
        yield f"<h2>Notes</h2>\n{items(verdict.notes)}"
    yield "<h2>Programs and clock</h2>\n"
    yield from facts([*proof.versions.items(), ("zone of this machine", proof.zone), ("times above", "UTC")])


def _cards(verdict: Verdict, evidence: Evidence) -> Iterator[str]:
    yield '<div class="cards">\n'
    said_already = f"status {verdict.reported.status or 0:04X}"
    reasons = [reason for reason in verdict.reported.reasons if reason != said_already]
    yield _card("The archive reported", *_reported(verdict.reported), reasons)
    yield _card("Our receiver saw", *_received(verdict.received, evidence), verdict.received.reasons)
    yield _card("Route through the external archive", *_route(verdict.route), verdict.route.reasons)
    yield "</div>\n"


def _card(title: str, finding: str, mood: str, lines: Iterable[str], reasons: Iterable[str]) -> str:
    more = "".join(f"<p>{text(line)}</p>" for line in lines)
    return (
        f'<div class="card"><h3>{text(title)}</h3><p class="{mood}"><b>{text(finding)}</b></p>'
        f"{more}{items(reasons)}</div>\n"
    )


def _reported(reported: Reported) -> tuple[str, str, list[str]]:
    status = "no final response" if reported.status is None else f"{reported.status:04X} {reported.meaning}"
    expected = "not known" if reported.expected is None else str(reported.expected)
    lines = [
        f"completed {reported.completed}, failed {reported.failed}, warning {reported.warning}; expected: {expected}"
    ]
    if reported.comment:
        lines.append(f"its comment: {reported.comment}")
    return status, _GOOD if reported.ok else _BAD, lines


def _received(received: Received, evidence: Evidence) -> tuple[str, str, list[str]]:
    if received.finding is Witness.NOT_WITNESSED:
        return "not witnessed", _OPEN, ["nobody of ours listened as the destination"]
    expected = evidence.expected_number
    of = "instances, of an unknown number" if expected is None else f"of {counted(expected)}"
    mood = {Witness.COMPLETE: _GOOD, Witness.UNCHECKED: _OPEN}.get(received.finding, _BAD)
    lines = []
    if received.callers:
        originators = ", ".join(received.move_originators) or "none"
        lines.append(f"called by {', '.join(received.callers)}, Move Originator {originators}")
    if evidence.listening is not None:
        lines.append(f"listened as {evidence.listening.address} from {readable(evidence.listening.since)}")
    if received.files:
        lines.append(kept_line(received))
    return f"{received.finding.value}: {received.number} {of}", mood, lines


def _route(route: Route) -> tuple[str, str, list[str]]:
    mood = {RouteFinding.SHOWN: _GOOD, RouteFinding.CONTRADICTED: _BAD}.get(route.finding, _OPEN)
    number = f" for {counted(route.instances)}" if route.finding is RouteFinding.SHOWN else ""
    return f"{route.finding.value}{number}", mood, [f"configured: {route.way}"]


def _way(configured: Configured, verdict: Verdict) -> Iterator[str]:
    yield "<h2>What the configuration has the archive do</h2>\n"
    yield (
        f'<p class="soft">{text(verdict.route.way)}. According to the configuration alone, apart from the final '
        "response, which is the one that came.</p>\n"
    )
    yield '<div class="scroll">'
    yield from svg(sequences(configured.route, _response(verdict)))
    yield "</div>\n"
    needs = dict.fromkeys(need_in_words(need) for way in configured.route.ways for need in way.needs)
    if needs:
        yield f"<p>What the other side has to see to, which no configuration of the archive shows:</p>\n{items(needs)}"


def _response(verdict: Verdict) -> Response:
    """Return the final response that came; it is good only where the verdict is."""
    reported = verdict.reported
    words = "no answer" if reported.status is None else f"{reported.status:04X}"
    if verdict.accepted:
        return Response(words, "good")
    return Response(words, "open" if reported.ok else "bad")


def _files(evidence: Evidence) -> Iterator[str]:
    stored = evidence.stored
    if stored.before is None and evidence.after is None:
        return
    yield "<h2>Where the files were</h2>\n"
    rows: list[Sequence[Cell]] = [
        ("Instance Availability (C-FIND)", _availability(evidence.expected), _availability(evidence.after))
    ]
    if stored.before is not None:
        pairs = zip(_stored(stored.before), _stored(stored.after), strict=True)
        rows += [(name, before, after) for (name, before), (_, after) in pairs]
    yield from table(("", "before the move", "after it"), rows)


def _availability(instances: Sequence[Instance] | None) -> str:
    if instances is None:
        return "not asked"
    values = sorted({each.availability or "not given" for each in instances})
    return ", ".join(values) or "nothing listed"


def _stored(study: StoredStudy | None) -> Iterator[tuple[str, str]]:
    known = study is not None and study.known
    unknown = "not asked" if study is None else "study not known"
    yield "storage IDs (database)", (", ".join(study.storage_ids) or "none") if study and known else unknown
    yield "external archive (database)", (study.external or "none recorded") if study and known else unknown
    yield "completeness (database)", (study.completeness or "COMPLETE") if study and known else unknown


def _configured(found: Configured) -> Iterator[str]:
    yield "<h2>What was configured</h2>\n"
    yield from facts(
        [
            ("configuration", f"{found.tree.entries} entries below {found.tree.base_dn}"),
            ("SHA-256 of its export", found.tree.sha256),
            ("archive's device", found.device),
            ("archive's software", ", ".join(found.software)),
            ("archive", str(found.addresses.archive)),
            ("destination", str(found.addresses.destination or "no address in the tree")),
        ]
    )
    values = [(each.name, ", ".join(each.values) or "not set", each.level or "") for each in found.settings]
    yield from table(("setting", "value", "set on"), values)
    yield from table(("site", "value", "from"), [(each.name, each.value, each.origin) for each in found.site])


def _answers(proof: Proof) -> Iterator[str]:
    outcome = proof.evidence.outcome
    yield "<h2>What was asked and answered</h2>\n"
    yield from facts(
        [
            ("final response", "none" if outcome.status is None else f"{outcome.status:04X}"),
            ("comment", outcome.comment),
            ("interrupted", outcome.interrupted),
            ("offending elements", ", ".join(outcome.offending_elements)),
            ("failed instances", ", ".join(outcome.failed_sop_instance_uids[:_MOST_ROWS])),
            ("time of the C-MOVE", f"{outcome.seconds:.3f} s"),
        ]
    )
    shown, hidden = proof.events, 0
    if len(shown) > _FIRST_EVENTS + _LAST_EVENTS + 1:
        hidden = len(shown) - _FIRST_EVENTS - _LAST_EVENTS
        rows = [*map(_event, shown[:_FIRST_EVENTS]), ("", f"{hidden} more (the JSON file has all)", *[""] * 4)]
        rows += map(_event, shown[-_LAST_EVENTS:])
    else:
        rows = list(map(_event, shown))
    columns = ("time (UTC)", "what", "remaining", "completed", "failed", "warning")
    yield from table(columns, rows, frozenset(columns[2:]))


def _event(event: Event) -> tuple[str, ...]:
    progress = event.progress
    numbers = (progress.remaining, progress.completed, progress.failed, progress.warning) if progress else (None,) * 4
    return moment(event.moment)[11:23], event.what, *("" if number is None else str(number) for number in numbers)


def _sent(evidence: Evidence) -> Iterator[str]:
    """Yield the C-STOREs of each leg: how many of each kind, then each one that a log shows."""
    legs = legs_of(evidence)
    if not legs:
        return
    yield "<h2>What was sent (C-STORE)</h2>\n"
    kinds = [(route_of(leg), *_kind(each), str(each.number), leg.witness) for leg in legs for each in alike(leg.stores)]
    columns = ("from → to", "SOP class", "transfer syntax", "status", "instances", "according to")
    yield from table(columns, kinds, frozenset({"instances"}))
    rows: list[list[Cell]] = [
        [(each.sop_instance_uid or "not logged", "code"), route_of(leg), *_kind(each), _time(each)]
        for leg in evidence.legs
        for each in leg.stores
    ]
    if rows:
        yield "<h3>Each C-STORE in the log</h3>\n"
        columns = ("SOP Instance UID", "from → to", "SOP class", "transfer syntax", "status", "at (UTC)")
        yield from table(columns, rows[:_MOST_ROWS])
        if len(rows) > _MOST_ROWS:
            yield f'<p class="soft">{len(rows) - _MOST_ROWS} more (the JSON file has all)</p>\n'


def _kind(each: Alike | Store) -> tuple[str, str, str]:
    syntax = uid_name(each.transfer_syntax) or "not logged"
    if each.stored_as and each.stored_as != each.transfer_syntax:
        syntax += f" (file: {uid_name(each.stored_as)})"
    status = "no response" if each.status is None else f"{each.status:04X}"
    return uid_name(each.sop_class_uid) or "not logged", syntax, status


def _time(store: Store) -> str:
    return moment(store.moment)[11:23] if store.moment else ""


def _instances(evidence: Evidence) -> Iterator[str]:
    arrived: dict[str, ReceivedInstance] = {each.sop_instance_uid: each for each in evidence.received or ()}
    after = {each.sop_instance_uid: each.availability for each in evidence.after or ()}
    before = {each.sop_instance_uid: each for each in evidence.expected}
    uids = list(dict.fromkeys((*before, *arrived)))
    if not uids:
        return
    yield "<h2>Instances</h2>\n"
    witnessed = evidence.received is not None
    columns = ["SOP Instance UID", "SOP class", "before", "after"]
    columns += ["octets", "transfer syntax", "called by", "originator", "at (UTC)", "SHA-256"] if witnessed else []
    rows: list[list[Cell]] = []
    for uid in uids[:_MOST_ROWS]:
        instance, came = before.get(uid), arrived.get(uid)
        sop_class = instance.sop_class_uid if instance else came.sop_class_uid if came else ""
        row: list[Cell] = [(uid, "code"), uid_name(sop_class)]
        row += [instance.availability if instance else ("not listed", _BAD), after.get(uid, "")]
        rows.append(row + _arrival(came) if witnessed else row)
    yield from table(columns, rows, frozenset({"octets"}))
    if len(uids) > _MOST_ROWS:
        yield f'<p class="soft">{len(uids) - _MOST_ROWS} more (the JSON file has all)</p>\n'


def _arrival(came: ReceivedInstance | None) -> list[Cell]:
    if came is None:
        return [("did not arrive", _BAD), *[""] * 5]
    syntax = uid_name(came.transfer_syntax)
    originator = came.move_originator_ae_title or ""
    at = moment(came.arrived_at)[11:23] if came.arrived_at else ""
    return [str(came.octets), syntax, came.calling_ae_title, originator, at, (came.sha256 or "", "code")]


def _record(evidence: Evidence) -> Iterator[str]:
    if evidence.records is None:
        return
    witness = "The archive's log" if evidence.log_is_archives else "The external archive's own record"
    yield f"<h2>{witness}</h2>\n"
    if not evidence.records:
        yield "<p>no C-MOVE of this study since the request was sent</p>\n"
        return
    columns = ("started (UTC)", "caller", "called", "sent to", "status", "completed", "failed", "forwarded")
    rows = [
        (
            readable(each.started).removesuffix(" UTC"),
            each.calling or "not told",
            each.called or "not told",
            each.destination,
            each.failure or ("not told" if each.status is None else f"{each.status:04X}"),
            "not told" if each.completed is None else str(each.completed),
            "not told" if each.failed is None else str(each.failed),
            "" if each.forwarded is None else str(each.forwarded),
        )
        for each in evidence.records
    ]
    yield from table(columns, rows, frozenset({"completed", "failed", "forwarded"}))


def _duration(length: timedelta) -> str:
    return f"{length.total_seconds():.1f} s"
