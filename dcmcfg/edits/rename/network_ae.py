"""Rename an AE: change its title and all references to it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.changes import Add, Change, Modification, Modify, Operation
from dcmcfg.edits.rename.renaming import (
    Renaming,
    make_empty_renaming,
    make_renaming,
    rename_references_only,
    require_free,
    require_well_formed,
    suggest_references_only,
)
from dcmcfg.edits.rename.rewriting import NameChange, rename_dn
from dcmcfg.errors import MalformedInput, NotFound, Refused
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.registries import WILDCARD
from dcmcfg.model.targets import resolve_target
from dcmcfg.schema_names import (
    ALT_C_MOVE_SCP,
    DCM_NETWORK_AE_OBJECT_CLASS,
    DCM_URI,
    DICOM_AE_TITLE,
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    EXTERNAL_RETRIEVE_AET,
    FALLBACK_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    OBJECT_CLASS,
    OTHER_AE_TITLE,
    RETRIEVE_AET,
    STG_CMT_SCP,
    XDSI_FALLBACK_C_MOVE_SCP,
)
from dcmcfg.well_known_uids import PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE

#: Attributes with the title of an archive from which studies are fetched; the database may have recorded these titles.
_EXTERNAL_ARCHIVE_ATTRIBUTES = (EXTERNAL_RETRIEVE_AET, STG_CMT_SCP, RETRIEVE_AET)
#: More attributes with the title of a system to which studies are exported, or from which they are fetched.
_ARCHIVE_ATTRIBUTES = (DCM_URI, FALLBACK_C_MOVE_SCP, XDSI_FALLBACK_C_MOVE_SCP, ALT_C_MOVE_SCP)
#: Attributes with the AE of the archive to which external archives send fetched studies.
_FETCH_DESTINATION_ATTRIBUTES = (
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    "dcmXDSiFallbackCMoveSCPDestination",
)


@dataclass(frozen=True)
class KeepOptions:
    """The uses of an AE's old title that are kept.

    - ``alias``: a second AE with the old title and the same capabilities.
    - ``other_title``: the old title as another title of the AE (dcmOtherAETitle).
    - ``web_apps``: the old title in the names of web applications.
    """

    alias: bool = False
    other_title: bool = False
    web_apps: bool = False


def rename_ae(references: References, old: str, new: str, keep: KeepOptions) -> Renaming:
    """Return the rename of the AE *old*, a title or ``DEVICE/AE``, to the title *new*.

    Web applications of its device that serve the AE and have its title in their name (``OLD``, ``OLD-WADO``) are
    renamed too. Raises :class:`NotFound` for an unknown AE, :class:`MalformedInput` for an invalid title, and
    :class:`Refused` if several devices have *old*, if *new* is already used (also as another title), or if *keep* is
    not possible.
    """
    configuration = Configuration(references.tree)
    ae = _find_ae(references, configuration, old, new)
    if new == ae.title:
        return make_empty_renaming(EntityKind.AE, new)
    require_well_formed(references.tree, EntityKind.AE, new)
    if ae.title == WILDCARD:
        raise Refused("the AE * represents any title and cannot be renamed", subject=str(ae.entry.dn))
    _require_keepable(ae, keep)
    _require_no_alias(ae, new)
    require_free(references, EntityKind.AE, new)
    _require_no_other_title(configuration, ae, new)
    name = NameChange(
        EntityKind.AE, ae.title, new, ae.entry, keeps_old_name=keep.alias, accepts_old_title=keep.other_title
    )
    apps, warnings = _find_web_apps(references, ae, new) if not keep.web_apps else ((), ())
    names = (name, *apps)
    return make_renaming(
        references,
        names,
        (*warnings, *_find_warnings(references, ae, new, keep)),
        tuple(_make_keep_changes(references, ae, names, keep)),
    )


def rename_references(references: References, old: str, new: str) -> Renaming:
    """Return the rest of a manual rename of an AE; raises the errors of :func:`rename_references_only`."""
    return rename_references_only(references, NameChange(EntityKind.AE, old, new))


def _find_ae(references: References, configuration: Configuration, old: str, new: str) -> NetworkAE:
    """Return the AE *old*: a title, ``DEVICE/AE`` or another name of an AE."""
    if any(ae.title == old for ae in configuration.network_aes()):
        # A device may have the same name, so the prefix is necessary.
        found = resolve_target(configuration, f"AE:{old}")
    elif step := suggest_references_only(references, NameChange(EntityKind.AE, old, new)):
        raise NotFound(f"no AE has the title {old}", next_step=step)
    else:
        is_qualified = "/" in old or "=" in old or old.lower().startswith("ae:")
        found = resolve_target(configuration, old if is_qualified else f"AE:{old}")
    if found.ae is None:
        raise Refused("not an AE", subject=old, next_step="specify the AE by its title, or as DEVICE/AE")
    return found.ae


def _require_keepable(ae: NetworkAE, keep: KeepOptions) -> None:
    qualified_title = ae.qualified_title
    if keep.alias and ae.device.is_archive:
        raise Refused(
            "dcmcfg can keep an alias only for an AE of a remote system, but this AE belongs to the archive",
            subject=qualified_title,
            next_step="to let the AE also accept its old title: --keep-as-other-title",
        )
    if keep.other_title and not ae.device.is_archive:
        raise Refused(
            "the remote system, not the archive, decides which titles this AE accepts",
            subject=qualified_title,
            next_step="to keep an AE with the old title, so that the archive can use both titles: --keep-alias",
        )


def _require_no_alias(ae: NetworkAE, new: str) -> None:
    """Raise :class:`Refused` with the next steps if *new* is the title of a probable alias of *ae*."""
    connections = {connection.dn for connection in ae.connections}
    for each in ae.device.network_aes:
        if each.title == new and connections and {connection.dn for connection in each.connections} == connections:
            remove = shlex.join(["dcmcfg", "ae", "remove", each.qualified_title])
            raise Refused(
                f"the device already has an AE {new} with the same connections as {ae.title}; {new} is probably an "
                "alias from an earlier rename with --keep-alias",
                subject=str(each.entry.dn),
                next_step="to revert that rename: dcmcfg undo N (to see the number N: dcmcfg history); to remove the "
                f"alias: {remove}",
            )


def _require_no_other_title(configuration: Configuration, ae: NetworkAE, new: str) -> None:
    for each in configuration.network_aes():
        if new in each.other_titles and each.entry.dn != ae.entry.dn:
            raise Refused(f"another AE already has the title {new} (dcmOtherAETitle)", subject=str(each.entry.dn))


def _find_web_apps(references: References, ae: NetworkAE, new: str) -> tuple[tuple[NameChange, ...], tuple[str, ...]]:
    """Return the renames of web applications that serve *ae* and have its title in their name, and warnings."""
    found: list[NameChange] = []
    warnings: list[str] = []
    for entry in references.tree.children(ae.device.entry.dn):
        name = entry.text(EntityKind.WEB_APP.value.attribute)
        if (
            not entry.is_a(EntityKind.WEB_APP.value.object_class)
            or name is None
            or entry.text(DICOM_AE_TITLE) != ae.title
        ):
            continue
        # A rename back would apply the same rule to this application, although the first rename did not change it.
        if name == new or name.startswith(f"{new}-"):
            warnings.append(
                f"the name of the web application {name} already starts with {new}. If you later rename {new} "
                "back to the old title, dcmcfg will also rename this web application."
            )
        if name != ae.title and not name.startswith(f"{ae.title}-"):
            continue
        new_name = new + name.removeprefix(ae.title)
        try:
            # A name that cannot change is no reason to refuse the rename of the AE.
            require_well_formed(references.tree, EntityKind.WEB_APP, new_name)
            require_free(references, EntityKind.WEB_APP, new_name)
        except (MalformedInput, Refused) as error:
            warnings.append(f"the web application {name} keeps its name: {error.message}.")
        else:
            found.append(NameChange(EntityKind.WEB_APP, name, new_name, entry))
    return tuple(found), tuple(warnings)


def _make_keep_changes(
    references: References, ae: NetworkAE, names: Sequence[NameChange], keep: KeepOptions
) -> Iterator[Change]:
    """Yield the changes that keep the old title, and that remove the new title from other titles of the AE."""
    tree, old, new = references.tree, names[0].old_name, names[0].new_name
    if keep.alias:
        # The other titles stay with the renamed AE, so that each finds one AE only.
        yield Add(ae.entry.with_values(OTHER_AE_TITLE, ()))
        yield from map(Add, ae.capabilities)
    others = [title for title in ae.other_titles if title != new]
    if keep.other_title and old not in others:
        others.append(old)
    if tuple(others) != ae.other_titles:
        dn = rename_dn(tree, ae.entry.dn, names)
        needs_class = others and not ae.entry.is_a(DCM_NETWORK_AE_OBJECT_CLASS)
        classes = (
            (Modification(Operation.ADD, OBJECT_CLASS, (DCM_NETWORK_AE_OBJECT_CLASS.encode(),)),) if needs_class else ()
        )
        values = tuple(title.encode() for title in others)
        yield Modify(dn, (*classes, Modification(Operation.REPLACE, OTHER_AE_TITLE, values)))


def _find_warnings(references: References, ae: NetworkAE, new: str, keep: KeepOptions) -> Iterator[str]:
    if ae.device.is_archive:
        yield from _warn_about_archive_ae(references, ae, new, keep)
    else:
        yield from _warn_about_remote_ae(references, ae, new, keep)


def _warn_about_archive_ae(references: References, ae: NetworkAE, new: str, keep: KeepOptions) -> Iterator[str]:
    old = ae.title
    if keep.other_title:
        yield (
            f"callers can still use {old} as called AE title. But {old} no longer works as a Move Destination (A801). "
            f"In systems that use {old} as a Move Destination, replace {old} with {new}."
        )
    else:
        yield (
            f"the archive will reject associations to {old}. Configure {new} in all systems that call {old} "
            "(modalities, workstations, other archives). "
            f"To let {new} also accept associations to {old}: --keep-as-other-title"
        )
    fetches = [
        each
        for each in references.find_references(EntityKind.AE, old)
        if each.attribute in _FETCH_DESTINATION_ATTRIBUTES
    ]
    sources = ", ".join(_list_external_archives(references)) or "the external archive"
    if fetches:
        yield (
            f"studies that the archive fetches from {sources} will be sent to {new}. On {sources}, configure {new} as "
            f"a Move Destination, with the same host and port as {old}."
        )
    yield (
        f"studies that were stored before the rename may still show {old} as Retrieve AE Title (0008,0054). To show "
        "one title for all "
        "studies, set dcmReturnRetrieveAET."
    )


def _list_external_archives(references: References) -> tuple[str, ...]:
    """Return the titles of the archives from which studies are fetched."""
    names = (*_EXTERNAL_ARCHIVE_ATTRIBUTES[:2], FALLBACK_C_MOVE_SCP)
    found = (each.name for name in names for each in references.by_attribute.get(name, ()))
    return tuple(dict.fromkeys(found))


def _warn_about_remote_ae(references: References, ae: NetworkAE, new: str, keep: KeepOptions) -> Iterator[str]:
    old = ae.title
    yield (
        f"{new} must be the title that the remote system uses: the archive uses this title to call and to recognise "
        "the remote system."
    )
    is_recorded = any(
        each.attribute in _EXTERNAL_ARCHIVE_ATTRIBUTES for each in references.find_references(EntityKind.AE, old)
    )
    if keep.alias:
        yield (
            f"studies that are already on the remote system are recorded under {old} in the archive's database. To "
            f"retrieve these studies, the archive calls the remote system with the called AE title {old}. The remote "
            f"system must accept {old} as called AE title, and must use {old} as calling AE title when it sends the "
            "objects. The archive ignores objects with another calling AE title, but still responds with success."
        )
        return
    if not is_recorded and not _may_be_archive(references, ae):
        return
    studies = "for studies on the remote system" if is_recorded else "if studies were archived on the remote system"
    yield (
        f"{studies}, the archive's database contains the title {old}. LDAP changes do not affect the database, so the "
        f"archive can no longer fetch these studies (Unknown AE). To keep an AE {old} for these studies: --keep-alias"
    )


def _may_be_archive(references: References, ae: NetworkAE) -> bool:
    """Return whether the archive may have exported studies to *ae*, to fetch them from there later.

    It may if the configuration exports to *ae* or fetches from it, if *ae* accepts C-MOVE, and if the capabilities of
    *ae* are unknown.
    """
    if not any(ae.transfer_syntaxes.values()):
        return True
    if not {WILDCARD, PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE}.isdisjoint(ae.transfer_syntaxes["SCP"]):
        return True
    attributes = {each.attribute for each in references.find_references(EntityKind.AE, ae.title)}
    return not attributes.isdisjoint(_ARCHIVE_ATTRIBUTES)
