"""Check the tags of images, and the names of variables that the images read."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.environment.container import Container, Environment, FileProblem, Image, Role
from dcmcfg.environment.rules import IMAGE_TAG, IMAGE_VERSIONS, VARIABLE_NAME
from dcmcfg.environment.variables import find_variable, list_names
from dcmcfg.suggestions import suggest_names

#: High, because other programs in the same container have variables with similar names.
_MIN_SIMILARITY = 0.85


def find_image_problems(environment: Environment) -> Iterator[FileProblem]:
    """Yield images that are older than the archive, tags without a release, and variables that an image ignores."""
    images = [each.image for each in environment.containers if each.image is not None and each.image.role is not None]
    releases = [each.version for each in images if each.role is Role.ARCHIVE and each.version is not None]
    for image in images:
        yield from _check_image(image, max(releases, default=None))
    for container in environment.containers:
        yield from _check_names(container)


def _check_image(image: Image, archive_release: tuple[int, int] | None) -> Iterator[FileProblem]:
    if image.version is None:
        if not image.has_digest:
            tag = f"the tag {image.tag}" if image.tag else "no tag, which means latest,"
            yield FileProblem(IMAGE_TAG, "", f"{image.name} has {tag} without a release", image.location)
        return
    if archive_release is None or image.role is Role.ARCHIVE or image.version >= archive_release:
        return
    is_same_minor = image.version[0] == archive_release[0]
    # The tags of the database have no second number.
    if is_same_minor and image.role is Role.DATABASE:
        return
    archive = ".".join(map(str, (5, *archive_release)))
    message = f"{image.name}:{image.tag} is for an older release than the archive ({archive})"
    yield FileProblem(
        IMAGE_VERSIONS, "", message, image.location, value=image.tag, severity="note" if is_same_minor else None
    )


def _check_names(container: Container) -> Iterator[FileProblem]:
    role = container.role
    if role is None:
        return
    known = list_names(role)
    for variable in container.variables.values():
        if find_variable(role, variable.name) is not None:
            continue
        similar = suggest_names(variable.name, known, min_similarity=_MIN_SIMILARITY)
        others = [each for each in Role if find_variable(each, variable.name) is not None]
        if others:
            message = f"{container.label}: only the image {others[0].value} reads this variable"
            yield FileProblem(VARIABLE_NAME, variable.name, message, variable.location, severity="note")
        elif similar:
            message = f"{container.label}: the image does not read this variable; did you mean {', '.join(similar)}?"
            yield FileProblem(VARIABLE_NAME, variable.name, message, variable.location)
