"""Build sequence diagrams of routes, and render them as SVG images and as Mermaid diagrams for Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Several
from dataclasses import KW_ONLY, dataclass
from typing import Literal
from xml.sax.saxutils import escape

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.html.palette import DARK, LIGHT
from dcmcfg.render.route import format_prerequisite
from dcmcfg.route.path import PathOutcome, RetrievePath, Route, RouteFailure, RouteMessage
from dcmcfg.route.request import RouteRequest

Rating = Literal["good", "bad", "open"]
_RATINGS: dict[PathOutcome, Rating] = {
    PathOutcome.DELIVERED: "good",
    PathOutcome.PARTIAL: "bad",
    PathOutcome.FAILED: "bad",
    PathOutcome.UNCONFIGURED: "open",
}


@dataclass(frozen=True)
class DiagramMessage:
    """An arrow from one participant to another.

    ``sublabel`` is printed below the arrow in a smaller font. A response (``is_response``) has a dashed arrow.
    """

    sender: str
    receiver: str
    label: str
    sublabel: str = ""
    _: KW_ONLY
    is_response: bool = False
    rating: Rating = "open"


@dataclass(frozen=True)
class SequenceDiagram:
    """The messages of one path in order; ``remarks`` are printed below them."""

    heading: str
    rating: Rating
    messages: tuple[DiagramMessage, ...]
    remarks: tuple[str, ...] = ()

    @property
    def participants(self) -> tuple[str, ...]:
        """The senders and receivers, in order of their first message."""
        return tuple(dict.fromkeys(name for each in self.messages for name in (each.sender, each.receiver)))


def merge_participants(sequences: Several[SequenceDiagram]) -> tuple[str, ...]:
    """Return the participants of all *sequences* in one order, which all diagrams share.

    A participant that only a later diagram has follows its predecessor there.
    """
    names: list[str] = []
    for sequence in sequences:
        position = 0
        for name in sequence.participants:
            if name not in names:
                names.insert(position, name)
            position = names.index(name) + 1
    return tuple(names)


@dataclass(frozen=True)
class FinalResponse:
    """The actual final response to a request as a short text (``A801``), with the rating of the verification."""

    text: str
    rating: Rating


def build_sequence_diagrams(route: Route, response: FinalResponse | None = None) -> tuple[SequenceDiagram, ...]:
    """Return a diagram for each path of *route*, or for its refusal; all texts in the diagrams are escaped.

    *response* is set if the request was sent: each diagram ends with this response, and is rated good only if the
    response is.
    """
    request = route.request
    if route.refusal is not None:
        request_message = _build_request_message(route)
        response_message = _build_response_message(request, route.refusal.response, "bad", response)
        return (
            SequenceDiagram(
                "refused for every study",
                "bad",
                (request_message, response_message),
                _format_failure_remarks((route.refusal,)),
            ),
        )
    return tuple(_build_path_diagram(route, path, response) for path in route.paths)


def _build_path_diagram(route: Route, path: RetrievePath, response: FinalResponse | None) -> SequenceDiagram:
    request = route.request
    rating = _RATINGS[path.outcome]
    expected_response = next((failure.response for failure in path.failures), "0000") or "no response"
    messages = (
        _build_request_message(route),
        *map(_build_message, path.messages),
        _build_response_message(request, expected_response, rating, response),
    )
    # A good prediction must not look like a good result if the real response is another one.
    if rating == "good" and response is not None and response.rating != "good":
        rating = "open"
    external_text = escape_unprintable(f" ({path.external_ae_title})") if path.external_ae_title else ""
    heading = f"{path.study_state.value} {path.outcome_text}: {path.branch.value}{external_text}"
    return SequenceDiagram(
        heading, rating, messages, (*_format_failure_remarks(path.failures), *_format_prerequisite_remarks(path))
    )


def _build_request_message(route: Route) -> DiagramMessage:
    request = route.request
    label = f"C-MOVE, Move Destination {request.destination_ae_title}"
    sublabel = str(route.listening_address or "")
    return DiagramMessage(
        escape_unprintable(request.calling_ae_title),
        escape_unprintable(request.archive_ae.title),
        escape_unprintable(label),
        escape_unprintable(sublabel),
    )


def _build_message(step: RouteMessage) -> DiagramMessage:
    label = f"{step.kind} as {step.calling_ae_title}"
    if step.move_destination:
        label += f", Move Destination {step.move_destination}"
    sublabel = str(step.address) if step.address else "(no address)"
    return DiagramMessage(
        escape_unprintable(step.sender_ae_title),
        escape_unprintable(step.receiver_ae_title),
        escape_unprintable(label),
        escape_unprintable(sublabel),
    )


def _build_response_message(
    request: RouteRequest, expected_response: str, rating: Rating, response: FinalResponse | None
) -> DiagramMessage:
    """Return the last message: *expected_response*, or the actual *response* with the expected one if they differ."""
    if response is not None:
        rating = response.rating
        expected_response = (
            expected_response
            if expected_response.startswith(response.text)
            else f"{response.text} (expected: {expected_response})"
        )
    return DiagramMessage(
        escape_unprintable(request.archive_ae.title),
        escape_unprintable(request.calling_ae_title),
        escape_unprintable(expected_response),
        is_response=True,
        rating=rating,
    )


def _format_prerequisite_remarks(path: RetrievePath) -> tuple[str, ...]:
    return tuple(
        escape_unprintable(f"requires: {format_prerequisite(prerequisite)}")
        for prerequisite in path.prerequisites
        if not path.failures
    )


def _format_failure_remarks(failures: tuple[RouteFailure, ...]) -> tuple[str, ...]:
    return tuple(escape_unprintable(failure.reason) for failure in failures)


_CHARACTER = 7.3  # width of a character of the monospaced font at 12 px, an estimate, as no font is measured
_MIN_LANE_DISTANCE = 150  # minimum distance between life lines
_PAD = 16
_HEAD, _BOX, _ROW, _LINE = 30, 28, 46, 17
_MIN_WIDTH = 480  # minimum width of the image


def _format_colours(palette: Mapping[str, str]) -> str:
    """Return the rules with colours. Viewers of SVG files do not all know CSS variables, so the values are literal."""
    return f"""
