"""The nodes of an archive in a profile: their URLs, their tokens, and what they take from the site."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from dcmcfg.errors import MalformedInput, NotFound
from dcmcfg.settings import Settings, get_profile_path, resolve_settings, write_profile
from dcmcfg.settings.node_tables import flatten_nodes, list_node_names, split_node_key
from dcmcfg.settings.nodes import (
    list_nodes,
    make_node_settings,
    make_replica_settings,
    select_node_settings,
    select_nodes,
)
from dcmcfg.settings.profile_edits import set_profile_value, unset_profile_value
from dcmcfg.settings.profiles import read_profile
from dcmcfg.settings.site import Node

EAST, WEST = "http://east:8080/dcm4chee-arc", "http://west:8080/dcm4chee-arc"
NODES = {"east": {"archive_url": EAST}, "west": {"archive_url": WEST, "ldap_url": "ldap://replica"}}
PROFILE = {"ldap_url": "ldap://provider", "nodes": NODES}


@pytest.fixture(autouse=True)
def fresh_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def resolve(*, options: dict[str, str] | None = None, **environ: str) -> Settings:
    """Resolve *options* with the profile ``site`` and the environment (``LDAP_URL`` for ``DCMCFG_LDAP_URL``)."""
    return resolve_settings(
        {"profile": "site"} | (options or {}), {f"DCMCFG_{name}": value for name, value in environ.items()}
    )


def get_urls(settings: Settings) -> list[tuple[str, str, str]]:
    return [(each.name, each.archive_url, each.ldap_url) for each in settings.nodes]


def write_text(text: str) -> Path:
    path = write_profile("site", {"device": "d"})
    path.write_text(text, "utf-8")
    return path


def test_nodes_are_read_in_the_order_of_the_file() -> None:
    write_profile("site", PROFILE)
    settings = resolve()
    assert get_urls(settings) == [("east", EAST, "ldap://provider:389"), ("west", WEST, "ldap://replica:389")]
    assert (settings.archive_url, settings.node) == (EAST, "")
    assert settings.origins["archive_url"] == "profile site"


def test_an_archive_url_of_the_profile_need_not_be_a_node() -> None:
    write_profile("site", PROFILE | {"archive_url": "http://balancer:8080/dcm4chee-arc"})
    assert resolve().archive_url == "http://balancer:8080/dcm4chee-arc"
    assert [each.name for each in resolve().nodes] == ["east", "west"]


def test_another_archive_url_is_another_archive() -> None:
    write_profile("site", PROFILE)
    assert resolve(options={"archive_url": "http://other"}).nodes == ()
    assert resolve_settings({}, {"DCMCFG_PROFILE": "site", "DCMCFG_ARCHIVE_URL": "http://other"}).nodes == ()


def test_another_directory_has_none_of_the_replicas_of_the_profile() -> None:
    """Else its credentials would go to them."""
    write_profile("site", PROFILE)
    other = resolve(options={"ldap_url": "ldap://other"})
    assert get_urls(other) == [("east", EAST, "ldap://other:389"), ("west", WEST, "ldap://other:389")]
    variables = {"DCMCFG_PROFILE": "site", "DCMCFG_LDAP_URL": "ldap://other", "DCMCFG_BIND_PASSWORD": "p"}
    assert {each.ldap_url for each in resolve_settings({}, variables).nodes} == {"ldap://other:389"}


def test_a_replica_needs_the_server_that_is_written() -> None:
    write_profile("site", {"nodes": NODES})
    with pytest.raises(MalformedInput, match="the node has an ldap_url, but the profile has no ldap_url") as refused:
        resolve()
    assert refused.value.subject == "profile site, node west"


def test_nodes_without_replicas_need_no_directory_in_the_profile() -> None:
    write_profile("site", {"nodes": {"east": {"archive_url": EAST}}})
    assert get_urls(resolve()) == [("east", EAST, "ldap://localhost:389")]


def test_two_nodes_with_one_url_are_refused() -> None:
    """It is that of a load balancer, which reloads one node only."""
    write_profile("site", {"nodes": {"east": {"archive_url": EAST}, "west": {"archive_url": f"{EAST}/"}}})
    with pytest.raises(MalformedInput, match="the nodes east and west have the same archive_url"):
        resolve()


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ("[nodes.east]\narchive_url = 'ftp://x'\n", "invalid URL"),
        ("ldap_url='ldap://x'\n[nodes.east]\narchive_url = 'http://x'\nldap_url = 'http://y'\n", "invalid URL"),
        ("ldap_url='ldap://x'\n[nodes.e]\narchive_url='http://x'\nldap_url='ldap://y/dc=z'\n", "must not contain a DN"),
        ("[nodes.east]\nldap_url = 'ldap://y'\n", "the node has no archive_url"),
        ("[nodes.east]\n", "the node has no archive_url"),
        ("[nodes.east]\narchive_url = 'http://x'\ndevice = 'd'\n", "unknown key 'device'"),
        ("[nodes.east]\narchive_url = ''\n", "must be a quoted, non-empty string"),
        ("[nodes.east]\narchive_url = 5\n", "must be a quoted, non-empty string"),
        ("[nodes]\n", "must contain a table for each node"),
        ("nodes = 'x'\n", "must contain a table for each node"),
        ("[nodes]\neast = 'http://x'\n", "a node must be a table"),
        ("[nodes.'a b']\narchive_url = 'http://x'\n", "is not a valid name for a node"),
        ("[nodes.'a.b']\narchive_url = 'http://x'\n", "is not a valid name for a node"),
        (f"[nodes.{'x' * 41}]\narchive_url = 'http://x'\n", "is not a valid name for a node"),
    ],
)  # fmt: skip
def test_a_table_that_is_no_node_is_refused(nodes: str, message: str) -> None:
    write_text(nodes)
    with pytest.raises(MalformedInput) as refused:
        resolve()
    assert message in str(refused.value)


def test_a_site_without_nodes_is_a_single_one() -> None:
    write_profile("site", {"archive_url": EAST, "ldap_url": "ldap://provider"})
    settings = resolve()
    assert settings.nodes == ()
    assert list_nodes(settings) == (Node(name="archive", archive_url=EAST, ldap_url="ldap://provider:389"),)
    assert make_node_settings(settings, list_nodes(settings)[0]) is settings
    assert select_node_settings(settings, None) is settings


def test_nodes_are_selected_in_the_order_of_the_profile() -> None:
    write_profile("site", PROFILE)
    settings = resolve()
    assert [each.name for each in select_nodes(settings, ())] == ["east", "west"]
    assert [each.name for each in select_nodes(settings, ("west", "east", "west"))] == ["east", "west"]
    assert [each.name for each in select_nodes(settings, ("west",))] == ["west"]


@pytest.mark.parametrize(
    ("name", "next_step"), [("eastern", "did you mean east?"), ("zzzzzz", "the nodes are east, west")]
)
def test_an_unknown_node_is_not_found(name: str, next_step: str) -> None:
    write_profile("site", PROFILE)
    with pytest.raises(NotFound, match=f"there is no node {name}") as missing:
        select_nodes(resolve(), ["east", name])
    assert missing.value.next_step == next_step


def test_a_site_without_nodes_says_how_to_add_one() -> None:
    write_profile("site", {"archive_url": EAST})
    with pytest.raises(NotFound) as missing:
        select_nodes(resolve(), ["archive"])
    assert missing.value.next_step == (
        "no nodes are configured for this command. To add a node: dcmcfg config set site.nodes.archive.archive_url URL"
    )


def test_the_settings_of_a_node_have_its_url_and_its_token(tmp_path: Path) -> None:
    (tmp_path / "site-token").write_text("of-site\n")
    (tmp_path / "west-token").write_text("of-west\n")
    nodes = NODES | {"west": {"archive_url": WEST, "archive_token_file": str(tmp_path / "west-token")}}
    write_profile("site", PROFILE | {"nodes": nodes, "archive_token_file": str(tmp_path / "site-token")})
    settings = resolve()
    east, west = (select_node_settings(settings, name) for name in ("east", "west"))
    assert [(each.node, each.archive_url, each.archive_token()) for each in (east, west)] == [
        ("east", EAST, "of-site"),
        ("west", WEST, "of-west"),
    ]
    assert west.origins["archive_url"] == west.origins["archive_token"] == "profile site, node west"
    assert east.origins["archive_token"] == settings.origins["archive_token"]
    assert (west.ldap_url, west.nodes) == (settings.ldap_url, settings.nodes)


def test_a_node_with_a_token_does_not_request_one(tmp_path: Path) -> None:
    (tmp_path / "west-token").write_text("of-west\n")
    nodes = NODES | {"west": {"archive_url": WEST, "archive_token_file": str(tmp_path / "west-token")}}
    oidc = {"oidc_issuer": "https://issuer", "oidc_client_id": "dcmcfg"}
    write_profile("site", PROFILE | oidc | {"nodes": nodes})
    settings = resolve()
    assert select_node_settings(settings, "east").oidc == settings.oidc is not None
    assert select_node_settings(settings, "west").oidc is None


def test_a_token_file_is_relative_to_the_profile() -> None:
    path = write_text(f"[nodes.east]\narchive_url = '{EAST}'\narchive_token_file = 'token'\n")
    (path.parent / "token").write_text("t")
    path.parent.joinpath("token").chmod(0o600)
    assert select_node_settings(resolve(), "east").archive_token() == "t"


def test_the_settings_of_a_replica_have_the_credentials_of_the_site(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p")
    write_profile("site", PROFILE | {"bind_dn": "cn=u", "bind_password_file": str(tmp_path / "password")})
    replica = make_replica_settings(resolve(), "ldap://replica:389")
    assert (replica.ldap_url, replica.bind_dn, replica.bind_password()) == ("ldap://replica:389", "cn=u", "p")
    assert replica.origins["ldap_url"] == "profile site, node west"


def test_the_bind_dn_of_the_archive_belongs_to_the_directory_of_the_profile() -> None:
    write_profile("site", PROFILE | {"archive_bind_dn": "cn=archive"})
    assert resolve().archive_bind_dn == "cn=archive"
    assert resolve(options={"ldap_url": "ldap://other"}).archive_bind_dn == ""


# -- the tables, and their flat form


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("nodes.east.archive_url", ("east", "archive_url")),
        ("nodes.east", ("east", "")),
        ("nodes.", None),
        ("nodes", None),
        ("archive_url", None),
        ("nodesx.east.archive_url", None),
    ],
)
def test_the_key_of_a_node_has_two_parts(key: str, expected: tuple[str, str] | None) -> None:
    assert split_node_key(key) == expected


def test_tables_are_flattened_and_listed() -> None:
    flat = flatten_nodes(NODES, "file")
    assert flat == {
        "nodes.east.archive_url": EAST,
        "nodes.west.archive_url": WEST,
        "nodes.west.ldap_url": "ldap://replica",
    }
    assert list_node_names(flat | {"ldap_url": "x"}) == ("east", "west")


def test_a_written_profile_is_read_as_flat_values() -> None:
    """The tables come last, because keys after a table would belong to it."""
    path = write_profile("site", {"nodes": NODES, "ldap_url": "ldap://provider"})
    assert tomllib.loads(path.read_text()) == {"format": 1, "ldap_url": "ldap://provider", "nodes": NODES}
    assert read_profile("site") == {"ldap_url": "ldap://provider"} | flatten_nodes(NODES, "file")


def test_a_key_of_a_node_is_set_and_unset() -> None:
    write_profile("site", {"ldap_url": "ldap://provider"})
    assert set_profile_value("site", "nodes.east.archive_url", EAST).is_changed
    assert not set_profile_value("site", "nodes.east.archive_url", EAST).is_changed
    set_profile_value("site", "nodes.west.archive_url", WEST)
    set_profile_value("site", "nodes.west.ldap_url", "ldap://replica")
    # A new key of the profile does not fall into the last table.
    set_profile_value("site", "device", "d")
    content = tomllib.loads(get_profile_path("site").read_text())
    assert (content["device"], content["nodes"]) == ("d", NODES)
    assert unset_profile_value("site", "nodes.west.ldap_url").is_changed
    assert not unset_profile_value("site", "nodes.west.ldap_url").is_changed
    assert unset_profile_value("site", "nodes.west").is_changed
    assert list_node_names(read_profile("site")) == ("east",)
    assert unset_profile_value("site", "nodes.east").is_changed
    assert "nodes" not in tomllib.loads(get_profile_path("site").read_text())
    assert not unset_profile_value("site", "nodes.east").is_changed
