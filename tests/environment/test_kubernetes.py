"""Kubernetes manifests: containers with env and envFrom, ConfigMaps and Secrets, in one file or several."""

from __future__ import annotations

from dcmcfg.environment.container import Environment
from dcmcfg.environment.kubernetes import list_manifests, read_manifests
from dcmcfg.environment.yaml_documents import read_documents

MAPS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: arc}
data:
  LDAP_URL: ldap://ldap:389
  HTTP_PORT: "8080"
---
apiVersion: v1
kind: Secret
metadata: {name: arc}
data:
  LDAP_ROOTPASS: aHVudGVyMg==
  BROKEN: "%"
stringData:
  POSTGRES_PASSWORD: plain
"""
POD = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: archive}
spec:
  template:
    spec:
      initContainers:
        - {name: wait, image: busybox}
      containers:
        - name: arc
          image: dcm4che/dcm4chee-arc-psql:5.35.0
          envFrom:
            - configMapRef: {name: arc}
            - {prefix: DB_, secretRef: {name: arc}}
            - configMapRef: {name: gone, optional: true}
          env:
            - {name: HOST, value: ldap}
            - {name: LDAP_URL, value: "ldap://$(HOST):$(HTTP_PORT)"}
            - {name: EMPTY}
            - name: LDAP_ROOTPASS
              valueFrom: {secretKeyRef: {name: arc, key: LDAP_ROOTPASS}}
            - name: MISSING
              valueFrom: {configMapKeyRef: {name: arc, key: nokey}}
            - name: GONE
              valueFrom: {secretKeyRef: {name: gone, key: x}}
            - name: NODE
              valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
"""


def read(*texts: str) -> Environment:
    return read_manifests(
        manifest
        for number, text in enumerate(texts)
        for manifest in list_manifests(f"{number}.yaml", read_documents(f"{number}.yaml", text))
    )


def test_values_come_from_maps_and_secrets_of_all_files() -> None:
    found = read(POD, MAPS)
    wait, arc = sorted(found.containers, key=lambda each: each.name, reverse=True)
    assert (wait.name, arc.name, arc.label) == ("archive/wait", "archive/arc", "container archive/arc")
    assert {name: each.value for name, each in arc.variables.items()} == {
        "LDAP_URL": "ldap://ldap:8080",
        "HTTP_PORT": "8080",
        "DB_LDAP_ROOTPASS": "hunter2",
        "DB_BROKEN": None,
        "DB_POSTGRES_PASSWORD": "plain",
        "HOST": "ldap",
        "EMPTY": "",
        "LDAP_ROOTPASS": "hunter2",
        "MISSING": None,
        "GONE": None,
        "NODE": None,
    }
    assert str(arc.variables["HTTP_PORT"].location) == "1.yaml:6"
    assert str(arc.variables["HOST"].location) == "0.yaml:17"
    assert arc.published_ports is None
    assert [(each.variable, each.message, str(each.location)) for each in found.problems] == [
        ("MISSING", "ConfigMap arc has no key nokey", "0.yaml:22"),
        ("GONE", "Secret gone is not in the files", "0.yaml:24"),
        ("NODE", "the value is not in the file: the value comes from fieldRef", "0.yaml:26"),
    ]


def test_a_reference_to_a_map_in_no_file_is_noted() -> None:
    found = read(POD)
    assert [each.message for each in found.problems] == [
        "ConfigMap arc is not in the files",
        "Secret arc is not in the files",
        "Secret arc is not in the files",
        "ConfigMap arc is not in the files",
        "Secret gone is not in the files",
        "the value is not in the file: the value comes from fieldRef",
    ]


def test_a_list_and_each_kind_of_pod_are_read() -> None:
    containers = "containers: [{name: c}]"
    kinds = {
        "Pod": f"spec: {{{containers}}}",
        "Deployment": f"spec: {{template: {{spec: {{{containers}}}}}}}",
        "CronJob": f"spec: {{jobTemplate: {{spec: {{template: {{spec: {{{containers}}}}}}}}}}}",
    }
    items = "".join(
        f"- {{apiVersion: v1, kind: {kind}, metadata: {{name: n}}, {spec}}}\n" for kind, spec in kinds.items()
    )
    found = read(f"apiVersion: v1\nkind: List\nitems:\n{items}")
    assert [each.name for each in found.containers] == ["n/c"] * 3


def test_odd_manifests_have_no_containers() -> None:
    assert (
        read("apiVersion: v1\nkind: Pod\nspec: {containers: [1, {env: [x, {value: 1}]}]}\n").containers[0].variables
        == {}
    )
    assert read("apiVersion: v1\nkind: Service\nmetadata: 3\n").containers == ()
