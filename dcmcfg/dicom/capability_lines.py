"""Read and write transfer capabilities as lines of text: role, SOP class and transfer syntaxes, by keyword or UID.

:func:`build_storage_scp_capabilities` returns a complete storage SCP set.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dcmcfg.dicom.uid_registry import UidKind, format_uid_name, get_keyword, list_storage_sop_classes, resolve_uid
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.errors import MalformedInput
from dcmcfg.model.capabilities import ROLES, SCP, SCU, get_sop_class_name, get_sop_class_role, is_storage_capability
from dcmcfg.model.devices import Configuration
from dcmcfg.well_known_uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, VERIFICATION

_LINE_FORMAT = (
    "each line has the form ROLE SOP-CLASS SYNTAX…, for example SCP CTImageStorage ImplicitVRLittleEndian "
    "ExplicitVRLittleEndian"
)
_MAX_FILE_CHARACTERS = 1_000_000


def format_capability_line(role: str, sop_class: str, syntaxes: tuple[str, ...]) -> str:
    """Return the text line of one capability."""
    return " ".join((role, get_keyword(sop_class), *map(get_keyword, syntaxes)))


def read_capabilities(path: Path) -> tuple[TransferCapability, ...]:
    """Return the capabilities in the lines of the file *path*; comments from ``#`` on and empty lines are ignored.

    Raises :class:`MalformedInput` for an unreadable file, for an invalid line (with its number), and for a SOP class
    that appears twice in one role.
    """
    try:
        # Editors on Windows write a byte order mark before UTF-8 text.
        text = path.read_bytes()[: _MAX_FILE_CHARACTERS + 1].decode("utf-8-sig")
    except OSError as error:
        raise MalformedInput(
            f"cannot be read ({error.strerror})",
            subject=str(path),
            next_step="set --capabilities to 'none', 'storage-scp' or the path of a file",
        ) from error
    except UnicodeDecodeError as error:
        raise MalformedInput("not UTF-8 text", subject=str(path)) from error
    if len(text) > _MAX_FILE_CHARACTERS:
        raise MalformedInput("the file has more than 1,000,000 characters", subject=str(path))
    capabilities = tuple(_parse_lines(text, str(path)))
    seen: set[tuple[str, str]] = set()
    for each in capabilities:
        if (each.sop_class, each.role) in seen:
            raise MalformedInput(f"{each.name} appears twice", subject=str(path))
        seen.add((each.sop_class, each.role))
    if not capabilities:
        raise MalformedInput("the file contains no transfer capability", subject=str(path), next_step=_LINE_FORMAT)
    return capabilities


def _parse_lines(text: str, source: str) -> Iterator[TransferCapability]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        location = f"{source}:{number}"
        if len(words) < 3 or words[0].upper() not in ROLES:
            raise MalformedInput("not a capability", subject=location, next_step=_LINE_FORMAT)
        role = words[0].upper()
        try:
            sop_class = resolve_uid(words[1], UidKind.SOP_CLASS)
            syntaxes = tuple(dict.fromkeys(resolve_uid(word, UidKind.TRANSFER_SYNTAX) for word in words[2:]))
        except MalformedInput as error:
            raise MalformedInput(
                f"{error.subject}: {error.message}", subject=location, next_step=error.next_step
            ) from error
        yield TransferCapability(f"{format_uid_name(sop_class)} {role}", sop_class, role, syntaxes)


def build_storage_scp_capabilities(configuration: Configuration) -> tuple[TransferCapability, ...]:
    """Return SCP capabilities in little endian for the standard's storage SOP classes and those that archives may send.

    The archives of the *configuration* may have private SOP classes. Verification comes first; each name appears once.
    """
    names = {
        VERIFICATION: format_uid_name(VERIFICATION),
        **{uid: format_uid_name(uid) for uid in list_storage_sop_classes()},
    }
    for device in configuration.devices:
        for ae in device.network_aes if device.is_archive else ():
            for entry in ae.capabilities:
                sop_class, role = get_sop_class_role(entry)
                # The name becomes the cn of the entry, which must be unique below an AE.
                if role == SCU and is_storage_capability(entry) and get_sop_class_name(entry) not in names.values():
                    names.setdefault(sop_class, get_sop_class_name(entry))
    return tuple(
        TransferCapability(
            f"{name} {SCP}",
            uid,
            SCP,
            (IMPLICIT_VR_LITTLE_ENDIAN,)
            if uid == VERIFICATION
            else (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN),
        )
        for uid, name in names.items()
    )
