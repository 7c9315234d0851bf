"""Find which parts of a site play the roles of the default configuration, whatever their names.

A role is a device, AE or web application of the default. Its holder is found by its content, or named by the user.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dcmcfg.dn import DN
from dcmcfg.errors import Refused
from dcmcfg.schema_names import DICOM_AE_TITLE, WEB_SERVICE_PATH
from dcmcfg.upgrade.ae_roles import REMOVED, RoleQuestion, match_aes
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.device_roles import match_devices
from dcmcfg.upgrade.names import NameMapping, mark_removed
from dcmcfg.upgrade.trees import UpgradeTree

_TITLE_IN_PATH = re.compile(r"(/aets/)([^/]+)(?=/)")


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The holders of the roles: names of the default → names at the site, also where they are the same.

    ``removed`` are the roles that the site does not have; ``displaced`` are AEs among them whose titles other AEs of
    the site have, and ``displaced_web_apps`` removed web applications whose names others have. ``questions`` must be
    answered before a plan is made.
    """

    base_dn: DN
    device: str
    devices: Mapping[str, str]
    titles: Mapping[str, str]
    web_apps: Mapping[str, str]
    removed: tuple[str, ...] = ()
    displaced: tuple[str, ...] = ()
    displaced_web_apps: tuple[str, ...] = ()
    questions: tuple[RoleQuestion, ...] = ()

    def make_mapping(self, tree: UpgradeTree, default_base: DN) -> NameMapping:
        """Return the mapping of names from a default with the base *default_base* to the site of *tree*."""
        return NameMapping(
            tree.schema,
            default_base,
            self.base_dn,
            devices={old: new for old, new in self.devices.items() if old != new},
            titles={
                **{old: new for old, new in self.titles.items() if old != new},
                **{title: mark_removed(title) for title in self.displaced},
            },
            web_apps={
                **{old: new for old, new in self.web_apps.items() if old != new},
                **{name: mark_removed(name) for name in self.displaced_web_apps},
            },
        )


@dataclass(frozen=True, kw_only=True)
class RoleAnswers:
    """The user's answers by kind of role: name in the default → name at the site, or ``-`` for a removed part.

    ``titles`` are AEs of the archive's device, ``other_titles`` those of other devices.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    other_titles: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    web_apps: Mapping[str, str] = field(default_factory=dict)


_NO_ANSWERS = RoleAnswers()


def find_roles(default: ConfigurationView, site: ConfigurationView, answers: RoleAnswers = _NO_ANSWERS) -> Roles:
    """Return the holders of the roles of *default* at *site*, with the user's *answers*.

    Raises :class:`Refused` for an answer that names no part of the site.
    """
    titles, questions = match_aes(default, site, answers.titles)
    devices, device_titles = match_devices(default, site, answers.devices, answers.other_titles)
    all_titles = {**titles, **device_titles}
    # An AE of the site with the title of a removed one is another AE if the user says so, or if it has another role.
    displaced = [
        title
        for title in default.profiles
        if title not in titles
        and title in site.profiles
        and (answers.titles.get(title) == REMOVED or title in titles.values())
    ]
    removed = [title for title in default.profiles if title not in titles]
    removed += [name for name in default.devices if name not in devices]
    web_apps = _match_web_apps(default, site, all_titles, answers.web_apps)
    # The web application of the same name is another one if the user says so.
    declined = [name for name, answer in answers.web_apps.items() if answer == REMOVED]
    return Roles(
        base_dn=site.base_dn,
        device=site.device_name,
        devices={default.device_name: site.device_name, **devices},
        titles=all_titles,
        web_apps=web_apps,
        removed=(*removed, *(f"webapp:{name}" for name in declined)),
        displaced=tuple(displaced),
        displaced_web_apps=tuple(
            name
            for name in default.web_apps
            if name not in web_apps and (name in web_apps.values() or (name in declined and name in site.web_apps))
        ),
        questions=tuple(questions),
    )


def _match_web_apps(
    default: ConfigurationView, site: ConfigurationView, titles: Mapping[str, str], answers: Mapping[str, str]
) -> dict[str, str]:
    """Return the web applications of the default by their names at the site: same path and AE after the mapping."""
    for role, name in answers.items():
        if name != REMOVED and name not in site.web_apps:
            raise Refused(
                f"--role {role}={name}: the archive's device has no web application {name}",
                next_step=f"web applications of the device: {', '.join(sorted(site.web_apps))}",
            )
    found = {role: name for role, name in answers.items() if name != REMOVED}
    taken = set(found.values())
    for name, entry in default.web_apps.items():
        if name in answers:
            continue
        aes = {titles.get(title, title) for title in entry.texts(DICOM_AE_TITLE)}
        paths = {_map_path(path, titles) for path in entry.texts(WEB_SERVICE_PATH)}
        holders = [
            each
            for each, other in site.web_apps.items()
            if each not in taken
            and set(other.texts(DICOM_AE_TITLE)) == aes
            and set(other.texts(WEB_SERVICE_PATH)) == paths
        ]
        holder = name if name in holders else holders[0] if len(holders) == 1 else None
        if holder is not None:
            found[name] = holder
            taken.add(holder)
    return found


def _map_path(path: str, titles: Mapping[str, str]) -> str:
    # Titles may be exchanged, so each one is replaced only once.
    return _TITLE_IN_PATH.sub(lambda match: match[1] + titles.get(match[2], match[2]), path)


def name_new_web_apps(roles: Roles, default_names: Sequence[str]) -> Roles:
    """Return *roles* with names for web applications that a release brings anew.

    A new application ``X`` or ``X-…`` of an AE renamed from X to Y is called ``Y`` or ``Y-…``, unless the site kept the
    names of its old applications.
    """
    web_apps = dict(roles.web_apps)
    for old, new in roles.titles.items():
        if old == new:
            continue
        own = [name for name in roles.web_apps if name == old or name.startswith(f"{old}-")]
        followed = not own or any(web_apps[name] == new + name[len(old) :] for name in own)
        for name in default_names:
            if name not in web_apps and followed and (name == old or name.startswith(f"{old}-")):
                web_apps[name] = new + name[len(old) :]
    return replace(roles, web_apps=web_apps)
