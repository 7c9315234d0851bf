"""Which options of ``verify`` go together: one table, asked before anything else is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import click

from dcmcfg.cli.options.site_command import given_options

#: What is meant, each with how it is spelt: options by themselves, kinds of runs by what makes them so.
_Meant = Mapping[str, str]
#: Runs over several studies, over one whose answer is kept as that of several is, and of one study.
_SEVERAL, _KEPT, _SINGLE = "several studies", "a kept study", "one study"
_ANSWERS = ("--results", "--again", "--only-failed", "--csv", "--junit", "--html")
_MANNER = ("--parallel", "--rate", "--retries", "--patience-s")
_OF_ONE = ("--series", "--image", "--patient-id", "--patient-id-issuer", "--expect")
_RECEIVING = ("--receive", "--keep", "--temporary-dest")


@dataclass(frozen=True)
class _Needs:
    """Options without a meaning unless one of ``any_of`` is there."""

    options: tuple[str, ...]
    any_of: tuple[str, ...]
    why: str = ""

    def problem(self, meant: _Meant) -> str | None:
        one = next((meant[each] for each in self.options if each in meant), None)
        if one is None or meant.keys() & set(self.any_of):
            return None
        *most, last = self.any_of
        either = f"{', '.join(most)} or {last}" if most else last
        return f"{one} goes with {either}{self.why and ': '}{self.why}"


@dataclass(frozen=True)
class _Apart:
    """Options without a meaning where one of ``others`` is there; ``words`` name both, as ``{one}`` and ``{other}``."""

    options: tuple[str, ...]
    others: tuple[str, ...]
    words: str

    def problem(self, meant: _Meant) -> str | None:
        one = next((meant[each] for each in self.options if each in meant), None)
        other = next((meant[each] for each in self.others if each in meant), None)
        return None if one is None or other is None else self.words.format(one=one, other=other)


@dataclass(frozen=True)
class _Alone:
    """An option beside which only ``others`` have a meaning."""

    option: str
    others: tuple[str, ...]
    why: str

    def problem(self, meant: _Meant) -> str | None:
        options = (each for each in meant if each.startswith("--"))
        strange = next((each for each in options if each not in (self.option, *self.others)), None)
        if self.option not in meant or strange is None:
            return None
        return f"{self.option} {self.why}: {strange} has no meaning with it"


#: The first that does not hold is told.
_TABLE: tuple[_Needs | _Apart | _Alone, ...] = (
    _Alone("--clean-temporary", ("--yes", "--json"), "moves nothing"),
    _Apart(("--recall",), ("--study", "--studies"), "{one} takes the place of {other}; --query says where it looks"),
    _Apart(("--limit", *_MANNER, *_ANSWERS), ("--recall",), "{one} is for many studies, and {other} takes one"),
    _Apart(_OF_ONE, ("--recall",), "{one} is of a study that is known, and {other} takes any"),
    _Apart(("--study",), ("--studies", "--query"), "name the studies in one way: {one} and {other} are two"),
    _Apart(("--studies",), ("--query",), "name the studies in one way: {one} and {other} are two"),
    _Apart(_OF_ONE, (_SEVERAL,), "{one} is for one study, and {other} makes them many"),
    _Apart(
        ("--details",),
        (_SEVERAL, _KEPT),
        "{one} is for one study, and {other} makes a run over many, of which --csv, --junit and --html tell",
    ),
    _Apart(("--details",), ("--json",), "{one} adds to the report, and {other} has all of it anyway"),
    _Apart(_MANNER, (_SINGLE,), "{one} is for many studies, and {other} names one: leave it out"),
    _Apart(("--again",), ("--only-failed",), "{one} asks for all studies anew, {other} for those that failed"),
    _Apart(("--temporary-dest",), ("--dest",), "{one} takes the place of {other}"),
    _Needs(("--limit",), ("--query",)),
    _Needs(("--temporary-address", "--show-plan"), ("--temporary-dest",)),
    _Needs(("--yes",), ("--temporary-dest", "--clean-temporary"), "nothing else is asked"),
    _Needs(("--require-witness",), _RECEIVING, "without it nobody of ours can see what arrives"),
    _Needs(("--patient-id-issuer",), ("--patient-id",)),
    _Needs(("--replace",), ("--evidence", "--csv", "--junit", "--html"), "no other file is written"),
)


def require_sense(studies: tuple[str, ...]) -> None:
    """Raise :class:`click.UsageError` where options of the command that runs do not go together, naming both.

    *studies* are those of ``--study``. Only what was said on the command line counts.
    """
    given = {each: each for each in given_options(click.get_current_context())}
    meant = given | _kind(given, studies)
    for row in _TABLE:
        if (problem := row.problem(meant)) is not None:
            raise click.UsageError(problem)
    if "--clean-temporary" in given:
        return
    if not given.keys() & {"--study", "--studies", "--query", "--recall"}:
        raise click.UsageError("Missing option '--study', or --studies, --query, --recall.")
    if not given.keys() & {"--dest", "--temporary-dest"}:
        raise click.UsageError("Missing option '--dest', or --temporary-dest.")


def _kind(given: _Meant, studies: tuple[str, ...]) -> dict[str, str]:
    """Return what kind of run it is, with what makes it that."""
    if "--recall" in given:
        return {}
    if several := next((each for each in ("--studies", "--query") if each in given), None):
        return {_SEVERAL: several}
    if len(set(studies)) > 1:
        return {_SEVERAL: "a second --study"}
    if kept := next((each for each in _ANSWERS if each in given), None):
        return {_KEPT: kept}
    return {_SINGLE: "--study"} if studies else {}
