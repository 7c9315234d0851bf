"""The option that lets values come from other files."""

from __future__ import annotations

import click

file_urls_option = click.option(
    "--allow-file-urls",
    "file_urls",
    is_flag=True,
    help="Read values written as 'attr:< file:NAME', relative to the LDIF file.",
)
