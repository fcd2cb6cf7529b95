"""Saved queries as Studio sends and reads them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from supaplane_api.schema import Answer, Body
from supaplane_api.text import Name

Kind = Literal["sql", "report", "log_sql"]
Visibility = Literal["user", "project", "org", "public"]
Description = Annotated[str, StringConstraints(max_length=4096, pattern=r"^[^\x00]*$")]
Id = Annotated[UUID, Field(strict=False)]


class Person(Answer):
    """An account."""

    id: int
    username: str


class ItemHead(Answer):
    """Something saved, without what is in it."""

    id: str
    name: str
    description: str
    type: Kind
    visibility: Visibility
    favorite: bool
    folder_id: str | None
    owner_id: int
    project_id: int
    inserted_at: str
    updated_at: str
    last_updated_by: int | None


class Item(ItemHead):
    """Something saved."""

    content: dict[str, Any]
    owner: Person
    updated_by: Person | None


class Items(Answer):
    """Part of what is saved; `cursor` leads to the next part."""

    cursor: str | None
    data: list[Item]


class Counts(Answer):
    """How much is saved."""

    favorites: int
    private: int
    shared: int


class Folder(Answer):
    """A folder of the caller's."""

    id: str
    name: str
    owner_id: int
    parent_id: str | None
    project_id: int


class FolderParts(Answer):
    """What is in a folder."""

    contents: list[ItemHead]
    folders: list[Folder]


class FolderContents(Answer):
    """Part of what is in a folder; `cursor` leads to the next part."""

    cursor: str | None
    data: FolderParts


class Deleted(Answer):
    """What is gone."""

    id: str


class SaveItem(Body):
    """Something to save; with the id of what is there, it takes that one's place."""

    id: Id | None = None
    name: Name
    description: (
        Annotated[str, StringConstraints(max_length=4096, pattern=r"^[^\x00]*$")] | None
    ) = None
    type: Kind = "sql"
    visibility: Visibility = "user"
    content: Annotated[dict[str, Any], Field(default_factory=dict)]
    favorite: bool | None = None
    folder_id: Id | None = None


class MakeFolder(Body):
    """A new folder."""

    name: Name
    parent_id: Id | None = None


class RenameFolder(Body):
    """A new name."""

    name: Name
