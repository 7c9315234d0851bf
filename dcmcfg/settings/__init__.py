"""Where the site is, put together from options, profiles and the environment."""

from dcmcfg.settings.profiles import profile_path, remove_profile, set_in_profile, write_profile
from dcmcfg.settings.resolve import resolve
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.site import Settings, site_headline

__all__ = [
    "Secret",
    "Settings",
    "profile_path",
    "remove_profile",
    "resolve",
    "set_in_profile",
    "site_headline",
    "write_profile",
]
