"""What is found in the environment of the containers of a small site."""

from __future__ import annotations

import base64

import pytest

from dcmcfg.environment.checker import check_environments
from dcmcfg.environment.compose_project import read_compose
from dcmcfg.environment.container import Container, Environment
from dcmcfg.environment.dotenv import read_dotenv
from dcmcfg.environment.kubernetes import list_manifests, read_manifests
from dcmcfg.environment.site import ComparedSite, SiteAddresses
from dcmcfg.environment.yaml_documents import read_documents
from dcmcfg.model.devices import Configuration
from dcmcfg.schema.findings import EntryFinding, SourceLocation
from tests.environment.compose_files import make_compose_file
from tests.trees import ARCHIVE, connection, site_entries, tree

TREE = tree(*site_entries(), connection(ARCHIVE, "2762", name="dicom-tls", dicomTLSCipherSuite="TLS_A"))
DEVICE = Configuration(TREE).get_device("dcm4chee-arc")
NODES = SiteAddresses(
    ("ldap://ldap.example.org:389", "ldap://replica:1389"),
    {"a": "http://a.example.org:8080/dcm4chee-arc", "b": "http://b.example.org:8080/dcm4chee-arc"},
)
#: Passwords that are not public, so that other rules are tried alone.
LDAP = "LDAP_ROOTPASS: p1, LDAP_CONFIGPASS: p2"
ARC = "LDAP_ROOTPASS: p1, POSTGRES_PASSWORD: p3"
Found = tuple[str, str, str, str]


def compose(text: str) -> Environment:
    return read_compose(make_compose_file("c.yml", text))


def dotenv(text: str) -> Environment:
    variables = read_dotenv(".env", text)
    return Environment(
        (Container(name="", label="", image=None, location=SourceLocation(".env", 1), variables=variables),)
    )


def check(environment: Environment, addresses: SiteAddresses | None = None) -> tuple[EntryFinding, ...]:
    return check_environments([environment], ComparedSite(TREE, DEVICE, addresses or SiteAddresses()))


def summarise(findings: tuple[EntryFinding, ...]) -> list[Found]:
    return [(each.severity, each.rule.name, each.attribute, each.message) for each in findings]


def services(**variables: str) -> Environment:
    """A directory server and an archive in a Compose file, with *variables* (in YAML) by service."""
    images = {"ldap": "slapd-dcm4chee:2.6.13-35.0", "arc": "dcm4chee-arc-psql:5.35.0"}
    own = {"ldap": LDAP, "arc": ARC}
    lines = (
        f"  {name}:\n    image: {images[name]}\n    environment: {{{own[name]}{more}}}\n"
        for name in images
        for more in [f", {variables[name]}" if variables.get(name) else ""]
    )
    return compose("services:\n" + "".join(lines))


def test_an_environment_that_fits_has_no_finding() -> None:
    fitting = services(
        ldap="AE_TITLE: DCM4CHEE, ARCHIVE_DEVICE_NAME: dcm4chee-arc, DICOM_PORT: 11112, DICOM_TLS_PORT: 2762, "
        "ARCHIVE_HOST: LOCALHOST, LDAP_BASE_DN: 'DC=dcm4che, dc=org', STORESCP_PORT: 11115",
        arc="LDAP_URL: 'ldap://ldap:389', LDAP_BASE_DN: 'dc=dcm4che,dc=org', ARCHIVE_DEVICE_NAME: dcm4chee-arc",
    )
    assert summarise(check(fitting)) == []


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("AE_TITLE: ARC", "the device dcm4chee-arc has no AE with this title; AEs: AS_RECEIVED, DCM4CHEE"),
        ("AE_TITLE_WORKLIST: W", "the device dcm4chee-arc has no AE with this title; AEs: AS_RECEIVED, DCM4CHEE"),
        ("ARCHIVE_DEVICE_NAME: arc", "the directory has no archive device of this name; archive devices: dcm4chee-arc"),
        ("LDAP_BASE_DN: dc=example", "the base DN of the directory is dc=dcm4che,dc=org"),
        ("LDAP_BASE_DN: nonsense", "this is not a DN"),
        ("ARCHIVE_HOST: arc1", "no connection of dcm4chee-arc has this host; hosts: localhost"),
        ("DICOM_PORT: 104", "no DICOM connection without TLS of dcm4chee-arc has this port; ports: 11112"),
        ("DICOM_PORT: x", "no DICOM connection without TLS of dcm4chee-arc has this port; ports: 11112"),
        ("HL7_TLS_PORT: 1", "no HL7 connection with TLS of dcm4chee-arc has this port; ports: none"),
        ("ARCHIVE_WEBAPP_NAME: w", "dcm4chee-arc has no web application of this name; web applications: none"),
        ("STORAGE_DIR: /a", "no storage of dcm4chee-arc has this folder; URIs: none"),
        ("STORESCP_DEVICE_NAME: x", "the directory has no device of this name; devices: dcm4chee-arc, storescp"),
        ("STORESCP_AE_TITLE: X", "the directory has no AE with this title; AEs: AS_RECEIVED, DCM4CHEE, STORESCP"),
        ("STORESCP_HOST: x", "no connection of storescp has this host; hosts: localhost"),
        ("STORESCP_PORT: 1", "no connection of storescp has this port; ports: 11115"),
    ],
)
def test_a_value_of_the_first_start_that_the_directory_does_not_have_is_a_warning(variable: str, message: str) -> None:
    name, _, value = variable.partition(": ")
    (finding,) = check(services(ldap=variable.replace("dc=", "'dc=") + ("'" if "dc=" in variable else "")))
    assert (finding.severity, finding.rule.name, finding.attribute) == ("warning", "env-first-start-value", name)
    assert finding.message == f"service ldap: {message}"
    assert finding.value == value.encode()
    assert str(finding.location) == "c.yml:4"


