"""Names that the archive's Java version (17) knows: character sets, digest algorithms, TLS cipher suites, protocols."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import split_key_and_value

#: Registration numbers that exist with and without code extensions.
_REGISTERED = (13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166, 203)
#: Defined terms of Specific Character Set (PS3.3 C.12.1.1.2) that dcm4che knows; the empty term is the default.
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
    """Return the names by topic; character sets in lower case, digest algorithms in upper case."""
    content = json.loads(resources.files(__package__).joinpath("java_names.json").read_bytes())
    return {topic: frozenset(names) for topic, names in content.items()}


def find_charset_problem(text: str) -> str:
    """Return a problem if Java does not know the character set *text*, otherwise an empty string."""
    return (
        ""
        if text.lower() in load_java_names()["charsets"]
        else "Java does not know this character set; use, for example, UTF-8"
    )


def find_charset_mapping_problem(text: str) -> str:
    """Return why *text* does not map a code to a character set: ``CODE=CHARSET``."""
    pair = split_key_and_value(text)
    return "the value must be CODE=CHARSET" if pair is None else find_charset_problem(pair[1])


def find_dicom_charset_mapping_problem(text: str) -> str:
    """Return why *text* does not map a DICOM character set to a Java one: ``ISO_IR 100=windows-1252``."""
    problem = find_charset_mapping_problem(text)
    if not problem and text.partition("=")[0] not in _REPERTOIRES:
        return "expected a defined term of Specific Character Set before =, such as ISO_IR 100"
    return problem


def find_digest_algorithm_problem(text: str) -> str:
    """Return a problem if Java does not know the digest algorithm *text*, otherwise an empty string."""
    is_known = text.upper() in load_java_names()["digests"]
    return "" if is_known else "Java does not know this digest algorithm; use, for example, MD5, SHA-1 or SHA-256"


def find_cipher_suite_problem(text: str) -> str:
    """Return a problem if Java does not know the TLS cipher suite *text*, otherwise an empty string."""
    is_known = text in load_java_names()["cipher suites"]
    return (
        ""
        if is_known
        else "Java does not know this cipher suite; use Java names such as TLS_AES_128_GCM_SHA256, not OpenSSL names"
    )


def find_tls_protocol_problem(text: str) -> str:
    """Return a problem if Java does not know the TLS version *text*, otherwise an empty string."""
    return (
        ""
        if text in load_java_names()["protocols"]
        else "Java does not know this TLS version; use, for example, TLSv1.2 or TLSv1.3"
    )


CHARSET = ValueKind("charset", "a character set that Java knows, for example UTF-8", find_charset_problem)
CHARSET_MAPPING = ValueKind(
    "charset-mapping", "CODE=CHARSET, for example UNICODE UTF-8=UTF-8", find_charset_mapping_problem
)
DICOM_CHARSET_MAPPING = ValueKind(
    "dicom-charset-mapping", "CODE=CHARSET, for example ISO_IR 100=windows-1252", find_dicom_charset_mapping_problem
)
DIGEST_ALGORITHM = ValueKind(
    "digest-algorithm", "a digest algorithm, for example SHA-256", find_digest_algorithm_problem
)
