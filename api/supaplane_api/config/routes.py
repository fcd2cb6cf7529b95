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
for both in (auth_routes, data_api, disk, pooler, realtime, storage):
    router.include_router(both.router)
    v1.include_router(both.v1)
for management in (domains, network, postgres, signing_keys):
    v1.include_router(management.v1)
