"""``dcmcfg explain``."""

from __future__ import annotations

import click

from dcmcfg.cli.completers import complete_attribute
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.subschema import read_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.effective_settings import find_usage
from dcmcfg.model.tree import Tree
from dcmcfg.render.explain import explanation_json, print_explanation
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.schema.explain import explain_attribute
from dcmcfg.schema.subschema import merge_schemas
from dcmcfg.settings import Settings


@click.command("explain", cls=SiteCommand)
@click.argument("attribute", shell_complete=complete_attribute)
@site_options
@click.option("--object-class", metavar="CLASS", help="Explain the attribute for this object class only.")
@click.option("--offline", is_flag=True, help="Do not read the directory.")
@json_option
@output_option
def explain_command(
    settings: Settings, *, attribute: str, object_class: str | None, offline: bool, as_json: bool
) -> None:
    """Explain an attribute, and show where it is set.

    The output shows the attribute's label in the archive's web interface, its object classes, and the form of its
    values. The output also shows the permitted values and the default value. If the directory server is available, the
    output also shows the description in the server's schema and the entries that set the attribute. If an AE inherits
    the attribute from its device, the output also shows the value in effect.
    """
    schema, tree, not_searched_reason = (
        (load_bundled_schema(), None, "--offline") if offline else _read_schema_and_tree(settings)
    )
    explanation = explain_attribute(schema, attribute, object_class)
    usage = None if tree is None else find_usage(tree, explanation.attribute, object_class)
    if as_json:
        print_json(explanation_json(explanation, usage, not_searched_reason))
    else:
        print_explanation(make_stdout_console(), explanation, usage, not_searched_reason)


def _read_schema_and_tree(settings: Settings) -> tuple[Schema, Tree | None, str]:
    """Return the schema, and the tree; or, if the server cannot be read, the bundled schema, None and the reason."""
    schema = load_bundled_schema()
    try:
        with open_directory(settings) as directory:
            server_schema = read_schema(directory)
            if server_schema is not None:
                schema = merge_schemas(server_schema, schema)
            return schema, read_tree(directory), ""
    except DcmcfgError as error:
        return schema, None, f"{error.subject}: {error.message}" if error.subject else error.message