def test_a_value_that_the_archive_reads_at_each_start_is_an_error_also_by_default() -> None:
    wrong = services(arc="ARCHIVE_DEVICE_NAME: arc, LDAP_BASE_DN: 'dc=example'")
    assert [(each[0], each[1], each[2]) for each in summarise(check(wrong))] == [
        ("error", "env-start-value", "ARCHIVE_DEVICE_NAME"),
        ("error", "env-start-value", "LDAP_BASE_DN"),
    ]
    elsewhere = tree(
        *(
            each.with_dn(type(each.dn).parse(str(each.dn).replace("dc=dcm4che,dc=org", "dc=example,dc=org")))
            for each in site_entries()
            if str(each.dn) != "dc=dcm4che,dc=org"
        )
    )
    site = ComparedSite(elsewhere, Configuration(elsewhere).get_device("dcm4chee-arc"))
    found = summarise(
        check_environments(
            [compose(f"services:\n  arc:\n    image: dcm4chee-arc-psql:5.35.0\n    environment: {{{ARC}}}\n")], site
        )
    )
    assert found == [
        (
            "error",
            "env-start-value",
            "LDAP_BASE_DN",
            "service arc: not set, so the image uses its default; the base DN of the directory is dc=example,dc=org",
        )
    ]


def test_the_variables_of_a_dotenv_file_may_be_for_each_image() -> None:
    found = check(dotenv("AE_TITLE=X\nARCHIVE_DEVICE_NAME=Y\nLDAP_ROOTPASS=secret\nOTHER=1\nLDAP_URL=http://x\n"))
    assert [(each.severity, each.rule.name, str(each.location)) for each in found] == [
        ("warning", "env-first-start-value", ".env:1"),
        ("error", "env-start-value", ".env:2"),
        ("warning", "env-default-password", ".env:3"),
        ("error", "env-ldap-url", ".env:5"),
    ]


@pytest.mark.parametrize(
    ("url", "severity", "message"),
    [
        (
            "ldap://ldap:389/dc=dcm4che,dc=org",
            "error",
            "the URL must not contain a DN, because the image appends LDAP_BASE_DN",
        ),
        ("http://ldap:389", "error", "this is not a URL of the form ldap://HOST:PORT or ldaps://HOST:PORT"),
        ("ldap", "error", "this is not a URL of the form ldap://HOST:PORT or ldaps://HOST:PORT"),
        ("ldaps://ldap:636", "error", "service ldap does not listen on port 636 (LDAP_URLS), only on 389"),
        (
            "ldap://other:389",
            "note",
            "the settings have no directory server at this address; directory servers in the settings: "
            "ldap://ldap.example.org:389, ldap://replica:1389",
        ),
        (
            "ldap://other:3389",
            "warning",
            "the settings have no directory server at this address; directory servers in the settings: "
            "ldap://ldap.example.org:389, ldap://replica:1389",
        ),
    ],
)
def test_an_ldap_url_that_cannot_be_right_is_found(url: str, severity: str, message: str) -> None:
    assert summarise(check(services(arc=f"LDAP_URL: '{url}'"), SiteAddresses(NODES.ldap_urls))) == [
        (severity, "env-ldap-url", "LDAP_URL", f"service arc: {message}")
    ]


def test_a_socket_in_the_settings_is_not_compared() -> None:
    addresses = SiteAddresses(("ldapi://%2Frun%2Fslapd%2Fldapi",))
    assert summarise(check(services(arc="LDAP_URL: 'ldap://other:389'"), addresses)) == []


