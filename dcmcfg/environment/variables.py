"""The variables that the images of the archive read, with the setting that each touches.

From the README and the start scripts of the images slapd-dcm4chee 2.6.13-35.0, postgres-dcm4chee 18.3-35 and
dcm4chee-arc-psql 5.35.0 (with its secured variants). ``docs/reference/image-variables.md`` has this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import Enum, auto
from functools import partial

from dcmcfg.environment.container import Role

FILE_SUFFIX = "_FILE"


class Effect(Enum):
    """When a container uses a variable."""

    FIRST_START = "first start"
    EACH_START = "each start"


class Target(Enum):
    """The setting in the directory that a variable is compared with."""

    NONE = auto()
    BASE_DN = auto()
    LDAP_URL = auto()
    ARCHIVE_DEVICE = auto()
    ARCHIVE_AE = auto()
    ARCHIVE_HOST = auto()
    ARCHIVE_PORT = auto()
    ARCHIVE_WEB_APPLICATION = auto()
    STORAGE_FOLDER = auto()
    DEVICE = auto()
    AE = auto()
    DEVICE_HOST = auto()
    DEVICE_PORT = auto()
    NODE_URLS = auto()


@dataclass(frozen=True)
class Listener:
    """The kind of connection whose port a variable sets: its protocol, and whether it uses TLS."""

    protocol: str
    tls: bool


@dataclass(frozen=True)
class ImageVariable:
    """A variable of the image of ``role``.

    ``touches`` describes the setting. ``default`` is the value of the image. ``device`` is the variable with the name
    of the device whose setting it is, and ``listener`` the kind of a connection of the archive.
    """

    name: str
    default: str
    touches: str
    _: KW_ONLY
    role: Role
    effect: Effect
    target: Target = Target.NONE
    is_secret: bool = False
    has_file: bool = False
    device: str = ""
    listener: Listener | None = None

    @property
    def has_file_variant(self) -> bool:
        """Whether ``NAME_FILE`` names a file with the value; so does that of each secret."""
        return self.has_file or self.is_secret


_FIRST, _EACH = Effect.FIRST_START, Effect.EACH_START


_directory = partial(ImageVariable, role=Role.DIRECTORY, effect=_FIRST)
_archive = partial(ImageVariable, role=Role.ARCHIVE, effect=_EACH)
_database = partial(ImageVariable, role=Role.DATABASE, effect=_FIRST)
_TITLES = (
    ("AE_TITLE", "DCM4CHEE", "title of the main AE"),
    ("AE_TITLE_WORKLIST", "WORKLIST", "title of the AE for worklists"),
    ("AE_TITLE_AS_RECEIVED", "AS_RECEIVED", "title of the AE that returns instances as the archive received them"),
    (
        "AE_TITLE_IOCM_REGULAR_USE",
        "IOCM_REGULAR_USE",
        "title of the AE that also shows instances rejected for quality reasons",
    ),
    ("AE_TITLE_IOCM_QUALITY", "IOCM_QUALITY", "title of the AE for instances rejected for quality reasons"),
    (
        "AE_TITLE_IOCM_PAT_SAFETY",
        "IOCM_PAT_SAFETY",
        "title of the AE for instances rejected for patient safety reasons",
    ),
    (
        "AE_TITLE_IOCM_WRONG_MWL",
        "IOCM_WRONG_MWL",
        "title of the AE for instances rejected for an incorrect worklist entry",
    ),
    (
        "AE_TITLE_IOCM_EXPIRED",
        "IOCM_EXPIRED",
        "title of the AE for instances rejected because their retention has expired",
    ),
)
_PORTS = (
    ("DICOM_PORT", "11112", "port of the DICOM connections", Listener("DICOM", tls=False)),
    ("DICOM_TLS_PORT", "2762", "port of the DICOM connections with TLS", Listener("DICOM", tls=True)),
    ("HL7_PORT", "2575", "port of the HL7 connection", Listener("HL7", tls=False)),
    ("HL7_TLS_PORT", "12575", "port of the HL7 connection with TLS", Listener("HL7", tls=True)),
)

#: The variables of each image, in the order of the documentation.
VARIABLES: tuple[ImageVariable, ...] = (
    _directory("LDAP_BASE_DN", "dc=dcm4che,dc=org", "base DN of the directory", target=Target.BASE_DN),
    _directory("LDAP_ORGANISATION", "dcm4che.org", "attribute o of the base entry"),
    _directory("LDAP_ROOTPASS", "secret", "password of cn=admin,BASE-DN", is_secret=True),
    _directory("LDAP_CONFIGPASS", "secret", "password of cn=admin,cn=config", is_secret=True),
    _directory("LDAP_URLS", "ldap:///", "addresses on which slapd listens", effect=_EACH),
    _directory("ARCHIVE_DEVICE_NAME", "dcm4chee-arc", "name of the archive's device", target=Target.ARCHIVE_DEVICE),
    _directory(
        "ARCHIVE_WEBAPP_NAME",
        "dcm4chee-arc",
        "name of the web application of the archive",
        target=Target.ARCHIVE_WEB_APPLICATION,
    ),
    *(_directory(name, default, touches, target=Target.ARCHIVE_AE) for name, default, touches in _TITLES),
    _directory("ARCHIVE_HOST", "127.0.0.1", "host of the archive's connections", target=Target.ARCHIVE_HOST),
    *(
        _directory(name, default, touches, target=Target.ARCHIVE_PORT, listener=listener)
        for name, default, touches, listener in _PORTS
    ),
    _directory(
        "STORAGE_DIR",
        "/opt/wildfly/standalone/data/fs1",
        "folder of the storage fs1, in the container of the archive",
        target=Target.STORAGE_FOLDER,
    ),
    _directory("SYSLOG_DEVICE_NAME", "logstash", "device for audit messages", target=Target.DEVICE),
    _directory(
        "SYSLOG_HOST", "127.0.0.1", "host for audit messages", target=Target.DEVICE_HOST, device="SYSLOG_DEVICE_NAME"
    ),
    _directory("SYSLOG_PORT", "514", "port for audit messages", target=Target.DEVICE_PORT, device="SYSLOG_DEVICE_NAME"),
    _directory("SYSLOG_PROTOCOL", "UDP", "protocol for audit messages: UDP or TCP"),
    _directory(
        "SYSLOG_TLS_PORT",
        "6514",
        "port for audit messages with TLS",
        target=Target.DEVICE_PORT,
        device="SYSLOG_DEVICE_NAME",
    ),
    _directory("KEYCLOAK_DEVICE_NAME", "keycloak", "device of Keycloak", target=Target.DEVICE),
    _directory(
        "KEYCLOAK_HOST", "127.0.0.1", "host of Keycloak", target=Target.DEVICE_HOST, device="KEYCLOAK_DEVICE_NAME"
    ),
    _directory(
        "SCHEDULED_STATION_DEVICE_NAME", "scheduledstation", "device of the scheduled station", target=Target.DEVICE
    ),
    _directory("SCHEDULED_STATION_AE_TITLE", "SCHEDULEDSTATION", "title of the scheduled station", target=Target.AE),
    _directory("STORESCP_DEVICE_NAME", "storescp", "device of the storage SCP", target=Target.DEVICE),
    _directory("STORESCP_AE_TITLE", "STORESCP", "title of the storage SCP", target=Target.AE),
    _directory(
        "STORESCP_HOST", "storescp", "host of the storage SCP", target=Target.DEVICE_HOST, device="STORESCP_DEVICE_NAME"
    ),
    _directory(
        "STORESCP_PORT", "11117", "port of the storage SCP", target=Target.DEVICE_PORT, device="STORESCP_DEVICE_NAME"
    ),
    _directory("AUTH_USER_ROLE", "auth", "role that the archive requires"),
    _directory("REGULAR_USER", "user", "account of a regular user for Keycloak, created with the password changeit"),
    _directory("REGULAR_USER_ROLE", "user", "role of REGULAR_USER"),
    _directory("ADMIN_USER", "admin", "account of an administrator for Keycloak, created with the password changeit"),
    _directory("ADMIN_USER_ROLE", "admin", "role of ADMIN_USER"),
    _directory("SUPER_USER", "root", "account of a super user for Keycloak, created with the password changeit"),
    _directory("SUPER_USER_ROLE", "root", "role of SUPER_USER"),
    _directory("IID_PATIENT_URL", "", "URL of a viewer for patients"),
    _directory("IID_STUDY_URL", "", "URL of a viewer for studies"),
    _directory("IID_URL_TARGET", "", "window of the viewer"),
    _directory(
        "SKIP_INIT_CONFIG", "false", "if true, the container does not load the configuration into the directory"
    ),
    _directory("LDAP_INIT_SCHEMA", "(schema of the archive)", "schema files"),
    _directory("LDAP_INIT_CONFIG", "(default configuration)", "files of the configuration"),
    _directory("LDAP_INIT_USERS", "default-users.ldif", "files of the accounts"),
    _directory("LDAP_INIT_CMDS", "/etc/openldap/configure.sh", "scripts that load schema and configuration"),
    _directory(
        "LDAP_CONFIG_SED", "sed-config", "script that writes the values of the variables into the configuration"
    ),
    _directory("IMPORT_LDIF", "", "further LDIF files"),
    _directory("EXT_VENDOR_DATA_PATH", "", "files to add to the vendor data"),
    _directory("LDAP_UPDATE_SCHEMA", "(updates of the schema)", "schema updates of the script update-schema"),
    _directory("LDAP_TLS_CACERT", "/etc/certs/cacert.pem", "CA certificates of slapd", effect=_EACH),
    _directory("LDAP_TLS_CERT", "/etc/certs/cert.pem", "certificate of slapd", effect=_EACH),
    _directory("LDAP_TLS_KEY", "/etc/certs/key.pem", "key of slapd", effect=_EACH),
    _directory("LDAP_TLS_VERIFY", "never", "whether slapd verifies client certificates"),
    _directory("LDAP_TLS_REQCERT", "never", "whether clients in the container verify certificates", effect=_EACH),
    _directory("LDAP_REPLICATION_HOSTS", "", "replicas (N-way multi-provider), used by enable-replication"),
    _directory("LDAP_REPLICATION_DB_SYNCPROV", "(see the image)", "settings of the replication"),
    _directory("LDAP_EXTRA_HOST", "", "further name of the container", effect=_EACH),
    _directory("LDAP_EXTRA_HOST_IP_PREFIX", "", "network of LDAP_EXTRA_HOST", effect=_EACH),
    _directory("LDAP_DEBUG", "32768", "log level of slapd", effect=_EACH),
    _directory("LDAP_USER_ID", "1021", "user ID of slapd", effect=_EACH),
    _directory("LDAP_GROUP_ID", "1021", "group ID of slapd", effect=_EACH),
    _database("POSTGRES_DB", "", "name of the database"),
    _database("POSTGRES_USER", "", "account of the archive", has_file=True),
    _database("POSTGRES_PASSWORD", "", "password of POSTGRES_USER", is_secret=True),
    _database("PGDATA", "/var/lib/postgresql/data", "folder of the database", effect=_EACH),
    _archive("LDAP_URL", "ldap://ldap:389", "URL of the directory server, without a DN", target=Target.LDAP_URL),
    _archive("LDAP_BASE_DN", "dc=dcm4che,dc=org", "base DN of the directory", target=Target.BASE_DN),
    _archive("LDAP_ROOTPASS", "secret", "password of cn=admin,BASE-DN", is_secret=True),
    _archive("LDAP_DISABLE_HOSTNAME_VERIFICATION", "true", "if true, the certificate may have any host name"),
    _archive("ARCHIVE_DEVICE_NAME", "dcm4chee-arc", "device that the archive loads", target=Target.ARCHIVE_DEVICE),
    _archive("ARCHIVE_VERSION", "(release)", "dicomSoftwareVersion that the archive writes to its device"),
    _archive("DCM4CHEE_ARC_URLS", "/dcm4chee-arc", "URLs of the nodes, for the web interface", target=Target.NODE_URLS),
    _archive("POSTGRES_HOST", "db", "host of the database"),
    _archive("POSTGRES_PORT", "5432", "port of the database"),
    _archive("POSTGRES_DB", "pacsdb", "name of the database"),
    _archive("POSTGRES_USER", "pacs", "account at the database", has_file=True),
    _archive("POSTGRES_PASSWORD", "pacs", "password at the database", is_secret=True),
    _archive("POSTGRES_JDBC_PARAMS", "", "parameters of the database connection"),
    _archive("HTTP_PORT", "8080", "port of the web interface"),
    _archive("HTTPS_PORT", "8443", "port of the web interface with TLS"),
    _archive("REDIRECT_HTTPS_PORT", "8443", "port to which HTTP is redirected"),
    _archive("MANAGEMENT_HTTP_PORT", "9990", "port of WildFly's console"),
    _archive("MANAGEMENT_HTTPS_PORT", "9993", "port of WildFly's console with TLS"),
    _archive("UI_MANAGEMENT_URL", "", "URL of WildFly's console, for the browser"),
    _archive("HTTP_MAX_POST_SIZE", "10000000000", "largest request in octets"),
    _archive("HTTP_PROXY_ADDRESS_FORWARDING", "false", "if true, WildFly uses X-Forwarded-For"),
    _archive("REVERSE_DNS", "true", "if true, the archive looks up the host names of callers"),
    _archive("WILDFLY_DEPLOY_UI", "true", "web interface: true, false or only"),
    _archive("WILDFLY_ADMIN_USER", "", "account of WildFly's console", has_file=True),
    _archive("WILDFLY_ADMIN_PASSWORD", "", "password of WILDFLY_ADMIN_USER", is_secret=True),
    _archive("WILDFLY_ADMIN_OIDC", "true", "WildFly's console requires Keycloak"),
    _archive("WILDFLY_WAIT_FOR", "", "addresses (HOST:PORT) that must respond before the start"),
    _archive("WILDFLY_START_DELAY", "", "seconds to wait after WILDFLY_WAIT_FOR"),
    _archive("WILDFLY_CHOWN", "", "the container makes the account of WildFly the owner of these folders"),
    _archive("WILDFLY_STANDALONE", "configuration deployments", "folders that a new image updates"),
    _archive("WILDFLY_STANDALONE_PRESERVE", "", "folders that a new image does not update"),
    _archive("WILDFLY_CONFIGURATION_VERSION", "(release)", "release of the configuration of WildFly"),
    _archive("WILDFLY_SERVER_LOG_SUFFIX", ".yyyy-MM-dd", "rotation of server.log"),
    _archive("WILDFLY_AUDIT_LOG_SUFFIX", ".yyyy-MM-dd", "rotation of audit.log"),
    _archive("WILDFLY_SERVER_LOG_PATTERN", "(see the image)", "format of server.log"),
    _archive("WILDFLY_EXECUTER_MAX_THREADS", "100", "threads of WildFly"),
    _archive("WILDFLY_PACSDS_USE_CCM", "true", "cached connection manager of the database"),
    _archive("WILDFLY_PACSDS_MAX_POOL_SIZE", "50", "connections to the database"),
    _archive("WILDFLY_DISABLE_CACHING_FOR_SECURED_PAGES", "false", "headers against caching"),
    _archive("WILDFLY_RESOLVE_PEER_ADDRESS", "false", "if true, WildFly looks up the host names of web clients"),
    _archive("JAVA_OPTS", "(see the image)", "options of Java"),
    _archive("JBOSS_JAVA_SIZING", "(see the image)", "memory of Java"),
    _archive("KEYSTORE", "(sample key)", "key store of HTTPS"),
    _archive("KEYSTORE_TYPE", "PKCS12", "type of KEYSTORE"),
    _archive("KEYSTORE_PASSWORD", "secret", "password of KEYSTORE", is_secret=True),
    _archive("KEY_PASSWORD", "(KEYSTORE_PASSWORD)", "password of the key", is_secret=True),
    _archive("TRUSTSTORE", "(Java's)", "trusted certificates"),
    _archive("TRUSTSTORE_TYPE", "JKS", "type of TRUSTSTORE"),
    _archive("TRUSTSTORE_PASSWORD", "changeit", "password of TRUSTSTORE", is_secret=True),
    _archive("EXTRA_CACERTS", "(sample CA)", "further CA certificates"),
    _archive("EXTRA_CACERTS_PASSWORD", "secret", "password of EXTRA_CACERTS", is_secret=True),
    _archive("NEED_CLIENT_AUTH", "false", "HTTPS requires client certificates"),
    _archive("TLS_PROTOCOLS", "TLSv1.2", "TLS versions of HTTPS"),
    _archive("CIPHER_SUITE_FILTER", "DEFAULT", "cipher suites of HTTPS"),
    _archive("GZIP_FILTER_PREDICATE", "(see the image)", "responses to compress"),
    _archive("AUTH_USER_ROLE", "auth", "role that the archive requires"),
    _archive("SUPER_USER_ROLE", "root", "role of super users"),
    _archive("PROXY_USER_ROLE", "user", "role for the proxy"),
    _archive("AUTH_SERVER_URL", "https://keycloak:8443", "URL of Keycloak (secured container images only)"),
    _archive(
        "UI_AUTH_SERVER_URL", "(AUTH_SERVER_URL)", "URL of Keycloak for the browser (secured container images only)"
    ),
    _archive("REALM_NAME", "dcm4che", "realm of Keycloak (secured container images only)"),
    _archive("SSL_REQUIRED", "external", "whether Keycloak requires TLS (secured container images only)"),
    _archive(
        "ALLOW_ANY_HOSTNAME",
        "true",
        "if true, Keycloak's certificate may have any host name (secured container images only)",
    ),
    _archive(
        "DISABLE_TRUST_MANAGER",
        "false",
        "if true, Keycloak's certificate is not verified (secured container images only)",
    ),
    _archive("UI_CLIENT_ID", "dcm4chee-arc-ui", "client of the web interface (secured container images only)"),
    _archive("RS_CLIENT_ID", "dcm4chee-arc-rs", "client of the web services (secured container images only)"),
    _archive("WILDFLY_CONSOLE", "wildfly-console", "client of WildFly's console (secured container images only)"),
    _archive(
        "WILDFLY_MANAGEMENT", "wildfly-management", "client of WildFly's management (secured container images only)"
    ),
    _archive("LOGSTASH_HOST", "", "host for system logs"),
    _archive("GELF_FACILITY", "wildfly", "name of the facility"),
    _archive("GELF_LEVEL", "WARN", "lowest level of log messages"),
    _archive("GELF_EXTRACT_STACK_TRACE", "true", "stack traces in their own field"),
    _archive("GELF_FILTER_STACK_TRACE", "true", "shorter stack traces"),
)

#: Role and name → the variable.
VARIABLES_BY_NAME: Mapping[tuple[Role, str], ImageVariable] = {(each.role, each.name): each for each in VARIABLES}


def find_variable(role: Role, name: str) -> ImageVariable | None:
    """Return the variable *name* of the image of *role*; ``NAME_FILE`` is the variable whose value it replaces."""
    found = VARIABLES_BY_NAME.get((role, name))
    if found is None and name.endswith(FILE_SUFFIX):
        base = VARIABLES_BY_NAME.get((role, name.removesuffix(FILE_SUFFIX)))
        return base if base is not None and base.has_file_variant else None
    return found


def list_names(role: Role) -> tuple[str, ...]:
    """Return the names of the variables of the image of *role*, with their file variants."""
    names = [each for each in VARIABLES if each.role is role]
    return (*(each.name for each in names), *(f"{each.name}{FILE_SUFFIX}" for each in names if each.has_file_variant))
