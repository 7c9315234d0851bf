"""Which options of ``verify`` go together: one table, asked before anything else is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import click

from dcmcfg.cli.options.site_command import get_given_options

#: What is meant, each with how it is spelt: options by themselves, kinds of runs by what makes them so.
_OptionsInUse = Mapping[str, str]
#: Runs over several studies, over one whose answer is kept as that of several is, and of one study.
_SEVERAL_STUDIES, _STORED_STUDY, _SINGLE_STUDY = "several studies", "a kept study", "one study"
_RESULT_OPTIONS = ("--results", "--again", "--only-failed")
_REPORT_OPTIONS = ("--csv", "--junit", "--html", "--output")
_RUN_OPTIONS = ("--parallel", "--rate", "--retries", "--patience-s")
_SINGLE_STUDY_OPTIONS = ("--series", "--image", "--patient-id", "--patient-id-issuer", "--expect")
_RECEIVE_OPTIONS = ("--receive", "--keep", "--temporary-dest")


@dataclass(frozen=True)
class _RequiresAnyOf:
    """Options without a meaning unless one of ``any_of`` is there."""

    options: tuple[str, ...]
    any_of: tuple[str, ...]
    reason: str = ""

    def find_problem(self, options_in_use: _OptionsInUse) -> str | None:
        option_in_use = next((options_in_use[each] for each in self.options if each in options_in_use), None)
        if option_in_use is None or options_in_use.keys() & set(self.any_of):
            return None
        *first_options, last = self.any_of
        alternatives = f"{', '.join(first_options)} or {last}" if first_options else last
        return f"{option_in_use} goes with {alternatives}{self.reason and ': '}{self.reason}"


@dataclass(frozen=True)
class _ConflictsWith:
    """Options without a meaning where one of ``others`` is there.

    ``message_format`` names both, as ``{one}`` and ``{other}``.
    """

    options: tuple[str, ...]
    others: tuple[str, ...]
    message_format: str

    def find_problem(self, options_in_use: _OptionsInUse) -> str | None:
        option_in_use = next((options_in_use[each] for each in self.options if each in options_in_use), None)
        other_in_use = next((options_in_use[each] for each in self.others if each in options_in_use), None)
        return (
            None
            if option_in_use is None or other_in_use is None
            else self.message_format.format(one=option_in_use, other=other_in_use)
        )


@dataclass(frozen=True)
class _AllowsOnly:
    """An option beside which only ``others`` have a meaning."""

    option: str
    others: tuple[str, ...]
    reason: str

    def find_problem(self, options_in_use: _OptionsInUse) -> str | None:
        options = (each for each in options_in_use if each.startswith("--"))
        disallowed = next((each for each in options if each not in (self.option, *self.others)), None)
        if self.option not in options_in_use or disallowed is None:
            return None
        return f"{self.option} {self.reason}: {disallowed} has no meaning with it"


#: The first that does not hold is told.
_RULES: tuple[_RequiresAnyOf | _ConflictsWith | _AllowsOnly, ...] = (
    _AllowsOnly("--clean-temporary", ("--yes", "--json"), "moves nothing"),
    _ConflictsWith(
        ("--recall",), ("--study", "--studies"), "{one} takes the place of {other}; --query says where it looks"
    ),
    _ConflictsWith(
        ("--limit", *_RUN_OPTIONS, *_RESULT_OPTIONS), ("--recall",), "{one} is for many studies, and {other} takes one"
    ),
    _ConflictsWith(_SINGLE_STUDY_OPTIONS, ("--recall",), "{one} is of a study that is known, and {other} takes any"),
    _ConflictsWith(("--study",), ("--studies", "--query"), "name the studies in one way: {one} and {other} are two"),
    _ConflictsWith(("--studies",), ("--query",), "name the studies in one way: {one} and {other} are two"),
    _ConflictsWith(_SINGLE_STUDY_OPTIONS, (_SEVERAL_STUDIES,), "{one} is for one study, and {other} makes them many"),
    _ConflictsWith(("--details",), ("--json",), "{one} adds to the report, and {other} has all of it anyway"),
    _ConflictsWith(_RUN_OPTIONS, (_SINGLE_STUDY,), "{one} is for many studies, and {other} names one: leave it out"),
    _ConflictsWith(("--again",), ("--only-failed",), "{one} asks for all studies anew, {other} for those that failed"),
    _ConflictsWith(("--temporary-dest",), ("--dest",), "{one} takes the place of {other}"),
    _RequiresAnyOf(("--limit",), ("--query",)),
    _RequiresAnyOf(("--temporary-address", "--show-plan"), ("--temporary-dest",)),
    _RequiresAnyOf(("--yes",), ("--temporary-dest", "--clean-temporary"), "nothing else is asked"),
    _RequiresAnyOf(("--require-observation",), _RECEIVE_OPTIONS, "without it nobody of ours can see what arrives"),
    _RequiresAnyOf(("--patient-id-issuer",), ("--patient-id",)),
    _RequiresAnyOf(("--replace",), ("--evidence", *_REPORT_OPTIONS), "no other file is written"),
)


def require_consistent_options(studies: tuple[str, ...], *, as_json: bool) -> None:
    """Raise :class:`click.UsageError` where options of the command that runs do not go together, naming both.

    *studies* are those of ``--study``. *as_json* is true for ``--json``, whatever its spelling and place. Only what was
    said on the command line counts.
    """
    given_options = {each: each for each in get_given_options(click.get_current_context())}
    given_options.pop("--out", None)  # the hidden name of --output, which is there too
    if as_json:
        given_options.pop("--format", None)
        given_options["--json"] = "--json"
    options_in_use = given_options | _classify_run(given_options, studies)
    for rule in _RULES:
        if (problem := rule.find_problem(options_in_use)) is not None:
            raise click.UsageError(problem)
    if "--clean-temporary" in given_options:
        return
    if not given_options.keys() & {"--study", "--studies", "--query", "--recall"}:
        raise click.UsageError("Missing option '--study', or --studies, --query, --recall.")
    if not given_options.keys() & {"--dest", "--temporary-dest"}:
        raise click.UsageError("Missing option '--dest', or --temporary-dest.")


def _classify_run(given_options: _OptionsInUse, studies: tuple[str, ...]) -> dict[str, str]:
    """Return what kind of run it is, with what makes it that."""
    if "--recall" in given_options:
        return {}
    if several_option := next((each for each in ("--studies", "--query") if each in given_options), None):
        return {_SEVERAL_STUDIES: several_option}
    if len(set(studies)) > 1:
        return {_SEVERAL_STUDIES: "a second --study"}
    if storing_option := next((each for each in _RESULT_OPTIONS if each in given_options), None):
        return {_STORED_STUDY: storing_option}
    return {_SINGLE_STUDY: "--study"} if studies else {}
