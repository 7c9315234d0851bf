"""Read the containers of Kubernetes manifests: env, envFrom, and the ConfigMaps and Secrets in the same files."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from dcmcfg.environment.container import Container, Environment, FileProblem, Variable, parse_image, refuse_too_many
from dcmcfg.environment.interpolation import replace_kubernetes_references
from dcmcfg.environment.rules import VALUE_UNKNOWN
from dcmcfg.environment.yaml_documents import YamlMapping, YamlNode, YamlScalar
from dcmcfg.schema.findings import SourceLocation

_CONFIG_MAP, _SECRET, _LIST = "ConfigMap", "Secret", "List"
#: Kind of object → the keys that lead to its pod.
_PODS: Mapping[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
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
    return Environment(containers, tuple(reader.problems))


class _ManifestReader:
    def __init__(self, manifests: tuple[Manifest, ...]) -> None:
        self._data: dict[tuple[str, str], dict[str, Variable]] = {}
        for manifest in manifests:
            kind = manifest.content.get_text("kind")
            if kind in (_CONFIG_MAP, _SECRET):
                found = {each.name: each for each in _read_data(manifest, kind)}
                self._data[kind, manifest.name] = found
        self.problems: list[FileProblem] = []

    def read_containers(self, manifest: Manifest) -> Iterator[Container]:
        pod: YamlMapping | None = manifest.content
        for key in _PODS.get(manifest.content.get_text("kind") or "", ("",)):
            pod = pod.get_mapping(key) if pod else None
        for key in ("containers", "initContainers"):
            for node in pod.get_items(key) if pod else ():
                if isinstance(node, YamlMapping):
                    yield self._read_container(manifest, node)

    def _read_container(self, manifest: Manifest, node: YamlMapping) -> Container:
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
        return Container(
            name=name,
            label=f"container {name}",
            image=parse_image(image, SourceLocation(manifest.file, image_line)) if image else None,
            location=SourceLocation(manifest.file, node.line),
            variables=variables,
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


def _decode(text: str) -> str | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
