"""Another title for an AE."""

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
    DCM_NETWORK_AE_OBJECT_CLASS,
    DICOM_AE_TITLE,
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    EXTERNAL_RETRIEVE_AET,
    FALLBACK_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    OBJECT_CLASS,
    OTHER_AE_TITLE,
    RETRIEVE_AET,
    STG_CMT_SCP,
)

#: What names an archive that studies are fetched from: the titles that the database may hold.
_EXTERNAL_ARCHIVE_ATTRIBUTES = (EXTERNAL_RETRIEVE_AET, STG_CMT_SCP, RETRIEVE_AET)
#: Where the archive has others send to it what it fetches from them.
_FETCH_DESTINATION_ATTRIBUTES = (
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    "dcmXDSiFallbackCMoveSCPDestination",
)


@dataclass(frozen=True)
class KeepOptions:
    """What of an AE's old title is kept.

    ``alias``: an AE of that title beside it, with its capabilities; ``other_title``: as a title by which it may be
    called; ``web_apps``: the names of web applications that are called after it.
    """

    alias: bool = False
    other_title: bool = False
    web_apps: bool = False


def rename_ae(references: References, old: str, new: str, keep: KeepOptions) -> Renaming:
    """Return the rename of the AE *old*, a title or ``DEVICE/AE``, to the title *new*.

    Web applications of its device that serve it and are called after it (``OLD``, ``OLD-WADO``) are renamed with it.
    Raises :class:`NotFound` for an unknown AE, :class:`MalformedInput` for what is no title, :class:`Refused` when
    several devices carry *old*, when *new* is taken (as another title too), and for what cannot be kept.
    """
    configuration = Configuration(references.tree)
    ae = _find_ae(references, configuration, old, new)
    if new == ae.title:
        return make_empty_renaming(EntityKind.AE, new)
    require_well_formed(references.tree, EntityKind.AE, new)
    if ae.title == WILDCARD:
        raise Refused("the AE * stands for any title, so it has no name to change", subject=str(ae.entry.dn))
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
    """Return what remains of the rename of an AE by hand; raises what :func:`rename_references_only` raises."""
    return rename_references_only(references, NameChange(EntityKind.AE, old, new))


def _find_ae(references: References, configuration: Configuration, old: str, new: str) -> NetworkAE:
    """Return the AE that *old*, a title or what else names an AE, means."""
    if any(ae.title == old for ae in configuration.network_aes()):
        found = resolve_target(configuration, f"AE:{old}")
    elif step := suggest_references_only(references, NameChange(EntityKind.AE, old, new)):
        raise NotFound(f"no AE has the title {old}", next_step=step)
    else:
        is_qualified = "/" in old or "=" in old or old.lower().startswith("ae:")
        found = resolve_target(configuration, old if is_qualified else f"AE:{old}")
    if found.ae is None:
        raise Refused("it is no AE", subject=old, next_step="name an AE by its title or as DEVICE/AE")
    return found.ae


def _require_keepable(ae: NetworkAE, keep: KeepOptions) -> None:
    qualified_title = ae.qualified_title
    if keep.alias and ae.device.is_archive:
        raise Refused(
            "an alias is kept of AEs of other systems only, and this one is the archive's",
            subject=qualified_title,
            next_step="--keep-as-other-title lets others call it by its old title",
        )
    if keep.other_title and not ae.device.is_archive:
        raise Refused(
            "by which titles this AE may be called is not the archive's to say",
            subject=qualified_title,
            next_step="--keep-alias keeps an AE of the old title, so that the archive can call it by both",
        )


def _require_no_alias(ae: NetworkAE, new: str) -> None:
    """Raise :class:`Refused` when *new* is the title of what looks like an alias of *ae*, with the next steps."""
    connections = {connection.dn for connection in ae.connections}
    for each in ae.device.network_aes:
        if each.title == new and connections and {connection.dn for connection in each.connections} == connections:
            remove = shlex.join(["dcmcfg", "ae", "remove", each.qualified_title])
            raise Refused(
                f"the name {new} is taken by an AE of the same device with the same connections, "
                "which a rename with --keep-alias has kept, as it seems",
                subject=str(each.entry.dn),
                next_step=f"dcmcfg undo N takes that rename back (dcmcfg history has its number), or {remove} "
                "makes way for renaming",
            )


def _require_no_other_title(configuration: Configuration, ae: NetworkAE, new: str) -> None:
    for each in configuration.network_aes():
        if new in each.other_titles and each.entry.dn != ae.entry.dn:
            raise Refused(f"{new} is taken: it is another title (dcmOtherAETitle)", subject=str(each.entry.dn))


def _find_web_apps(references: References, ae: NetworkAE, new: str) -> tuple[tuple[NameChange, ...], tuple[str, ...]]:
    """Return the web applications that are called after *ae* and serve it, and warnings about some."""
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
        if name == new or name.startswith(f"{new}-"):
            warnings.append(f"the web application {name} is called after {new} already; renaming back would rename it.")
        if name != ae.title and not name.startswith(f"{ae.title}-"):
            continue
        new_name = new + name.removeprefix(ae.title)
        try:
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
    """Yield what keeps the old title, and what the new one makes needless."""
    tree, old, new = references.tree, names[0].old_name, names[0].new_name
    if keep.alias:
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
            f"{old} stays as another title of {new} for those who call it. As a move destination it is unknown (A801): "
            f"who has studies moved to {old} has to say {new}."
        )
    else:
        yield (
            f"whoever calls {old} (modalities, workstations, other archives) is refused until told {new}; "
            f"--keep-as-other-title has {new} take calls for {old} too."
        )
    fetches = [
        each
        for each in references.find_references(EntityKind.AE, old)
        if each.attribute in _FETCH_DESTINATION_ATTRIBUTES
    ]
    sources = ", ".join(_list_external_archives(references)) or "the other archive"
    if fetches:
        yield (
            f"what the archive fetches from {sources} is sent to {new} from now on: there, {new} must be known as a "
            "move destination, with the address that the old title has."
        )
    yield (
        f"studies stored before may go on showing {old} as Retrieve AE Title (0008,0054); dcmReturnRetrieveAET shows "
        "another for all."
    )


def _list_external_archives(references: References) -> tuple[str, ...]:
    """Return the titles of the archives that studies are fetched from."""
    names = (*_EXTERNAL_ARCHIVE_ATTRIBUTES[:2], FALLBACK_C_MOVE_SCP)
    found = (each.name for name in names for each in references.by_attribute.get(name, ()))
    return tuple(dict.fromkeys(found))


def _warn_about_remote_ae(references: References, ae: NetworkAE, new: str, keep: KeepOptions) -> Iterator[str]:
    old = ae.title
    yield f"{new} must be the title that the system itself uses: the archive calls it by that, and knows callers by it."
    is_recorded = any(
        each.attribute in _EXTERNAL_ARCHIVE_ATTRIBUTES for each in references.find_references(EntityKind.AE, old)
    )
    if keep.alias:
        yield (
            f"what is archived there already is asked for as {old}, as the archive's database has it. It comes back "
            f"only if that system answers to {old} and calls itself {old} when it sends it: from another calling AE "
            "title it is answered with success and ignored."
        )
        return
    studies = "studies archived there are" if is_recorded else "if studies were ever archived there, they are"
    yield (
        f"{studies} recorded under {old} in the archive's database, which no LDAP change reaches: they cannot be "
        f"fetched any more (Unknown AE). --keep-alias keeps an AE {old} for them."
    )