@pytest.mark.parametrize("url", ["ldap://LDAP.example.org", "ldap://replica:1389/", "ldap://ldap:389"])
def test_an_ldap_url_of_the_settings_or_of_a_service_is_right(url: str) -> None:
    assert summarise(check(services(arc=f"LDAP_URL: '{url}'"), SiteAddresses(NODES.ldap_urls))) == []


def published(ports: str, more: str = "") -> Environment:
    return compose(
        f"services:\n  ldap:\n    image: slapd-dcm4chee:2.6.13-35.0\n    ports: ['10389:389']\n"
        f"    environment: {{{LDAP}}}\n"
        f"  arc:\n    image: dcm4chee-arc-psql:5.35.0\n    ports: [{ports}]\n    environment: {{{ARC}{more}}}\n"
    )


def test_ports_are_compared_with_the_directory_and_the_settings() -> None:
    assert summarise(check(published("'11112:11112', '18080:8080'"), NODES)) == [
        (
            "warning",
            "env-ldap-url",
            "LDAP_URL",
            "service arc: service ldap publishes 10389, but the settings have other ports: "
            "ldap://ldap.example.org:389, ldap://replica:1389",
        ),
        (
            "note",
            "env-port-not-published",
            "",
            "service arc does not publish these ports of dcm4chee-arc: 2762 (dicom-tls, DICOM with TLS)",
        ),
        (
            "warning",
            "env-node-address",
            "",
            "the URL of node a is http://a.example.org:8080/dcm4chee-arc, but service arc publishes the web interface "
            "on 18080",
        ),
        (
            "warning",
            "env-node-address",
            "",
            "the URL of node b is http://b.example.org:8080/dcm4chee-arc, but service arc publishes the web interface "
            "on 18080",
        ),
    ]


def test_a_port_that_is_published_under_another_number_is_noted() -> None:
    assert summarise(check(published("'104:11112', '2762:2762', '8080:8080'"))) == [
        (
            "note",
            "env-port-not-published",
            "",
            "service arc publishes ports of dcm4chee-arc under other numbers than in the directory: "
            "11112 (dicom, DICOM) as 104",
        )
    ]


def test_a_hidden_port_for_dicom_is_a_warning() -> None:
    (finding,) = check(published("'8080:8080'"))
    assert (finding.severity, finding.message) == (
        "warning",
        "service arc does not publish these ports of dcm4chee-arc: 11112 (dicom, DICOM), 2762 (dicom-tls, DICOM with "
        "TLS)",
    )


def test_ports_that_fit_have_no_finding() -> None:
    addresses = SiteAddresses(("ldap://h:10389",), {"": "https://h:18443/dcm4chee-arc"})
    fitting = published("'11112:11112', '2762:2762', '18443:9443'", ", HTTPS_PORT: 9443")
    assert summarise(check(fitting, addresses)) == []


def test_urls_of_nodes_are_compared_with_the_nodes() -> None:
    urls = "http://a.example.org:8080/dcm4chee-arc http://c.example.org:8080/dcm4chee-arc"
    (finding,) = check(services(arc=f"DCM4CHEE_ARC_URLS: '{urls}'"), SiteAddresses((), NODES.archive_urls))
    assert finding.rule.name == "env-node-address"
    assert finding.value == b"http://c.example.org:8080/dcm4chee-arc"


def test_a_container_of_the_web_interface_only_is_no_archive() -> None:
    only_ui = compose(
        "services:\n  ui:\n    image: dcm4chee-arc-psql:5.35.0\n    ports: ['18080:8080']\n"
        "    environment: {WILDFLY_DEPLOY_UI: only, LDAP_BASE_DN: 'dc=dcm4che,dc=org'}\n"
    )
    assert summarise(check(only_ui, NODES)) == []


SECRETS = ("hunter2", "secret", "swordfish", "pacs")


def test_passwords_are_found_and_never_shown() -> None:
    text = (
        "services:\n"
        "  ldap:\n    image: slapd-dcm4chee:2.6.13-35.0\n    environment: {LDAP_ROOTPASS: secret}\n"
        "  db:\n    image: postgres-dcm4chee:18.3-35\n"
        "    environment: {POSTGRES_PASSWORD: swordfish, POSTGRES_USER: arc, POSTGRES_DB: pacsdb}\n"
        "  arc:\n    image: dcm4chee-arc-psql:5.35.0\n"
        "    environment: {LDAP_ROOTPASS: hunter2, POSTGRES_PASSWORD_FILE: /run/p, KEYSTORE_PASSWORD: hunter2,\n"
        "      KEYSTORE_PASSWORD_FILE: /run/k, TRUSTSTORE_PASSWORD: changeit}\n"
    )
    found = check(compose(text))
    assert summarise(found) == [
        (
            "warning",
            "env-default-password",
            "LDAP_CONFIGPASS",
            "service ldap: not set, so the image uses its default password",
        ),
        ("warning", "env-default-password", "LDAP_ROOTPASS", "service ldap: a public default password"),
        (
            "error",
            "env-password-differs",
            "POSTGRES_USER",
            "service arc: the value differs from the value of service db",
        ),
        (
            "error",
            "env-password-differs",
            "LDAP_ROOTPASS",
            "service arc: the value differs from the value of service ldap",
        ),
        ("warning", "env-default-password", "TRUSTSTORE_PASSWORD", "service arc: a public default password"),
        (
            "error",
            "env-value-and-file",
            "KEYSTORE_PASSWORD",
            "service arc: both KEYSTORE_PASSWORD and KEYSTORE_PASSWORD_FILE are set",
        ),
    ]
    assert all(each.value is None for each in found)
    assert not any(secret in str(each) for each in found for secret in ("hunter2", "swordfish"))


