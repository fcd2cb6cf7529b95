"""How does Kubernetes learn what a SupabaseProject is: the CustomResourceDefinition, generated.

Out of the pydantic models of spec and status comes a structural schema (Kubernetes' own dialect of
OpenAPI v3: no references, no unions, no patterns for keys). Pure: the same models give the same
definition; `python -m supaplane_contract` writes it down.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from . import names
from .fields import VALIDATIONS, Json, Rule
from .spec import ProjectSpec
from .status import ProjectStatus

_INT32: Final = 2**31
_INT64: Final = 2**63
_KEPT: Final = (
    "type",
    "format",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "maxProperties",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    VALIDATIONS,
)
_ORDER: Final = ("type", "description", "default", *_KEPT, "required")
_RULE_ORDER: Final = ("rule", "message", "reason", "fieldPath")

ROOT_RULES: Final = (
    Rule(
        "self.metadata.name.size() <= 52",
        "metadata.name: the name of a SupabaseProject has at most 52 characters, "
        "for other names are made of it",
    ),
    Rule(
        "!has(self.spec.ref) || !has(self.status) || !has(self.status.ref)"
        " || self.spec.ref == self.status.ref",
        "the ref of a project cannot change: remove spec.ref or set it to status.ref; "
        "for another ref make a new project",
        "FieldValueForbidden",
        ".spec.ref",
    ),
    # Before the operator has spoken it may be at work with the ref that it read or derived.
    Rule(
        "(has(oldSelf.status) && has(oldSelf.status.ref))"
        " || (has(self.spec.ref) == has(oldSelf.spec.ref)"
        " && (!has(self.spec.ref) || self.spec.ref == oldSelf.spec.ref))",
        "spec.ref cannot be set, changed or removed while the project has no status.ref: "
        "wait for it, or delete the SupabaseProject and make it again",
        "FieldValueForbidden",
        ".spec",
    ),
)

PRINTER_COLUMNS: Final = (
    ("Ref", "string", ".status.ref", "The project ref.", 0),
    ("Phase", "string", ".status.phase", "The state of the project.", 0),
    ("Ready", "string", ".status.ready", "Components ready and wanted.", 0),
    ("Size", "string", ".spec.size", "The size wished for.", 0),
    ("Release", "string", ".status.release", "The set of images.", 0),
    ("URL", "string", ".status.endpoints.api", "Where the API is reached.", 0),
    ("Age", "date", ".metadata.creationTimestamp", "Time since it was made.", 0),
    ("Message", "string", ".status.message", "The one thing worth knowing now.", 1),
)


def crd() -> Json:
    """The CustomResourceDefinition of SupabaseProject."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{names.PLURAL}.{names.GROUP}",
            "labels": {names.LABEL_PART_OF: names.PART_OF},
            # Helm deletes what it installed: with the definition all projects would go.
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": list(names.SHORT_NAMES),
                "categories": [names.CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def _version() -> Json:
    return {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(*column) for column in PRINTER_COLUMNS],
        "schema": {"openAPIV3Schema": root_schema()},
    }


def _column(name: str, type_: str, path: str, description: str, priority: int) -> Json:
    column = {"name": name, "type": type_, "description": description, "jsonPath": path}
    return {**column, "priority": priority} if priority else column


def root_schema() -> Json:
    """The structural schema of a whole SupabaseProject."""
    return {
        "type": "object",
        "description": "A Supabase project: a whole stack of its own, in its own namespace.",
        VALIDATIONS: [rule.as_json() for rule in ROOT_RULES],
        "properties": {
            "apiVersion": {
                "type": "string",
                "description": f"Version of this kind of object: {names.API_VERSION}.",
            },
            "kind": {"type": "string", "description": f"Kind of this object: {names.KIND}."},
            "metadata": {"type": "object"},
            "spec": _in_order({**structural(ProjectSpec), "default": {}}),
            "status": structural(ProjectStatus, defaults=False),
        },
    }


def structural(model: type[BaseModel], *, defaults: bool = True) -> Json:
    """The structural schema of a model. Raises ValueError for what such a schema cannot say.

    Without `defaults` an object says what its writer wrote and nothing else.
    """
    whole = model.model_json_schema(by_alias=True, mode="validation")
    return _Walk(whole.get("$defs", {}), defaults).node(whole, model.__name__)


