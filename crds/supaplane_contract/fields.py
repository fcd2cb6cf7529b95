"""What are the parts of a spec made of: the base model, the kinds of text, and rules in CEL?

Each kind of text has the pattern and the length that the CRD's schema gets too, so that a value
which a model takes is one that the API server takes. Patterns keep to what Python, Rust (pydantic)
and RE2 (the API server) read alike.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

Json = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A rule that the API server checks: an expression in CEL and what a person is told.

    The server also tries rules on a bare `default: {}`, so a field with a default is read with
    `self.?field.orValue(…)` where its object may be a default itself.
    """

    expression: str
    message: str
    reason: str = ""
    """One of Kubernetes' words for what is wrong. Empty: FieldValueInvalid."""
    field: str | None = None
    """JSON path, below the value that the rule is about, of the field to blame."""

    def as_json(self) -> Json:
        """As an entry of `x-kubernetes-validations`."""
        reason = {"reason": self.reason} if self.reason else {}
        path = {"fieldPath": self.field} if self.field else {}
        return {"rule": self.expression, "message": self.message, **reason, **path}


def ruled(*rules: Rule) -> Json:
    """Rules as `json_schema_extra` of a field."""
    return {VALIDATIONS: [rule.as_json() for rule in rules]}


def immutable(what: str) -> Rule:
    """The rule that a field which always has a value keeps it."""
    message = f"{what} cannot change: make a new project and move the data"
    return Rule("self == oldSelf", message, "FieldValueForbidden")


VALIDATIONS: Final = "x-kubernetes-validations"
SET: Final[Json] = {"x-kubernetes-list-type": "set"}
"""`json_schema_extra` of a list of which each item may be there once, in any order."""


def keyed_by(key: str) -> Json:
    """`json_schema_extra` of a list in which each value of `key` may be there once."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


class Model(BaseModel):
    """Every part of a spec: frozen, camelCase outside, unknown fields refused."""

    RULES: ClassVar[tuple[Rule, ...]] = ()
    """Rules over several fields; those of base classes hold too."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The JSON schema, with the rules as Kubernetes wants them."""
        schema = handler.resolve_ref_schema(handler(core))
        rules = [r for base in reversed(cls.__mro__) for r in base.__dict__.get("RULES", ())]
        if rules:
            schema[VALIDATIONS] = [rule.as_json() for rule in rules]
        return schema


def _text(amount: object) -> object:
    """People write `cpu: 2`; a quantity is text. A bool is no number here."""
    return str(amount) if isinstance(amount, int) and not isinstance(amount, bool) else amount


def _network(text: str) -> str:
    network = ipaddress.ip_network(text, strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped:
        raise ValueError("write IPv4 ranges as IPv4")
    return text


def _quantity(pattern: str, maximum: int, *rules: Rule) -> Json:
    """The schema of a quantity: text of that pattern, or a whole number."""
    text, number = {"pattern": pattern, "maxLength": 20}, {"minimum": 1, "maximum": maximum}
    rule = ruled(*rules) if rules else {}
    return {"x-kubernetes-int-or-string": True, **text, **number, **rule}


_WORD: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL: Final = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
"""Of a DNS name, which a controller would refuse later if it were longer."""
HOST_PATTERN: Final = rf"^{_LABEL}(\.{_LABEL})+$"
_WILDCARD_OR_HOST: Final = rf"^(\*\.)?{_LABEL}(\.{_LABEL})*$"
CPU_PATTERN: Final = r"^([1-9][0-9]{0,6}m|[1-9][0-9]{0,3}(\.[0-9]{1,3})?|0\.0{0,2}[1-9][0-9]{0,2})$"
MEMORY_PATTERN: Final = r"^[1-9][0-9]{0,14}(\.[0-9]{1,3})?([kMGTPE]|[KMGTPE]i)?$"
STORAGE_PATTERN: Final = r"^[1-9][0-9]{0,5}(Mi|Gi|Ti)$"
NAME_PATTERN: Final = rf"^{_WORD}(\.{_WORD})*$"
SLUG_PATTERN: Final = rf"^{_WORD}$"

_NO_WILDCARD: Final = Rule(
    r"self.matches('^[^*]+[.][^*]+$')",
    "a host is one full DNS name such as api.example.org: no wildcard, no bare label; "
    "list further names in customDomains",
)
_ENOUGH_MEMORY: Final = Rule(
    "quantity(string(self)).compareTo(quantity('4Mi')) >= 0",
    "memory below 4Mi runs nothing: a plain number means bytes, write 512Mi or 2Gi",
)
_IS_CIDR: Final = Rule("isCIDR(self)", "a range of addresses is written as 203.0.113.0/24")

Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Host = Annotated[
    str,
    StringConstraints(pattern=HOST_PATTERN, max_length=253),
    # the schema lets a wildcard through to the rule, whose message says what to do
    Field(json_schema_extra={"pattern": _WILDCARD_OR_HOST, **ruled(_NO_WILDCARD)}),
]
Cpu = Annotated[
    str,
    BeforeValidator(_text),
    StringConstraints(pattern=CPU_PATTERN, max_length=20),
    WithJsonSchema(_quantity(CPU_PATTERN, 9_999)),
]
Memory = Annotated[
    str,
    BeforeValidator(_text),
    StringConstraints(pattern=MEMORY_PATTERN, max_length=20),
    WithJsonSchema(_quantity(MEMORY_PATTERN, 10**15 - 1, _ENOUGH_MEMORY)),
]
StorageQuantity = Annotated[str, StringConstraints(pattern=STORAGE_PATTERN, max_length=10)]
ObjectName = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=253)]
RedirectUrl = Annotated[str, StringConstraints(pattern=r"^[!-+.-~-]+$", max_length=1024)]
Url = Annotated[
    str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9+.-]*://[!-~]*$", max_length=2048)
]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[!-?A-~]+$", max_length=2048)]
Email = Annotated[str, StringConstraints(pattern=r"^[!-?A-~]+@[!-?A-~]+$", max_length=320)]
Cidr = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$", max_length=43),
    AfterValidator(_network),
    Field(json_schema_extra=ruled(_IS_CIDR)),
]
Image = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][-a-zA-Z0-9._/:@]*$", min_length=1, max_length=512)
]
Schema = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_$]*$", max_length=63)]
Cron = Annotated[
    str,
    StringConstraints(
        pattern=r"^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)"
        r"|[-0-9*/,A-Za-z]+( +[-0-9*/,A-Za-z]+){4})$",
        max_length=100,
    ),
]
OneLine = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]*$", max_length=256)]
Annotations = Annotated[
    dict[str, Annotated[str, StringConstraints(max_length=4096)]], Field(max_length=32)
]
