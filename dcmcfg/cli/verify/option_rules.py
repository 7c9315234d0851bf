"""Rules for combinations of ``verify`` options; checked before a server is contacted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import click

from dcmcfg.cli.options.site_command import get_given_options

#: Option or kind of run → its spelling in messages; for a kind of run, the option that selects it.
_OptionsInUse = Mapping[str, str]
#: Kinds of runs: several studies, one study whose result is stored as for several, and one study.
_SEVERAL_STUDIES, _STORED_STUDY, _SINGLE_STUDY = "several studies", "a kept study", "one study"
_RESULT_OPTIONS = ("--results", "--again", "--only-failed")
_REPORT_OPTIONS = ("--csv", "--junit", "--html", "--output")
_RUN_OPTIONS = ("--parallel", "--rate", "--retries", "--patience-s")
_SINGLE_STUDY_OPTIONS = ("--series", "--image", "--patient-id", "--patient-id-issuer", "--expect")
_RECEIVE_OPTIONS = ("--receive", "--keep", "--temporary-dest")


@dataclass(frozen=True)
class _RequiresAnyOf:
    """Options that require one of ``any_of``."""

    options: tuple[str, ...]
    any_of: tuple[str, ...]
    reason: str = ""

    def find_problem(self, options_in_use: _OptionsInUse) -> str | None:
        option_in_use = next((options_in_use[each] for each in self.options if each in options_in_use), None)
        if option_in_use is None or options_in_use.keys() & set(self.any_of):
            return None
        *first_options, last = self.any_of
        alternatives = f"{', '.join(first_options)} or {last}" if first_options else last
        return f"{option_in_use} requires {alternatives}{self.reason and ': '}{self.reason}"


@dataclass(frozen=True)
class _ConflictsWith:
    """Options that exclude each of ``others``.

    ``message_format`` has both, as ``{one}`` and ``{other}``.
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
    """An option that can be combined only with ``others``."""

    option: str
    others: tuple[str, ...]
    reason: str

    def find_problem(self, options_in_use: _OptionsInUse) -> str | None:
        options = (each for each in options_in_use if each.startswith("--"))
        disallowed = next((each for each in options if each not in (self.option, *self.others)), None)
        if self.option not in options_in_use or disallowed is None:
            return None
        return f"{self.option} {self.reason} and cannot be combined with {disallowed}"


#: The first violated rule is reported.
_RULES: tuple[_RequiresAnyOf | _ConflictsWith | _AllowsOnly, ...] = (
    _AllowsOnly("--clean-temporary", ("--yes", "--json"), "sends no C-MOVE"),
    _ConflictsWith(
        ("--recall",),
        ("--study", "--studies"),
        "{one} cannot be combined with {other}; use --query to limit the search",
    ),
    _ConflictsWith(
        ("--limit", *_RUN_OPTIONS, *_RESULT_OPTIONS),
        ("--recall",),
        "{one} is for many studies, but {other} finds one study",
    ),
    _ConflictsWith(
        _SINGLE_STUDY_OPTIONS, ("--recall",), "{one} requires a known study, but {other} searches for a study"
    ),
    _ConflictsWith(("--study",), ("--studies", "--query"), "{one} and {other} cannot be used together"),
    _ConflictsWith(("--studies",), ("--query",), "{one} and {other} cannot be used together"),
    _ConflictsWith(
        _SINGLE_STUDY_OPTIONS, (_SEVERAL_STUDIES,), "{one} is for one study, but {other} selects many studies"
    ),
    _ConflictsWith(("--details",), ("--json",), "{one} is for the text report. {other} always has all details"),
    _ConflictsWith(_RUN_OPTIONS, (_SINGLE_STUDY,), "{one} is for many studies, but {other} specifies one study"),
    _ConflictsWith(("--again",), ("--only-failed",), "{one} and {other} cannot be used together"),
    _ConflictsWith(("--temporary-dest",), ("--dest",), "{one} and {other} cannot be used together"),
    _RequiresAnyOf(("--limit",), ("--query",)),
    _RequiresAnyOf(("--temporary-address", "--show-plan"), ("--temporary-dest",)),
    _RequiresAnyOf(("--yes",), ("--temporary-dest", "--clean-temporary"), "nothing else requires confirmation"),
    _RequiresAnyOf(("--require-observation",), _RECEIVE_OPTIONS, "otherwise dcmcfg does not receive the instances"),
    _RequiresAnyOf(("--patient-id-issuer",), ("--patient-id",)),
    _RequiresAnyOf(("--replace",), ("--evidence", *_REPORT_OPTIONS), "no other file is written"),
)


def require_consistent_options(studies: tuple[str, ...], *, as_json: bool) -> None:
    """Raise :class:`click.UsageError` with both names if options of the current command cannot be used together.

    *studies* are those of ``--study``. *as_json* is true for ``--json``, whatever its spelling and position. Only
    options on the command line count.
    """
    given_options = {each: each for each in get_given_options(click.get_current_context())}
    given_options.pop("--out", None)  # the hidden name of --output; click reports the value for both
    if as_json:  # also spelled --format json, or given before the command
        given_options.pop("--format", None)
        given_options["--json"] = "--json"
    options_in_use = given_options | _classify_run(given_options, studies)
    for rule in _RULES:
        if (problem := rule.find_problem(options_in_use)) is not None:
            raise click.UsageError(problem)
    if "--clean-temporary" in given_options:
        return
    if not given_options.keys() & {"--study", "--studies", "--query", "--recall"}:
        raise click.UsageError(
            "Missing option '--study'. Instead of --study, you can specify --studies, --query or --recall."
        )
    if not given_options.keys() & {"--dest", "--temporary-dest"}:
        raise click.UsageError("Missing option '--dest'. Instead of --dest, you can specify --temporary-dest.")


def _classify_run(given_options: _OptionsInUse, studies: tuple[str, ...]) -> dict[str, str]:
    """Return the kind of run, with the option that selects it."""
    if "--recall" in given_options:
        return {}
    if several_option := next((each for each in ("--studies", "--query") if each in given_options), None):
        return {_SEVERAL_STUDIES: several_option}
    if len(set(studies)) > 1:
        return {_SEVERAL_STUDIES: "a second --study"}
    if storing_option := next((each for each in _RESULT_OPTIONS if each in given_options), None):
        return {_STORED_STUDY: storing_option}
    return {_SINGLE_STUDY: "--study"} if studies else {}
