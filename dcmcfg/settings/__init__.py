"""Settings of the site, from options, profiles and the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dcmcfg.lazy_exports import make_lazy_exports
from dcmcfg.settings.profiles import get_profile_path, remove_profile
from dcmcfg.settings.resolve import resolve_settings
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.site import Settings, format_site_headline

if TYPE_CHECKING:
    from dcmcfg.settings.profile_edits import update_profile, write_profile

__all__ = [
    "Secret",
    "Settings",
    "format_site_headline",
    "get_profile_path",
    "remove_profile",
    "resolve_settings",
    "update_profile",
    "write_profile",
]

# Few commands write a profile, and the library that does so takes 20 ms to load.
__getattr__, __dir__ = make_lazy_exports(__name__, {"profile_edits": ("update_profile", "write_profile")})
