"""Sequences as an SVG picture: participants on top of their life lines, messages as arrows.

Sequences as a Mermaid diagram, which Markdown viewers draw.

A route as a sequence of messages between participants, for pictures of it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from collections.abc import Sequence as Several
from dataclasses import KW_ONLY, dataclass
from typing import Literal
from xml.sax.saxutils import escape

from dcmcfg.printable import escape_unprintable
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
class Message:
    """An arrow from one participant to another.

    ``sublabel`` is the smaller print, an ``is_response`` goes back dashed.
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
    """The messages of one way in their order; ``remarks`` stand below them."""

    heading: str
    rating: Rating
    messages: tuple[Message, ...]
    remarks: tuple[str, ...] = ()

    @property
    def participants(self) -> tuple[str, ...]:
        """Whoever sends or receives, in the order in which they come in."""
        return tuple(dict.fromkeys(name for each in self.messages for name in (each.sender, each.receiver)))


@dataclass(frozen=True)
class FinalResponse:
    """The final response that came to a request, in a few words (``A801``), and how the run ended."""

    text: str
    rating: Rating


def build_sequence_diagrams(route: Route, response: FinalResponse | None = None) -> tuple[SequenceDiagram, ...]:
    """Return a sequence for each way of *route*, or for its refusal; no text in them steers anything.

    With *response* the request was sent: each sequence ends with what came, and none is good if that is not.
    """
    question = route.request
    if route.refusal is not None:
        request = _request(route)
        answer = _response_message(question, route.refusal.response, "bad", response)
        return (
            SequenceDiagram(
                "refused, whatever the study", "bad", (request, answer), _failure_remarks((route.refusal,))
            ),
        )
    return tuple(_path_diagram(route, way, response) for way in route.paths)


def _path_diagram(route: Route, way: RetrievePath, response: FinalResponse | None) -> SequenceDiagram:
    question = route.request
    mood = _RATINGS[way.outcome]
    answer = next((failure.response for failure in way.failures), "0000") or "no answer"
    messages = (_request(route), *map(_message, way.messages), _response_message(question, answer, mood, response))
    if mood == "good" and response is not None and response.rating != "good":
        mood = "open"
    holder = escape_unprintable(f" ({way.external_ae_title})") if way.external_ae_title else ""
    heading = f"{way.state.value} {way.outcome_text}: {way.branch.value}{holder}"
    return SequenceDiagram(heading, mood, messages, (*_failure_remarks(way.failures), *_prerequisite_remarks(way)))


def _request(route: Route) -> Message:
    question = route.request
    above = f"C-MOVE, Move Destination {question.destination_ae_title}"
    below = str(route.listening_address or "")
    return Message(
        escape_unprintable(question.calling_ae_title),
        escape_unprintable(question.archive_ae.title),
        escape_unprintable(above),
        escape_unprintable(below),
    )


def _message(step: RouteMessage) -> Message:
    above = f"{step.kind} as {step.calling_ae_title}"
    if step.move_destination:
        above += f", Move Destination {step.move_destination}"
    below = str(step.address) if step.address else "(nowhere)"
    return Message(
        escape_unprintable(step.sender_ae_title),
        escape_unprintable(step.receiver_ae_title),
        escape_unprintable(above),
        escape_unprintable(below),
    )


def _response_message(question: RouteRequest, answer: str, mood: Rating, response: FinalResponse | None) -> Message:
    """Return the last message: the expected *answer*, or the *response* that came, with what was expected instead."""
    if response is not None:
        mood = response.rating
        answer = answer if answer.startswith(response.text) else f"{response.text} (expected: {answer})"
    return Message(
        escape_unprintable(question.archive_ae.title),
        escape_unprintable(question.calling_ae_title),
        escape_unprintable(answer),
        is_response=True,
        rating=mood,
    )


