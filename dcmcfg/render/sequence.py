"""A route as a sequence of messages between participants, for pictures of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dcmcfg.render.console import visible
from dcmcfg.render.route import need_in_words
from dcmcfg.route.question import Question
from dcmcfg.route.way import Failure, Outcome, Route, Step, Way

Mood = Literal["good", "bad", "open"]
_MOODS: dict[Outcome, Mood] = {
    Outcome.ARRIVES: "good",
    Outcome.IN_PART: "bad",
    Outcome.FAILS: "bad",
    Outcome.NOT_SET_UP: "open",
}


@dataclass(frozen=True)
class Message:
    """An arrow from one participant to another; ``below`` is the smaller print, an ``answer`` goes back dashed."""

    sender: str
    receiver: str
    above: str
    below: str = ""
    answer: bool = False
    mood: Mood = "open"


@dataclass(frozen=True)
class Sequence:
    """The messages of one way in their order; ``remarks`` stand below them."""

    heading: str
    mood: Mood
    messages: tuple[Message, ...]
    remarks: tuple[str, ...] = ()

    @property
    def participants(self) -> tuple[str, ...]:
        """Whoever sends or receives, in the order in which they come in."""
        return tuple(dict.fromkeys(name for each in self.messages for name in (each.sender, each.receiver)))


@dataclass(frozen=True)
class Response:
    """The final response that came to a request, in a few words (``A801``), and how the run ended."""

    words: str
    mood: Mood


def sequences(route: Route, response: Response | None = None) -> tuple[Sequence, ...]:
    """Return a sequence for each way of *route*, or for its refusal; no text in them steers anything.

    With *response* the request was sent: each sequence ends with what came, and none is good if that is not.
    """
    question = route.question
    if route.refused is not None:
        request = _request(route)
        answer = _answer(question, route.refused.answer, "bad", response)
        return (Sequence("refused, whatever the study", "bad", (request, answer), _remarks((route.refused,))),)
    return tuple(_of_way(route, way, response) for way in route.ways)


def _of_way(route: Route, way: Way, response: Response | None) -> Sequence:
    question = route.question
    mood = _MOODS[way.outcome]
    answer = next((failure.answer for failure in way.failures), "0000") or "no answer"
    messages = (_request(route), *map(_message, way.steps), _answer(question, answer, mood, response))
    if mood == "good" and response is not None and response.mood != "good":
        mood = "open"
    holder = visible(f" ({way.holder})") if way.holder else ""
    heading = f"{way.state.value} {way.ending}: {way.branch.value}{holder}"
    return Sequence(heading, mood, messages, (*_remarks(way.failures), *_needs(way)))


def _request(route: Route) -> Message:
    question = route.question
    above = f"C-MOVE, Move Destination {question.destination}"
    below = str(route.listens or "")
    return Message(visible(question.calling), visible(question.asked.title), visible(above), visible(below))


def _message(step: Step) -> Message:
    above = f"{step.message} as {step.calling}"
    if step.destination:
        above += f", Move Destination {step.destination}"
    below = str(step.address) if step.address else "(nowhere)"
    return Message(visible(step.sender), visible(step.receiver), visible(above), visible(below))


def _answer(question: Question, answer: str, mood: Mood, response: Response | None) -> Message:
    """Return the last message: the expected *answer*, or the *response* that came, with what was expected instead."""
    if response is not None:
        mood = response.mood
        answer = answer if answer.startswith(response.words) else f"{response.words} (expected: {answer})"
    return Message(visible(question.asked.title), visible(question.calling), visible(answer), answer=True, mood=mood)


def _needs(way: Way) -> tuple[str, ...]:
    return tuple(visible(f"needs: {need_in_words(need)}") for need in way.needs if not way.failures)


def _remarks(failures: tuple[Failure, ...]) -> tuple[str, ...]:
    return tuple(visible(failure.why) for failure in failures)
