"""The configuration of auth as clients send and read it, made of the one table.

Studio writes the keys in upper case, the Management API in lower case; the values are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast

from pydantic import AfterValidator, StringConstraints, create_model

from supaplane_api.schema import Answer, Body
from supaplane_api.text import encodable
from supaplane_contract.auth_settings import Setting, table

SettingText = Annotated[
    str,
    StringConstraints(max_length=16384, pattern=r"^[^\x00]*$"),
    AfterValidator(encodable),
]
_SENT: dict[str, Any] = {"boolean": bool, "text": SettingText}
_TOLD: dict[str, Any] = {"boolean": bool, "text": str}


def _sent(key: str, row: Setting) -> Any:
    if key == "smtp_port":
        return SettingText | int | None  # a number in one version of Studio, text in the other
    return _SENT.get(row.kind, int) | None


def _told(row: Setting) -> Any:
    told = _TOLD.get(row.kind, int)
    return told | None if row.default is None else told


def _body(name: str, doc: str, spelled: Callable[[str], str], begins: str = "") -> type[Body]:
    rows = {key: row for key, row in table().items() if key.startswith(begins)}
    fields: dict[str, Any] = {spelled(k): (_sent(k, row), None) for k, row in rows.items()}
    return cast(type[Body], create_model(name, __base__=Body, __doc__=doc, **fields))


def _answer(name: str, doc: str, spelled: Callable[[str], str]) -> type[Answer]:
    fields: dict[str, Any] = {spelled(k): (_told(row), ...) for k, row in table().items()}
    return cast(type[Answer], create_model(name, __base__=Answer, __doc__=doc, **fields))


StudioChange = _body("AuthConfigChange", "Any part of the configuration of auth.", str.upper)
StudioHooks = _body("AuthHooksChange", "Hooks of auth.", str.upper, begins="hook_")
StudioConfig = _answer("AuthConfig", "The whole configuration of auth.", str.upper)
Change = _body("AuthConfigChangeV1", "Any part of the configuration of auth.", str.lower)
Config = _answer("AuthConfigV1", "The whole configuration of auth.", str.lower)