def _prerequisite_remarks(way: RetrievePath) -> tuple[str, ...]:
    return tuple(
        escape_unprintable(f"needs: {format_prerequisite(need)}") for need in way.prerequisites if not way.failures
    )


def _failure_remarks(failures: tuple[RouteFailure, ...]) -> tuple[str, ...]:
    return tuple(escape_unprintable(failure.reason) for failure in failures)


_CHARACTER = 7.3  # width of a character of the monospaced font at 12 px
_BETWEEN = 150  # least distance of life lines
_PAD = 16
_HEAD, _BOX, _ROW, _LINE = 30, 28, 46, 17
_LEAST = 480  # least width of the picture
_STYLE = """
text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1c1f23 }
.head { font-weight: 700; font-size: 13px }
.small { fill: #667080 }
.box { fill: #eef1f5; stroke: #9aa5b1 }
.life { stroke: #c3cad3; stroke-dasharray: 3 4 }
.arrow { stroke: #3b4654; stroke-width: 1.4; fill: none; marker-end: url(#tip) }
.answer { stroke-dasharray: 6 4 }
.paper { fill: #fff }
.label { paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round }
.tip { fill: #3b4654 }
.good { fill: #18794e }
.bad { fill: #c62a2f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9ed } .small { fill: #97a3b0 } .box { fill: #2a3038; stroke: #5b6673 } .life { stroke: #48525e }
  .arrow { stroke: #c3cad3 } .tip { fill: #c3cad3 } .paper { fill: #16191d } .label { stroke: #16191d }
  .good { fill: #4cc38a } .bad { fill: #ff6369 }
}
"""


def render_svg(sequences: Several[SequenceDiagram]) -> Iterator[str]:
    """Yield the text of a picture of *sequences*, one below the other."""
    width = max([_LEAST, *(_width(each) for each in sequences), *(_text_width(each.heading) for each in sequences)])
    drawn: list[str] = []
    y: float = _PAD
    for sequence in sequences:
        lines, y = _draw(sequence, y, width)
        drawn += lines
        y += _PAD
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {y:.0f}" '
        f'width="{width:.0f}" height="{y:.0f}" role="img">\n'
    )
    yield f"<title>{escape('; '.join(each.heading for each in sequences))}</title>\n"
    yield f"<style>{_STYLE}</style>\n"
    yield (
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path class="tip" d="M0 0L10 5L0 10z"/></marker></defs>\n'
    )
    yield f'<rect class="paper" width="{width:.0f}" height="{y:.0f}"/>\n'
    yield from (f"{line}\n" for line in drawn)
    yield "</svg>\n"


def _draw(sequence: SequenceDiagram, top: float, width: float) -> tuple[list[str], float]:
    """Return the elements of *sequence* drawn from *top* on, and where they end."""
    lanes = _lanes(sequence)
    mood = f" {sequence.rating}" if sequence.rating != "open" else ""
    drawn = [f'<text class="head{mood}" x="{_PAD}" y="{top + 14:.0f}">{escape(sequence.heading)}</text>']
    y = top + _HEAD
    bottom = y + _BOX + _ROW * len(sequence.messages) + _PAD / 2
    for name, x in lanes.items():
        half = max(len(name) * _CHARACTER / 2 + 10, 36)
        drawn.append(f'<line class="life" x1="{x:.1f}" y1="{y + _BOX:.0f}" x2="{x:.1f}" y2="{bottom:.0f}"/>')
        drawn.append(
            f'<rect class="box" x="{x - half:.1f}" y="{y:.0f}" width="{2 * half:.1f}" height="{_BOX}" rx="4"/>'
        )
        drawn.append(f'<text x="{x:.1f}" y="{y + 18:.0f}" text-anchor="middle">{escape(name)}</text>')
    y += _BOX
    for message in sequence.messages:
        y += _ROW
        drawn += _arrow(message, lanes, y - _ROW / 2 + 6)
    y = bottom
    for remark in sequence.remarks:
        for line in textwrap.wrap(remark, max(int((width - 2 * _PAD) / _CHARACTER), 20)):
            y += _LINE
            drawn.append(f'<text class="{sequence.rating}" x="{_PAD}" y="{y:.0f}">{escape(line)}</text>')
    return drawn, y + _PAD / 2


