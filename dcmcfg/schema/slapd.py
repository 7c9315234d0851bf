"""Format a schema for OpenLDAP's slapd.conf (slapd.conf(5))."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.schema.definitions import AttributeType, ObjectClass, Schema
from dcmcfg.schema.syntaxes import get_syntax_oid

#: Names that slapd has built in; defining them again is an error.
_BUILT_IN = {"objectclass", "cn", "uid", "userpassword", "description", "seealso", "top"}
#: The classes of the suffix entry (RFC 4519 §3.3, §3.8), with the attributes that a configuration's suffix uses.
_SUFFIX_CLASSES = (
    ObjectClass("organization", "2.5.6.4", "structural", must=("o",), may=("userPassword", "description")),
    ObjectClass("dcObject", "1.3.6.1.4.1.1466.344", "auxiliary", must=("dc",)),
)
#: X.500 (RFC 4519), COSINE (RFC 4524) and inetOrgPerson (RFC 2798).
_STANDARD_OIDS = ("2.5.4.", "0.9.2342.", "2.16.840.1.113730.3.")
_WIDTH = 100


def format_slapd_schema(schema: Schema) -> str:
    """Return *schema* as ``attributetype`` and ``objectclass`` directives, attributes first, lines folded.

    The result omits definitions that slapd has built in and adds the classes of the suffix entry. A configuration tree
    needs nothing else, also no ``include`` of OpenLDAP's own schema files.
    """
    classes = _SUFFIX_CLASSES + tuple(
        object_class for object_class in schema.object_classes if _needs_definition(object_class.name)
    )
    definitions = [
        *(_format_attribute_type(attribute) for attribute in schema.attributes if _needs_definition(attribute.name)),
        *(_format_object_class(object_class) for object_class in classes),
    ]
    # slapd.conf continues a directive on lines that begin with white space (slapd.conf(5)).
    return "".join("\n  ".join(_fold(words)) + "\n" for words in definitions)


def format_core_schema(schema: Schema) -> str:
    """Return only the definitions of *schema* that are standard: what the archive's own schema files presuppose."""
    standard = tuple(each for each in schema.attributes if each.oid.startswith(_STANDARD_OIDS))
    return format_slapd_schema(Schema(standard, ()))


def _needs_definition(name: str) -> bool:
    return name.lower() not in _BUILT_IN


def _format_attribute_type(attribute: AttributeType) -> Iterator[str]:
    """Yield the words of an ``attributetype`` directive (RFC 4512 §4.1.2)."""
    yield f"attributetype ( {attribute.oid}"
    yield from _format_names(attribute.name, *attribute.aliases)
    if attribute.equality_rule:
        yield f"EQUALITY {attribute.equality_rule}"
    if attribute.substring_rule:
        yield f"SUBSTR {attribute.substring_rule}"
    yield f"SYNTAX {get_syntax_oid(attribute.syntax)}"
    if attribute.single_valued:
        yield "SINGLE-VALUE"
    yield ")"


def _format_object_class(object_class: ObjectClass) -> Iterator[str]:
    """Yield the words of an ``objectclass`` directive (RFC 4512 §4.1.1)."""
    yield f"objectclass ( {object_class.oid}"
    yield from _format_names(object_class.name)
    yield from _format_list("SUP", object_class.superiors)
    yield object_class.kind.upper()
    yield from _format_list("MUST", object_class.must)
    yield from _format_list("MAY", object_class.may)
    yield ")"


def _format_names(*names: str) -> Iterator[str]:
    yield "NAME ( " + " ".join(f"'{name}'" for name in names) + " )"


def _format_list(keyword: str, names: tuple[str, ...]) -> Iterator[str]:
    if names:
        yield f"{keyword} ( {names[0]}"
        yield from (f"$ {name}" for name in names[1:])
        yield ")"


def _fold(words: Iterable[str]) -> Iterator[str]:
    """Yield *words* in lines of at most :data:`_WIDTH` characters, because slapd rejects lines of about 9 KB."""
    line = ""
    for word in words:
        if line and len(line) + 1 + len(word) > _WIDTH:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
