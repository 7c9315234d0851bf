"""The output of ``dcmcfg monitor``, read by programs that are not ours.

KumaCub, which runs Nagios plugins, splits the output into summary, long output and performance data. The performance
data is read by Monitoring::Plugin, the module of the Monitoring Plugins project for Perl, if it is there.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from kumacub.infrastructure.parsers import NagiosParserArgs, NagiosParserOutput, get_parser
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from dcmcfg.monitoring.state import State

#: KumaCub logs each output that it reads.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
_PART_LINE = re.compile(r"(OK|WARNING|CRITICAL|UNKNOWN) ([a-z]+):( |$)")
_PERL_PROGRAM = """
use Monitoring::Plugin::Performance; use JSON::PP;
local $/; my @found = map { {label => $_->label, value => '' . $_->value, unit => $_->uom, warning => $_->warning,
    critical => $_->critical, min => $_->min} } Monitoring::Plugin::Performance->parse_perfstring(<STDIN>);
print encode_json(\\@found);
"""


@dataclass(frozen=True)
class PluginOutput:
    """The summary, the state of each part by name, the details, and the performance data as text."""

    summary: str
    states: dict[str, State]
    details: tuple[str, ...]
    performance_data: str


def read_plugin_output(text: str, exit_code: int) -> PluginOutput:
    """Read *text*, the standard output of a plugin; the state in its summary is that of the exit code."""
    assert exit_code in (0, 1, 2, 3)
    parsed = get_parser("nagios").parse(NagiosParserArgs(id="dcmcfg", exit_code=exit_code, output=text))
    assert isinstance(parsed, NagiosParserOutput)
    assert parsed.service_output.startswith(f"DCMCFG {parsed.service_state} -")
    lines = parsed.long_service_output.splitlines()
    parts = [match for line in lines if (match := _PART_LINE.match(line))]
    return PluginOutput(
        parsed.service_output,
        {match[2]: State(match[1]) for match in parts},
        tuple(line for line in lines if not _PART_LINE.match(line)),
        parsed.service_performance_data,
    )


def read_samples(metrics: str) -> list[Sample]:
    """Read OpenMetrics text with Prometheus' own parser."""
    families = text_string_to_metric_families(metrics)  # type: ignore[no-untyped-call]
    return [each for family in families for each in family.samples]


def read_performance_data(text: str) -> list[dict[str, Any]]:
    """Read *text* with Monitoring::Plugin; skips the test if it is not there."""
    perl = shutil.which("perl")
    if (
        perl is None
        or subprocess.run([perl, "-MMonitoring::Plugin::Performance", "-e", "1"], capture_output=True).returncode
    ):
        pytest.skip("Monitoring::Plugin is not installed (Debian: libmonitoring-plugin-perl)")
    done = subprocess.run([perl, "-e", _PERL_PROGRAM], input=text, capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
