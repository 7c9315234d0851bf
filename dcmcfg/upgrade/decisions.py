"""Number the decisions of a merge, and find those that the user answers, by number or by place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dcmcfg.errors import Refused
from dcmcfg.upgrade.merge_result import Decision, Place
from dcmcfg.upgrade.trees import UpgradeTree


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The decisions in which the release wins, those in which the site's state stays, and those that are open."""

    taken: tuple[Decision, ...]
    kept: tuple[Decision, ...]
    open: tuple[Decision, ...]

    def list_taken_places(self, tree: UpgradeTree) -> frozenset[Place]:
        """Return the places of the decisions in which the release wins."""
        return frozenset(Place(tree.key(each.dn), each.attribute.lower(), each.value_key) for each in self.taken)

    def split_after(self, count: int) -> tuple[Answers, Answers]:
        """Return the answers to the decisions up to the number *count*, and to those after it."""
        return self._select(lambda number: number <= count), self._select(lambda number: number > count)

    def _select(self, accepts: Callable[[int], bool]) -> Answers:
        taken, kept, left = (
            tuple(each for each in group if accepts(each.number)) for group in (self.taken, self.kept, self.open)
        )
        return Answers(taken=taken, kept=kept, open=left)

    def follow(self, decisions: Iterable[Decision]) -> Answers:
        """Return these answers without open decisions that are no longer among *decisions*."""
        places = {_get_place(each) for each in decisions}
        return replace(self, open=tuple(each for each in self.open if _get_place(each) in places))


def _get_place(decision: Decision) -> tuple[str, str, bytes]:
    return str(decision.dn), decision.attribute.lower(), decision.value_key


def number_decisions(decisions: Iterable[Decision], after: int = 0) -> tuple[Decision, ...]:
    """Return *decisions* with numbers, the first one *after* + 1; those about the same entry are together."""
    return tuple(replace(each, number=number) for number, each in enumerate(decisions, start=after + 1))


def answer_decisions(decisions: Sequence[Decision], take: Sequence[str], keep: Sequence[str]) -> Answers:
    """Return which of *decisions* the answers *take* and *keep* are about: numbers or places.

    A place is the DN of an entry, then a blank and the attribute if the decision is about one. The end of the DN may be
    missing. Raises :class:`Refused` for an answer that names no decision or several entries, and for a decision that
    cannot be answered in this way.
    """
    taken = [each for text in take for each in _find(decisions, text, "--take")]
    kept = [each for text in keep for each in _find(decisions, text, "--keep")]
    for each in taken:
        if each in kept:
            raise Refused(
                f"--take and --keep are both specified for the decision {format_place(each)}",
                next_step="specify only one of these options",
            )
        if each.needs_other_name:
            raise Refused(
                f"decision {each.number} cannot be answered with --take: {each.reason}",
                subject=str(each.dn),
                next_step="change the entry of the site first, or keep the entry unchanged with --keep",
            )
    answered = {each.number for each in (*taken, *kept)}
    return Answers(
        taken=tuple(taken), kept=tuple(kept), open=tuple(each for each in decisions if each.number not in answered)
    )


def format_place(decision: Decision) -> str:
    """Return the place of *decision* as it is written after ``--take``, with the whole DN."""
    return f"{decision.dn} {decision.attribute}".rstrip()


def replace_numbers(
    answers: Sequence[str], answered: Sequence[Decision], others: Sequence[Decision]
) -> tuple[str, ...]:
    """Return *answers* with the place of each decision instead of its number, because another plan has other numbers.

    *answered* are the decisions that have this answer, *others* all other ones. A number stays if one of *others* has
    the same place, so that the place does not identify the decision.
    """
    ambiguous = {format_place(each) for each in others}
    places = {str(each.number): format_place(each) for each in answered}
    found = (places.get(str(int(each)), each) if each.isdecimal() else each for each in answers)
    named = zip(answers, found, strict=True)
    return tuple(dict.fromkeys(text if place in ambiguous else place for text, place in named))


def _find(decisions: Sequence[Decision], text: str, option: str) -> list[Decision]:
    if text.isdecimal():
        found = [each for each in decisions if each.number == int(text)]
    else:
        found = [each for each in decisions if _is_at(each, text)]
    if not found:
        count = len(decisions)
        raise Refused(
            f"{option} {text}: there is no decision {text}",
            next_step=f"the decisions have the numbers 1 to {count}" if count else "there are no decisions",
        )
    if len({(str(each.dn), each.attribute) for each in found}) > 1:
        raise Refused(
            f"{option} {text} fits several decisions",
            next_step=f"specify one of the numbers {', '.join(str(each.number) for each in found)}",
        )
    return found


def _is_at(decision: Decision, text: str) -> bool:
    place, dn = text.strip().lower(), str(decision.dn).lower()
    if decision.attribute:
        suffix = f" {decision.attribute.lower()}"
        if not place.endswith(suffix):
            return False
        place = place.removesuffix(suffix).strip()
    return dn == place or dn.startswith(f"{place},")
