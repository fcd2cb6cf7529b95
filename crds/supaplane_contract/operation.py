"""What one-shot work can be asked for, and what is told of how to do it?"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from .credentials import DATABASE_ROLES
from .fields import Model, Rule
from .parts import ComponentName


class OperationKind(StrEnum):
    """One-shot work."""

    RESTART = "restart"
    ROTATE_JWT_SECRET = "rotateJwtSecret"
    ROTATE_DATABASE_PASSWORD = "rotateDatabasePassword"


_KNOWN = [*map(str, ComponentName)]
_ROTATES = "!self.kind.startsWith('rotate') || !has(self.parameters)"


class Operation(Model):
    """One-shot work: run once per id, one at a time."""

    RULES = (
        Rule(
            "self.id != oldSelf.id || (self.kind == oldSelf.kind"
            " && has(self.parameters) == has(oldSelf.parameters)"
            " && (!has(self.parameters) || self.parameters == oldSelf.parameters))",
            "an operation is known by its id and runs once: give changed work a new operation.id",
            "FieldValueForbidden",
        ),
        Rule(
            "self.kind != 'restart' || !has(self.parameters)"
            " || self.parameters.all(name, name == 'components'"
            f" && self.parameters[name].split(',').all(part, part in {_KNOWN}))",
            "restart knows one parameter, components: names such as auth,rest without blanks; "
            f"known are {', '.join(_KNOWN)}",
        ),
        Rule(
            f"{_ROTATES} || self.parameters.all(name, name in ['secretName', 'secretKey']"
            " || (name == 'roles' && self.kind == 'rotateDatabasePassword'"
            f" && self.parameters[name].split(',').all(role, role in {[*DATABASE_ROLES]})))",
            "rotating knows the parameters secretName and secretKey; rotateDatabasePassword also "
            "roles: names such as postgres,authenticator without blanks; "
            f"known are {', '.join(DATABASE_ROLES)}",
        ),
        Rule(
            f"{_ROTATES} || (('secretName' in self.parameters) == ('secretKey' in self.parameters)"
            " && (!('secretName' in self.parameters) || !('roles' in self.parameters)"
            " || !self.parameters['roles'].contains(',')))",
            "a value of your own is one key of one Secret, for one role: give secretName and "
            "secretKey both, and no second role",
        ),
    )

    id: Annotated[
        str, StringConstraints(pattern=r"^[a-zA-Z0-9][-a-zA-Z0-9._]*$", max_length=64, min_length=1)
    ]
    """An id that is not among the last 32 that have run starts the work."""
    kind: OperationKind
    """What to do: restart the pods, or replace secrets by new ones."""
    parameters: Annotated[
        dict[
            Annotated[str, StringConstraints(max_length=63)],
            Annotated[str, StringConstraints(max_length=1024)],
        ],
        Field(max_length=16),
    ] = {}
    """What to do it with. restart takes components: names separated by commas; without it
    everything is restarted, the database last. The two that rotate take secretName and secretKey:
    a Secret beside the SupabaseProject that holds the new value, and its key; without them the
    operator makes one. rotateDatabasePassword takes roles, too: names separated by commas;
    without it, postgres."""
