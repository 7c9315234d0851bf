"""The help topics about what surrounds a site: its containers, and its monitoring system."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.cli.help_pages.topic import Section, Topic
from dcmcfg.environment.container import Role
from dcmcfg.environment.variables import FILE_SUFFIX, VARIABLES
from dcmcfg.monitoring.metrics import METRICS
from dcmcfg.monitoring.parts import LIMITS
from dcmcfg.monitoring.state import Limit


def make_containers(name: str) -> Topic:
    """Return the topic about the variables of the archive's images."""
    return Topic(
        name,
        (
            "The container images of the archive use the variables below. 'dcmcfg check --env "
            "FILE' compares the variables in FILE with the directory. FILE is a Docker Compose "
            "file, a file of variables (.env) or a Kubernetes manifest.",
            (
                "A container uses a variable marked 'first start' only to create the data in its data "
                "volume. A later change of the variable has no effect. If a variable is marked "
                f"'file', NAME{FILE_SUFFIX} can specify a file that contains the value."
            ),
        ),
        tuple(Section(f"Variables of {role.value}", tuple(_list_variables(role))) for role in Role),
    )


def _list_variables(role: Role) -> Iterator[tuple[str, str]]:
    for each in VARIABLES:
        if each.role is role:
            marks = f"{each.effect.value}; file" if each.has_file_variant else each.effect.value
            yield each.name, f"{_capitalise(each.touches)} ({marks})."


def make_monitoring(name: str) -> Topic:
    """Return the topic about the states, limits and metrics of ``dcmcfg monitor``."""
    return Topic(
        name,
        (
            "The state of a site is the worst state of its parts. From worst to best, the states are CRITICAL, "
            "UNKNOWN, WARNING and OK. The options --warning PART=N and --critical PART=N set "
            "limits for the number that PART measures. A number equal to N is still accepted. With 'none' instead of "
            "N, there is no limit.",
            "Some states do not depend on a limit. Examples: the directory does not respond (CRITICAL), the archive "
            "cannot load a value (CRITICAL), the password is wrong (UNKNOWN), or a part has no result before the end "
            "of the check (UNKNOWN).",
            (
                "The names of the metrics begin with dcmcfg_. The performance data of the Nagios "
                "plugin have the names without dcmcfg_ and _seconds."
            ),
        ),
        (
            Section(
                "Figures and default limits",
                tuple(
                    (part.value, f"{_capitalise(each.figure)}; {_format_limit(each.default)}.")
                    for part, each in LIMITS.items()
                ),
            ),
            Section("Metrics", tuple((each.name, each.help) for each in METRICS)),
        ),
    )


def _capitalise(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _format_limit(limit: Limit) -> str:
    direction = "less" if limit.is_minimum else "more"
    states = (("WARNING", limit.warning), ("CRITICAL", limit.critical))
    return ", ".join(f"{state} if {direction} than {value:g}" for state, value in states if value is not None)
