"""Find default passwords, and passwords that differ between containers; no message contains a password."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.environment.container import Container, Environment, FileProblem, Role
from dcmcfg.environment.directory_values import find_row
from dcmcfg.environment.rules import DEFAULT_PASSWORD, PASSWORDS_DIFFER, VALUE_AND_FILE
from dcmcfg.environment.variables import FILE_SUFFIX, VARIABLES, VARIABLES_BY_NAME

#: Passwords in the documentation of the images.
_PUBLIC_PASSWORDS = frozenset({"secret", "changeit", "pacs", "admin", "password"})
#: Passwords of accounts; a container without them uses the default of its image.
_LOGIN_PASSWORDS = ("LDAP_ROOTPASS", "LDAP_CONFIGPASS", "POSTGRES_PASSWORD", "WILDFLY_ADMIN_PASSWORD")
#: Variables that two containers must have in common, with the container that the archive logs in to.
_SHARED = (
    ("LDAP_ROOTPASS", Role.DIRECTORY),
    ("POSTGRES_PASSWORD", Role.DATABASE),
    ("POSTGRES_USER", Role.DATABASE),
    ("POSTGRES_DB", Role.DATABASE),
)


def find_password_problems(environment: Environment) -> Iterator[FileProblem]:
    """Yield the default passwords of *environment*, its contradictions between containers and between variables."""
    for container in environment.containers:
        yield from _find_default_passwords(container)
        yield from _find_double_values(container)
    yield from _find_differences(environment)


def _find_default_passwords(container: Container) -> Iterator[FileProblem]:
    label = f"{container.label}: " if container.label else ""
    for variable in container.variables.values():
        row = find_row(container, variable.name)
        is_public = variable.value in _PUBLIC_PASSWORDS or (row is not None and variable.value == row.default)
        if row is not None and row.is_secret and variable.value and is_public:
            yield FileProblem(DEFAULT_PASSWORD, variable.name, f"{label}a public default password", variable.location)
    if container.role is Role.ARCHIVE and not container.is_archive:
        return
    for row in VARIABLES:
        if row.role is container.role and row.name in _LOGIN_PASSWORDS and row.default:
            is_set = container.is_set(row.name) or container.is_set(row.name + FILE_SUFFIX)
            if not is_set:
                message = f"{label}not set, so the image uses its default password"
                yield FileProblem(DEFAULT_PASSWORD, row.name, message, container.location)


def _find_double_values(container: Container) -> Iterator[FileProblem]:
    label = f"{container.label}: " if container.label else ""
    for variable in container.variables.values():
        row = find_row(container, variable.name)
        file_name = variable.name + FILE_SUFFIX
        if row is None or not row.has_file_variant or not container.is_set(variable.name):
            continue
        if container.is_set(file_name):
            message = f"{label}both {variable.name} and {file_name} are set"
            yield FileProblem(VALUE_AND_FILE, variable.name, message, container.variables[file_name].location)


def _find_differences(environment: Environment) -> Iterator[FileProblem]:
    for name, role in _SHARED:
        servers = [each for each in environment.containers if each.name and each.role is role]
        for container in environment.containers:
            value = _get_effective_value(container, name) if container.is_archive else None
            if value is None:
                continue
            others = [_get_effective_value(each, name) for each in servers]
            # With several servers, the archive uses one of them.
            if others and all(other is not None and other != value for other in others):
                names = " and ".join(each.label for each in servers)
                variable = container.variables.get(name)
                location = variable.location if variable else container.location
                yield FileProblem(
                    PASSWORDS_DIFFER, name, f"{container.label}: the value differs from the value of {names}", location
                )


def _get_effective_value(container: Container, name: str) -> str | None:
    """Return the value of *name*, or the default of the image; None if it is unknown or in a file."""
    if container.is_set(name):
        return container.get_value(name)
    if container.is_set(name + FILE_SUFFIX) or container.role is None:
        return None
    row = VARIABLES_BY_NAME.get((container.role, name))
    return row.default or None if row else None