@dataclass(frozen=True)
class _Walk:
    """Turns a JSON schema of pydantic's into a structural one, from the outside in."""

    defs: Mapping[str, Json]
    defaults: bool

    def node(self, raw: Mapping[str, Any], where: str) -> Json:
        node = self.plain(raw)
        out: Json = {key: node[key] for key in _KEPT if key in node}
        if description := _description(node.get("description")):
            out["description"] = description
        if node.get("type") == "integer":
            out["format"] = "int32" if node.get("maximum", _INT64) < _INT32 else "int64"
        if node.get("type") == "object":
            out |= self.object(node, where)
        if node.get("type") == "array":
            out["items"] = self.node(node["items"], f"{where}[]")
        if not out.get("type") and not out.get("x-kubernetes-int-or-string"):
            raise ValueError(f"{where}: a structural schema needs one type")
        return _in_order(out)

    def plain(self, raw: Mapping[str, Any]) -> Json:
        """The node without its reference or its union with null; what stands outside wins."""
        node = dict(raw)
        while "$ref" in node or "anyOf" in node:
            if "$ref" in node:
                inner = self.defs[node.pop("$ref").rpartition("/")[2]]
            else:
                (inner,) = [kind for kind in node.pop("anyOf") if kind.get("type") != "null"]
            node = {**inner, **node}
        return node

    def object(self, node: Json, where: str) -> Json:
        if "properties" in node:
            return self.properties(node, where)
        keys, values = self.plain(node.get("propertyNames", {})), node.get("additionalProperties")
        if "patternProperties" in node:
            ((keys["pattern"], values),) = node["patternProperties"].items()
        if not isinstance(values, Mapping):
            raise ValueError(f"{where}: an object needs named fields or values of one kind")
        if "enum" in keys:
            shown = {name: {**values, "description": f"For {name}."} for name in keys["enum"]}
            return self.properties({"properties": shown}, where)
        rules = [*node.get(VALIDATIONS, ()), *(rule.as_json() for rule in _key_rules(keys))]
        also = {VALIDATIONS: rules} if rules else {}
        return {**also, "additionalProperties": self.node(values, f"{where}{{}}")}

    def properties(self, node: Json, where: str) -> Json:
        properties = {}
        for name, raw in node["properties"].items():
            part = self.node(raw, f"{where}.{name}")
            default = raw.get("default") if self.defaults else None
            properties[name] = _with_default(part, default)
        required = node.get("required")
        return {**({"required": required} if required else {}), "properties": properties}


def _key_rules(keys: Mapping[str, Any]) -> list[Rule]:
    """What a structural schema cannot say of the keys of a map, in CEL."""
    rules = []
    if most := keys.get("maxLength"):
        limit = f"a key has at most {most} characters"
        rules.append(Rule(f"self.all(key, size(key) <= {most})", limit))
    if pattern := keys.get("pattern"):
        shape = f"a key must match {pattern}"
        rules.append(Rule(f"self.all(key, key.matches('{pattern}'))", shape))
    return rules


def _with_default(part: Json, default: Any) -> Json:
    """The part of a schema with its default, which its description tells too.

    An object gets `{}` when something inside has a default, or rules compare it with its past:
    then it is always there, what is in effect is shown, and no rule is escaped by leaving it out.
    """
    if default in (None, [], {}):
        return part
    if part.get("type") != "object":
        said = f"{part['description']} Default: {_words(default)}."
        return _in_order({**part, "description": said, "default": default})
    inside = any("default" in field for field in part.get("properties", {}).values())
    past = any("oldSelf" in rule["rule"] for rule in part.get(VALIDATIONS, ()))
    return _in_order({**part, "default": {}}) if inside or past else part


def _words(default: Any) -> str:
    if isinstance(default, list):
        return ", ".join(default)
    return json.dumps(default) if isinstance(default, bool) else str(default)


def _in_order(node: Json) -> Json:
    """What a reader looks for first comes first; the long parts come last."""
    first: Json = {key: node[key] for key in _ORDER if key in node}
    last = {key: value for key, value in node.items() if key not in _ORDER}
    if VALIDATIONS in first:
        rules = first[VALIDATIONS]
        first[VALIDATIONS] = [{k: rule[k] for k in _RULE_ORDER if k in rule} for rule in rules]
    return {**first, **last}


def _description(docstring: str | None) -> str:
    """A docstring as one line a paragraph."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
