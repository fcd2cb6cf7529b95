"""All configuration pages: those that Studio calls, and those of the Management API."""

from __future__ import annotations

from fastapi import APIRouter

from . import (
    auth_routes,
    data_api,
    disk,
    domains,
    network,
    pooler,
    postgres,
    realtime,
    signing_keys,
    storage,
)

router = APIRouter()
"""Served at the root and below /platform."""
v1 = APIRouter()
for part in (auth_routes, data_api, disk, pooler, realtime, storage):
    router.include_router(part.router)
for management in (
    auth_routes,
    data_api,
    disk,
    domains,
    network,
    pooler,
    postgres,
    realtime,
    signing_keys,
    storage,
):
    v1.include_router(management.v1)
