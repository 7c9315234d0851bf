"""The help topics, generated from the tables that the commands use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dcmcfg.cli.help_pages.access_topics import make_secrets, make_secured
from dcmcfg.cli.help_pages.data_topics import make_another_base, make_import_files, make_studies
from dcmcfg.cli.help_pages.site_topics import make_containers, make_monitoring
from dcmcfg.cli.help_pages.topic import Section, Topic
from dcmcfg.cli.options.change_options import HELP_BY_RISK
from dcmcfg.cli.options.node_options import NODE_OPTION_TEXTS
from dcmcfg.cli.options.site_settings import OPTIONS
from dcmcfg.cli.session.failures import DEBUG_VARIABLE, INTERRUPTED_EXIT_CODE, OUTPUT_CLOSED_EXIT_CODE
from dcmcfg.cli.topics import TOPIC_LIST, TOPICS
from dcmcfg.errors import DcmcfgError, IncompleteChange, MalformedInput, NegativeResult
from dcmcfg.limits import LIMITS
from dcmcfg.render.json_schemas.catalogue import ERROR, read_definition
from dcmcfg.settings.config_identity import PASSWORD_FILE_VARIABLE, PASSWORD_VARIABLE, USER_VARIABLE
from dcmcfg.settings.sources import VARIABLES

_SETTINGS_WITHOUT_OPTION = {
    "bind_password": "Password of the bind DN.",
    "bind_password_keychain": "Keychain service with the password of the bind DN.",
    "archive_token": "Bearer token for the archive.",
    "oidc_token_url": "Token endpoint to use instead of the endpoint that the issuer publishes.",
    "oidc_client_secret": "Secret of the OpenID Connect client.",
    "oidc_client_secret_keychain": "Keychain service with the secret of the OpenID Connect client.",
    "oidc_scope": "Scope that the client requests.",
    "tls_ca": "CA certificates (PEM) for verifying DICOM peers. Default: the file of --ca-file.",
    "tls_cert": "Certificate (PEM) to present in DICOM associations.",
    "tls_key": "Private key (PEM) of the certificate for DICOM associations. Default: the key in the certificate file.",
    "tls_key_passphrase": "Passphrase of the private key for DICOM associations.",
    "tls_key_passphrase_file": "File that contains the passphrase of the private key for DICOM associations.",
}
_OTHER_VARIABLES = {
    "DCMCFG_PROFILE": "Profile that describes the site; see 'dcmcfg config use'.",
    USER_VARIABLE: "Administrator of cn=config for 'dcmcfg upgrade schema'.",
    PASSWORD_VARIABLE: "Password of the administrator of cn=config.",
    PASSWORD_FILE_VARIABLE: "File with the password of the administrator of cn=config.",
    DEBUG_VARIABLE: "If set to 1, show the traceback of an internal error.",
    "DCMCFG_LAB_FOLDER": "Folder of the lab.",
    "DCMCFG_LAB_WITH_PID": "End the lab when the process with this ID ends.",
    "COLUMNS": "Width of the output in columns. Default: the width of the terminal.",
    "NO_COLOR": "If set, print without colour.",
    "VISUAL, EDITOR": "Editor that 'dcmcfg edit' starts.",
    "XDG_CONFIG_HOME": "Folder that contains dcmcfg/profiles. Default: ~/.config.",
    "XDG_STATE_HOME": "dcmcfg records each change in the subfolder dcmcfg of this folder. Default: ~/.local/state.",
}


def get_topic(name: str) -> Topic:
    """Return the topic *name* of :data:`~dcmcfg.cli.topics.TOPICS`."""
    return _TOPICS[name](name)


def _make_site_options(name: str) -> Topic:
    rows = tuple(
        (f"--{setting.replace('_', '-')} {placeholder}".rstrip(), text) for setting, placeholder, _, text in OPTIONS
    )
    return Topic(
        name,
        (
            "A site is a directory server, an archive, and the credentials for the server and the archive. The "
            "options below describe the site. Every command that uses a site accepts these options, before or after "
            "the name of the command.",
            "For each setting, dcmcfg uses the first value that it finds in these sources: 1. the option; 2. the "
            "profile of --profile; 3. the environment (DCMCFG_ and the setting in capitals, such as "
            "DCMCFG_LDAP_URL); 4. the profile of DCMCFG_PROFILE, or else the profile selected with 'dcmcfg config "
            "use', or else the profile 'default'; 5. the default value, for a standard installation of dcm4chee-arc on "
            "this machine.",
            "The LDAP URL, the bind DN and the password come from the same source. Therefore, dcmcfg sends a password "
            "only to the server to which the password belongs. The archive URL and its token also come from the same "
            "source. To replace only one value of a source, use an option. To see each setting and its source, run "
            "'dcmcfg config show'.",
        ),
        (Section("Site options", rows),),
    )


def _make_safety_overrides(name: str) -> Topic:
    return Topic(
        name,
        (
            "A command refuses a plan that has one of the risks below. The message shows the risk, the entries, and "
            "the option that accepts the risk. Each option accepts one risk, for one run of the command. Every "
            "command that changes the configuration has these options.",
        ),
        (Section("Safety overrides", tuple((f"--force-{risk}", text) for risk, text in HELP_BY_RISK.items())),),
    )


def _make_nodes(name: str) -> Topic:
    return Topic(
        name,
        (
            "An archive can have several nodes: servers that share the archive's device and its database. If one "
            "node reloads, the other nodes do not reload. The profile lists the nodes: 'dcmcfg config set "
            "NAME.nodes.NODE.archive_url URL' adds a node, and 'dcmcfg config nodes' shows all nodes. If a node reads "
            "a replica of the directory, set ldap_url of this node to the URL of the replica.",
            (
                "A command that changes the configuration writes to the directory of the site. Then "
                "the command waits until each replica has the change, and reloads one node after the "
                "other. If a replica does not receive the change in time, dcmcfg does not reload the "
                "nodes of this replica. If a node fails, the command stops. With --keep-going, the "
                "command continues with the next node."
            ),
            "After each reload, dcmcfg checks whether the node has loaded the change. For this check, dcmcfg reads "
            "/aets, /storage, /export, /queue, /metrics, /reject, /attribute-set and /attribute-filter of the "
            "node. dcmcfg also tests the ports, and reads the answer to an association request. A node does not show "
            "the values of many settings. If only such settings change, the reload is reported as not confirmed. "
            "With --confirm marker, dcmcfg adds a marker to the directory before the reload. The marker is an entry of "
            "the object class dcmAttributeSet, with a unique name. If the node shows the marker, the node has loaded "
            "the change. After the reload, dcmcfg removes the marker from the directory. The node continues to show "
            "the marker until its next reload.",
            (
                "Exit code 4 means that a node did not load the change, or that dcmcfg could not "
                "check the node. 'dcmcfg apply --resume' continues with the remaining nodes."
            ),
        ),
        (
            Section(
                "Options of the nodes",
                tuple(
                    (f"{option} {placeholder}".rstrip(), text)
                    for option, (placeholder, text) in NODE_OPTION_TEXTS.items()
                ),
            ),
        ),
    )


def _make_limits(name: str) -> Topic:
    return Topic(
        name,
        (
            "The limits below apply to data from other systems, such as a directory server, an archive or a DICOM "
            "peer. If the data exceeds a limit, the command ends with an error. The option --max NAME=NUMBER changes a "
            "limit for one run. Specify the option before or after the name of the command. To change several limits, "
            "repeat the option. For a limit in octets, NUMBER can end in K, M or G.",
        ),
        (Section("Limits", tuple((f"{each.name} ({each.format_maximum()})", each.description) for each in LIMITS)),),
    )


def _make_targets(name: str) -> Topic:
    return Topic(
        name,
        ("The argument TARGET specifies an entry in one of the forms below. Shell completion suggests targets.",),
        (
            Section(
                "Forms",
                (
                    ("DEVICE", "A device by its name: dcm4chee-arc"),
                    ("DEVICE/AE", "An AE of a device: dcm4chee-arc/DCM4CHEE"),
                    ("AE:TITLE", "An AE by its title, if only one device has this AE title: AE:DCM4CHEE"),
                    ("DN", "Any entry by its DN: dcmExporterID=LONGTERM,dicomDeviceName=dcm4chee-arc"),
                ),
            ),
            Section(
                "DNs",
                (
                    ("absolute", "A DN that ends with the base DN of the site."),
                    ("relative", "Any other DN is relative to the container of the devices."),
                ),
            ),
        ),
    )


def _make_environment(name: str) -> Topic:
    return Topic(
        name,
        (
            "dcmcfg ignores an empty variable. Options take precedence over the environment: see 'dcmcfg help "
            "site-options'.",
        ),
        (
            Section("Site", tuple(_list_setting_variables())),
            Section("Others", tuple(_OTHER_VARIABLES.items())),
        ),
    )


def _list_setting_variables() -> Iterator[tuple[str, str]]:
    texts = {setting: text for setting, _, _, text in OPTIONS} | _SETTINGS_WITHOUT_OPTION
    yield from ((variable, texts[setting]) for setting, variable in VARIABLES.items())


def _make_exit_codes(name: str) -> Topic:
    return Topic(
        name,
        ("The help of a command lists the exit codes that have a special meaning for this command.",),
        (
            Section(
                "Exit codes",
                (
                    ("0", "Success, also if there was nothing to do."),
                    (
                        str(NegativeResult.exit_code),
                        "Negative result: the user declined, a study was not verified, or the command found problems "
                        "or differences. A dry run has this exit code if dcmcfg would refuse the plan.",
                    ),
                    (
                        str(MalformedInput.exit_code),
                        "Usage error: the command line or a setting is wrong. Examples: an unknown option, an "
                        "invalid AE title, an unknown SOP class.",
                    ),
                    (
                        str(DcmcfgError.exit_code),
                        "The command failed, and nothing was changed. Examples: an unknown attribute, a value that "
                        "the schema of the server does not allow, a missing entry.",
                    ),
                    (
                        str(IncompleteChange.exit_code),
                        "The command did not finish, and something has changed or might have changed.",
                    ),
                    (str(INTERRUPTED_EXIT_CODE), "Interrupted with Ctrl-C."),
                    (
                        str(OUTPUT_CLOSED_EXIT_CODE),
                        "The program that was reading the output has ended. Example: head in 'dcmcfg ae list | head'.",
                    ),
                ),
            ),
        ),
    )


def _make_topics(name: str) -> Topic:
    return Topic(
        name,
        ("'dcmcfg help TOPIC' shows a topic. If man pages are installed, 'man dcmcfg-TOPIC' shows the same text.",),
        (Section("Topics", tuple((topic, text) for topic, text in TOPICS.items() if topic != name)),),
    )


def _make_json(name: str) -> Topic:
    properties = read_definition(ERROR)["properties"]
    return Topic(
        name,
        (
            "With --json, a command prints one JSON object on standard output. Unknown values are null. Times are in "
            "UTC, durations are in seconds. Secrets are null or omitted, except with --with-secrets.",
            "'dcmcfg help --json-schema COMMAND' prints a JSON Schema (2020-12) of the object, with a description of "
            "each key. A command such as check can print one of several objects.",
            (
                "If the command fails, the object contains the key 'error', and the keys with values "
                "that are already known. dcmcfg prints messages, warnings and progress to standard "
                "error."
            ),
        ),
        (
            Section(
                "Keys of 'error'",
                tuple((key, each["description"].replace("`", "'")) for key, each in properties.items()),
            ),
        ),
    )


_TOPICS: dict[str, Callable[[str], Topic]] = {
    "site-options": _make_site_options,
    "safety-overrides": _make_safety_overrides,
    "nodes": _make_nodes,
    "limits": _make_limits,
    "targets": _make_targets,
    "environment": _make_environment,
    "exit-codes": _make_exit_codes,
    "secrets": make_secrets,
    "secured": make_secured,
    "another-base": make_another_base,
    "import-files": make_import_files,
    "studies": make_studies,
    "containers": make_containers,
    "monitoring": make_monitoring,
    "json": _make_json,
    TOPIC_LIST: _make_topics,
}
