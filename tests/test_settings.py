"""Where the site is: which source wins, and which secrets go with which URL."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dcmcfg.cli.options.site_settings import SITE_SETTINGS
from dcmcfg.errors import DcmcfgError, MalformedInput, NotFound
from dcmcfg.settings import (
    Settings,
    format_site_headline,
    get_profile_path,
    remove_profile,
    resolve_settings,
    update_profile,
    write_profile,
)
from dcmcfg.settings.profile_edits import select_profile
from dcmcfg.settings.profiles import PROFILE_KEYS, get_selection_path
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.sources import VARIABLES


@pytest.fixture(autouse=True)
def fresh_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def site(*, options: dict[str, str] | None = None, **environ: str) -> Settings:
    """Resolve *options* and the environment, ``LDAP_URL`` standing for ``DCMCFG_LDAP_URL``."""
    return resolve_settings(options or {}, {f"DCMCFG_{name}": value for name, value in environ.items()})


def refused(*, options: dict[str, str] | None = None, **environ: str) -> MalformedInput:
    with pytest.raises(MalformedInput) as caught:
        site(options=options, **environ)
    assert caught.value.exit_code == 2
    return caught.value


# -- strength


@pytest.mark.parametrize(
    ("base_dn", "bind_dn"),
    [
        ("dc=hospital,dc=org", "cn=admin,dc=hospital,dc=org"),
        ("ou=pacs,DC=hospital,dc=org", "cn=admin,DC=hospital,dc=org"),
        ("o=Hospital", "cn=admin,o=Hospital"),
    ],
)
def test_who_binds_by_default_is_at_the_domain_of_the_base(base_dn: str, bind_dn: str) -> None:
    assert site(BASE_DN=base_dn).bind_dn == bind_dn
    assert site(BASE_DN=base_dn, BIND_DN="cn=me,dc=x").bind_dn == "cn=me,dc=x"


def test_nothing_said_is_a_stock_installation() -> None:
    settings = site()
    assert format_site_headline(settings) == (
        "cn=admin,dc=dcm4che,dc=org @ ldap://localhost:389 · archive http://localhost:8080/dcm4chee-arc"
    )
    assert (str(settings.base_dn), settings.device) == ("dc=dcm4che,dc=org", "dcm4chee-arc")
    assert (settings.ca_file, settings.external_move_log, settings.profile) == (None, None, "")
    assert (settings.bind_password(), settings.archive_token()) == (None, None)
    assert set(settings.origins.values()) == {"default"}


def test_single_setting_comes_from_the_strongest_source() -> None:
    write_profile("lab", {"device": "of-lab"})
    write_profile("default", {"device": "of-default"})
    option = {"device": "of-option"}
    lab = {"profile": "lab"}
    assert site().device == "of-default"
    assert site(PROFILE="lab").device == "of-lab"
    assert site(PROFILE="lab", DEVICE="of-environment").device == "of-environment"
    assert site(options=lab, DEVICE="of-environment").device == "of-lab"
    assert site(options=lab | option, DEVICE="of-environment").device == "of-option"


def test_origins_are_told_in_the_users_words() -> None:
    write_profile("lab", {"ldap_url": "ldap://h/dc=x", "bind_dn": "cn=u"})
    options = {"profile": "lab", "device": "d", "archive_url": "http://a"}
    settings = site(options=options, CA_FILE="ca.pem")
    assert settings.profile == "lab"
    assert settings.origins == {
        "ldap_url": "profile lab",
        "base_dn": "profile lab",
        "bind_dn": "profile lab",
        "device": "--device",
        "archive_url": "--archive-url",
        "ca_file": "DCMCFG_CA_FILE",
        "profile": "--profile",
    }


def test_it_is_told_who_named_the_profile() -> None:
    assert "profile" not in site().origins
    write_profile("default", {"ldap_url": "ldap://h/dc=x"})
    assert site().origins["profile"] == "default"
    write_profile("lab", {"ldap_url": "ldap://h/dc=x"})
    assert site(PROFILE="lab").origins["profile"] == "DCMCFG_PROFILE"


def test_device_asked_is_only_that_of_the_option() -> None:
    assert site(options={"device": "d"}).device_from_option == "d"
    assert site(DEVICE="d").device_from_option is None


def test_one_profile_is_read_at_most() -> None:
    write_profile("default", {"device": "of-default"})
    write_profile("lab", {"base_dn": "dc=lab"})
    settings = site(options={"profile": "lab"})
    assert (str(settings.base_dn), settings.device) == ("dc=lab", "dcm4chee-arc")


def test_empty_variable_counts_as_not_set() -> None:
    assert site(LDAP_URL="", BIND_PASSWORD="", PROFILE="", DEVICE="").origins["device"] == "default"


@pytest.mark.parametrize("key", ["device", "bind_dn", "ldap_url", "profile"])
def test_empty_option_is_refused(key: str) -> None:
    assert refused(options={key: ""}).subject == "--" + key.replace("_", "-")


# -- URL, bind DN and password come from one source


def test_environment_describes_a_whole_server() -> None:
    settings = site(LDAP_URL="ldaps://h", BIND_DN="cn=u", BIND_PASSWORD="p")
    assert (settings.ldap_url, settings.bind_dn, settings.bind_password()) == ("ldaps://h:636", "cn=u", "p")


def test_named_profile_never_meets_the_environments_server() -> None:
    write_profile("lab", {"ldap_url": "ldap://lab"})
    settings = site(options={"profile": "lab"}, LDAP_URL="ldap://prod", BIND_DN="cn=prod", BIND_PASSWORD="p")
    assert (settings.ldap_url, settings.bind_dn) == ("ldap://lab:389", "cn=admin,dc=dcm4che,dc=org")
    assert settings.bind_password() is None


def test_named_profile_without_a_server_does_not_fall_back_to_the_environments() -> None:
    write_profile("lab", {"device": "d"})
    error = refused(options={"profile": "lab"}, LDAP_URL="ldap://prod")
    assert str(error) == (
        "profile lab: ldap_url is missing in this profile, but is set in another source (DCMCFG_LDAP_URL) — "
        "specify --ldap-url, or add ldap_url to the profile"
    )
    assert "archive_url" in refused(options={"profile": "lab"}, ARCHIVE_URL="http://prod").message


def test_server_of_an_option_gets_nobody_elses_credentials() -> None:
    write_profile("default", {"ldap_url": "ldap://prod", "bind_dn": "cn=d", "bind_password_file": "secret"})
    settings = site(options={"ldap_url": "ldap://x"}, BIND_DN="cn=e", BIND_PASSWORD="p")
    assert (settings.bind_dn, settings.bind_secret) == ("cn=admin,dc=dcm4che,dc=org", None)


def test_password_of_an_option_goes_to_the_server_of_an_option(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p\n")
    options = {"ldap_url": "ldap://x", "bind_dn": "cn=o", "bind_password_file": str(tmp_path / "password")}
    settings = site(options=options, BIND_PASSWORD="other")
    assert (settings.bind_dn, settings.bind_password()) == ("cn=o", "p")


def test_bind_dn_of_an_option_leaves_the_password_behind() -> None:
    settings = site(options={"bind_dn": "cn=o"}, LDAP_URL="ldap://h", BIND_DN="cn=u", BIND_PASSWORD="p")
    assert (settings.ldap_url, settings.bind_dn, settings.bind_secret) == ("ldap://h:389", "cn=o", None)


def test_password_file_of_an_option_replaces_the_password_alone(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("new")
    options = {"bind_password_file": str(tmp_path / "password")}
    settings = site(options=options, LDAP_URL="ldap://h", BIND_DN="cn=u", BIND_PASSWORD="old")
    assert (settings.bind_dn, settings.bind_password()) == ("cn=u", "new")


def test_password_of_the_environment_goes_to_the_stock_server() -> None:
    assert site(BIND_PASSWORD="p").bind_password() == "p"


@pytest.mark.parametrize("stray", ["BIND_DN", "BIND_PASSWORD", "BIND_PASSWORD_FILE"])
def test_credentials_of_the_environment_do_not_silently_go_to_a_profiles_server(stray: str) -> None:
    write_profile("default", {"ldap_url": "ldap://prod"})
    with pytest.raises(MalformedInput) as error:
        resolve_settings({}, {f"DCMCFG_{stray}": "cn=u"})
    assert str(error.value) == (
        f"DCMCFG_{stray}: this setting must come from the same source as the URL. The URL comes from "
        f"profile default, because DCMCFG_LDAP_URL is not set — also set DCMCFG_LDAP_URL, or remove DCMCFG_{stray}"
    )


def test_password_twice_in_one_source_is_refused() -> None:
    error = refused(BIND_PASSWORD="p", BIND_PASSWORD_FILE="f")
    assert error.message == "DCMCFG_BIND_PASSWORD and DCMCFG_BIND_PASSWORD_FILE are both set"


def test_move_log_of_a_profile_counts_for_its_own_server_only(tmp_path: Path) -> None:
    write_profile("lab", {"ldap_url": "ldap://lab", "external_move_log": str(tmp_path / "moves")})
    lab = {"profile": "lab"}
    assert site(options=lab).external_move_log == tmp_path / "moves"
    assert site(options=lab | {"ldap_url": "ldap://x"}).external_move_log is None


# -- how the connection is secured


def test_over_ldapi_nobody_is_named_unless_somebody_is() -> None:
    settings = site(LDAP_URL="ldapi:///")
    assert (settings.bind_dn, settings.bind_secret, settings.identity) == ("", None, "SASL EXTERNAL")
    assert format_site_headline(settings).startswith("SASL EXTERNAL @ ldapi://%2Fvar%2Frun%2Fslapd%2Fldapi · ")
    assert site(LDAP_URL="ldapi:///", BIND_DN="cn=u").bind_dn == "cn=u"
    assert site(LDAP_URL="ldapi:///", BIND_PASSWORD="p").bind_dn == "cn=admin,dc=dcm4che,dc=org"
    assert site(options={"ldap_url": "ldapi:///"}, BIND_DN="cn=u", BIND_PASSWORD="p").bind_dn == ""


def test_a_client_certificate_names_who_asks_unless_a_bind_dn_does() -> None:
    settings = site(LDAP_URL="ldaps://h", CLIENT_CERT="c.pem", CLIENT_KEY="k.pem")
    assert (settings.bind_dn, settings.client_cert, settings.client_key) == ("", Path("c.pem"), Path("k.pem"))
    assert (settings.origins["client_cert"], settings.origins["client_key"]) == (
        "DCMCFG_CLIENT_CERT",
        "DCMCFG_CLIENT_KEY",
    )
    assert site(LDAP_URL="ldaps://h", CLIENT_CERT="c.pem", BIND_DN="cn=u").bind_dn == "cn=u"


def test_a_client_certificate_goes_only_to_the_server_of_its_source() -> None:
    write_profile("default", {"ldap_url": "ldaps://prod", "client_cert": "c.pem"})
    assert site().client_cert == get_profile_path("default").with_name("c.pem")
    assert site(options={"ldap_url": "ldaps://x"}).client_cert is None
    assert "DCMCFG_LDAP_URL" in refused(CLIENT_CERT="other.pem").message
    options = {"ldap_url": "ldaps://x", "client_cert": "mine.pem"}
    assert site(options=options).client_cert == Path("mine.pem")


def test_a_certificate_of_an_option_leaves_the_other_ones_key_behind() -> None:
    environ = {"LDAP_URL": "ldaps://h", "CLIENT_CERT": "c.pem", "CLIENT_KEY": "k.pem"}
    settings = site(options={"client_cert": "mine.pem"}, **environ)
    assert (settings.client_cert, settings.client_key) == (Path("mine.pem"), None)
    settings = site(options={"client_key": "new.key"}, **environ)
    assert (settings.client_cert, settings.client_key) == (Path("c.pem"), Path("new.key"))


def test_a_key_without_certificate_and_a_certificate_without_tls_are_refused() -> None:
    assert refused(LDAP_URL="ldaps://h", CLIENT_KEY="k").subject == "DCMCFG_CLIENT_KEY"
    assert refused(LDAP_URL="ldap://h", CLIENT_CERT="c").message == "a client certificate requires TLS"
    assert refused(LDAP_URL="ldapi:///", CLIENT_CERT="c").message == "a client certificate requires TLS"
    assert site(LDAP_URL="ldap://h", CLIENT_CERT="c", STARTTLS="1").client_cert == Path("c")


def test_starttls_that_was_asked_for_anywhere_holds_for_every_unencrypted_url() -> None:
    assert not site(LDAP_URL="ldap://h").starttls
    assert site(LDAP_URL="ldap://h", STARTTLS="true").starttls
    settings = site(options={"ldap_url": "ldap://x"}, STARTTLS="Yes")
    assert (settings.starttls, settings.origins["starttls"]) == (True, "DCMCFG_STARTTLS")
    path = write_profile("lab", {"ldap_url": "ldap://lab"})
    path.write_text('ldap_url = "ldap://lab"\nstarttls = true\n')
    assert site(PROFILE="lab").starttls
    assert site(options={"profile": "lab", "ldap_url": "ldap://x"}).starttls
    assert not site(PROFILE="lab", STARTTLS="false", LDAP_URL="ldap://h").starttls


def test_starttls_beside_a_url_that_needs_none_is_passed_over_from_elsewhere_and_refused_beside_it() -> None:
    assert not site(options={"ldap_url": "ldaps://x"}, STARTTLS="true").starttls
    error = refused(LDAP_URL="ldaps://h", STARTTLS="true")
    assert str(error).startswith("DCMCFG_STARTTLS: StartTLS requires ldap://, but the URL is ldaps://h:636 — ")
    assert refused(options={"starttls": "true"}, LDAP_URL="ldapi:///").subject == "--starttls"


def test_revocation_lists_are_required_where_the_strongest_source_says_so() -> None:
    assert not site().require_crl
    assert site(REQUIRE_CRL="true").require_crl
    path = write_profile("lab", {})
    path.write_text("require_crl = true\n")
    assert site(PROFILE="lab").require_crl
    assert not site(PROFILE="lab", REQUIRE_CRL="no").require_crl
    assert site(options={"require_crl": "true"}, REQUIRE_CRL="no").require_crl


def test_starttls_is_true_or_false() -> None:
    assert str(refused(STARTTLS="maybe")) == "DCMCFG_STARTTLS: the value must be true or false, not 'maybe'"


# -- the archive's token


def test_token_goes_with_the_archive_of_its_source() -> None:
    assert site(ARCHIVE_URL="https://a", ARCHIVE_TOKEN="t").archive_token() == "t"
    assert site(ARCHIVE_TOKEN="t").archive_token() == "t"
    assert site(options={"archive_url": "https://x"}, ARCHIVE_TOKEN="t").archive_token() is None
    write_profile("lab", {"archive_url": "http://lab"})
    assert site(options={"profile": "lab"}, ARCHIVE_TOKEN="t").archive_token() is None
    assert "DCMCFG_ARCHIVE_URL" in refused(PROFILE="lab", ARCHIVE_TOKEN="t").message


def test_token_file_of_an_option_goes_to_any_archive(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(" t \n")
    options = {"archive_token_file": str(tmp_path / "token")}
    assert site(options=options, ARCHIVE_URL="https://a", ARCHIVE_TOKEN="old").archive_token() == "t"


@pytest.mark.parametrize("token", ["a b", "ü", "a\x00"])
def test_token_that_fits_no_header_is_refused(token: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        site(ARCHIVE_TOKEN=token).archive_token()
    assert token not in str(caught.value)


# -- secrets


def test_secrets_are_in_no_repr() -> None:
    settings = site(BIND_PASSWORD="geheim", ARCHIVE_TOKEN="geheim")
    assert "geheim" not in repr(settings) + repr(settings.bind_secret) + repr(settings.token_secret)


@pytest.mark.parametrize(("content", "secret"), [("p", "p"), ("p\n", "p"), ("p \r\n", "p "), (" pä\n", " pä")])
def test_secret_of_a_file_is_its_line(tmp_path: Path, content: str, secret: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content.encode())
    assert Secret("--bind-password-file", path).read() == secret


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb\n", b"\xff"])
def test_file_without_one_line_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(MalformedInput) as caught:
        Secret("--bind-password-file", path).read()
    assert caught.value.subject == str(path)


def test_missing_secret_file_is_named_with_where_it_was_named(tmp_path: Path) -> None:
    settings = site(BIND_PASSWORD_FILE=str(tmp_path / "none"))
    with pytest.raises(NotFound) as caught:
        settings.bind_password()
    assert str(caught.value) == f"{tmp_path / 'none'}: the file does not exist (specified by DCMCFG_BIND_PASSWORD_FILE)"


# -- base DN


def test_base_dn_of_the_url() -> None:
    settings = site(LDAP_URL="ldap://h:1389/dc=a%20b,dc=x")
    assert (settings.ldap_url, str(settings.base_dn)) == ("ldap://h:1389", "dc=a b,dc=x")


def test_stronger_base_dn_beats_the_one_in_the_url() -> None:
    settings = site(options={"base_dn": "dc=o"}, LDAP_URL="ldap://h/dc=e")
    assert (str(settings.base_dn), settings.origins["base_dn"]) == ("dc=o", "--base-dn")


def test_dn_in_a_stronger_url_beats_the_base_dn() -> None:
    settings = site(options={"ldap_url": "ldap://h/dc=o"}, BASE_DN="dc=e")
    assert (str(settings.base_dn), settings.origins["base_dn"]) == ("dc=o", "--ldap-url")


def test_dn_in_a_url_that_is_not_used_does_not_count() -> None:
    assert str(site(options={"ldap_url": "ldap://x"}, LDAP_URL="ldap://h/dc=e").base_dn) == "dc=dcm4che,dc=org"


def test_base_dn_that_contradicts_the_url_of_its_source_is_refused() -> None:
    error = refused(options={"ldap_url": "ldap://h/dc=a", "base_dn": "dc=b"})
    assert (
        str(error)
        == "--base-dn dc=b: the base DN differs from the DN dc=a in --ldap-url — remove one of the two settings"
    )
    assert str(site(LDAP_URL="ldap://h/dc=a,dc=b", BASE_DN="DC=A, dc=b").base_dn) == "DC=A,dc=b"


@pytest.mark.parametrize("key", ["base_dn", "bind_dn"])
@pytest.mark.parametrize("value", ["nonsense", " "])
def test_malformed_dn_is_refused(key: str, value: str) -> None:
    refused(options={key: value})


# -- URLs


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("ldap://h", "ldap://h:389"),
        ("LDAP://Host.Example:1389/", "ldap://host.example:1389"),
        ("ldaps://10.0.0.1", "ldaps://10.0.0.1:636"),
        ("ldap://[::1]:3389", "ldap://[::1]:3389"),
        ("ldapi://%2Frun%2Fslapd%2Fldapi", "ldapi://%2Frun%2Fslapd%2Fldapi"),
        ("ldapi:///", "ldapi://%2Fvar%2Frun%2Fslapd%2Fldapi"),
        ("ldapi://", "ldapi://%2Fvar%2Frun%2Fslapd%2Fldapi"),
    ],
)
def test_ldap_url_in_one_spelling(given: str, used: str) -> None:
    assert site(LDAP_URL=given).ldap_url == used


@pytest.mark.parametrize(
    "url",
    [
        "localhost",
        "localhost:389",
        "http://h",
        "ldap:h",
        "ldap://",
        "ldap://:389",
        "ldap://h:0",
        "ldap://h:65536",
        "ldap://h:-1",
        "ldap://h:x",
        "ldap://h h",
        "ldap://h/nonsense",
        "ldap://h/dc=x?cn?sub?(a=b)",
        "ldap://[::1",
        "ldap://a..b",
        "ldap://ü",
        "ldap://h\n",
        "ldapi://run",
        "ldapi://%2Frun%00",
    ],
)
def test_malformed_ldap_url_is_refused_and_named(url: str) -> None:
    error = refused(options={"ldap_url": url})
    assert error.subject


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://h:8080/dcm4chee-arc/", "http://h:8080/dcm4chee-arc"),
        ("https://Archive.Example", "https://archive.example"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_archive_url_in_one_spelling(given: str, used: str) -> None:
    assert site(ARCHIVE_URL=given).archive_url == used


@pytest.mark.parametrize(
    "url",
    ["h:8080", "ftp://h", "http:/h", "http:///x", "http://h:0/", "http://h:99999", "http://h/?a=b", "http://h/#a"],
)
def test_malformed_archive_url_is_refused(url: str) -> None:
    assert refused(options={"archive_url": url}).subject == f"--archive-url {url!r}"


@pytest.mark.parametrize(
    "options", [{"archive_url": "http://u:geheim@h/x"}, {"ldap_url": "ldap://u:geheim@h"}, {"ldap_url": "ldap://u@h"}]
)
def test_credentials_in_a_url_are_refused_and_not_shown(options: dict[str, str]) -> None:
    error = refused(options=options)
    assert "the URL must not contain a user or password" in error.message
    assert "geheim" not in str(error)


# -- profiles


def test_profile_is_written_for_its_owner_only(tmp_path: Path) -> None:
    path = write_profile("lab", {"device": 'quote " and ü'})
    assert path == tmp_path / "config" / "dcmcfg" / "profiles" / "lab.toml" == get_profile_path("lab")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert site(PROFILE="lab").device == 'quote " and ü'
    assert [other.name for other in path.parent.iterdir()] == ["lab.toml"]


def test_profile_is_replaced_whole() -> None:
    write_profile("lab", {"device": "a", "base_dn": "dc=a"})
    write_profile("lab", {"device": "b"})
    assert str(site(PROFILE="lab").base_dn) == "dc=dcm4che,dc=org"


def test_files_of_a_profile_are_found_from_its_folder(tmp_path: Path) -> None:
    path = write_profile("lab", {"bind_password_file": "password", "ca_file": "~/ca.pem"})
    path.with_name("password").write_text("p\n")
    settings = site(PROFILE="lab")
    assert settings.bind_password() == "p"
    assert settings.ca_file == tmp_path / "home" / "ca.pem"


def test_missing_profile_names_those_there_are() -> None:
    write_profile("lab", {})
    write_profile("default", {})
    with pytest.raises(NotFound) as caught:
        site(options={"profile": "prod"})
    assert caught.value.message == "the profile prod does not exist (specified by --profile)"
    assert caught.value.next_step == "existing profiles: default, lab"
    with pytest.raises(NotFound, match=r"the profile prod does not exist \(specified by DCMCFG_PROFILE\)"):
        site(PROFILE="prod")


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "-x"])
def test_profile_names_stay_in_the_folder(name: str) -> None:
    with pytest.raises(MalformedInput):
        write_profile(name, {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ldap_ulr = 'x'", "unknown key 'ldap_ulr'"),
        (b"bind_password = 'x'", "unknown key 'bind_password'"),
        (b"device = 1", "the value of 'device' must be a quoted, non-empty string"),
        (b"device = ''", "the value of 'device' must be a quoted, non-empty string"),
        (b"device", "the profile is not TOML: "),
        (b"device = '\xff'", "the profile is not TOML: "),
    ],
)
def test_broken_profile_is_refused_with_its_file(content: bytes, message: str) -> None:
    path = write_profile("lab", {})
    path.write_bytes(content)
    error = refused(PROFILE="lab")
    assert error.subject == str(path)
    assert error.message.startswith(message)


def test_unknown_key_is_not_written() -> None:
    with pytest.raises(MalformedInput):
        write_profile("lab", {"bind_password": "x"})
    assert not get_profile_path("lab").exists()


def test_profile_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("not a folder")
    with pytest.raises(DcmcfgError, match="cannot write to the folder"):
        write_profile("lab", {})


def test_profile_is_removed_once() -> None:
    write_profile("lab", {})
    assert remove_profile("lab")
    assert not remove_profile("lab")


def test_a_removed_profile_is_no_longer_selected() -> None:
    for name in ("lab", "other"):
        write_profile(name, {})
    select_profile("lab")
    remove_profile("other")
    assert get_selection_path().exists()
    remove_profile("lab")
    assert not get_selection_path().exists()


def test_every_setting_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[1] / "docs" / "reference" / "settings.md").read_text("utf-8")
    options = ["--" + setting.replace("_", "-") for setting in SITE_SETTINGS]
    missing = [word for word in (*options, *VARIABLES.values(), *PROFILE_KEYS) if f"`{word}`" not in text]
    assert missing == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "# ours\ndevice = 'old'  # since 2019\nstarttls = true\n",
            '# ours\ndevice = "new"  # since 2019\nstarttls = true\n',
        ),
        ('  device="o\\"ld"\r\nbase_dn = "dc=x"\r\n', '  device="new"\r\nbase_dn = "dc=x"\r\n'),
        # A line like that inside another value is not the setting.
        (
            'bind_dn = """\ndevice = \'x\'"""\ndevice = "old"\n',
            'bind_dn = """\ndevice = \'x\'"""\ndevice = "new"\n',
        ),
        ('device = """\nold"""\n', 'device = "new"\n'),
    ],
)
def test_one_setting_of_a_profile_is_changed_and_the_rest_stays(text: str, expected: str) -> None:
    path = write_profile("lab", {"device": "old"})
    path.write_bytes(text.encode())
    path.chmod(0o640)
    assert update_profile("lab", "device", "new") == path
    assert path.read_bytes().decode() == expected
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_linked_profile_is_written_where_it_is(tmp_path: Path) -> None:
    path = write_profile("lab", {"device": "old"})
    linked_to = tmp_path / "kept.toml"
    path.rename(linked_to)
    path.symlink_to(linked_to)
    update_profile("lab", "device", 'a"b')
    assert path.is_symlink()
    assert resolve_settings({"profile": "lab"}, {}).device == 'a"b'


def test_a_missing_profile_is_not_updated() -> None:
    with pytest.raises(NotFound, match="the profile gone does not exist"):
        update_profile("gone", "device", "new")


def test_a_secret_in_other_octets_than_utf_8_is_refused_without_a_word_of_it() -> None:
    text = b"ge\xe4heim".decode("utf-8", "surrogateescape")
    with pytest.raises(MalformedInput) as caught:
        resolve_settings({}, {"DCMCFG_BIND_PASSWORD": text}).bind_password()
    assert str(caught.value) == "DCMCFG_BIND_PASSWORD: cannot read the secret: not UTF-8 text"
