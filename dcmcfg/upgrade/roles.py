"""Find which parts of a site play the roles of the default configuration, whatever their names.

A role is a device, AE or web application of the default. Its holder is found by its content: capabilities, values,
references to it. The same title is no proof, because titles can be exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import find_names
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    DICOM_AE_TITLE,
    DICOM_CONFIGURATION_ROOT_OBJECT_CLASS,
    DICOM_DEVICE_NAME,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    DICOM_SOP_CLASS,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_TRANSFER_ROLE,
    WEB_APP_NAME,
    WEB_APP_OBJECT_CLASS,
    WEB_SERVICE_PATH,
)
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.trees import UpgradeTree

#: The weights of an AE's features, and the limits of a match, tuned on customised trees.
_CAPABILITIES, _VALUES, _REFERRERS, _TITLE, _PATHS = 0.30, 0.25, 0.20, 0.20, 0.05
_MIN_SCORE, _MIN_VALUES, _CONTENT_TOLERANCE, _RIVAL_DISTANCE = 0.45, 0.33, 0.02, 0.08
_MIN_DEVICE_SCORE, _MIN_DEVICE_LEAD = 0.60, 0.10
#: The answer that a role has no holder at the site.
REMOVED = "-"


@dataclass(frozen=True)
class RoleQuestion:
    """A role whose holder is uncertain: ``candidates`` are AE titles of the site with their scores, the best first."""

    role: str
    candidates: tuple[tuple[str, float], ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The holders of the roles: names of the default → names at the site, also where they are the same.

    ``removed`` are the roles that the site does not have. ``questions`` must be answered before a plan is made.
    """

    base_dn: DN
    device: str
    devices: Mapping[str, str]
    titles: Mapping[str, str]
    web_apps: Mapping[str, str]
    removed: tuple[str, ...] = ()
    questions: tuple[RoleQuestion, ...] = ()

    def make_mapping(self, tree: UpgradeTree, default_base: DN) -> NameMapping:
        """Return the mapping of names from a default with the base *default_base* to the site of *tree*."""
        return NameMapping(
            tree.schema,
            default_base,
            self.base_dn,
            devices={old: new for old, new in self.devices.items() if old != new},
            titles={old: new for old, new in self.titles.items() if old != new},
            web_apps={old: new for old, new in self.web_apps.items() if old != new},
        )


@dataclass(frozen=True)
class AEProfile:
    """What an AE is known by: its capabilities, values, referrers, and the paths of its web applications."""

    title: str
    _: KW_ONLY
    capabilities: frozenset[tuple[str, str]]
    values: frozenset[tuple[str, bytes]]
    referrers: frozenset[tuple[str, str]]
    paths: frozenset[str]


