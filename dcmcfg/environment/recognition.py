"""Find files without anything to compare: a check of the wrong file must not look like one without findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.environment.container import Container, Environment, FileProblem
from dcmcfg.environment.rules import NOTHING_COMPARED
from dcmcfg.environment.variables import VARIABLES
from dcmcfg.schema.findings import SourceLocation

_FILE_SUFFIX = "_FILE"
_NAMES = frozenset(each.name for each in VARIABLES)
#: The number of containers that a message names.
_MAX_NAMED = 5


def find_uncompared_files(environments: Sequence[Environment]) -> Iterator[FileProblem]:
    """Yield each of *environments* that has nothing to compare: a warning if none has, else a note."""
    uncompared = [each for each in environments if not any(map(_is_compared, each.containers))]
    for each in uncompared:
        yield FileProblem(
            NOTHING_COMPARED,
            "",
            _describe(each),
            SourceLocation(each.file, 1),
            severity=None if len(uncompared) == len(environments) else "note",
        )


def _is_compared(container: Container) -> bool:
    if container.name:
        return container.role is not None
    # The variables of a .env file may be for any image.
    return any(name.removesuffix(_FILE_SUFFIX) in _NAMES for name in container.variables)


def _describe(environment: Environment) -> str:
    named = [each for each in environment.containers if each.name]
    if not named:
        kind = "variable that the images read" if environment.containers else "container"
        return f"dcmcfg compares nothing, because the file has no {kind}"
    shown = ", ".join(f"{each.name} ({each.image.name})" if each.image else each.name for each in named[:_MAX_NAMED])
    more = f" and {len(named) - _MAX_NAMED} more" if len(named) > _MAX_NAMED else ""
    return f"dcmcfg compares nothing, because it recognises none of the containers: {shown}{more}"
