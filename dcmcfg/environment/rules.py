"""The rules about the environment of the archive's containers."""

from __future__ import annotations

from dcmcfg.schema.findings import CheckRule

_SET_TO_DIRECTORY = "Set the variable to the value that the directory has."

START_VALUE = CheckRule(
    "env-start-value",
    "error",
    "A variable that the archive reads at each start must have the same value as in the directory.",
    part="environment",
    fix=_SET_TO_DIRECTORY,
    reason="At its next start, the archive does not find its configuration.",
)
FIRST_START_VALUE = CheckRule(
    "env-first-start-value",
    "warning",
    "A variable that is used only at the first start of the directory server must have the same value as in the "
    "directory.",
    part="environment",
    fix=f"{_SET_TO_DIRECTORY} If you change only the variable, the directory does not change.",
    reason="The variable has no effect on an existing directory. But the update scripts of the image use the variable. "
    "With a wrong value, the scripts try to change entries that do not exist.",
)
LDAP_URL = CheckRule(
    "env-ldap-url",
    "error",
    "LDAP_URL must be the URL of the directory server, without a DN.",
    part="environment",
    fix="Write the URL as ldap://HOST:PORT or ldaps://HOST:PORT. Write the base DN into LDAP_BASE_DN.",
    reason="The archive cannot read its configuration, or the archive and dcmcfg use different directories.",
)
NODE_ADDRESS = CheckRule(
    "env-node-address",
    "warning",
    "The URLs of the archive in the settings must match the ports and URLs of its containers.",
    part="environment",
    fix="Correct the ports, or correct the URL of the archive with `dcmcfg config set`.",
    reason="dcmcfg cannot reload the archive, or does not reload all nodes.",
)
PORT_NOT_PUBLISHED = CheckRule(
    "env-port-not-published",
    "warning",
    "A container of the archive must publish each port that the archive has in the directory.",
    part="environment",
    fix="Publish the port, or correct the port of the connection.",
    reason="Other systems cannot reach the port.",
)
IMAGE_VERSIONS = CheckRule(
    "env-image-versions",
    "warning",
    "The images of the directory server and the database must not be older than the image of the archive.",
    part="environment",
    fix="Use the images of the same release, and run the update scripts of the images. See 'dcmcfg help upgrade'.",
    reason="An older LDAP schema lacks attributes that the archive uses, and an older database lacks tables.",
)
IMAGE_TAG = CheckRule(
    "env-image-tag",
    "note",
    "The tag of a container image must contain a release number.",
    part="environment",
    fix="Use a tag with a release number, such as 5.35.0 or 2.6.13-35.0.",
    reason="The tag does not show which release runs, and a new pull of the image can change the release.",
)
DEFAULT_PASSWORD = CheckRule(
    "env-default-password",
    "warning",
    "A password must not be the default password of the image.",
    part="environment",
    fix="Set another password in the file. Also change the password in the directory or in the database, because both "
    "keep the password of their first start.",
    reason="The default passwords are public.",
)
PASSWORDS_DIFFER = CheckRule(
    "env-password-differs",
    "error",
    "The archive must use the password of its directory server, and the user, password and name of its database.",
    part="environment",
    fix="Set the same value in both containers.",
    reason="The archive cannot log in.",
)
VALUE_AND_FILE = CheckRule(
    "env-value-and-file",
    "error",
    "A variable must be set as NAME or as NAME_FILE, not as both.",
    part="environment",
    fix="Remove one of the variables.",
    reason="The container does not start.",
)
VARIABLE_NAME = CheckRule(
    "env-variable-name",
    "warning",
    "A container must have only variables that its image reads.",
    part="environment",
    fix="Correct the name, or set the variable in the container that reads the variable. See 'dcmcfg help containers'.",
    reason="The image ignores the variable.",
)
VALUE_UNKNOWN = CheckRule(
    "env-value-unknown",
    "note",
    "The files must contain the values of the variables.",
    part="environment",
    fix="Set the variable in the .env file. If another file contains the value, specify this file with a second --env "
    "option. To check all values that Docker Compose uses, run `docker compose config | dcmcfg check --env -`.",
    reason="The value is not checked.",
)
NOTHING_COMPARED = CheckRule(
    "env-nothing-compared",
    "warning",
    "The files must describe a container of the archive, of its directory server or of its database.",
    part="environment",
    fix="Specify the file with the containers of the archive. dcmcfg recognises the images slapd-dcm4chee, "
    "postgres-dcm4chee and dcm4chee-arc by their names. dcmcfg recognises other images by a variable such as LDAP_URL "
    "or LDAP_CONFIGPASS.",
    reason="dcmcfg compares nothing, so dcmcfg finds no errors.",
)

RULES = (
    START_VALUE,
    FIRST_START_VALUE,
    LDAP_URL,
    NODE_ADDRESS,
    PORT_NOT_PUBLISHED,
    IMAGE_VERSIONS,
    IMAGE_TAG,
    DEFAULT_PASSWORD,
    PASSWORDS_DIFFER,
    VALUE_AND_FILE,
    VARIABLE_NAME,
    VALUE_UNKNOWN,
    NOTHING_COMPARED,
)
