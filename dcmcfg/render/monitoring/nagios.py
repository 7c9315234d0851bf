"""Render a report as the output of a plugin, by the Monitoring Plugins Development Guidelines.

The first line is a summary, followed by ``|`` and the performance data. The other lines are the long output. Text from
outside cannot start a line or the performance data: unprintable characters and ``|`` are escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from dcmcfg.monitoring.metrics import SECONDS
from dcmcfg.monitoring.report import Figure, SiteReport
from dcmcfg.monitoring.state import Limit, State
from dcmcfg.printable import escape_unprintable

PLUGIN_NAME = "DCMCFG"
#: Nagios Core reads 8,192 octets. A longer text would lose its end, perhaps in the middle of a figure.
_MAX_SUMMARY, _MAX_PERFORMANCE_DATA, _MAX_OUTPUT = 1_000, 4_000, 8_000
#: The characters of a label that are written as they are, apart from letters and digits.
_SAFE = " _.:/@,+()[]-"
_SEVERITY = {State.CRITICAL: 0, State.UNKNOWN: 1, State.WARNING: 2, State.OK: 3}


def format_plugin_output(report: SiteReport) -> str:
    """Return the lines of *report*, at most 8,000 octets; the last one ends with a line feed."""
    performance_data, omitted_count = _join_figures(
        [_format_figure(each) for each in report.figures if each.metric.in_performance_data]
    )
    lines = [f"{_format_head(report.state, _summarize(report))} | {performance_data}"]
    for part in report.parts:
        lines.append(escape_text(f"{part.state.value} {part.part.value}: {part.summary}"))
        lines += [f"  {escape_text(each)}" for each in part.details]
    lines += [f"warning: {escape_text(each)}" for each in report.notes]
    if omitted_count:
        lines.append(f"{omitted_count} figures omitted. To see all: dcmcfg monitor --json")
    return _join_lines(lines)


def format_plugin_failure(message: str, details: Sequence[str] = ()) -> str:
    """Return the output for a run that could not check anything, for example because of a wrong option."""
    return _join_lines([_format_head(State.UNKNOWN, message), *map(escape_text, details)])


def escape_text(text: str) -> str:
    r"""Return *text* in one line and without ``|``, which becomes ``\x7c``."""
    return escape_unprintable(text).replace("|", r"\x7c")


def _format_head(state: State, text: str) -> str:
    return _shorten(f"{PLUGIN_NAME} {state.value} - {escape_text(text)}", _MAX_SUMMARY)


def _summarize(report: SiteReport) -> str:
    """Return the parts with a problem, the worst first; if there are none, the number of parts."""
    problems = sorted(
        (each for each in report.parts if each.state is not State.OK), key=lambda each: _SEVERITY[each.state]
    )
    if problems:
        # Several parts may have the same problem, such as a directory that cannot be read.
        groups: dict[tuple[State, str], list[str]] = {}
        for each in problems:
            groups.setdefault((each.state, each.summary), []).append(each.part.value)
        texts = (f"{', '.join(parts)}: {state.value}, {summary}" for (state, summary), parts in groups.items())
        return f"{report.site_name}: {'; '.join(texts)}"
    names = ", ".join(each.part.value for each in report.parts)
    return f"{report.site_name}: no problems ({names})"


def _join_figures(figures: Sequence[str]) -> tuple[str, int]:
    """Return as many of *figures* as the output can contain, and the number of the others."""
    size = 0
    for number, figure in enumerate(figures):
        size += len(figure) + 1
        if size > _MAX_PERFORMANCE_DATA:
            return " ".join(figures[:number]), len(figures) - number
    return " ".join(figures), 0


def _format_figure(figure: Figure) -> str:
    """Return ``'label'=value[UOM];[warn];[crit];[min]``."""
    name = figure.metric.name.removesuffix(f"_{SECONDS}")
    # A percent-encoded label is unambiguous: two names cannot become the same label.
    label = ":".join((name, *(quote(each, safe=_SAFE, errors="backslashreplace") for each in figure.label_values)))
    unit = "s" if figure.metric.unit == SECONDS else ""
    minimum = "0" if figure.value >= 0 else ""
    fields = ";".join((*_format_limit(figure.limit), minimum))
    return f"'{label}'={format_number(figure.value)}{unit};{fields}".rstrip(";")


def _format_limit(limit: Limit) -> Iterator[str]:
    for bound in (limit.warning, limit.critical):
        yield "" if bound is None else f"{format_number(bound)}{':' if limit.is_minimum else ''}"


def format_number(value: float) -> str:
    """Return *value* with at most three decimals, and without an exponent."""
    text = f"{value:.3f}"
    return text.rstrip("0").rstrip(".")


def _join_lines(lines: Sequence[str]) -> str:
    """Return *lines*, as many as the output can contain, and a line with the number of the others."""
    size, kept = 0, []
    for number, line in enumerate(lines):
        size += len(line.encode()) + 1
        if size > _MAX_OUTPUT - 100 and number:
            kept.append(f"{len(lines) - number} more lines. To see all: dcmcfg monitor --json")
            break
        kept.append(line)
    return "".join(f"{each}\n" for each in kept)


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
