"""Pages of what lies in a project."""

from __future__ import annotations

from tests.api.shapes import ANY, Or

from .answers import BUCKET, CONTENT, FUNCTION
from .calls import (
    ABSENT,
    DATABASE,
    GATEWAY,
    A,
    B,
    D,
    Form,
    M,
    P,
    R,
    Row,
    S,
    ask,
    change,
    get,
    head,
    refused,
    write,
)

QUERY = {
    "id": "00000000-0000-4000-8000-000000000000",
    "name": "Q",
    "type": "sql",
    "visibility": "user",
    "content": {"sql": "select 1"},
}
HOOK = {
    "HOOK_CUSTOM_ACCESS_TOKEN_ENABLED": True,
    "HOOK_CUSTOM_ACCESS_TOKEN_URI": "pg-functions://postgres/public/hook",
}

PAGES: dict[str, list[Row]] = {
    "edge functions": [
        get(f"{R}/functions", [FUNCTION]),
        get(f"{R}/functions/none", ANY, ABSENT),
        get(f"{R}/secrets", [{"name": str, "value": str}]),
        write("POST", f"{R}/secrets", [{"name": "GREETING", "value": "plum kettle"}]),
        write("DELETE", f"{R}/secrets", ["OLD"]),
        get(f"{R}/functions/{{function}}", FUNCTION),
        get(f"{R}/functions/{{function}}/body"),
        write(
            "POST",
            f"{R}/functions/deploy?slug=bye",
            Form({"metadata": '{"entrypoint_path": "index.ts"}'}, {"index.ts": b"// bye"}),
            {"id": str, "slug": str, "name": str, "version": float},
        ),
        write(
            "PATCH", f"{R}/functions/{{function}}", {"name": "Hi", "verify_jwt": False}, FUNCTION
        ),
        write("DELETE", f"{R}/functions/{{function}}"),
    ],
    "SQL editor": [
        change("PUT", f"{P}/content", QUERY),
        change("DELETE", f"{P}/content?ids={{content}}", None, [{"id": str}]),
        ask(f"{M}/query?key=x", {"query": "select 1"}, [dict], DATABASE),
        ask(f"{M}/query/format", {"query": "select 1"}, str, DATABASE),
        *refused(f"POST {M}/query/validate"),
        get(f"{P}/content?type=sql", {"data": [CONTENT]}),
        get(f"{P}/content/count?type=sql", {"favorites": float, "private": float, "shared": float}),
        get(f"{P}/content/folders", {"data": {"contents": [CONTENT], "folders": [dict]}}),
        get(f"{P}/content/item/{{content}}", CONTENT | {"content": dict}),
        change("POST", f"{P}/content/folders", {"name": "F"}, {"id": str, "name": str}),
        get(f"{P}/content/folders/{{folder}}", {"data": {"contents": [CONTENT]}}),
        change("PATCH", f"{P}/content/folders/{{folder}}", {"name": "G"}),
        change("DELETE", f"{P}/content/folders?ids={{folder}}"),
    ],
    "database": [
        get(f"{M}/tables?included_schemas=public", [dict], DATABASE),
        get(f"{M}/types", [dict], DATABASE),
        get(f"{M}/views", [dict], DATABASE),
        get(f"{M}/materialized-views", [dict], DATABASE),
        get(f"{M}/foreign-tables", [dict], DATABASE),
        get(f"{M}/policies", [dict], DATABASE),
        get(f"{M}/triggers", [dict], DATABASE),
        get(f"{M}/publications", [dict], DATABASE),
        get(f"{M}/column-privileges", [dict], DATABASE),
        change("POST", f"{M}/tables", {"name": "t"}, ANY, DATABASE),
        ask(f"{D}/hook-enable", None, dict, DATABASE),
        *refused(
            f"PUT {R}/database/migrations", f"GET {R}/jit-access", f"GET {R}/database/jit/list"
        ),
    ],
    "users": [
        get(
            f"{A}/users?limit=20&offset=0&keywords=&verified=verified",
            {"users": [dict], "total": float},
            DATABASE,
        ),
        change(
            "POST",
            f"{A}/users",
            {"email": "new@example.org", "password": "plum kettle 9", "email_confirm": True},
            {"id": str},
            GATEWAY,
        ),
        change("PATCH", f"{A}/users/{{user}}", {"ban_duration": "24h"}, {"id": str}, GATEWAY),
        change("DELETE", f"{A}/users/{{user}}/factors", None, dict, GATEWAY),
        change("DELETE", f"{A}/users/{{user}}", None, ANY, GATEWAY),
        change("POST", f"{A}/invite", {"email": "new@example.org"}, dict, GATEWAY),
        change("POST", f"{A}/magiclink", {"email": "new@example.org"}, dict, GATEWAY),
        change("POST", f"{A}/recover", {"email": "new@example.org"}, dict, GATEWAY),
        change("POST", f"{A}/otp", {"phone": "+4912345"}, dict, GATEWAY),
        *refused(f"POST {A}/validate/spam"),
    ],
    "storage": [
        *refused(f"DELETE {S}/credentials/{{user}}"),
        get(f"{S}/buckets", [BUCKET], GATEWAY),
        get(f"{S}/buckets/photos", BUCKET, GATEWAY),
        ask(f"{B}/list", {"path": "", "options": {"limit": 100}}, [{"name": str}], GATEWAY),
        change(
            "POST", f"{B}/sign", {"path": "a.png", "expiresIn": 60}, {"signedUrl": str}, GATEWAY
        ),
        change(
            "POST",
            f"{B}/sign-multi",
            {"path": ["a.png"], "expiresIn": 60},
            [{"path": Or(str, None), "error": Or(str, None), "signedUrl": str}],
            GATEWAY,
        ),
        ask(f"{B}/public-url", {"path": "a.png"}, {"publicUrl": str}),
        ask(f"{B}/download", {"path": "a.png"}, ANY, GATEWAY),
        change("POST", f"{B}/move", {"from": "a.png", "to": "b.png"}, ANY, GATEWAY),
        change("DELETE", B, {"paths": ["a.png"]}, ANY, GATEWAY),
        change("POST", f"{S}/buckets", {"id": "new", "public": False}, ANY, GATEWAY),
        change("PATCH", f"{S}/buckets/photos", {"public": True}, ANY, GATEWAY),
        change("POST", f"{S}/buckets/photos/empty", None, ANY, GATEWAY),
        change("DELETE", f"{S}/buckets/photos", None, ANY, GATEWAY),
        get(f"{S}/credentials", {"data": [{"id": str, "description": str, "created_at": str}]}),
        get(f"{S}/archive", {"archive_empty": bool, "file_url": str, "fileUrl": str}),
        *refused(
            f"POST {S}/credentials",
            f"POST {S}/archive",
            f"GET {S}/vector-buckets",
            f"GET {S}/analytics-buckets",
        ),
    ],
    "API docs": [
        get(f"{P}/api/rest", dict, GATEWAY),
        head(f"{P}/api/rest", GATEWAY),
        change("POST", f"{P}/api/graphql", {"query": "{ __typename }"}, dict, GATEWAY),
        get(f"{R}/types/typescript?included_schemas=public", {"types": str}, DATABASE),
    ],
}