class ConfigurationView:
    """The parts of the configuration in *tree* that roles are found by; *device_name* selects the archive's device.

    Raises :class:`Refused` without a configuration root, without an archive device, and for several of them.
    """

    def __init__(self, tree: UpgradeTree, device_name: str = "") -> None:
        self.tree = tree
        roots = [each for each in tree.entries.values() if each.is_a(DICOM_CONFIGURATION_ROOT_OBJECT_CLASS)]
        if len(roots) != 1:
            raise Refused(
                "the tree has no DICOM configuration root"
                if not roots
                else f"the tree has {len(roots)} DICOM configuration roots: {', '.join(str(each.dn) for each in roots)}"
            )
        self.base_dn = roots[0].dn.parent
        self.device = self._select_device(device_name)
        self._device_key = tree.key(self.device.dn)

    def _select_device(self, name: str) -> Entry:
        found = [each for each in self.tree.entries.values() if each.is_a(ARCHIVE_DEVICE_OBJECT_CLASS)]
        named = [each for each in found if (each.text(DICOM_DEVICE_NAME) or "").lower() == name.lower()]
        if len(found) == 1 and (not name or named):
            return found[0]
        if len(named) == 1:
            return named[0]
        names = ", ".join(each.text(DICOM_DEVICE_NAME) or "" for each in found) or "none"
        raise Refused(
            f"it is unknown which device is the archive's; devices of archives: {names}",
            next_step="specify the device with --archive NAME",
        )

    @property
    def device_name(self) -> str:
        return self.device.text(DICOM_DEVICE_NAME) or ""

    @cached_property
    def children(self) -> tuple[tuple[NormalDN, Entry], ...]:
        """The entries directly below the archive's device."""
        return tuple((key, each) for key, each in self.tree.entries.items() if key[1:] == self._device_key)

    @cached_property
    def devices(self) -> dict[str, Entry]:
        """The other devices, by name."""
        return {
            each.text(DICOM_DEVICE_NAME) or "": each
            for key, each in self.tree.entries.items()
            if each.is_a(DICOM_DEVICE_OBJECT_CLASS) and key != self._device_key
        }

    @cached_property
    def web_apps(self) -> dict[str, Entry]:
        """The web applications of the archive's device, by name."""
        return {each.text(WEB_APP_NAME) or "": each for _, each in self.children if each.is_a(WEB_APP_OBJECT_CLASS)}

    @cached_property
    def profiles(self) -> dict[str, AEProfile]:
        """The profiles of the AEs of the archive's device, by title."""
        return {
            each.text(DICOM_AE_TITLE) or "": self._make_profile(key, each)
            for key, each in self.children
            if each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
        }

    def list_titles(self, device: Entry) -> tuple[str, ...]:
        """Return the AE titles of *device*."""
        key = self.tree.key(device.dn)
        return tuple(
            title
            for each_key, each in self.tree.entries.items()
            if each_key[1:] == key and each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
            for title in each.texts(DICOM_AE_TITLE)
        )

    def _make_profile(self, key: NormalDN, ae: Entry) -> AEProfile:
        title = ae.text(DICOM_AE_TITLE) or ""
        return AEProfile(
            title,
            capabilities=frozenset(self._iterate_capabilities(key)),
            values=frozenset(
                (each.name.lower(), self.tree.schema.normalise_value(each.name, value))
                for each in ae.attributes
                if each.name.lower() not in (DICOM_AE_TITLE.lower(), DICOM_NETWORK_CONNECTION_REFERENCE.lower())
                for value in each.values
            ),
            referrers=self._referrers.get(title, frozenset()),
            paths=frozenset(
                path.replace(f"/{title}/", "/*/")
                for each in self.web_apps.values()
                if title in each.texts(DICOM_AE_TITLE)
                for path in each.texts(WEB_SERVICE_PATH)
            ),
        )

    def _iterate_capabilities(self, key: NormalDN) -> Iterator[tuple[str, str]]:
        for each in self._children_of.get(key, ()):
            if each.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS):
                yield each.text(DICOM_SOP_CLASS) or "", each.text(DICOM_TRANSFER_ROLE) or ""

    @cached_property
    def _children_of(self) -> dict[NormalDN, list[Entry]]:
        found: dict[NormalDN, list[Entry]] = {}
        for key, entry in self.tree.entries.items():
            found.setdefault(key[1:], []).append(entry)
        return found

    @cached_property
    def _referrers(self) -> dict[str, frozenset[tuple[str, str]]]:
        """The referrers of each title: (name of the referring part, attribute), for the device and its parts."""
        found: dict[str, set[tuple[str, str]]] = {}
        for key, entry in self.tree.entries.items():
            if not is_at_or_below(key, self._device_key) or entry.is_a(WEB_APP_OBJECT_CLASS):
                continue
            # Names of AEs and of the device may differ at the site.
            is_named = entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS) or key == self._device_key
            name = "" if is_named else str(entry.dn.rdn)
            for attribute in entry.attributes:
                for value in attribute.values:
                    for each in find_names(attribute.name, value):
                        is_own = attribute.name.lower() == DICOM_AE_TITLE.lower() and is_named
                        if each.kind is EntityKind.AE and not is_own:
                            found.setdefault(each.text, set()).add((name, attribute.name.lower()))
        return {title: frozenset(each) for title, each in found.items()}


def find_roles(default: ConfigurationView, site: ConfigurationView, answers: Mapping[str, str] | None = None) -> Roles:
    """Return the holders of the roles of *default* at *site*; *answers* are the user's: role → name or ``-``.

    Raises :class:`Refused` for an answer that names no AE of the archive's device.
    """
    answers = answers or {}
    titles, questions = _match_titles(default, site, answers)
    devices, device_titles = _match_devices(default, site)
    all_titles = {**titles, **device_titles}
    removed = [title for title in default.profiles if title not in titles]
    removed += [name for name in default.devices if name not in devices]
    return Roles(
        base_dn=site.base_dn,
        device=site.device_name,
        devices={default.device_name: site.device_name, **devices},
        titles=all_titles,
        web_apps=_match_web_apps(default, site, all_titles),
        removed=tuple(removed),
        questions=tuple(questions),
    )


