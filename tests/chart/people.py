"""Somebody with a token, and what the API server answers to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Whoever the client's token says."""

    client: httpx.Client

    def send(
        self, method: str, path: str, body: Json | None = None, media: str = "application/json"
    ) -> httpx.Response:
        """One request."""
        return self.client.request(method, path, json=body, headers={"Content-Type": media})

    def patch(self, path: str, body: Json) -> httpx.Response:
        """A merge patch."""
        return self.send("PATCH", path, body, "application/merge-patch+json")

    def make(self, path: str, name: str, **rest: Any) -> httpx.Response:
        """POST of an object; `rest` goes into it, `labels` and `annotations` into its metadata."""
        meta: Json = {"name": name}
        for part in ("labels", "annotations"):
            if part in rest:
                meta[part] = rest.pop(part)
        return self.send("POST", path, {"metadata": meta, **rest})


def hold_refused(answer: httpx.Response, words: str) -> None:
    """Holds that an answer is a refusal that says so in these words."""
    assert answer.status_code in (403, 422), answer.text
    assert words in answer.json()["message"], answer.text
