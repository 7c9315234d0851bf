"""Whatever a file contains, reading and checking it ends with findings or with an error of dcmcfg."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.environment.checker import check_environments
from dcmcfg.environment.compose import ComposeFile
from dcmcfg.environment.compose_project import read_compose
from dcmcfg.environment.container import Container, Environment
from dcmcfg.environment.dotenv import read_dotenv
from dcmcfg.environment.interpolation import Interpolation
from dcmcfg.environment.kubernetes import list_manifests, read_manifests
from dcmcfg.environment.site import ComparedSite
from dcmcfg.environment.variables import VARIABLES
from dcmcfg.environment.yaml_documents import YamlMapping, YamlNode, read_documents
from dcmcfg.errors import DcmcfgError
from dcmcfg.schema.findings import SourceLocation
from tests.environment.test_checker import DEVICE, NODES, TREE
from tests.sampling import LONG

SITE = ComparedSite(TREE, DEVICE, NODES)
COUNT = 2000 if LONG else 60
KEYS = (
    "services",
    "image",
    "environment",
    "env_file",
    "ports",
    "apiVersion",
    "kind",
    "spec",
    "containers",
    "env",
    "extends",
    "include",
    "service",
    "file",
    "selector",
    "<<",
)
WORDS = st.sampled_from(
    [*KEYS, *(each.name for each in VARIABLES[:20]), "Pod", "a", "&x", "*x", "${A:-$B}", "1:2", "~"]
)
LINES = st.builds(
    lambda depth, mark, key, value: f"{'  ' * depth}{mark}{key}: {value}",
    st.integers(0, 4),
    st.sampled_from(["", "- "]),
    WORDS,
    WORDS | st.just(""),
)
TEXTS = st.lists(LINES, max_size=12).map("\n".join) | st.text(max_size=200)
VALUES = st.text(max_size=30) | st.sampled_from(
    ["ldap://", "ldap://[::1]:99999/", "http://:x", "99999999999", "dc=", "٣"]
)


def open_document(root: YamlNode) -> ComposeFile | None:
    """Return *root* as a Compose file that is also each file that it names; None if it is no mapping."""
    if not isinstance(root, YamlMapping):
        return None
    return ComposeFile(
        name="a.yml",
        root=root,
        project={"A": None},
        read_file=lambda _: None,
        open_extended=lambda _: open_document(root),
        open_included=lambda _: open_document(root),
    )


@settings(max_examples=COUNT, deadline=None)
@given(TEXTS)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(DcmcfgError):
        documents = read_documents("a.yml", text)
        environments = [read_manifests(list_manifests("a.yml", documents))]
        environments += [read_compose(file) for each in documents if (file := open_document(each)) is not None]
        check_environments(environments, SITE)
    with contextlib.suppress(DcmcfgError):
        read_dotenv(".env", text)
    Interpolation({"A": "$B"}).replace(text)


@settings(max_examples=COUNT, deadline=None)
@given(st.dictionaries(st.sampled_from([each.name for each in VARIABLES]), VALUES, max_size=12))
def test_any_value_of_a_variable_is_checked_and_no_secret_is_shown(values: dict[str, str]) -> None:
    lines = "\n".join(f"{name}={'' if not value.isprintable() else value}" for name, value in values.items())
    with contextlib.suppress(DcmcfgError):
        container = Container(
            name="", label="", image=None, location=SourceLocation(".env", 1), variables=read_dotenv(".env", lines)
        )
        for finding in check_environments([Environment((container,))], SITE):
            secret = next((each for each in VARIABLES if each.name == finding.attribute and each.is_secret), None)
            assert secret is None or finding.value is None
