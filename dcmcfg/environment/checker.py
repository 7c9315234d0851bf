"""All checks of the environment of the archive's containers, as findings of ``dcmcfg check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.environment.addresses import find_address_problems
from dcmcfg.environment.container import Environment, FileProblem
from dcmcfg.environment.directory_values import find_value_problems
from dcmcfg.environment.images import find_image_problems
from dcmcfg.environment.passwords import find_password_problems
from dcmcfg.environment.recognition import find_uncompared_files
from dcmcfg.environment.site import ComparedSite
from dcmcfg.schema.findings import EntryFinding


def check_environments(environments: Iterable[Environment], site: ComparedSite) -> tuple[EntryFinding, ...]:
    """Return the findings in *environments*, in the order of their lines.

    Each finding is about the archive's device of *site*; its attribute is the variable. No finding contains a secret.
    """
    listed = tuple(environments)
    found = [problem for each in listed for problem in _find_problems(each, site)]
    found += find_uncompared_files(listed)
    ordered = sorted(dict.fromkeys(found), key=lambda each: (each.location.file, each.location.line))
    return tuple(_build_finding(each, site) for each in ordered)


def _find_problems(environment: Environment, site: ComparedSite) -> Iterator[FileProblem]:
    yield from environment.problems
    for container in environment.containers:
        yield from find_value_problems(container, site)
    yield from find_address_problems(environment, site)
    yield from find_password_problems(environment)
    yield from find_image_problems(environment)


def _build_finding(problem: FileProblem, site: ComparedSite) -> EntryFinding:
    return EntryFinding(
        problem.rule,
        site.device.entry.dn,
        problem.variable,
        problem.message,
        value=None if problem.value is None else problem.value.encode("utf-8", "surrogateescape"),
        severity=problem.severity or problem.rule.severity,
        location=problem.location,
    )
