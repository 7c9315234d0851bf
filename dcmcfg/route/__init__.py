"""Predict how the archive processes a C-MOVE, from its configuration alone.

:func:`find_route` takes a :class:`RouteRequest`. :func:`create_work_order` lists the settings for another archive::

    ae = get_default_ae(configuration.get_device("dcm4chee-arc"))
    route = find_route(configuration, RouteRequest(ae, "WORKSTATION", "WORKSTATION"))
    print([(path.state, path.outcome) for path in route.paths])

A :class:`Route` has one :class:`RetrievePath` for each :class:`StudyState`: messages, prerequisites and failures.
If the archive refuses the request in every state, ``refusal`` has the reason and there are no paths.

Import these names from here. Other modules of the package may change without notice. dcmcfg itself imports the
defining modules, because that loads less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcmcfg.lazy_exports import make_lazy_exports

if TYPE_CHECKING:
    from dcmcfg.route.capability_limits import CapabilityLimits
    from dcmcfg.route.external_archives import find_external_archives
    from dcmcfg.route.path import (
        AEAddress,
        PathOutcome,
        Prerequisite,
        RetrieveBranch,
        RetrievePath,
        Route,
        RouteFailure,
        RouteMessage,
    )
    from dcmcfg.route.request import (
        NO_EXTERNAL_ARCHIVE,
        RouteRequest,
        StudyState,
        find_qido_ae,
        get_archive_ae,
        get_default_ae,
    )
    from dcmcfg.route.route import find_route
    from dcmcfg.route.work_order import AllowedService, PeerEntry, WorkOrder, create_work_order

__all__ = [
    "NO_EXTERNAL_ARCHIVE",
    "AEAddress",
    "AllowedService",
    "CapabilityLimits",
    "PathOutcome",
    "PeerEntry",
    "Prerequisite",
    "RetrieveBranch",
    "RetrievePath",
    "Route",
    "RouteFailure",
    "RouteMessage",
    "RouteRequest",
    "StudyState",
    "WorkOrder",
    "create_work_order",
    "find_external_archives",
    "find_qido_ae",
    "find_route",
    "get_archive_ae",
    "get_default_ae",
]

if not TYPE_CHECKING:  # With a ``__getattr__``, a type checker would accept every misspelt name.
    __getattr__, __dir__ = make_lazy_exports(
        __name__,
        {
            "capability_limits": ("CapabilityLimits",),
            "external_archives": ("find_external_archives",),
            "path": (
                "AEAddress",
                "RetrieveBranch",
                "PathOutcome",
                "Prerequisite",
                "RetrievePath",
                "Route",
                "RouteFailure",
                "RouteMessage",
            ),
            "request": (
                "NO_EXTERNAL_ARCHIVE",
                "RouteRequest",
                "StudyState",
                "find_qido_ae",
                "get_archive_ae",
                "get_default_ae",
            ),
            "route": ("find_route",),
            "work_order": ("PeerEntry", "AllowedService", "WorkOrder", "create_work_order"),
        },
    )
