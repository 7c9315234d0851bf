"""The schema files of dcm4chee-arc, to find the file that defines an attribute type or object class.

Kept apart: this is data and must be updated together with facts.json.
"""

from __future__ import annotations

#: The release of the bundled definitions (``facts.json``).
RELEASE = "dcm4chee-arc 5.35"
_UPDATE = "ldapmodify -x -W -D cn=admin,cn=config -f"
#: OID arc → file in the folder ``ldap/schema`` of a release. Longer arcs come first, because the first match wins.
_FILES = (
    ("1.2.40.0.13.1.15.0.3.382", "dcm4chee-archive.schema"),
    ("1.2.40.0.13.1.15.0.3.383", "dcm4chee-archive.schema"),
    ("1.2.40.0.13.1.15.110", "dcm4chee-archive.schema"),
    ("1.2.40.0.13.1.15.111", "dcm4chee-archive-ui.schema"),
    ("1.2.840.10008.15.110", "dcm4chee-archive.schema"),
    ("1.2.840.10008.15.0", "dicom.schema"),
    ("1.2.40.0.13.1.15", "dcm4che.schema"),
)


def find_schema_file(oid: str) -> str:
    """Return the name of the file that defines *oid*, empty if none of the archive's own files does."""
    return next((file for arc, file in _FILES if f"{oid}.".startswith(f"{arc}.")), "")


def describe_schema_update(file: str) -> str:
    """Return the next step that loads the schema *file* of the archive's release into an OpenLDAP server."""
    update = f"{file.removesuffix('.schema')}-modify.ldif"
    return (
        f"load {file} of the archive's release into the directory server: either run `{_UPDATE} ldap/slapd/{update}`, "
        "or replace the file and restart slapd. Then repeat the dcmcfg command"
    )
