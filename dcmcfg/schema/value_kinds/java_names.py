"""Names that the archive's Java (17) knows: character sets, digest algorithms, TLS cipher suites and protocols."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import split_key_and_value

#: Registration numbers that stand with and without code extensions.
_REGISTERED = (13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166, 203)
#: Defined terms of Specific Character Set (PS3.3 C.12.1.1.2) that dcm4che knows; empty is the default.
_REPERTOIRES = frozenset(
    (
        "",
        "GB18030",
        "GBK",
        "ISO_IR 192",
        *(f"ISO 2022 IR {number}" for number in (6, 58, 87, 149, 159)),
        *(f"ISO{way}IR {number}" for way in ("_", " 2022 ") for number in _REGISTERED),
    )
)


@cache
def load_java_names() -> Mapping[str, frozenset[str]]:
    """Return the names by topic; character sets in small letters, digest algorithms in capitals."""
    content = json.loads(resources.files(__package__).joinpath("java_names.json").read_bytes())
    return {topic: frozenset(names) for topic, names in content.items()}


def find_charset_problem(text: str) -> str:
    """Return that Java does not know the character set *text*, if so."""
    return "" if text.lower() in load_java_names()["charsets"] else "Java knows no such character set; UTF-8 is one"


def find_charset_mapping_problem(text: str) -> str:
    """Return why *text* maps no code to a character set: ``CODE=CHARSET``."""
    pair = split_key_and_value(text)
    return "it must be CODE=CHARSET" if pair is None else find_charset_problem(pair[1])


def find_dicom_charset_mapping_problem(text: str) -> str:
    """Return why *text* maps no DICOM character set to one of Java: ``ISO_IR 100=windows-1252``."""
    problem = find_charset_mapping_problem(text)
    if not problem and text.partition("=")[0] not in _REPERTOIRES:
        return "before = stands a defined term of Specific Character Set, as ISO_IR 100"
    return problem


def find_digest_algorithm_problem(text: str) -> str:
    """Return that Java does not know the digest algorithm *text*, if so."""
    is_known = text.upper() in load_java_names()["digests"]
    return "" if is_known else "Java knows no such digest algorithm; MD5, SHA-1 and SHA-256 are some"


def find_cipher_suite_problem(text: str) -> str:
    """Return that Java does not know the TLS cipher suite *text*, if so."""
    is_known = text in load_java_names()["cipher suites"]
    return "" if is_known else "Java knows no such cipher suite; TLS_AES_128_GCM_SHA256 is one (not OpenSSL's names)"


def find_tls_protocol_problem(text: str) -> str:
    """Return that Java does not know the version *text* of TLS, if so."""
    return (
        ""
        if text in load_java_names()["protocols"]
        else "Java knows no such version of TLS; TLSv1.2 and TLSv1.3 are some"
    )


CHARSET = ValueKind("charset", "a character set that Java knows: UTF-8", find_charset_problem)
CHARSET_MAPPING = ValueKind("charset-mapping", "CODE=CHARSET, as UNICODE UTF-8=UTF-8", find_charset_mapping_problem)
DICOM_CHARSET_MAPPING = ValueKind(
    "dicom-charset-mapping", "CODE=CHARSET, as ISO_IR 100=windows-1252", find_dicom_charset_mapping_problem
)
DIGEST_ALGORITHM = ValueKind("digest-algorithm", "a digest algorithm: MD5, SHA-256", find_digest_algorithm_problem)
