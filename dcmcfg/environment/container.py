"""A container of a file: its image, its variables and its published ports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum

from dcmcfg.errors import DcmcfgError
from dcmcfg.schema.findings import CheckRule, Severity, SourceLocation

Version = tuple[int, int]
_DIRECTORY_TAG = re.compile(r"\d+(?:\.\d+)*-(\d+)(?:\.(\d+))?(?![\d.])")
_ARCHIVE_TAG = re.compile(r"5\.(\d+)(?:\.(\d+))?(?![\d.])")
_MAX_VARIABLES = 100_000


class Role(Enum):
    """The images of the archive; the value is the beginning of the image's name."""

    DIRECTORY = "slapd-dcm4chee"
    DATABASE = "postgres-dcm4chee"
    ARCHIVE = "dcm4chee-arc"


@dataclass(frozen=True)
class Image:
    """An image: its name without the registry, its tag (empty: none), and the location of its name.

    ``has_digest`` is True if the digest determines the image, whatever the tag is.
    """

    name: str
    tag: str
    location: SourceLocation
    has_digest: bool = False

    @property
    def role(self) -> Role | None:
        """The role of the image; None for any other image."""
        return next((role for role in Role if self.name.startswith(role.value)), None)

    @property
    def version(self) -> Version | None:
        """The release of the archive that the tag names: ``2.6.13-35.0`` and ``5.35.0`` are (35, 0); None if unknown.

        A tag without the last number, such as ``18.3-35``, is the first release of it.
        """
        patterns = {Role.DIRECTORY: _DIRECTORY_TAG, Role.DATABASE: _DIRECTORY_TAG, Role.ARCHIVE: _ARCHIVE_TAG}
        match = patterns[self.role].match(self.tag) if self.role else None
        return None if match is None else (int(match[1]), int(match[2] or 0))


def parse_image(text: str, location: SourceLocation) -> Image:
    """Return the image in *text*, ``REGISTRY:PORT/PATH/NAME:TAG@DIGEST``."""
    name, _, tag = text.partition("@")[0].rpartition("/")[2].partition(":")
    return Image(name, tag, location, has_digest="@" in text)


@dataclass(frozen=True)
class Variable:
    """A variable of a container; ``value`` is None if the file does not show it. ``repr`` has no value."""

    name: str
    value: str | None = field(repr=False)
    location: SourceLocation


@dataclass(frozen=True)
class PublishedPort:
    """A port of the container, and the port of its host; None for any free port."""

    container_port: int
    host_port: int | None


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container: the service of a Compose file, a container of a pod, or the variables of a ``.env`` file.

    ``name`` is empty for a ``.env`` file, which may be for any image; ``label`` is the name in messages.
    ``published_ports`` is None if the file does not describe ports, or the container shares the network of its host.
    ``host_names`` are further names of the container in its networks. ``service_ports`` has the Kubernetes Services of
    the container: name → port of the Service → port of the container.
    """

    name: str
    label: str
    image: Image | None
    location: SourceLocation
    variables: Mapping[str, Variable]
    published_ports: tuple[PublishedPort, ...] | None = None
    host_names: frozenset[str] = frozenset()
    service_ports: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    @property
    def role(self) -> Role | None:
        """The role of the container: by its image, or by the variables that only one image has."""
        if self.image is not None and self.image.role is not None:
            return self.image.role
        if not self.name:
            return None
        return next((role for name, role in _TELLING_VARIABLES.items() if name in self.variables), None)

    def has_role(self, role: Role) -> bool:
        """Return whether the variables may be for *role*: those of a ``.env`` file may be for each role."""
        return not self.name or self.role is role

    @property
    def is_archive(self) -> bool:
        """Whether the container runs the archive, not only its web interface."""
        return self.role is Role.ARCHIVE and self.get_value("WILDFLY_DEPLOY_UI") != "only"

    def get_value(self, name: str) -> str | None:
        """Return the value of the variable *name*; None if it is not set, or unknown."""
        found = self.variables.get(name)
        return found.value if found else None

    def is_set(self, name: str) -> bool:
        """Return whether the variable *name* has a value, which may be unknown."""
        found = self.variables.get(name)
        return found is not None and found.value != ""


def refuse_too_many(containers: Iterable[Container]) -> tuple[Container, ...]:
    """Return *containers*; raises :class:`DcmcfgError` if they have too many variables, which anchors can multiply."""
    limit = VariableLimit()
    return tuple(limit.add(each) for each in containers)


class VariableLimit:
    """Counts the variables of containers while a file is read, so that a file with too many is refused at once."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, container: Container) -> Container:
        """Return *container*; raises :class:`DcmcfgError` if there are too many variables with those of *container*."""
        self._count += 1 + len(container.variables)
        if self._count > _MAX_VARIABLES:
            raise DcmcfgError(
                f"dcmcfg does not read this file: the file has more than {_MAX_VARIABLES} variables",
                subject=str(container.location),
            )
        return container


#: Variables of one image, for images with other names.
_TELLING_VARIABLES = {
    "LDAP_CONFIGPASS": Role.DIRECTORY,
    "LDAP_CONFIGPASS_FILE": Role.DIRECTORY,
    "LDAP_URLS": Role.DIRECTORY,
    "LDAP_URL": Role.ARCHIVE,
    "WILDFLY_WAIT_FOR": Role.ARCHIVE,
    "WILDFLY_DEPLOY_UI": Role.ARCHIVE,
}


@dataclass(frozen=True)
class FileProblem:
    """A violation of ``rule`` by a file; ``variable`` is empty if it is not about a variable.

    ``value`` is shown, so it must not be a secret. ``severity`` replaces that of the rule.
    """

    rule: CheckRule
    variable: str
    message: str
    location: SourceLocation
    _: KW_ONLY
    value: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True)
class Environment:
    """The containers of a ``file``, or of several manifests, and the problems found while it was read.

    ``has_web_proxy`` is True if the manifests have a proxy for web interfaces, such as an Ingress.
    """

    containers: tuple[Container, ...]
    problems: tuple[FileProblem, ...] = ()
    file: str = ""
    has_web_proxy: bool = False
