"""The OpenAPI document is whole, and what is generated from it is not out of date."""

import pytest

from supaplane_api import describe, documents, problems
from supaplane_api.documents import application, main, pages

DOCUMENT = application().openapi()
ENTRIES = [
    (method, path, entry)
    for path, methods in DOCUMENT["paths"].items()
    for method, entry in methods.items()
]
IDS = [f"{method} {path}" for method, path, _ in ENTRIES]


def test_generated_pages_are_as_generated(root):
    assert main(["--check"], root) == 0, "run `make generate`"


def test_a_page_that_differs_is_noticed_and_written_again(tmp_path, capsys):
    assert main(["--check"], tmp_path) == 1
    assert documents.ERRORS in capsys.readouterr().err
    assert main(["--write"], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0


@pytest.mark.parametrize(("method", "path", "entry"), ENTRIES, ids=IDS)
def test_every_operation_is_explained_and_says_how_it_can_fail(method, path, entry):
    assert entry["tags"]
    assert entry["description"]
    assert "422" not in entry["responses"]
    if "requestBody" in entry:
        assert {"400", "413"} <= entry["responses"].keys()
    if "security" in entry:
        assert "401" in entry["responses"]
        assert "database" in entry[describe.CAUSES]
    for status, response in entry["responses"].items():
        if status >= "400" and path != "/readyz":
            schema = response["content"]["application/json"]["schema"]
            name = "GoTrueMessage" if path.startswith("/auth/") else "Message"
            assert schema == {"$ref": f"#/components/schemas/{name}"}
    for cause in entry.get(describe.CAUSES, ()):
        assert cause in {known.name for known in problems.CAUSES}


def test_no_two_operations_have_one_id():
    ids = [entry["operationId"] for _, _, entry in ENTRIES]
    assert len(ids) == len(set(ids))


def test_every_path_of_the_issue_is_served():
    served = {f"{method.upper()} {path}" for method, path, _ in ENTRIES}
    wanted = """
        POST /auth/token
        POST /platform/signup
        POST /profile/password-check
        GET /profile
        GET /profile/permissions
        GET /organizations
        POST /platform/organizations
        GET /organizations/{slug}/members/reached-free-project-limit
        GET /platform/organizations/{slug}/billing/subscription
        POST /platform/projects
        GET /platform/projects
        GET /platform/projects/{ref}
        GET /projects/{ref}/status
        GET /projects/{ref}/api
        GET /projects/{ref}/jwt-secret-update-status
        GET /platform/project/{ref}/settings
        PUT /platform/project/{ref}/settings
        GET /platform/organizations/{slug}/usage
        GET /platform/notifications/summary
        GET /platform/stripe/invoices/overdue
    """
    lines = {line.strip() for line in wanted.strip().splitlines()}
    assert lines <= served
    both = {line.replace("/platform/", "/") for line in lines if "/auth/" not in line}
    assert both <= served
    assert {line.replace(" /", " /platform/", 1) for line in both} <= served


def test_a_page_lists_the_operations_that_may_answer_503():
    page = pages()[documents.ERRORS]
    assert "| `POST /platform/projects` | 503 | database, cluster, busy |" in page
    assert "`GET /healthz`" not in page