def test_the_password_of_a_secret_is_compared_but_not_shown() -> None:
    encoded = base64.b64encode(b"changeit").decode()
    manifests = (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata: {{p: {encoded}}}\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: arc}\nspec:\n  containers:\n    - name: arc\n"
        "      image: dcm4chee-arc-psql:5.35.0\n      env:\n"
        "        - {name: POSTGRES_PASSWORD, value: p3}\n"
        "        - name: LDAP_ROOTPASS\n          valueFrom: {secretKeyRef: {name: s, key: p}}\n"
    )
    found = check(read_manifests(list_manifests("m.yaml", read_documents("m.yaml", manifests))))
    assert [(each.rule.name, each.attribute, each.value) for each in found] == [
        ("env-default-password", "LDAP_ROOTPASS", None)
    ]
    assert "changeit" not in str(found)
    assert encoded not in str(found)


@pytest.mark.parametrize(
    ("ldap", "db", "arc", "expected"),
    [
        ("2.6.13-35.0", "18.3-35", "5.35.0", []),
        ("2.6.13-35.0", "18.3-35", "5.35.1", [("note", "env-image-versions", "slapd-dcm4chee")]),
        ("2.6.10-34.3", "18.3-35", "5.35.0", [("warning", "env-image-versions", "slapd-dcm4chee")]),
        ("2.6.13-35.0", "17.1-33", "5.35.0", [("warning", "env-image-versions", "postgres-dcm4chee")]),
        ("2.6.13-35.0", "18.3-35", "5.34.0", []),
        ("latest", "18.3-35", "5.35.0", [("note", "env-image-tag", "slapd-dcm4chee")]),
        ("2.6.13-35.0", "18.3-35", "latest", [("note", "env-image-tag", "dcm4chee-arc-psql")]),
    ],
)
def test_images_older_than_the_archive_are_found(
    ldap: str, db: str, arc: str, expected: list[tuple[str, str, str]]
) -> None:
    text = (
        f"services:\n  ldap:\n    image: slapd-dcm4chee:{ldap}\n    environment: {{{LDAP}}}\n"
        f"  db:\n    image: postgres-dcm4chee:{db}\n"
        f"  arc:\n    image: dcm4chee-arc-psql:{arc}\n    environment: {{{ARC}}}\n"
    )
    found = check(compose(text))
    assert [
        (each.severity, each.rule.name, each.message.partition(":")[0].partition(" ")[0]) for each in found
    ] == expected


def test_variables_that_the_image_ignores_are_found() -> None:
    found = summarise(
        check(services(arc="LDAP_BASEDN: x, AE_TITLE: DCM4CHEE, TZ: UTC", ldap="LDAP_ROOT_PASS: hunter2"))
    )
    assert found == [
        (
            "warning",
            "env-variable-name",
            "LDAP_ROOT_PASS",
            "service ldap: the image does not read this variable; did you mean LDAP_ROOTPASS?",
        ),
        (
            "warning",
            "env-variable-name",
            "LDAP_BASEDN",
            "service arc: the image does not read this variable; did you mean LDAP_BASE_DN?",
        ),
        ("note", "env-variable-name", "AE_TITLE", "service arc: only the image slapd-dcm4chee reads this variable"),
    ]


def test_a_file_without_anything_to_compare_is_found() -> None:
    other = compose("services:\n  a: {image: 'own/arc:1'}\n  b: {}\n")
    nothing = "dcmcfg compares nothing, because it recognises none of the containers: a (arc), b"
    assert summarise(check(other)) == [("warning", "env-nothing-compared", "", nothing)]
    (finding,) = check(dotenv("PASSWORD=x\n"))
    assert finding.message == "dcmcfg compares nothing, because the file has no variable that the images read"
    site = ComparedSite(TREE, DEVICE, SiteAddresses())
    both = check_environments([other, dotenv("AE_TITLE=DCM4CHEE\n")], site)
    assert [(each.severity, each.rule.name) for each in both] == [("note", "env-nothing-compared")]
