"""Which fields of a SupabaseProject REST may set is one table, and the contract knows each."""

from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from supaplane_api.projects.fields import WRITABLE, is_writable
from supaplane_contract import ProjectSpec


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model of `Model` or `Model | None`."""
    for candidate in get_args(annotation) if get_origin(annotation) is UnionType else [annotation]:
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


@pytest.mark.parametrize("path", WRITABLE)
def test_every_writable_field_is_one_of_the_contract(path):
    model = ProjectSpec
    for step in path.split("."):
        if step == "*":
            assert model is None, "a star stands for the keys of a map"
            return
        fields = {field.alias: field for field in model.model_fields.values()}
        assert step in fields
        model = model_of(fields[step].annotation)


@pytest.mark.parametrize(
    "path",
    [
        ("images",),
        ("images", "db"),
        ("ingress", "annotations"),
        ("ingress", "className"),
        ("host",),
        ("deletion", "protection"),
        ("storage", "s3"),
        ("auth", "settings"),
        ("auth", "extraEnvFrom"),
        ("database", "external", "enabled"),
    ],
)
def test_what_only_who_may_write_resources_may_set_is_not_in_the_table(path):
    assert not is_writable(path)
