"""``dcmcfg monitor``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.options.output_options import file_option, format_option
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.site_command import SiteCommand, option_group, section_option, site_options
from dcmcfg.cli.printing import print_output
from dcmcfg.cli.session.monitored_site import make_evidence_opener, make_monitored_site
from dcmcfg.cli.session.output import STDOUT, print_json, print_text, write_atomically
from dcmcfg.cli.usage_errors import require_value
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.monitoring.parts import Part, make_limits
from dcmcfg.monitoring.recall_request import RecallRequest
from dcmcfg.monitoring.report import SiteReport
from dcmcfg.monitoring.run import CheckRequest, check_site, select_parts
from dcmcfg.render.monitoring.nagios import format_plugin_output
from dcmcfg.render.monitoring.objects import format_json_text, site_report_json
from dcmcfg.render.monitoring.openmetrics import format_openmetrics
from dcmcfg.settings import Settings

NAGIOS, OPENMETRICS, JSON = "nagios", "openmetrics", "json"
#: Seconds; check_nrpe and check_by_ssh end a plugin after 10 seconds.
_TIMEOUT_S, _MAX_TIMEOUT_S = 8.0, 86_400
_MAX_INTERVAL_H = 8_760
_HOUR_S = 3600
_METRICS_SUFFIX = ".prom"
_PART = click.Choice([each.value for each in Part])


def _complete_ae_title(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the AE titles that begin with *incomplete*; a check does not load the modules of completion."""
    from dcmcfg.cli.completers import complete_ae_title

    return complete_ae_title(ctx, param, incomplete)


@dataclass(frozen=True, kw_only=True)
class PartOptions:
    """The parts to check, and their limits."""

    only: tuple[str, ...]
    skip: tuple[str, ...]
    warning: tuple[str, ...]
    critical: tuple[str, ...]
    against: Path | None
    echo: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RecallOptions:
    """The recall; None without ``--recall``."""

    recall: str | None
    recall_study: str | None
    recall_interval_h: float
    recall_stored: bool

    def make_request(self, settings: Settings) -> RecallRequest | None:
        """Return the recall, None if there is none; raises a usage error for options that require ``--recall``."""
        if self.recall is None:
            if self.recall_study is not None or self.recall_stored:
                raise click.UsageError("--recall-study and --recall-stored require --recall")
            return None
        return RecallRequest(
            destination_ae_title=parse_ae_title(self.recall),
            calling_ae_title="DCMCFG",
            open_evidence_sources=make_evidence_opener(settings),
            study_uid=parse_uid(self.recall_study) if self.recall_study is not None else "",
            interval_s=self.recall_interval_h * _HOUR_S,
            is_stored_only=self.recall_stored,
        )


_recall_option = section_option("Recall")
_part_options = option_group(
    "parts",
    PartOptions,
    [
        click.option("--only", type=_PART, multiple=True, metavar="PART", help="Check only PART; can be repeated."),
        click.option("--skip", type=_PART, multiple=True, metavar="PART", help="Do not check PART; can be repeated."),
        click.option(
            "--warning",
            multiple=True,
            metavar="PART=N",
            help="Limit of PART for the state WARNING, or 'none' for no limit. A value equal to the limit is not a "
            "WARNING. Can be repeated.",
        ),
        click.option(
            "--critical",
            multiple=True,
            metavar="PART=N",
            help="Limit of PART for the state CRITICAL, or 'none' for no limit. A value equal to the limit is not "
            "CRITICAL. Can be repeated.",
        ),
        click.option(
            "--against",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Check the part 'drift': compare the directory with FILE (an export or a snapshot).",
        ),
        click.option(
            "--echo",
            multiple=True,
            metavar="AET",
            shell_complete=_complete_ae_title,
            help="Also send a C-ECHO to this AE; can be repeated. The archive's own AE is always called.",
        ),
    ],
)
_recall_options = option_group(
    "recall",
    RecallOptions,
    [
        _recall_option(
            "--recall",
            metavar="AET",
            callback=require_value,
            help="Also check the part 'recall': ask the archive to send a purged study to this Move Destination.",
        ),
        _recall_option(
            "--recall-study",
            metavar="UID",
            callback=require_value,
            help="Recall this study. Default: the smallest purged study that dcmcfg finds.",
        ),
        _recall_option(
            "--recall-interval-h",
            type=Quantity(min=0, max=_MAX_INTERVAL_H),
            default=24.0,
            show_default=True,
            metavar="H",
            help="Recall at most once in H hours. Between recalls, the last result is reported.",
        ),
        _recall_option(
            "--recall-stored", is_flag=True, help="Report the result of the last recall. Do not start a recall."
        ),
    ],
)


