"""The meaning of arguments, for the help of commands.

A text is used for all commands with an argument of that name; a key with the words of a command is for that command
only.
"""

from __future__ import annotations

_RENAMED = "Current name."
_NEW_NAME = "New name."
_CONNECTION = (
    "DEVICE: name of the device. NAME: name of the connection, required if the device has several connections."
)

#: Parameter, or command and parameter → its text.
ARGUMENTS = {
    "address": "Address of the connection; write an IPv6 address in brackets.",
    "ae": "AE title, or DEVICE/TITLE if the title exists on several devices.",
    "ae add address": "AE title, host and port of the AE; write an IPv6 address in brackets.",
    "aet": "AE title.",
    "apply files": "LDIF file with change records, or with entries in their desired state; '-' is standard input.",
    "attribute": "Name of the attribute, such as dcmExternalRetrieveAEDestination.",
    "attributes": "Name of an attribute, such as dicomInstalled.",
    "capability copy ae": "AE that gets the capabilities.",
    "capability copy source": "AE whose capabilities are copied.",
    "capability diff one": "AE whose capabilities are compared.",
    "capability diff other": "AE to compare with A.",
    "check files": "LDIF file with entries, folder of *.ldif files, or '-' (standard input). Default: the live tree.",
    "completion shell": "Shell that will use the script.",
    "config path name": "Name of a profile.",
    "config set key": "Profile and key, such as hospital.ldap_url.",
    "config set value": "New value. For require_crl and starttls: true or false.",
    "config show name": "Name of a profile.",
    "config unset key": "Profile and key, such as hospital.ldap_url.",
    "config use name": "Name of a profile.",
    "connection list device": "Device whose connections are listed. Default: all devices.",
    "device": "Name of the device.",
    "device show name": "Name of the device. Default: the device of the archive.",
    "device clone new": "Name of the copy.",
    "device clone old": "Device to copy.",
    "diff sides": (
        "LDIF file, folder of *.ldif files, '-' for standard input, or 'live' for the "
        "directory server. The default of the argument FROM is 'live'."
    ),
    "edit target": "Entry to edit: see 'dcmcfg help targets'.",
    "echo titles": "AE title, or DEVICE/TITLE if the title exists on several devices.",
    "file": "File.",
    "find text": "Text to search for; case does not matter.",
    "help words": "Command with its subcommand, or a help topic.",
    "history number": "Number of a change, or ACCOUNT-N for a change by another account. Default: all changes.",
    "import file": "CSV, YAML, JSON or Orthanc file with the AEs; '-' is standard input.",
    "key": "Name of the key.",
    "name": "Name of the device.",
    "new": _NEW_NAME,
    "number": "Number of the change in the list of 'dcmcfg history'.",
    "old": _RENAMED,
    "ae rename old": "Current AE title, or DEVICE/TITLE if the title exists on several devices.",
    "ae rename new": "New AE title.",
    "pattern": "Part of a name, AE title or host. A pattern with * or ? must match the whole name, AE title or host. "
    "Case does not matter.",
    "restore file": "File that 'dcmcfg snapshot' wrote.",
    "results clear names": "Name of a result store, or the beginning of the name. For the names, run 'dcmcfg results "
    "list'.",
    "set-external-retrieve aet": "AE title of a Storage SCP of the archive itself, such as DCM4CHEE.",
    "snapshot file": "File to write; with --check, the file to check.",
    "sop_class": "Name, keyword (CTImageStorage) or UID of a SOP class.",
    "sop_classes": "Name, keyword (CTImageStorage) or UID of a SOP class.",
    "target": "Device, AE or entry: see 'dcmcfg help targets'.",
    "connection add target": "DEVICE: name of the device. NAME: name of the new connection. Default: 'dicom', or "
    "'dicom-tls' for TLS.",
    "connection remove target": _CONNECTION,
    "connection set target": _CONNECTION,
    "connection set address": "New address of the connection; write an IPv6 address in brackets.",
    "connection show target": _CONNECTION,
    "show target": "Device or AE: see 'dcmcfg help targets'. Default: the device of the archive.",
    "undo number": "Number of the change. Default: the interrupted change, or else the newest change.",
    "upgrade apply plan_file": "File with a plan from 'dcmcfg upgrade plan' or 'dcmcfg upgrade gap'.",
    "values": (
        "Attribute and value: = sets, += adds, -= removes a value. @FILE reads the value from "
        "FILE, @- reads the value from standard input."
    ),
}