.sequence text {{ fill: {palette["ink"]} }} .sequence .small {{ fill: {palette["soft"]} }}
.sequence .box {{ fill: {palette["card"]}; stroke: {palette["soft"]} }} .sequence .life {{ stroke: {palette["line"]} }}
.sequence .arrow {{ stroke: {palette["soft"]} }} .sequence .tip {{ fill: {palette["soft"]} }}
.sequence .paper {{ fill: {palette["paper"]} }} .sequence .label {{ stroke: {palette["paper"]} }}
.sequence .good {{ fill: {palette["good"]} }} .sequence .bad {{ fill: {palette["bad"]} }}"""


_STYLE = f"""
.sequence text {{ font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace }}
.sequence .head {{ font-weight: 700; font-size: 13px }}
.sequence .life {{ stroke-dasharray: 3 4 }}
.sequence .arrow {{ stroke-width: 1.4; fill: none; marker-end: url(#tip) }}
.sequence .answer {{ stroke-dasharray: 6 4 }}
.sequence .label {{ paint-order: stroke; stroke-width: 4px; stroke-linejoin: round }}
{_format_colours(LIGHT)}
@media screen and (prefers-color-scheme: dark) {{{_format_colours(DARK)}
}}
"""


def render_svg(sequences: Several[SequenceDiagram]) -> Iterator[str]:
    """Yield the SVG text of an image of *sequences*, one below the other."""
    lanes = _compute_lanes(merge_participants(sequences), [message for each in sequences for message in each.messages])
    width = max(
        [
            _MIN_WIDTH,
            *(_compute_width(each, lanes) for each in sequences),
            *(_text_width(each.heading) for each in sequences),
        ]
    )
    elements: list[str] = []
    y: float = _PAD
    for sequence in sequences:
        own_lanes = {name: x for name, x in lanes.items() if name in sequence.participants}
        diagram_elements, y = _draw(sequence, own_lanes, y, width)
        elements += diagram_elements
        y += _PAD
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sequence" viewBox="0 0 {width:.0f} {y:.0f}" '
        f'width="{width:.0f}" height="{y:.0f}" role="img">\n'
    )
    yield f"<title>{escape('; '.join(each.heading for each in sequences))}</title>\n"
    yield f"<style>{_STYLE}</style>\n"
    yield (
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path class="tip" d="M0 0L10 5L0 10z"/></marker></defs>\n'
    )
    yield f'<rect class="paper" width="{width:.0f}" height="{y:.0f}"/>\n'
    yield from (f"{line}\n" for line in elements)
    yield "</svg>\n"


def _draw(sequence: SequenceDiagram, lanes: dict[str, float], top: float, width: float) -> tuple[list[str], float]:
    """Return the SVG elements of *sequence*, drawn from *top* on, and the position of their lower end."""
    css_class = f" {sequence.rating}" if sequence.rating != "open" else ""
    elements = [f'<text class="head{css_class}" x="{_PAD}" y="{top + 14:.0f}">{escape(sequence.heading)}</text>']
    y = top + _HEAD
    bottom = y + _BOX + _ROW * len(sequence.messages) + _PAD / 2
    for name, x in lanes.items():
        half_width = max(len(name) * _CHARACTER / 2 + 10, 36)
        elements.append(f'<line class="life" x1="{x:.1f}" y1="{y + _BOX:.0f}" x2="{x:.1f}" y2="{bottom:.0f}"/>')
        elements.append(
            f'<rect class="box" x="{x - half_width:.1f}" y="{y:.0f}" width="{2 * half_width:.1f}" '
            f'height="{_BOX}" rx="4"/>'
        )
        elements.append(f'<text x="{x:.1f}" y="{y + 18:.0f}" text-anchor="middle">{escape(name)}</text>')
    y += _BOX
    for message in sequence.messages:
        y += _ROW
        elements += _draw_arrow(message, lanes, y - _ROW / 2 + 6)
    y = bottom
    # A prerequisite is open, also if the path is good.
    css_remark = ' class="bad"' if sequence.rating == "bad" else ""
    for remark in sequence.remarks:
        # SVG text does not wrap by itself.
        for line in textwrap.wrap(remark, max(int((width - 2 * _PAD) / _CHARACTER), 20)):
            y += _LINE
            elements.append(f'<text{css_remark} x="{_PAD}" y="{y:.0f}">{escape(line)}</text>')
    return elements, y + _PAD / 2


def _draw_arrow(message: DiagramMessage, lanes: dict[str, float], y: float) -> Iterator[str]:
    start, end = lanes[message.sender], lanes[message.receiver]
    css_class = " answer" if message.is_response else ""
    rating_class = f" {message.rating}" if message.rating != "open" else ""
    # A message from an AE to itself is a loop on its life line.
    if start == end:
        path = f"M{start:.1f} {y - 6:.0f}h26v12h-26"
        yield f'<path class="arrow{css_class}" d="{path}"/>'
        label_x, anchor = start + 34, "start"
    else:
        yield f'<line class="arrow{css_class}" x1="{start:.1f}" y1="{y:.0f}" x2="{end:.1f}" y2="{y:.0f}"/>'
        label_x, anchor = (start + end) / 2, "middle"
    for css_class, text, height in ((f"label{rating_class}", message.label, -6), ("label small", message.sublabel, 15)):
        if text:
            attributes = f'x="{label_x:.1f}" y="{y + height:.0f}" text-anchor="{anchor}"'
            yield f'<text class="{css_class}" {attributes}>{escape(text)}</text>'


def _compute_lanes(names: tuple[str, ...], messages: Several[DiagramMessage]) -> dict[str, float]:
    """Return the position of the life line of each of *names*; each label fits between its two life lines."""
    lane_numbers = {name: number for number, name in enumerate(names)}
    positions = [_compute_first_lane(names)]
    for number in range(1, len(names)):
        position = positions[-1] + _MIN_LANE_DISTANCE
        for message in messages:
            left, right = sorted((lane_numbers[message.sender], lane_numbers[message.receiver]))
            if right == number and left != right:
                label_width = max(len(message.label), len(message.sublabel)) * _CHARACTER + 24
                position = max(position, positions[left] + label_width)
        positions.append(position)
    return dict(zip(names, positions, strict=True))


def _compute_first_lane(names: tuple[str, ...]) -> float:
    return _PAD + max(len(names[0]) * _CHARACTER / 2 + 10, 36) if names else _PAD


def _compute_width(sequence: SequenceDiagram, lanes: dict[str, float]) -> float:
    if not sequence.messages:
        return 0
    name = max(sequence.participants, key=lambda name: lanes[name])
    last_position = lanes[name]
    loop_widths = [_text_width(each.label) for each in sequence.messages if each.sender == each.receiver == name]
    return last_position + max(len(name) * _CHARACTER / 2 + 10, 36, *loop_widths) + _PAD


def _text_width(text: str) -> float:
    # Headings are bold and one pixel larger than other text, so their characters are wider.
    return len(text) * _CHARACTER * 1.1 + 2 * _PAD


def render_mermaid(sequences: Several[SequenceDiagram]) -> Iterator[str]:
    """Yield the lines of one ``sequenceDiagram`` with all of *sequences*, each below a note with its heading."""
    names = merge_participants(sequences)
    ids = {name: f"p{number}" for number, name in enumerate(names)}
    yield "sequenceDiagram"
    for name, participant_id in ids.items():
        yield f"  participant {participant_id} as {_escape_mermaid(name)}"
    note_span = ",".join(dict.fromkeys((ids[names[0]], ids[names[-1]])))
    for sequence in sequences:
        yield f"  Note over {note_span}: {_escape_mermaid(sequence.heading)}"
        for message in sequence.messages:
            arrow = "-->>" if message.is_response else "->>"
            sublabel = f"<br/>{_escape_mermaid(message.sublabel)}" if message.sublabel else ""
            yield f"  {ids[message.sender]}{arrow}{ids[message.receiver]}: {_escape_mermaid(message.label)}{sublabel}"
        for remark in sequence.remarks:
            yield f"  Note over {note_span}: {_escape_mermaid(remark)}"


def _escape_mermaid(text: str) -> str:
    """Return *text* with characters that are Mermaid syntax replaced by numeric entities."""
    return "".join(f"#{ord(character)};" if character in '#;<>"&%' else character for character in text)
