"""Pages of somebody who signed in, before a project is chosen."""

from __future__ import annotations

from tests.api.shapes import ANY, Or, Word

from .answers import DATABASE_STATUS, LISTED, ORGANIZATION, PAGE, PROFILE, PROJECT_STATUS, VERSIONS
from .calls import ORG, PERIOD, REFUSED, Row, ask, change, get, refused, same

PAGES: dict[str, list[Row]] = {
    "start": [
        ask("/platform/telemetry/feature-flags/track", {}),
        ask("/platform/telemetry/reset", None),
        same("PATCH", "/platform/notifications", [], [dict]),
        get("/platform/profile", PROFILE),
        ask("/platform/profile", None, PROFILE),
        get(
            "/platform/profile/permissions",
            [
                {
                    "organization_id": Or(float, None),
                    "organization_slug": str,
                    "project_ids": Or([float], None),
                    "project_refs": Or([str], None),
                    "actions": [str],
                    "resources": [str],
                    "condition": ANY,
                    "restrictive": Or(bool, None),
                }
            ],
        ),
        get("/platform/organizations", [ORGANIZATION]),
        get("/platform/notifications?status=new&limit=10&offset=0", [dict]),
        get(
            "/platform/notifications/summary",
            {"has_critical": bool, "has_warning": bool, "unread_count": float},
        ),
        same("PATCH", "/platform/notifications/archive-all", None, dict),
        get("/platform/telemetry/feature-flags", dict),
        get("/platform/deployment-mode", {"is_cli_mode": bool}),
        ask("/platform/telemetry/event", {}),
        ask("/platform/profile/audit-login", None),
    ],
    "account": [
        change("PATCH", "/platform/profile", {"first_name": "Ada"}, PROFILE),
        change(
            "POST",
            "/platform/profile/access-tokens",
            {"name": "mine"},
            {"id": float, "name": str, "token": str, "token_alias": str, "created_at": str},
        ),
        *refused("DELETE /platform/integrations/github/authorization"),
        get(
            "/platform/profile/access-tokens",
            [
                {
                    "id": float,
                    "name": str,
                    "token_alias": str,
                    "created_at": str,
                    "expires_at": Or(str, None),
                    "last_used_at": Or(str, None),
                }
            ],
        ),
        change("DELETE", "/platform/profile/access-tokens/{key}"),
        get("/platform/profile/scoped-access-tokens", {"tokens": [dict]}),
        get(f"/platform/profile/audit?{PERIOD}", {"result": [ANY], "retention_period": float}),
        *refused("POST /platform/profile/scoped-access-tokens", "POST /platform/cli/login"),
    ],
    "signing in": [
        change(
            "POST",
            "/platform/signup",
            {"email": "new@example.org", "password": "plum kettle orbit 47"},
            {"email": str},
        ),
        same("POST", "/platform/reset-password", {"email": "ada@example.org"}, ANY, REFUSED),
        same("PUT", "/platform/update-email", {"newEmail": "eve@example.org"}, ANY, REFUSED),
    ],
    "projects": [
        get("/platform/projects", Or([LISTED], {"pagination": PAGE, "projects": [LISTED]})),
        get(
            f"{ORG}/projects?limit=24&offset=0&sort=name_asc",
            {
                "pagination": PAGE,
                "projects": [
                    {
                        "ref": str,
                        "name": str,
                        "status": PROJECT_STATUS,
                        "region": str,
                        "cloud_provider": str,
                        "inserted_at": str,
                        "is_branch": bool,
                        "databases": [
                            {
                                "identifier": str,
                                "type": Word("PRIMARY", "READ_REPLICA"),
                                "status": DATABASE_STATUS,
                                "region": str,
                                "cloud_provider": str,
                            }
                        ],
                    }
                ],
            },
        ),
        get("/platform/projects-resource-warnings", [dict]),
        get("/platform/stripe/invoices/overdue", [dict]),
        get("/platform/integrations", [dict]),
        get("/platform/integrations/{slug}?expand=true", [dict]),
    ],
    "new project": [
        change(
            "POST",
            "/platform/projects",
            {"name": "Second", "organization_slug": "{slug}", "db_pass": "violet-harbor-92-sad"},
            LISTED | {"endpoint": str, "anon_key": str, "service_key": str},
        ),
        get(
            "/platform/projects/available-regions?cloud_provider=AWS&organization_slug=x",
            {
                "all": {"smartGroup": [dict], "specific": [{"code": str, "name": str}]},
                "recommendations": {"smartGroup": Or(dict, None), "specific": [dict]},
            },
        ),
        ask(f"{ORG}/available-versions", {"provider": "AWS", "region": "local"}, VERSIONS),
        get(f"{ORG}/members/reached-free-project-limit", [dict]),
    ],
}
