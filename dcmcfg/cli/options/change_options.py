"""The options of a changing command: how the plan is applied, and which risks the user accepts by name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.options.node_options import NodeOptions, node_options
from dcmcfg.cli.options.output_options import HTML, JSON, MARKDOWN, TEXT, file_option, format_option
from dcmcfg.cli.options.topic_option import topic_option
from dcmcfg.cli.session.output import STDOUT
from dcmcfg.cli.topics import SAFETY_OVERRIDES
from dcmcfg.errors import Refused
from dcmcfg.plan import risk_checks
from dcmcfg.plan.risk_checks import NewFinding, Risk
from dcmcfg.plan.server_schema import SERVER_SCHEMA
from dcmcfg.render.terminal.console import make_console, print_prose

F = TypeVar("F", bound=Callable[..., object])

#: Risk → the help of the option that accepts it.
HELP_BY_RISK = {
    risk_checks.MANY_CHANGES: "Allow a plan that changes more than 30 % of the entries.",
    risk_checks.MANY_DELETES: "Allow a plan that deletes more than 30 % of the entries.",
    risk_checks.ARCHIVE_DEVICE: "Allow a plan that deletes or renames the device of the archive.",
    risk_checks.RECORDED_STUDIES: "Allow a plan that removes or renames an AE for which the archive's database "
    "contains studies.",
    risk_checks.STORED_OBJECTS: "Allow a plan that removes or renames a storage for which the archive's database "
    "contains objects.",
    risk_checks.DANGLING_REFERENCE: "Allow a reference to an entry that does not exist.",
    risk_checks.VENDOR_DATA_CHANGE: "Allow a plan that changes dicomVendorData.",
    risk_checks.UNLOADABLE: "Allow settings that the archive cannot load, or that make the next start of the archive "
    "fail.",
    risk_checks.UNUSABLE_REFERENCE: "Allow a setting to refer to an AE that does not exist or is not suitable.",
    SERVER_SCHEMA: "Allow values that the published schema of the directory server forbids. The server itself accepts "
    "or refuses the values.",
}
#: Parameter of an option → the risk that it accepts.
RISK_BY_PARAMETER = {f"force_{name.replace('-', '_')}": name for name in HELP_BY_RISK}


def force_options() -> Iterator[Callable[[F], F]]:
    """Yield the decorator of an option ``--force-RISK`` for each risk."""
    for name, text in HELP_BY_RISK.items():
        yield topic_option(SAFETY_OVERRIDES)(f"--force-{name}", is_flag=True, help=text)


def require_forced(risks: Sequence[Risk], forced_risks: Collection[str]) -> None:
    """Raise :class:`Refused` when one of *risks* is not accepted by *forced_risks*."""
    refused_risks = _find_refused(risks, forced_risks)
    if not refused_risks:
        return
    options = _format_force_options(refused_risks)
    headlines = [_format_headline(risk) for risk in refused_risks]
    single_headline = f" {headlines.pop()}" if len(headlines) == 1 else ""
    details = [*headlines, *(f"  {line}" for risk in refused_risks for line in risk.details)]
    findings = [finding for risk in refused_risks for finding in risk.findings]
    next_step = (
        f"{_describe_correction(findings)}; to apply the plan anyway: {options}"
        if findings
        else f"to apply the plan anyway: {options}"
    )
    if avoidance := "; ".join(risk.avoidance for risk in refused_risks if risk.avoidance):
        next_step = f"{avoidance}; or {next_step}"
    raise Refused(f"the plan is refused:{single_headline}", next_step=next_step, details=details)


def describe_refusal(risks: Sequence[Risk], forced_risks: Collection[str]) -> str:
    """Return the message that :func:`require_forced` would refuse the plan with *risks*; empty if it would not."""
    refused_risks = _find_refused(risks, forced_risks)
    if not refused_risks:
        return ""
    return f"dry run: the plan would be refused without {_format_force_options(refused_risks)}"


def format_accepted_options(risks: Sequence[Risk], forced_risks: Collection[str]) -> str:
    """Return the options that accept *risks* and the other *forced_risks* again, each after a blank."""
    names = [risk.name for risk in risks]
    names += [SERVER_SCHEMA] if SERVER_SCHEMA in forced_risks else []
    return "".join(f" --force-{name}" for name in dict.fromkeys(names))


def _find_refused(risks: Sequence[Risk], forced_risks: Collection[str]) -> list[Risk]:
    return [risk for risk in risks if not risk.is_accepted(forced_risks)]


def _format_force_options(risks: Sequence[Risk]) -> str:
    return " ".join(dict.fromkeys(f"--force-{risk.name}" for risk in risks))


def _describe_correction(findings: Sequence[NewFinding]) -> str:
    """Return what to correct; a single attribute by its name."""
    attributes = {new.finding.attribute for new in findings}
    if len(attributes) == 1 and (name := attributes.pop()):
        return f"correct {name} (dcmcfg explain {name})"
    return "first fix the findings as suggested above"


def format_risks(risks: Iterable[Risk], forced_risks: Collection[str], *, include_refused: bool) -> Iterator[str]:
    """Yield a sentence for each accepted risk, and with *include_refused* also for each that is not accepted."""
    for risk in risks:
        if risk.is_accepted(forced_risks):
            yield _format_headline(risk)
        elif include_refused:
            yield f"{_format_headline(risk)}; this requires --force-{risk.name}"
        else:
            continue
        yield from risk.details


def _format_headline(risk: Risk) -> str:
    """Return *risk* in one line, without the entries if its details contain the entries."""
    return f"{risk.name}: {risk.description}" if risk.findings else str(risk)


R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class ChangeOptions:
    """The options of a changing command: how to show and apply its plan."""

    dry_run: bool
    yes: bool
    plan_file: Path | None
    no_reload: bool
    #: The format of the output on standard output, as in ``--format``.
    form: str
    #: Also print the plan as LDIF, even if the plan is long.
    show_ldif: bool = False
    #: Standard output is used for a report or LDIF, so the plan is shown on standard error.
    stdout_reserved: bool = False
    #: Assert for each entry that nothing in it has changed since it was read.
    strict: bool = False
    #: One transaction (true) or step by step (false), if the user has specified it.
    in_transaction: bool | None = None
    #: The names of the accepted risks.
    forced_risks: frozenset[str] = frozenset()
    #: The nodes that load the change, and how.
    nodes: NodeOptions = field(default_factory=NodeOptions)

    @property
    def as_json(self) -> bool:
        """Whether the output on standard output is JSON."""
        return self.form == JSON

    @property
    def stdout_option(self) -> str:
        """The option that makes standard output reserved."""
        return "--output -" if self.form == TEXT else _format_form_option(self.form)

    def print_lines(self, *lines: str) -> None:
        """Print *lines* on the stream of the plan, with this run's site options in their commands."""
        console = make_console(on_stderr=self.stdout_reserved)
        for line in lines:
            print_prose(console, invocation.current().insert_site_options(line))


