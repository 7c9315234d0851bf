"""Ports of Kubernetes Services, node ports and host ports, compared with the directory and the settings."""

from __future__ import annotations

import pytest

from dcmcfg.environment.container import Environment, PublishedPort
from dcmcfg.environment.kubernetes import list_manifests, read_manifests
from dcmcfg.environment.site import SiteAddresses
from dcmcfg.environment.yaml_documents import read_documents
from tests.environment.test_checker import check, summarise

PODS = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ldap}
spec:
  template:
    metadata: {labels: {app: ldap}}
    spec:
      containers:
        - name: slapd
          image: dcm4che/slapd-dcm4chee:2.6.13-35.0
          env: [{name: LDAP_ROOTPASS, value: p1}, {name: LDAP_CONFIGPASS, value: p2}]
---
apiVersion: example.org/v1
kind: Rollout
metadata: {name: arc}
spec:
  template:
    metadata: {labels: {app: arc, tier: web}}
    spec:
      containers:
        - name: arc
          image: dcm4che/dcm4chee-arc-psql:5.35.0
          ports: [{name: dimse, containerPort: 11112}, {containerPort: 2762, hostPort: 2762}]
          env:
            - {name: LDAP_ROOTPASS, value: p1}
            - {name: POSTGRES_PASSWORD, value: p3}
            - {name: LDAP_URL, value: "ldap://LDAP_ADDRESS"}
"""
LDAP_SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: directory}
spec: {selector: {app: ldap}, ports: [{port: 1389, targetPort: 389}]}
"""


def service(kind: str, ports: str, selector: str = "{app: arc}") -> str:
    return (
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: arc}\n"
        f"spec: {{type: {kind}, selector: {selector}, ports: [{ports}]}}\n"
    )


def read(more: str = "", ldap: str = "directory:1389") -> Environment:
    text = PODS.replace("LDAP_ADDRESS", ldap) + LDAP_SERVICE + more
    return read_manifests(list_manifests("m.yaml", read_documents("m.yaml", text)))


def test_the_ports_of_services_and_hosts_are_published() -> None:
    found = read(
        service("NodePort", "{port: 104, targetPort: dimse, nodePort: 31112}, {port: 8080}, {port: x}")
        + service("LoadBalancer", "{port: 8443}", "{tier: web}")
        + service("NodePort", "{port: 9}", "{app: arc, tier: db}")
    )
    (arc,) = (each for each in found.containers if each.name == "arc/arc")
    assert arc.published_ports == (
        PublishedPort(11112, 31112),
        PublishedPort(8080, None),
        PublishedPort(8443, 8443),
        PublishedPort(2762, 2762),
    )


def test_a_service_for_each_port_of_the_directory_has_no_finding() -> None:
    addresses = SiteAddresses((), {"": "http://h:8080/dcm4chee-arc"})
    assert summarise(check(read(service("LoadBalancer", "{port: 11112}, {port: 8080}")), addresses)) == []
    # The port of a proxy is not known.
    ingress = "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\n"
    other = SiteAddresses((), {"": "https://h/dcm4chee-arc"})
    assert summarise(check(read(service("LoadBalancer", "{port: 11112}, {port: 8080}") + ingress), other)) == []


@pytest.mark.parametrize(
    ("more", "ldap", "rule", "message"),
    [
        (service("NodePort", "{port: 8080}"), "directory:1389", "env-port-not-published", "11112 (dicom, DICOM)"),
        (
            service("NodePort", "{port: 11112, nodePort: 31112}"),
            "directory:1389",
            "env-port-not-published",
            "under other numbers than in the directory: 11112 (dicom, DICOM) as 31112",
        ),
        ("", "directory:389", "env-ldap-url", "the Service directory has no port 389 for container ldap/slapd, only"),
        ("", "directory.ns.svc:636", "env-ldap-url", "the Service directory has no port 636"),
    ],
)
def test_ports_that_do_not_fit_are_found(more: str, ldap: str, rule: str, message: str) -> None:
    (finding,) = check(read(more, ldap))
    assert (finding.rule.name, message in finding.message) == (rule, True), finding.message


def test_manifests_that_another_program_makes_are_noted() -> None:
    found = read("---\napiVersion: kustomize.config.k8s.io/v1\nkind: Kustomization\nresources: [a.yaml]\n")
    (problem,) = found.problems
    assert problem.message == (
        "dcmcfg does not read objects of the kind Kustomization. Instead, check the output of kubectl kustomize FOLDER"
    )
