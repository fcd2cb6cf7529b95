"""Pages about running a project, and calls of no page in particular."""

from __future__ import annotations

from tests.api.shapes import ANY, Word

from .answers import FIGURES, RESULT
from .calls import ABSENT, ANALYTICS, D, P, Row, ask, get, refused

PAGES: dict[str, list[Row]] = {
    "backups": [
        get(
            f"{D}/backups",
            {
                "backups": [dict],
                "physicalBackupData": dict,
                "pitr_enabled": bool,
                "walg_enabled": bool,
                "region": str,
            },
        ),
        get(
            f"{D}/backups/downloadable-backups",
            {
                "backups": [dict],
                "status": Word("ok", "physical-backups-enabled", "project-not-active"),
            },
        ),
        get(f"{D}/clone/status", {"clones": [dict], "id": float, "ref": str}),
        *refused(
            f"POST {D}/backups/restore",
            f"POST {D}/backups/restore-physical",
            f"POST {D}/backups/pitr",
            f"POST {D}/backups/download",
            f"POST {D}/backups/enable-physical-backups",
            f"GET {D}/clone",
            f"POST {D}/clone",
        ),
    ],
    "logs and reports": [
        get(f"{P}/analytics/endpoints/functions.req-stats?interval=1hr", RESULT, ANALYTICS),
        get(f"{P}/analytics/endpoints/functions.resource-usage?interval=1hr", RESULT, ANALYTICS),
        *refused(
            f"PUT {P}/analytics/log-drains/{{user}}",
            f"DELETE {P}/analytics/log-drains/{{user}}",
            f"DELETE {P}/notifications/advisor/exceptions",
        ),
        get(f"{P}/analytics/endpoints/logs.all?sql=select+1&project=x", RESULT, ANALYTICS),
        ask(f"{P}/analytics/endpoints/logs.all", {"sql": "select 1"}, RESULT, ANALYTICS),
        get(f"{P}/analytics/endpoints/auth.metrics?interval=1day", RESULT, ANALYTICS),
        get(f"{P}/analytics/endpoints/functions.combined-stats?interval=1hr", RESULT, ANALYTICS),
        get(f"{P}/analytics/log-drains", [dict]),
        get(f"{P}/infra-monitoring?attribute=cpu_usage", FIGURES),
        get(
            f"{P}/infra-monitoring?attributes=cpu_usage,ram_usage",
            {"data": [dict], "series": {"cpu_usage?": dict}},
        ),
        get(f"{P}/daily-stats?attribute=total_requests", FIGURES),
        *refused(f"POST {P}/analytics/log-drains"),
    ],
    "elsewhere": [
        *refused(
            "GET /platform/replication/{ref}/destinations",
            f"GET {P}/privatelink/associations",
            "POST /platform/feedback/send",
            "POST /platform/stripe/setup-intent",
            "GET /platform/cloud-marketplace/buyers/x/onboarding-info",
            "GET /v1/branches/x",
            "GET /v1/organizations/{slug}/project-claim/x",
        ),
        get("/platform/profile/scoped-access-tokens/{user}", ANY, ABSENT),
    ],
}
