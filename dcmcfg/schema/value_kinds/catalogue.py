"""All kinds of values, by their names in ``value_kinds.json``."""

from __future__ import annotations

from functools import cache

from dcmcfg.schema.value_kinds.attributes_format import ATTRIBUTES_FORMAT
from dcmcfg.schema.value_kinds.codes import CODE, ISSUER
from dcmcfg.schema.value_kinds.conditions import CONDITION, HL7_CONDITION
from dcmcfg.schema.value_kinds.date_times import DATE_TIME
from dcmcfg.schema.value_kinds.durations import DURATION, PERIOD, RETENTION
from dcmcfg.schema.value_kinds.integers import PORT, build_integer_kind
from dcmcfg.schema.value_kinds.java_names import CHARSET, CHARSET_MAPPING, DICOM_CHARSET_MAPPING, DIGEST_ALGORITHM
from dcmcfg.schema.value_kinds.java_pattern import NEGATABLE_PATTERN, PATTERN
from dcmcfg.schema.value_kinds.kind import ValueKind, build_enumeration_kind
from dcmcfg.schema.value_kinds.mappings import (
    ASSOCIATION_LIMIT,
    NOT_EMPTY,
    ORDINAL_PREFIXED,
    PROPERTY,
    QSTAR_URL,
    QUEUE_SIZE,
    REMAPPED_URL,
    STORE_ASSOCIATIONS,
    VIEWPORT,
    VR_THRESHOLD,
)
from dcmcfg.schema.value_kinds.merge_attributes import MERGE_ATTRIBUTE
from dcmcfg.schema.value_kinds.references import CERTIFICATES, build_connection_kind
from dcmcfg.schema.value_kinds.schedules import SCHEDULE
from dcmcfg.schema.value_kinds.selectors import ATTRIBUTE_SELECTOR, VALUE_SELECTOR
from dcmcfg.schema.value_kinds.sizes import SIZE, THRESHOLD
from dcmcfg.schema.value_kinds.tags import ENTITY_SELECTOR, FILTER, INCLUDE_FIELD, QUERY_KEYS, SORT_ORDER, TAG
from dcmcfg.schema.value_kinds.uris import COERCION_URI, FILE_URI, STORAGE_URI, URI, URI_WITH_PROPERTIES

#: Names of kinds that other modules use.
ENUMERATION_NAME, CONNECTION_NAME = "one-of", "connection"
#: Kinds of references that the archive follows when it loads a device.
FOLLOWED_REFERENCES = frozenset((CONNECTION_NAME, CERTIFICATES.name))
KINDS: dict[str, ValueKind] = {
    kind.name: kind
    for kind in (
        ASSOCIATION_LIMIT,
        ATTRIBUTES_FORMAT,
        ATTRIBUTE_SELECTOR,
        CERTIFICATES,
        CHARSET,
        CHARSET_MAPPING,
        CODE,
        COERCION_URI,
        CONDITION,
        DATE_TIME,
        DICOM_CHARSET_MAPPING,
        DIGEST_ALGORITHM,
        DURATION,
        ENTITY_SELECTOR,
        FILE_URI,
        FILTER,
        HL7_CONDITION,
        INCLUDE_FIELD,
        ISSUER,
        MERGE_ATTRIBUTE,
        NEGATABLE_PATTERN,
        NOT_EMPTY,
        ORDINAL_PREFIXED,
        PATTERN,
        PERIOD,
        PORT,
        PROPERTY,
        QSTAR_URL,
        QUERY_KEYS,
        QUEUE_SIZE,
        REMAPPED_URL,
        RETENTION,
        SCHEDULE,
        SIZE,
        SORT_ORDER,
        STORAGE_URI,
        STORE_ASSOCIATIONS,
        TAG,
        THRESHOLD,
        URI,
        URI_WITH_PROPERTIES,
        VALUE_SELECTOR,
        VIEWPORT,
        VR_THRESHOLD,
    )
}


@cache
def get_value_kind(name: str, *parameters: str | int) -> ValueKind:
    """Return the kind *name*; raises KeyError for an unknown name.

    *parameters* are the constants of an enumeration, the bounds of an integer or the protocols of a connection.
    """
    match name:
        case "one-of":
            return build_enumeration_kind(name, tuple(map(str, parameters)))
        case "integer":
            return build_integer_kind(*map(int, parameters))
        case "connection":
            return build_connection_kind(*map(str, parameters))
    return KINDS[name]
