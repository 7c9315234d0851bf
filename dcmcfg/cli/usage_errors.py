"""Suggestions for misspelt commands and options, and the texts of click's usage errors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

import click

from dcmcfg.errors import MalformedInput
from dcmcfg.suggestions import suggest_names

V = TypeVar("V", str, "tuple[str, ...]", "str | None")

#: Verbs with one meaning: a noun has one of each group.
_SYNONYMS = (
    frozenset({"add", "create", "new"}),
    frozenset({"remove", "delete", "rm"}),
    frozenset({"show", "get"}),
    frozenset({"list", "ls"}),
)
_VERBS = frozenset().union(*_SYNONYMS, {"rename", "set", "unset", "edit", "copy", "clone", "diff", "use"})
_REMOVING_VERBS = frozenset({"remove", "delete", "unset"})
#: Similarity of a typo to the verb that it means; less is not enough to suggest a verb that removes something.
_TYPO_SIMILARITY = 0.75
_MAX_SUGGESTIONS = 3
_MIN_PREFIX_LENGTH = 3


def suggest_commands(name: str, known: Collection[str]) -> tuple[str, ...]:
    """Return commands of *known* that *name* may mean: synonyms, otherwise similar names.

    A command that removes something is suggested for a synonym or a typo of it only.
    """
    synonyms = next((group for group in _SYNONYMS if name in group), frozenset[str]())
    if found := tuple(each for each in known if each in synonyms):
        return found
    typo_of = () if name in _VERBS else suggest_names(name, _REMOVING_VERBS, min_similarity=_TYPO_SIMILARITY)
    return tuple(each for each in suggest_names(name, known) if each not in _REMOVING_VERBS or each in typo_of)


def format_hint(similar_names: Sequence[str]) -> str:
    """Return `` Did you mean A, B?`` with a leading blank; an empty string without names."""
    return f" Did you mean {', '.join(similar_names)}?" if similar_names else ""


def require_known_command(ctx: click.Context, args: Sequence[str], known: Collection[str]) -> None:
    """Raise a usage error with similar names if *args* begin with a command that is not in *known*."""
    if ctx.resilient_parsing or not args or args[0].startswith("-") or args[0] in known:
        return
    ctx.fail(f"No such command {args[0]!r}.{format_hint(suggest_commands(args[0], known))}")


def reword_usage_error(error: click.ClickException) -> click.ClickException:
    """Return *error* with a message in one line, and with suggestions in the form of all others."""
    if isinstance(error, click.NoSuchOption):
        similar = () if error.ctx is None else _suggest_options(error.option_name, error.ctx)
        return click.UsageError(f"No such option {error.option_name!r}.{format_hint(similar)}", error.ctx)
    if not isinstance(error, click.MissingParameter):
        return error
    param = error.param
    if param is not None and isinstance(param.type, click.Choice):
        is_option = isinstance(param, click.Option)
        name = param.get_error_hint(error.ctx) if is_option else repr(param.metavar or (param.name or "").upper())
        choices = ", ".join(each if param.type.case_sensitive else each.lower() for each in param.type.choices)
        return click.UsageError(f"Missing {param.param_type_name} {name}, one of: {choices}.", error.ctx)
    return error


def require_value(ctx: click.Context, param: click.Parameter, value: V) -> V:
    """Return *value*, the text or the texts of the option *param*; a callback of click.

    Raises :class:`MalformedInput` for an empty text, and for a text that looks like an option: in ``--study $STUDY
    --dest AET``, the shell removes an empty variable, and click then takes ``--dest`` as the value of ``--study``.
    """
    if ctx.resilient_parsing:
        return value
    for text in (value,) if isinstance(value, str) else value or ():
        if text.strip() and not text.startswith("--"):
            continue
        following = f" (the next word is {text})" if text.strip() else ""
        raise MalformedInput(
            f"{param.opts[0]} has no value{following}; the shell variable might be empty",
            next_step='check the variable, and write it in quotation marks: "$NAME"',
        )
    return value


def _suggest_options(name: str, ctx: click.Context) -> tuple[str, ...]:
    """Return the options of the command of *ctx* that *name* may mean, without the hidden ones.

    Options that begin like *name* are first.
    """
    word = name.lstrip("-")
    by_word = {each.lstrip("-"): each for each in _list_long_options(ctx)}
    prefixed = [
        each
        for each in by_word
        if min(len(word), len(each)) >= _MIN_PREFIX_LENGTH and (each.startswith(word) or word.startswith(each))
    ]
    found = dict.fromkeys((*sorted(prefixed), *suggest_names(word, by_word)))
    return tuple(by_word[each] for each in found)[:_MAX_SUGGESTIONS]


def _list_long_options(ctx: click.Context) -> Iterator[str]:
    for parameter in ctx.command.get_params(ctx):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield from (each for each in (*parameter.opts, *parameter.secondary_opts) if each.startswith("--"))