def _match_titles(
    default: ConfigurationView, site: ConfigurationView, answers: Mapping[str, str]
) -> tuple[dict[str, str], list[RoleQuestion]]:
    for role, name in answers.items():
        if name != REMOVED and name not in site.profiles:
            raise Refused(
                f"the archive's device has no AE {name}, which --role {role}={name} names",
                next_step=f"AEs of the device: {', '.join(sorted(site.profiles))}",
            )
    named = [name for name in answers.values() if name != REMOVED]
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise Refused(f"several --role name the same AE: {', '.join(twice)}")
    scores = {
        (role, title): _score(one, other)
        for role, one in default.profiles.items()
        for title, other in site.profiles.items()
    }
    found = {role: name for role, name in answers.items() if name != REMOVED and role in default.profiles}
    taken = set(found.values())
    for (role, title), score in sorted(scores.items(), key=lambda item: (-item[1], item[0])):
        if role in found or role in answers or title in taken:
            continue
        if _is_acceptable(default, default.profiles[role], site.profiles[title], score):
            found[role] = title
            taken.add(title)
    questions = {
        each.role: each
        for each in (
            *_find_exchanged(default, site, found, answers),
            *_find_unreferenced(default, site, found, answers),
            *_find_questions(default, scores, found, answers),
        )
    }
    return found, list(questions.values())


def _is_acceptable(default: ConfigurationView, one: AEProfile, other: AEProfile, score: float) -> bool:
    content = score_content(one, other)
    best = max(score_content(each, other) for each in default.profiles.values())
    if one.title == other.title:
        # Two AEs with exchanged titles are distinguished by their content.
        return content >= best - _CONTENT_TOLERANCE or score >= _MIN_SCORE
    return (
        score >= _MIN_SCORE
        and _jaccard(one.values, other.values) >= _MIN_VALUES
        and content >= best - _CONTENT_TOLERANCE
    )


def _find_questions(
    default: ConfigurationView,
    scores: Mapping[tuple[str, str], float],
    found: Mapping[str, str],
    answers: Mapping[str, str],
) -> Iterator[RoleQuestion]:
    taken = set(found.values())
    for role, profile in default.profiles.items():
        if role in answers:
            continue
        ranked = sorted(
            ((title, score) for (each, title), score in scores.items() if each == role), key=lambda item: -item[1]
        )
        holder = found.get(role)
        if holder is None:
            if any(name == "" for name, _ in profile.referrers):
                yield RoleQuestion(role, tuple(ranked[:3]), "no AE of the site is certainly this AE")
            continue
        rivals = [
            each
            for each in ranked
            if each[0] != holder and each[0] not in taken and each[1] >= scores[role, holder] - _RIVAL_DISTANCE
        ]
        if rivals:
            yield RoleQuestion(role, ((holder, scores[role, holder]), *rivals[:2]), "several AEs resemble this AE")


def _find_exchanged(
    default: ConfigurationView, site: ConfigurationView, found: Mapping[str, str], answers: Mapping[str, str]
) -> Iterator[RoleQuestion]:
    """Yield questions about pairs of AEs each of which resembles the role of the other more than its own."""
    for role, title in found.items():
        for other_role, other_title in found.items():
            if role == other_role or role in answers or other_role in answers:
                continue
            one, other = default.profiles[role], default.profiles[other_role]
            own, exchanged = (score_content(one, site.profiles[each]) for each in (title, other_title))
            others = [score_content(other, site.profiles[each]) for each in (other_title, title)]
            if exchanged > own + _CONTENT_TOLERANCE and others[1] > others[0] + _CONTENT_TOLERANCE:
                candidates = ((other_title, exchanged), (title, own))
                yield RoleQuestion(role, candidates, f"this AE and {other_role} seem to have exchanged their titles")


def _find_unreferenced(
    default: ConfigurationView, site: ConfigurationView, found: Mapping[str, str], answers: Mapping[str, str]
) -> Iterator[RoleQuestion]:
    """Yield questions about AEs of another title to which nothing refers that refers to the AE of the default."""
    for role, title in found.items():
        one, other = default.profiles[role], site.profiles[title]
        if role not in answers and role != title and one.referrers and not one.referrers & other.referrers:
            reason = "an AE of another title resembles this AE, but nothing refers to it"
            yield RoleQuestion(role, ((title, _score(one, other)),), reason)


def _score(one: AEProfile, other: AEProfile) -> float:
    return (
        _CAPABILITIES * _compare_capabilities(one, other)
        + _VALUES * _jaccard(one.values, other.values)
        + _REFERRERS * _jaccard(one.referrers, other.referrers)
        + _TITLE * (one.title == other.title)
        + _PATHS * _jaccard(one.paths, other.paths)
    )


