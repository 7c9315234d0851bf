"""Read the containers of Kubernetes manifests: env, envFrom, ConfigMaps, Secrets and Services in the same files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from dcmcfg.environment.container import (
    Container,
    Environment,
    FileProblem,
    PublishedPort,
    Variable,
    parse_image,
    refuse_too_many,
)
from dcmcfg.environment.interpolation import replace_kubernetes_references
from dcmcfg.environment.kubernetes_service import parse_port, read_service
from dcmcfg.environment.rules import VALUE_UNKNOWN
from dcmcfg.environment.yaml_documents import YamlMapping, YamlNode, YamlScalar
from dcmcfg.schema.findings import SourceLocation

_CONFIG_MAP, _SECRET, _SERVICE, _LIST, _POD = "ConfigMap", "Secret", "Service", "List", "Pod"
#: The keys that lead to the pod template of an object, in any kind of object that has one there.
_TEMPLATES = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"))
#: Objects that publish web interfaces under other ports.
_WEB_PROXIES = frozenset({"Ingress", "IngressRoute", "HTTPRoute", "Route", "VirtualService"})
#: Objects that other programs replace by manifests, and the command that prints these.
_UNREAD = {
    "Kustomization": "kubectl kustomize FOLDER",
    "HelmRelease": "helm template CHART",
    "HelmChart": "helm template CHART",
}


def is_manifest(node: YamlNode) -> bool:
    """Return whether *node* is an object of Kubernetes."""
    return isinstance(node, YamlMapping) and node.get_text("kind") is not None and "apiVersion" in node.values


@dataclass(frozen=True)
class Manifest:
    """An object of Kubernetes, and the name of its file."""

    file: str
    content: YamlMapping

    @property
    def name(self) -> str:
        """The name of the object."""
        metadata = self.content.get_mapping("metadata")
        return (metadata.get_text("name") if metadata else None) or ""


def list_manifests(file: str, documents: Iterable[YamlNode]) -> Iterator[Manifest]:
    """Yield the objects in *documents* of *file*; a List stands for its items."""
    for node in documents:
        if isinstance(node, YamlMapping) and is_manifest(node):
            items = node.get_items("items") if node.get_text("kind") == _LIST else (node,)
            yield from (Manifest(file, each) for each in items if isinstance(each, YamlMapping))


def read_manifests(manifests: Iterable[Manifest]) -> Environment:
    """Return the containers of *manifests*, with the values of ConfigMaps and Secrets among them."""
    objects = tuple(manifests)
    reader = _ManifestReader(objects)
    containers = refuse_too_many(container for each in objects for container in reader.read_containers(each))
    return Environment(
        containers,
        tuple(reader.problems),
        file=objects[0].file if objects else "",
        has_web_proxy=any(each.content.get_text("kind") in _WEB_PROXIES for each in objects),
    )


def _find_pod(manifest: Manifest) -> YamlMapping | None:
    """Return the mapping with the ``metadata`` and ``spec`` of the pod of *manifest*; None if it has no pod."""
    if manifest.content.get_text("kind") == _POD:
        return manifest.content
    for keys in _TEMPLATES:
        found: YamlMapping | None = manifest.content
        for key in keys:
            found = found.get_mapping(key) if found else None
        if found is not None:
            return found
    return None


class _ManifestReader:
    def __init__(self, manifests: tuple[Manifest, ...]) -> None:
        self._data: dict[tuple[str, str], dict[str, Variable]] = {}
        self._services = tuple(each for each in manifests if each.content.get_text("kind") == _SERVICE)
        for manifest in manifests:
            kind = manifest.content.get_text("kind")
            if kind in (_CONFIG_MAP, _SECRET):
                found = {each.name: each for each in _read_data(manifest, kind)}
                self._data[kind, manifest.name] = found
        self.problems: list[FileProblem] = []

    def read_containers(self, manifest: Manifest) -> Iterator[Container]:
        kind = manifest.content.get_text("kind") or ""
        if kind in _UNREAD:
            message = f"dcmcfg does not read objects of the kind {kind}. Instead, check the output of {_UNREAD[kind]}"
            self._report("", message, SourceLocation(manifest.file, manifest.content.line))
        pod = _find_pod(manifest)
        spec = pod.get_mapping("spec") if pod else None
        for key in ("containers", "initContainers"):
            for node in spec.get_items(key) if spec else ():
                if pod is not None and isinstance(node, YamlMapping):
                    yield self._read_container(manifest, pod, node)

    def _read_container(self, manifest: Manifest, pod: YamlMapping, node: YamlMapping) -> Container:
        variables: dict[str, Variable] = {}
        for item in node.get_items("envFrom"):
            if isinstance(item, YamlMapping):
                variables |= {each.name: each for each in self._read_source(manifest, item)}
        for item in node.get_items("env"):
            if isinstance(item, YamlMapping) and (name := item.get_text("name")):
                value = self._read_value(manifest, item, name, variables)
                variables[name] = Variable(name, value, SourceLocation(manifest.file, item.line))
        image = node.get_text("image") or ""
        image_line = node.key_lines.get("image", node.line)
        name = f"{manifest.name}/{node.get_text('name') or ''}"
        spec = pod.get_mapping("spec")
        services = [service for each in self._services if (service := read_service(each, pod, node)) is not None]
        ports = dict.fromkeys(port for each in services for port in each.published_ports)
        ports |= dict.fromkeys(_list_host_ports(node))
        uses_host_network = spec is not None and spec.get_text("hostNetwork") == "true"
        return Container(
            name=name,
            label=f"container {name}",
            image=parse_image(image, SourceLocation(manifest.file, image_line)) if image else None,
            location=SourceLocation(manifest.file, node.line),
            variables=variables,
            # Without a Service in the files, one in another file may publish the ports.
            published_ports=tuple(ports) if services and not uses_host_network else None,
            service_ports={each.name: each.ports for each in services},
        )

    def _read_source(self, manifest: Manifest, item: YamlMapping) -> Iterator[Variable]:
        prefix = item.get_text("prefix") or ""
        location = SourceLocation(manifest.file, item.line)
        for key, kind in (("configMapRef", _CONFIG_MAP), ("secretRef", _SECRET)):
            if (reference := item.get_mapping(key)) is not None:
                for each in self._find_data(reference, kind, "", location).values():
                    yield replace(each, name=f"{prefix}{each.name}")

    def _read_value(
        self, manifest: Manifest, item: YamlMapping, name: str, earlier: Mapping[str, Variable]
    ) -> str | None:
        source = item.get_mapping("valueFrom")
        if source is None:
            node = item.values.get("value")
            text = node.text if isinstance(node, YamlScalar) and not node.is_null else ""
            return replace_kubernetes_references(text, {key: each.value for key, each in earlier.items()})
        location = SourceLocation(manifest.file, item.line)
        for key, kind in (("configMapKeyRef", _CONFIG_MAP), ("secretKeyRef", _SECRET)):
            if (reference := source.get_mapping(key)) is not None:
                data = self._find_data(reference, kind, name, location)
                data_key = reference.get_text("key") or ""
                if data and data_key not in data:
                    self._report(name, f"{kind} {reference.get_text('name')} has no key {data_key}", location)
                return data[data_key].value if data_key in data else None
        for key in source.values:
            self._report(name, f"the value is not in the file: the value comes from {key}", location)
        return None

    def _find_data(
        self, reference: YamlMapping, kind: str, variable: str, location: SourceLocation
    ) -> Mapping[str, Variable]:
        name = reference.get_text("name") or ""
        data = self._data.get((kind, name))
        if data is None:
            if reference.get_text("optional") != "true":
                self._report(variable, f"{kind} {name} is not in the files", location)
            return {}
        return data

    def _report(self, variable: str, message: str, location: SourceLocation) -> None:
        problem = FileProblem(VALUE_UNKNOWN, variable, message, location)
        if problem not in self.problems:
            self.problems.append(problem)


def _read_data(manifest: Manifest, kind: str) -> Iterator[Variable]:
    """Yield the keys and values of a ConfigMap or Secret; a value that is not text is None."""
    for section, is_encoded in (("data", kind == _SECRET), ("stringData", False)):
        found = manifest.content.get_mapping(section)
        for key, node in found.values.items() if found else ():
            text = node.text if isinstance(node, YamlScalar) else None
            value = _decode(text) if is_encoded and text is not None else text
            yield Variable(key, value, SourceLocation(manifest.file, found.key_lines[key] if found else node.line))


def _list_host_ports(container: YamlMapping) -> Iterator[PublishedPort]:
    """Yield the ports of *container* that its node publishes (``hostPort``)."""
    for item in container.get_items("ports"):
        if isinstance(item, YamlMapping):
            port, host_port = parse_port(item.get_text("containerPort")), parse_port(item.get_text("hostPort"))
            if port is not None and host_port is not None:
                yield PublishedPort(port, host_port)


def _decode(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
