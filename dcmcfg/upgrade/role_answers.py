"""Sort the user's answers about roles by the kind of part: AE, device or web application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dcmcfg.errors import Refused
from dcmcfg.upgrade.ae_roles import REMOVED
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.roles import RoleAnswers, Roles

#: Kind → the field of the answers. A role may begin with its kind and a colon, if several parts have the name.
_FIELDS = {"ae": "titles", "device": "devices", "webapp": "web_apps"}


@dataclass(frozen=True, kw_only=True)
class SortedAnswers:
    """The answers about parts of the default that the site was set up with, and about those that the release brings.

    ``archive`` is the name of the archive's device, empty without an answer.
    """

    present: RoleAnswers
    new: RoleAnswers
    archive: str = ""

    def name_new_parts(self, roles: Roles) -> Roles:
        """Return *roles* with the names that the user wants for parts that the release brings."""

        def select(answers: Mapping[str, str]) -> dict[str, str]:
            return {role: name for role, name in answers.items() if name != REMOVED}

        return replace(
            roles,
            titles={**roles.titles, **select(self.new.titles), **select(self.new.other_titles)},
            devices={**roles.devices, **select(self.new.devices)},
            web_apps={**roles.web_apps, **select(self.new.web_apps)},
        )

    def list_declined(self, kind: str) -> tuple[str, ...]:
        """Return the parts of *kind* (``titles``, ``devices`` …) that the release brings and the site does not want."""
        answers: Mapping[str, str] = getattr(self.new, kind)
        return tuple(role for role, name in answers.items() if name == REMOVED)


def sort_answers(answers: Mapping[str, str], default: ConfigurationView, newest: ConfigurationView) -> SortedAnswers:
    """Return *answers* (role → name or ``-``) by kind; *default* is the installed release, *newest* the target.

    Raises :class:`Refused` for a role that neither has, and for two roles with the same answer.
    """
    known, later = _list_parts(default), _list_parts(newest)
    present: dict[str, dict[str, str]] = {}
    new: dict[str, dict[str, str]] = {}
    archive = ""
    for role, name in answers.items():
        kind, _, part = role.rpartition(":")
        if not kind and part in (default.device_name, newest.device_name):
            archive = name
            continue
        for parts, group in ((known, present), (later, new)):
            field = _find_field(parts, kind, part)
            if field:
                if group.setdefault(field, {}).get(part, name) != name:
                    raise Refused(f"--role specifies {part} twice", next_step="specify each part once")
                group[field][part] = name
                break
        else:
            raise Refused(
                f"--role {role}: the default configuration has no AE, device or web application {role}",
                next_step=_list_names((known, later)),
            )
    _require_different_holders((*present.items(), *new.items()))
    return SortedAnswers(present=RoleAnswers(**present), new=RoleAnswers(**new), archive=archive)


def _list_names(releases: Sequence[Mapping[str, frozenset[str]]]) -> str:
    """Return the names of all parts of *releases*, for a message."""
    labels = (("AEs", ("titles", "other_titles")), ("devices", ("devices",)), ("web applications", ("web_apps",)))
    names = (
        (label, sorted({each for parts in releases for field in fields for each in parts[field]}))
        for label, fields in labels
    )
    return "; ".join(f"{label} of the default configuration: {', '.join(each)}" for label, each in names if each)


def _require_different_holders(groups: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    """Raise :class:`Refused` if two roles of one kind have the same holder."""
    holders: dict[tuple[str, str], str] = {}
    for field, answers in groups:
        for role, name in answers.items():
            other = holders.setdefault((field, name), role)
            if name != REMOVED and other != role:
                raise Refused(
                    f"--role {other}={name} and --role {role}={name} use {name} for two roles",
                    next_step=f"correct one of the two options. If the site has no part with the role {other}, specify "
                    f"--role {other}=-. If the site has no part with the role {role}, specify --role {role}=-",
                )


def _find_field(parts: Mapping[str, frozenset[str]], kind: str, name: str) -> str:
    if kind == "ae":
        return next((each for each in ("titles", "other_titles") if name in parts[each]), "")
    fields = (_FIELDS[kind],) if kind in _FIELDS else () if kind else tuple(parts)
    return next((each for each in fields if name in parts[each]), "")


def _list_parts(view: ConfigurationView) -> dict[str, frozenset[str]]:
    others = frozenset(title for device in view.devices.values() for title in view.list_titles(device))
    return {
        "titles": frozenset(view.profiles),
        "other_titles": others - frozenset(view.profiles),
        "devices": frozenset(view.devices),
        "web_apps": frozenset(view.web_apps),
    }
