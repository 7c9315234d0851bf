"""Read which ports a Kubernetes Service publishes of a container: ``selector``, ``ports`` and ``type``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from dcmcfg.environment.container import PublishedPort
from dcmcfg.environment.yaml_documents import YamlMapping, YamlScalar

_NODE_PORT, _LOAD_BALANCER = "NodePort", "LoadBalancer"
_MAX_PORT = 65535


class _NamedObject(Protocol):
    """An object of Kubernetes."""

    @property
    def name(self) -> str: ...

    @property
    def content(self) -> YamlMapping: ...


@dataclass(frozen=True)
class ContainerService:
    """A Service of a container: its ``ports`` lead to ports of the container, which it publishes.

    The published port is that of the nodes (NodePort) or of the load balancer. A Service of another type has None,
    because it is reached from outside only through something else.
    """

    name: str
    ports: Mapping[int, int]
    published_ports: tuple[PublishedPort, ...]


def read_service(service: _NamedObject, pod: YamlMapping, container: YamlMapping) -> ContainerService | None:
    """Return *service* for *container* of *pod*; None if its selector does not select the pod."""
    spec = service.content.get_mapping("spec")
    selector = _read_labels(spec, "selector")
    labels = _read_labels(pod.get_mapping("metadata"), "labels")
    if spec is None or not selector or not selector.items() <= labels.items():
        return None
    ports: dict[int, int] = {}
    published: list[PublishedPort] = []
    for item, port, target in _list_ports(spec, container):
        ports[port] = target
        host_port = {_NODE_PORT: parse_port(item.get_text("nodePort")), _LOAD_BALANCER: port}
        published.append(PublishedPort(target, host_port.get(spec.get_text("type") or "")))
    return ContainerService(service.name, ports, tuple(published))


def _list_ports(spec: YamlMapping, container: YamlMapping) -> Iterator[tuple[YamlMapping, int, int]]:
    """Yield each item of ``ports`` with the port of the Service and the port of *container*."""
    named = {
        item.get_text("name"): parse_port(item.get_text("containerPort"))
        for item in container.get_items("ports")
        if isinstance(item, YamlMapping)
    }
    for item in spec.get_items("ports"):
        if isinstance(item, YamlMapping) and (port := parse_port(item.get_text("port"))) is not None:
            written = item.get_text("targetPort")
            target = port if written is None else parse_port(written) or named.get(written)
            if target is not None:
                yield item, port, target


def _read_labels(parent: YamlMapping | None, key: str) -> dict[str, str]:
    found = parent.get_mapping(key) if parent else None
    return {name: node.text for name, node in found.values.items() if isinstance(node, YamlScalar)} if found else {}


def parse_port(text: str | None) -> int | None:
    """Return the number of the port *text*; None if it is none."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > len(str(_MAX_PORT)):
        return None
    return int(text) if 0 < int(text) <= _MAX_PORT else None