def score_content(one: AEProfile, other: AEProfile) -> float:
    """Return how much the content of two AEs is alike, whatever their titles and referrers: 0 to 0.6."""
    return (
        _CAPABILITIES * _compare_capabilities(one, other)
        + _VALUES * _jaccard(one.values, other.values)
        + _PATHS * _jaccard(one.paths, other.paths)
    )


def _compare_capabilities(one: AEProfile, other: AEProfile) -> float:
    if not one.capabilities or not other.capabilities:
        return float(one.capabilities == other.capabilities)
    shared = len(one.capabilities & other.capabilities)
    containment = shared / min(len(one.capabilities), len(other.capabilities))
    return (containment + _jaccard(one.capabilities, other.capabilities)) / 2


def _jaccard(one: frozenset[object], other: frozenset[object]) -> float:
    # What neither has is no sign.
    return len(one & other) / len(one | other) if one and other else 0.0


def _match_devices(default: ConfigurationView, site: ConfigurationView) -> tuple[dict[str, str], dict[str, str]]:
    """Return the other devices of the default, and their AE titles, by their names at the site."""
    devices: dict[str, str] = {}
    titles: dict[str, str] = {}
    unnamed = {name: each for name, each in site.devices.items() if name not in default.devices}
    for name, entry in default.devices.items():
        same = next((each for each in site.devices if each.lower() == name.lower()), None)
        holder = same if same is not None else _find_renamed_device(default, entry, site, unnamed)
        if holder is None:
            continue
        devices[name] = holder
        old, new = default.list_titles(entry), site.list_titles(site.devices[holder])
        for title in old:
            if title in new:
                titles[title] = title
            elif len(old) == 1 and len(new) == 1:
                titles[title] = new[0]
    return devices, titles


def _find_renamed_device(
    default: ConfigurationView, entry: Entry, site: ConfigurationView, candidates: Mapping[str, Entry]
) -> str | None:
    ranked = sorted(
        ((_score_device(default, entry, site, each), name) for name, each in candidates.items()), reverse=True
    )
    if not ranked or ranked[0][0] < _MIN_DEVICE_SCORE:
        return None
    is_certain = len(ranked) == 1 or ranked[0][0] >= ranked[1][0] + _MIN_DEVICE_LEAD
    return ranked[0][1] if is_certain else None


def _score_device(default: ConfigurationView, one: Entry, site: ConfigurationView, other: Entry) -> float:
    values = [_list_device_values(view.tree, entry) for view, entry in ((default, one), (site, other))]
    children = [_list_child_names(view.tree, entry) for view, entry in ((default, one), (site, other))]
    titles = [frozenset(view.list_titles(entry)) for view, entry in ((default, one), (site, other))]
    capabilities = [_list_all_capabilities(view.tree, entry) for view, entry in ((default, one), (site, other))]
    return (
        0.3 * _jaccard(values[0], values[1])
        + 0.2 * _jaccard(children[0], children[1])
        + 0.2 * bool(titles[0] & titles[1])
        + 0.3 * _jaccard(capabilities[0], capabilities[1])
    )


def _list_device_values(tree: UpgradeTree, device: Entry) -> frozenset[object]:
    return frozenset(
        (each.name.lower(), tree.schema.normalise_value(each.name, value))
        for each in device.attributes
        if each.name.lower() != DICOM_DEVICE_NAME.lower()
        for value in each.values
    )


def _list_child_names(tree: UpgradeTree, device: Entry) -> frozenset[object]:
    key = tree.key(device.dn)
    return frozenset(str(each.dn.rdn) for child, each in tree.entries.items() if child[1:] == key)


def _list_all_capabilities(tree: UpgradeTree, device: Entry) -> frozenset[object]:
    key = tree.key(device.dn)
    return frozenset(
        (each.text(DICOM_SOP_CLASS), each.text(DICOM_TRANSFER_ROLE))
        for child, each in tree.entries.items()
        if is_at_or_below(child, key) and each.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS)
    )


def _match_web_apps(default: ConfigurationView, site: ConfigurationView, titles: Mapping[str, str]) -> dict[str, str]:
    """Return the web applications of the default by their names at the site: same path and AE after the mapping."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name, entry in default.web_apps.items():
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
    for old, new in titles.items():
        path = path.replace(f"/aets/{old}/", f"/aets/{new}/")
    return path


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
        followed = any(web_apps[name] == new + name[len(old) :] for name in own)
        for name in default_names:
            if name not in web_apps and followed and (name == old or name.startswith(f"{old}-")):
                web_apps[name] = new + name[len(old) :]
    return replace(roles, web_apps=web_apps)
