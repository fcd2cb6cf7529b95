"""Does a sample still render to what was agreed? `UPDATE_GOLDEN=1` accepts what it renders to."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from supaplane_operator.render import project
from supaplane_operator.render.bootstrap import SHELL, SQL
from supaplane_operator.render.functions import ROUTER

OURS = {
    **{f"bootstrap/{name}": text for name, text in {**SHELL, **SQL}.items()},
    **{f"functions/main/{name}": text for name, text in ROUTER.items()},
}
FOLDER = Path(__file__).with_name("golden")


def test_every_sample_renders_to_its_golden_file(sample: Any) -> None:
    file = FOLDER / f"{sample.name}.yaml"
    text = _as_text(sample)
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text(), "UPDATE_GOLDEN=1 accepts the change: look at it first"


def test_every_golden_file_has_its_sample(samples: Any) -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(samples)


def test_the_same_input_gives_the_same_objects(sample: Any) -> None:
    assert project(sample.input) == project(sample.input)


def _as_text(sample: Any) -> str:
    rendered = project(sample.input)
    watched = {
        "components": [
            {"name": c.name.value, "image": c.image, "workload": c.workload, "desired": c.desired}
            for c in rendered.components
        ],
        "endpoints": rendered.endpoints.model_dump(exclude_none=True),
    }
    # the name of the dashboard is a word that stands elsewhere too
    hidden = {k: v for k, v in sample.input.credentials.items() if len(v) >= 16}
    credentials = sorted(hidden.items(), key=lambda item: -len(item[1]))
    documents = [watched, *(_readable(m, credentials) for m in rendered.manifests)]
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=200)


def _readable(manifest: Any, credentials: list[tuple[str, str]]) -> Any:
    """Secrets as text with the names of credentials in the place of their values."""
    if manifest["kind"] == "ConfigMap":
        return manifest | {"data": {k: _file(v) for k, v in manifest["data"].items()}}
    if manifest["kind"] != "Secret":
        return manifest
    values = {k: base64.b64decode(v).decode() for k, v in manifest["data"].items()}
    return manifest | {"text": {k: _named(v, credentials) for k, v in values.items()}, "data": None}


def _named(text: str, credentials: list[tuple[str, str]]) -> Any:
    for key, value in credentials:
        text = text.replace(value, f"<{key}>").replace(quote(value, safe=""), f"<{key}>")
        text = text.replace(json.dumps(value)[1:-1], f"<{key}>")
    return _file(text)


def _file(text: str) -> Any:
    """JSON as what it holds; one of our own scripts as its name."""
    ours = [name for name, script in OURS.items() if script == text]
    if ours:
        return ours[0]
    return json.loads(text) if text.startswith("{") else text


class _Dumper(yaml.SafeDumper):
    """Without references: what is equal is written out twice. Long text as it is."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(tuple, lambda dumper, data: dumper.represent_list(data))
_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)