def _arrow(message: Message, lanes: dict[str, float], y: float) -> Iterator[str]:
    start, end = lanes[message.sender], lanes[message.receiver]
    kind = " answer" if message.is_response else ""
    mood = f" {message.rating}" if message.rating != "open" else ""
    if start == end:
        path = f"M{start:.1f} {y - 6:.0f}h26v12h-26"
        yield f'<path class="arrow{kind}" d="{path}"/>'
        middle, anchor = start + 34, "start"
    else:
        yield f'<line class="arrow{kind}" x1="{start:.1f}" y1="{y:.0f}" x2="{end:.1f}" y2="{y:.0f}"/>'
        middle, anchor = (start + end) / 2, "middle"
    for kind, text, height in ((f"label{mood}", message.label, -6), ("label small", message.sublabel, 15)):
        if text:
            place = f'x="{middle:.1f}" y="{y + height:.0f}" text-anchor="{anchor}"'
            yield f'<text class="{kind}" {place}>{escape(text)}</text>'


def _lanes(sequence: SequenceDiagram) -> dict[str, float]:
    """Return where the life line of each participant stands: each label fits between those that it spans."""
    names = sequence.participants
    places = {name: number for number, name in enumerate(names)}
    x = [_first(names)]
    for number in range(1, len(names)):
        here = x[-1] + _BETWEEN
        for message in sequence.messages:
            left, right = sorted((places[message.sender], places[message.receiver]))
            if right == number and left != right:
                room = max(len(message.label), len(message.sublabel)) * _CHARACTER + 24
                here = max(here, x[left] + room)
        x.append(here)
    return dict(zip(names, x, strict=True))


def _first(names: tuple[str, ...]) -> float:
    return _PAD + max(len(names[0]) * _CHARACTER / 2 + 10, 36) if names else _PAD


def _width(sequence: SequenceDiagram) -> float:
    lanes = _lanes(sequence)
    if not lanes:
        return 0
    name, last = max(lanes.items(), key=lambda lane: lane[1])
    loops = [_text_width(each.label) for each in sequence.messages if each.sender == each.receiver == name]
    return last + max(len(name) * _CHARACTER / 2 + 10, 36, *loops) + _PAD


def _text_width(text: str) -> float:
    return len(text) * _CHARACTER * 1.1 + 2 * _PAD


def render_mermaid(sequences: Several[SequenceDiagram]) -> Iterator[str]:
    """Yield the lines of one ``sequenceDiagram`` with all of *sequences*, each below a note that heads it."""
    names = tuple(dict.fromkeys(name for each in sequences for name in each.participants))
    ids = {name: f"p{number}" for number, name in enumerate(names)}
    yield "sequenceDiagram"
    for name, short in ids.items():
        yield f"  participant {short} as {_escape_mermaid(name)}"
    across = ",".join(dict.fromkeys((ids[names[0]], ids[names[-1]])))
    for sequence in sequences:
        yield f"  Note over {across}: {_escape_mermaid(sequence.heading)}"
        for message in sequence.messages:
            arrow = "-->>" if message.is_response else "->>"
            below = f"<br/>{_escape_mermaid(message.sublabel)}" if message.sublabel else ""
            yield f"  {ids[message.sender]}{arrow}{ids[message.receiver]}: {_escape_mermaid(message.label)}{below}"
        for remark in sequence.remarks:
            yield f"  Note over {across}: {_escape_mermaid(remark)}"


def _escape_mermaid(text: str) -> str:
    """Return *text* with what Mermaid takes for its own as numbered characters."""
    return "".join(f"#{ord(c)};" if c in '#;<>"&%' else c for c in text)
