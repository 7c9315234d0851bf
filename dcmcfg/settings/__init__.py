"""Settings of the site, from options, profiles and the environment."""

from dcmcfg.settings.profiles import get_profile_path, remove_profile, update_profile, write_profile
from dcmcfg.settings.resolve import resolve_settings
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.site import Settings, format_site_headline

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
