"""What speaks against a temporary destination before it is added, as far as the configuration tells."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.model.devices import DICOM, Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.route.question import Question
from dcmcfg.route.route import find_route
from dcmcfg.temporary.run import Addition


def doubts_of(tree: Tree, addition: Addition, calling: str) -> tuple[str, ...]:
    """Return what will keep objects from the destination of *addition* in *tree*, which holds it, as sentences."""
    return tuple(_doubts(Configuration(tree), addition, calling))


def _doubts(configuration: Configuration, addition: Addition, calling: str) -> Iterator[str]:
    asked, title = configuration.device(addition.device).network_ae(addition.asked), addition.new.title
    ways = [each for each in asked.connections if each.installed and each.protocol == DICOM]
    if not any(each.tls == addition.new.line.tls for each in ways):
        yield f"{asked.title} has no connection in use that calls as {title} listens, so it cannot send to it."
    route = find_route(configuration, Question(asked, title, calling))
    straight = dict.fromkeys(
        step.called
        for way in route.ways
        for step in way.steps
        if step.message == "C-MOVE" and step.destination == title
    )
    for other in straight:
        yield (
            f"{other} is asked to send straight to {title}, which it does not know: what is not in the archive's own "
            "storage will not arrive (dcmcfg set-external-retrieve has it sent by way of the archive)."
        )