@click.command("monitor", cls=SiteCommand)
@_part_options
@_recall_options
@click.option(
    "--timeout-s",
    type=Quantity(min=0.5, max=_MAX_TIMEOUT_S),
    default=_TIMEOUT_S,
    show_default=True,
    metavar="S",
    help="End the check after S seconds. A part without a result is UNKNOWN.",
)
@format_option(NAGIOS, OPENMETRICS, JSON)
@file_option(
    "FILE",
    "Write the output to FILE. dcmcfg replaces FILE only when the output is complete. Standard output then has only "
    "the summary.",
)
@site_options
def monitor_command(
    settings: Settings,
    *,
    parts: PartOptions,
    recall: RecallOptions,
    timeout_s: float,
    form: str,
    output: str | None,
) -> int:
    """Report the state of a site to a monitoring system.

    Parts: 'directory' reads the directory. 'nodes' requires that each node is started. 'loaded' checks that each node
    has loaded the configuration that is in the directory. 'replicas' compares the replicas that the nodes read. 'check'
    runs 'dcmcfg check'. 'drift' compares the directory with a file (--against). 'echo' sends a C-ECHO. 'certificates'
    shows when the certificates in the directory expire. 'recall' verifies one purged study (--recall). The parts run in
    parallel.

    The default format is the output of a Nagios plugin. The format 'openmetrics' is for Prometheus. 'dcmcfg help
    monitoring' describes states, limits and metrics.

    Exit codes: 0 OK. 1 WARNING. 2 CRITICAL. 3 UNKNOWN, also for a wrong option or an internal error.
    """
    request = _make_request(settings, parts, recall, timeout_s)
    site, notes = make_monitored_site(settings, timeout_s)
    report = check_site(site, request, settings.profile or settings.ldap_url)
    report = replace(report, notes=notes).map_details(invocation.current().insert_site_options)
    _write_report(report, form, output)
    return report.state.exit_code


def _make_request(
    settings: Settings, options: PartOptions, recall_options: RecallOptions, timeout_s: float
) -> CheckRequest:
    recall = recall_options.make_request(settings)
    has_replicas = any(each.ldap_url != settings.ldap_url for each in settings.nodes)
    prerequisites = {
        Part.REPLICAS: ""
        if has_replicas
        else "a node that reads a replica; add this node to the profile (dcmcfg help nodes)",
        Part.DRIFT: "" if options.against is not None else "--against FILE",
        Part.RECALL: "" if recall is not None else "--recall AET",
    }
    return CheckRequest(
        parts=select_parts(
            tuple(map(Part, options.only)),
            tuple(map(Part, options.skip)),
            {part: text for part, text in prerequisites.items() if text},
        ),
        limits=make_limits(options.warning, options.critical),
        timeout_s=timeout_s,
        drift_file=options.against,
        ae_titles=tuple(each if "/" in each else parse_ae_title(each) for each in options.echo),
        recall=recall,
    )


def _write_report(report: SiteReport, form: str, output: str | None) -> None:
    """Print *report*, or write it to the file *output*, which other accounts can read, and print its summary."""
    if output is not None and output != STDOUT:
        text = _format(report, form)
        write_atomically(output, [text], readable_by_all=True)
        print_output(format_plugin_output(report).split(" | ")[0])
        if form == OPENMETRICS and not output.endswith(_METRICS_SUFFIX):
            # On standard output, because Icinga reads standard error as a part of the result.
            print_output(f"warning: node_exporter reads only files whose name ends in {_METRICS_SUFFIX}")
    elif form == JSON:
        print_json(site_report_json(report))
    else:
        print_text([_format(report, form)])


def _format(report: SiteReport, form: str) -> str:
    match form:
        case "nagios":
            return format_plugin_output(report)
        case "openmetrics":
            return format_openmetrics(report)
        case _:
            return format_json_text(report)