def _format_form_option(form: str) -> str:
    return "--json" if form == JSON else f"--format {form}"


def changing_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the options of a changing command as parameter ``options`` (:class:`ChangeOptions`)."""
    return changing_options_with_forms(TEXT, JSON, MARKDOWN, HTML)(command)


def changing_options_with_forms(
    *forms: str, flags: Sequence[str] = ()
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return the decorator :func:`changing_options` for a command with other formats of its output.

    *forms* and *flags* are those of :func:`~dcmcfg.cli.options.output_options.format_option`.
    """
    return functools.partial(_add_options, forms=forms, flags=flags)


def _add_options(command: Callable[..., R], *, forms: Sequence[str], flags: Sequence[str]) -> Callable[..., R]:
    @functools.wraps(command)
    def with_change_options(
        *,
        dry_run: bool,
        yes: bool,
        output: Path | None,
        no_reload: bool,
        form: str,
        strict: bool,
        in_transaction: bool | None,
        show_ldif: bool,
        node_options: NodeOptions,
        **rest: Any,
    ) -> R:
        plan_to_stdout = output is not None and str(output) == STDOUT
        if plan_to_stdout and form != TEXT:
            raise click.UsageError(
                f"--output - and {_format_form_option(form)} both write to standard output; specify a "
                "file with --output"
            )
        invocation.current().changes_directory = True
        forced = frozenset(risk for parameter, risk in RISK_BY_PARAMETER.items() if rest.pop(parameter))
        invocation.current().skip_schema_check = SERVER_SCHEMA in forced
        options = ChangeOptions(
            dry_run=dry_run,
            yes=yes,
            plan_file=output,
            no_reload=no_reload,
            form=form,
            show_ldif=show_ldif,
            stdout_reserved=form != TEXT or plan_to_stdout,
            strict=strict,
            in_transaction=in_transaction,
            forced_risks=forced,
            nodes=node_options,
        )
        return command(options=options, **rest)

    decorators: Sequence[Callable[[Callable[..., Any]], Callable[..., Any]]] = (
        click.option("--dry-run", is_flag=True, help="Show the plan, and change nothing."),
        click.option("--show-ldif", is_flag=True, help="Also print the plan as LDIF, even if the plan is long."),
        click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation."),
        file_option(
            "PLAN",
            "Also write the plan to the new file PLAN, for 'dcmcfg apply' or ldapmodify; '-' is standard output.",
            click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        ),
        click.option(
            "--no-reload",
            is_flag=True,
            help="Do not reload the archive. The archive then loads the change at its next reload or start, or when "
            "the free space of a storage falls below its dcmStorageThreshold.",
        ),
        click.option(
            "--strict",
            is_flag=True,
            help="Refuse the plan if an entry of the plan was modified after dcmcfg read the entry.",
        ),
        click.option(
            "--transaction/--step-by-step",
            "in_transaction",
            default=None,
            help="Apply the plan in one transaction, or step by step. Default: in one transaction, if the server "
            "supports transactions and has no replicas.",
        ),
        format_option(*forms, flags=flags),
        node_options(),
        *force_options(),
    )
    # The decorator that is applied last is the first option in --help, hence the reversed order.
    for option in reversed(decorators):
        with_change_options = option(with_change_options)
    return with_change_options
