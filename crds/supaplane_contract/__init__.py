"""What do the programs of Supaplane agree on: the SupabaseProject and all that is named after it.

Pure: no clock, no randomness, no network, no files but its own table. `auth_settings`, `names`,
`quantities`, `shares` and `schema` are used by their module's name.
"""

from . import names
from .credentials import (
    IRREPLACEABLE,
    KEYS,
    from_secret_data,
    master_secret,
    mint,
    password_key,
    to_secret_data,
)
from .errors import CredentialsLost
from .resource import (
    SpecUnreadable,
    SupabaseProject,
    from_manifest,
    manifest,
    read_spec,
    read_status,
    spec_to_manifest,
)
from .sizes import SIZES, SizeProfile
from .spec import ComponentName, DesiredState, ProjectSpec, Size
from .status import (
    ComponentStatus,
    Condition,
    ConditionType,
    Phase,
    ProjectStatus,
    Reason,
    merge_conditions,
)

__all__ = [
    "IRREPLACEABLE",
    "KEYS",
    "SIZES",
    "ComponentName",
    "ComponentStatus",
    "Condition",
    "ConditionType",
    "CredentialsLost",
    "DesiredState",
    "Phase",
    "ProjectSpec",
    "ProjectStatus",
    "Reason",
    "Size",
    "SizeProfile",
    "SpecUnreadable",
    "SupabaseProject",
    "from_manifest",
    "from_secret_data",
    "manifest",
    "master_secret",
    "merge_conditions",
    "mint",
    "names",
    "password_key",
    "read_spec",
    "read_status",
    "spec_to_manifest",
    "to_secret_data",
]
