"""Find which AEs of a site play the roles of the default's AEs, by their content: capabilities, values, references.

The same title is no proof, because titles can be exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.errors import Refused
from dcmcfg.upgrade.configuration_view import AEProfile, ConfigurationView

#: The weights of an AE's features, and the limits of a match, tuned on customised trees.
_CAPABILITIES, _VALUES, _REFERRERS, _TITLE, _PATHS = 0.30, 0.25, 0.20, 0.20, 0.05
_MIN_SCORE, _MIN_VALUES, _CONTENT_TOLERANCE, _RIVAL_DISTANCE = 0.45, 0.33, 0.02, 0.08
#: The answer that a role has no holder at the site.
REMOVED = "-"


@dataclass(frozen=True)
class RoleQuestion:
    """A role whose holder is uncertain: ``candidates`` are AE titles of the site with their scores, the best first."""

    role: str
    candidates: tuple[tuple[str, float], ...]
    reason: str


def match_aes(
    default: ConfigurationView, site: ConfigurationView, answers: Mapping[str, str]
) -> tuple[dict[str, str], list[RoleQuestion]]:
    """Return the AEs of *default* by their titles at *site*, and questions about those that are uncertain.

    *answers* are the user's: role → title or ``-``. Raises :class:`Refused` for one that names no AE.
    """
    for role, name in answers.items():
        if name != REMOVED and name not in site.profiles:
            raise Refused(
                f"--role {role}={name}: the archive's device has no AE {name}",
                next_step=f"AEs of the device: {', '.join(sorted(site.profiles))}",
            )
    named = [name for name in answers.values() if name != REMOVED]
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise Refused(
            f"several options --role specify the same AE: {', '.join(twice)}",
            next_step="specify each AE for one role only. If the site has no AE for a role, specify --role ROLE=-",
        )
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
            *_find_misnamed(default, site, found, answers),
            *_find_replaced(default, site, found, answers),
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
        and compare_sets(one.values, other.values) >= _MIN_VALUES
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
                yield RoleQuestion(role, tuple(ranked[:3]), f"it is uncertain which AE of the site has replaced {role}")
            continue
        rivals = [
            each
            for each in ranked
            if each[0] != holder and each[0] not in taken and each[1] >= scores[role, holder] - _RIVAL_DISTANCE
        ]
        if rivals:
            yield RoleQuestion(
                role, ((holder, scores[role, holder]), *rivals[:2]), f"several AEs of the site resemble {role}"
            )


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
                reason = f"the site seems to have exchanged the titles of {role} and {other_role}"
                yield RoleQuestion(role, candidates, reason)


def _find_misnamed(
    default: ConfigurationView, site: ConfigurationView, found: Mapping[str, str], answers: Mapping[str, str]
) -> Iterator[RoleQuestion]:
    """Yield questions about AEs with the title of the role that resemble more an AE of the default without a holder.

    The site may have removed the AE, and given its title to the other one.
    """
    without_holder = [each for role, each in default.profiles.items() if role not in found and role not in answers]
    for role, title in found.items():
        if role != title or role in answers or not without_holder:
            continue
        ae = site.profiles[title]
        own = score_content(default.profiles[role], ae)
        score, likely = max((score_content(each, ae), each.title) for each in without_holder)
        if score > own + _CONTENT_TOLERANCE:
            reason = (
                f"the AE {title} of the site is more similar to {likely} than to {role} of the default configuration, "
                f"and no AE of the site has the role {likely}"
            )
            yield RoleQuestion(role, ((title, own),), reason)


def _find_replaced(
    default: ConfigurationView, site: ConfigurationView, found: Mapping[str, str], answers: Mapping[str, str]
) -> Iterator[RoleQuestion]:
    """Yield questions about AEs with the title of the role, but mostly other capabilities, as another AE has them.

    The site may have removed the AE, and given its title to a copy of another one.
    """
    for role, title in found.items():
        if role != title or role in answers:
            continue
        one, ae = default.profiles[role], site.profiles[title]
        if not one.capabilities or len(one.capabilities & ae.capabilities) * 2 >= len(ae.capabilities):
            continue
        score, likely = max((score_content(each, ae), each.title) for each in default.profiles.values())
        own = score_content(one, ae)
        if score > own + _CONTENT_TOLERANCE:
            reason = (
                f"the AE {title} of the site is more similar to {likely} than to {role} of the default configuration"
            )
            yield RoleQuestion(role, ((title, own),), reason)


def _find_unreferenced(
    default: ConfigurationView, site: ConfigurationView, found: Mapping[str, str], answers: Mapping[str, str]
) -> Iterator[RoleQuestion]:
    """Yield questions about AEs of another title to which nothing refers that refers to the AE of the default."""
    for role, title in found.items():
        one, other = default.profiles[role], site.profiles[title]
        if role not in answers and role != title and one.referrers and not one.referrers & other.referrers:
            reason = (
                "an AE of the site has another title and resembles this role's AE, but nothing refers to it as in the "
                "default configuration"
            )
            yield RoleQuestion(role, ((title, _score(one, other)),), reason)


def _score(one: AEProfile, other: AEProfile) -> float:
    return (
        _CAPABILITIES * _compare_capabilities(one, other)
        + _VALUES * compare_sets(one.values, other.values)
        + _REFERRERS * compare_sets(one.referrers, other.referrers)
        + _TITLE * (one.title == other.title)
        + _PATHS * compare_sets(one.paths, other.paths)
    )


def score_content(one: AEProfile, other: AEProfile) -> float:
    """Return how much the content of two AEs is alike, whatever their titles and referrers: 0 to 0.6."""
    return (
        _CAPABILITIES * _compare_capabilities(one, other)
        + _VALUES * compare_sets(one.values, other.values)
        + _PATHS * compare_sets(one.paths, other.paths)
    )


def _compare_capabilities(one: AEProfile, other: AEProfile) -> float:
    if not one.capabilities or not other.capabilities:
        return float(one.capabilities == other.capabilities)
    shared = len(one.capabilities & other.capabilities)
    containment = shared / min(len(one.capabilities), len(other.capabilities))
    return (containment + compare_sets(one.capabilities, other.capabilities)) / 2


def compare_sets(one: frozenset[object], other: frozenset[object]) -> float:
    # What neither has is no sign.
    return len(one & other) / len(one | other) if one and other else 0.0
