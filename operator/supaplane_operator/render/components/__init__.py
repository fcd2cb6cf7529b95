"""Which components can be rendered? Every module beside this one holds one, as its `PART`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from supaplane_contract.spec import ComponentName
from supaplane_operator.render.part import Part


def _discover() -> Mapping[ComponentName, Part]:
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}").PART for name in modules]
    by_name = {part.name: part for part in found}
    # in the contract's order, the database first: what others wait for is applied first
    return MappingProxyType({name: by_name[name] for name in ComponentName if name in by_name})


PARTS: Mapping[ComponentName, Part] = _discover()
