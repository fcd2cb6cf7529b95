"""What operator and API must not do is refused, whoever has their token."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.cluster

HOME = "supaplane-projects"
SYSTEM = "supaplane-system"
REF = "refusedrefusedrefuse"
NAMESPACES = "/api/v1/namespaces"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
OURS = {"supaplane.dev/ref": REF, "pod-security.kubernetes.io/enforce": "baseline"}
ROLE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "supaplane-project"}
SELF = {"kind": "ServiceAccount", "name": "supaplane-operator", "namespace": SYSTEM}


def in_(namespace: str, plural: str = "secrets", group: str = "/api/v1") -> str:
    return f"{group}/namespaces/{namespace}/{plural}"


@pytest.fixture(scope="module", autouse=True)
def _others(admin: Any) -> None:
    """Namespaces and Secrets of other people; one namespace is named like a project's."""
    for name in ("others", f"supabase-{REF}"):
        assert admin.make(NAMESPACES, name).status_code == 201
        assert admin.make(in_(name), "password", stringData={"a": "b"}).status_code == 201
    assert admin.make(in_(HOME), "smtp", stringData={"password": "b"}).status_code == 201
    bound = admin.make(in_("others", "rolebindings", RBAC), "of-others", roleRef=ROLE)
    assert bound.status_code == 201


# --- the operator: Secrets


@pytest.mark.parametrize(
    "namespace", ["others", "kube-system", "default", SYSTEM, f"supabase-{REF}"]
)
def test_the_operator_reads_no_secret_outside_project_and_home_namespaces(
    operator: Any, refused: Any, namespace: str
) -> None:
    refused(operator.send("GET", in_(namespace)), 'cannot list resource "secrets"')
    refused(operator.send("GET", f"{in_(namespace)}/password"), 'cannot get resource "secrets"')


def test_the_operator_lists_no_secrets_of_the_cluster_nor_of_a_home(
    operator: Any, refused: Any
) -> None:
    refused(operator.send("GET", "/api/v1/secrets"), 'cannot list resource "secrets"')
    refused(operator.send("GET", in_(HOME)), 'cannot list resource "secrets"')


def test_of_its_own_namespace_the_operator_writes_the_lease_and_the_releases_only(
    operator: Any, refused: Any
) -> None:
    own = "/api/v1/namespaces/supaplane-system/configmaps"
    refused(operator.make(own, "another"), "cannot create")
    refused(operator.patch(f"{own}/kube-root-ca.crt", {"data": {"a": "b"}}), "cannot patch")
    refused(operator.send("GET", own), "cannot list")
    refused(operator.send("DELETE", f"{own}/supaplane-releases"), "cannot delete")


def test_the_operator_does_not_read_what_the_api_signs_with(operator: Any, refused: Any) -> None:
    path = f"{in_(SYSTEM)}/supaplane-api-secrets"
    refused(operator.send("GET", path), 'cannot get resource "secrets"')


@pytest.mark.parametrize("who", ["operator", "api"])
def test_in_a_home_only_master_secrets_are_written(
    request: pytest.FixtureRequest, refused: Any, who: str
) -> None:
    person = request.getfixturevalue(who)
    words = "only master Secrets"
    refused(person.make(in_(HOME), "other", stringData={"a": "b"}), words)
    refused(person.send("DELETE", f"{in_(HOME)}/smtp"), words)


API_MADE = {"app.kubernetes.io/managed-by": "supaplane-api", "supaplane.dev/ref": REF}


def test_the_api_keeps_what_it_was_told_in_secrets_of_its_own(
    api: Any, operator: Any, refused: Any
) -> None:
    path = f"{in_(HOME)}/told"
    refused(operator.make(in_(HOME), "told", labels=API_MADE), "only master Secrets")
    assert api.make(in_(HOME), "told", labels=API_MADE).status_code == 201
    changed = {"stringData": {"a": "b"}}
    assert api.patch(path, changed).status_code == 200
    refused(operator.patch(path, changed), "only master Secrets")
    assert api.send("DELETE", path).status_code == 200


def test_the_api_makes_no_persons_secret_its_own(api: Any, refused: Any) -> None:
    refused(api.patch(f"{in_(HOME)}/smtp", {"metadata": {"labels": API_MADE}}), "only master")


def test_the_api_does_not_change_a_master_secret(api: Any, refused: Any, project: Any) -> None:
    changed = api.patch(f"{in_(HOME)}/standing-credentials", {"stringData": {"anon-key": "x"}})
    refused(changed, "by the operator only")


def test_the_operator_does_not_change_a_persons_secret(operator: Any, refused: Any) -> None:
    changed = operator.patch(f"{in_(HOME)}/smtp", {"stringData": {"password": "x"}})
    refused(changed, "only master Secrets")


@pytest.mark.parametrize("who", ["operator", "api"])
def test_no_token_is_asked_for_by_way_of_a_secret(
    request: pytest.FixtureRequest, refused: Any, who: str
) -> None:
    answer = request.getfixturevalue(who).make(
        in_(HOME),
        "x-credentials",
        type="kubernetes.io/service-account-token",
        annotations={"kubernetes.io/service-account.name": "default"},
    )
    refused(answer, "type Opaque")


@pytest.mark.parametrize("who", ["operator", "api"])
def test_a_master_secret_without_our_label_is_not_deleted(
    request: pytest.FixtureRequest, admin: Any, refused: Any, who: str
) -> None:
    name = f"by-hand-{who}-credentials"
    assert admin.make(in_(HOME), name).status_code == 201
    person = request.getfixturevalue(who)
    refused(person.send("DELETE", f"{in_(HOME)}/{name}"), "not ours to delete")


# --- the operator: namespaces


@pytest.mark.parametrize(
    "name",
    ["others-too", "kube-public-too", "supabase-short", f"supabase-{REF}x", "x-supabase-" + REF],
)
def test_the_operator_makes_no_namespace_of_another_name(
    operator: Any, refused: Any, name: str
) -> None:
    answer = operator.make(NAMESPACES, name, labels=OURS)
    refused(answer, "only handle namespaces called supabase-<ref>")


def test_the_operator_makes_no_namespace_without_its_ref(operator: Any, refused: Any) -> None:
    name = "supabase-abcdefghijabcdefghij"
    enforce = {"pod-security.kubernetes.io/enforce": "baseline"}
    words = "must be the ref in its name"
    refused(operator.make(NAMESPACES, name, labels=enforce), words)
    refused(operator.make(NAMESPACES, name, labels=OURS), words)


@pytest.mark.parametrize("level", ["privileged", None])
def test_the_operator_makes_no_namespace_for_privileged_pods(
    operator: Any, refused: Any, level: str | None
) -> None:
    ref = "abcdefghijabcdefghij"
    labels = {"supaplane.dev/ref": ref}
    if level:
        labels["pod-security.kubernetes.io/enforce"] = level
    answer = operator.make(NAMESPACES, f"supabase-{ref}", labels=labels)
    refused(answer, "Pod Security Standard baseline or restricted")


def test_the_operator_does_not_open_a_project_to_privileged_pods(
    operator: Any, refused: Any, project: Any
) -> None:
    patch = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    answer = operator.patch(f"{NAMESPACES}/{project['namespace']}", patch)
    refused(answer, "Pod Security Standard baseline or restricted")


@pytest.mark.parametrize("name", ["others", "kube-system", "default", SYSTEM, HOME])
def test_the_operator_neither_labels_nor_deletes_a_foreign_namespace(
    operator: Any, refused: Any, name: str
) -> None:
    words = "only handle namespaces called supabase-<ref>"
    refused(operator.patch(f"{NAMESPACES}/{name}", {"metadata": {"labels": OURS}}), words)
    # The API server itself lets nobody delete its own.
    immortal = name in ("kube-system", "default")
    deleted = operator.send("DELETE", f"{NAMESPACES}/{name}")
    refused(deleted, "this namespace may not be deleted" if immortal else words)


def test_the_operator_neither_adopts_nor_deletes_a_namespace_that_only_has_the_name(
    operator: Any, refused: Any
) -> None:
    path, words = f"{NAMESPACES}/supabase-{REF}", "that carry the label supaplane.dev/ref"
    refused(operator.patch(path, {"metadata": {"labels": OURS}}), words)
    offered = {"supaplane.dev/adoptable-by": f"{HOME}/x"}
    refused(operator.patch(path, {"metadata": {"annotations": offered, "labels": OURS}}), words)
    refused(operator.send("DELETE", path), words)


def test_the_operator_does_not_give_a_project_another_ref(
    operator: Any, refused: Any, project: Any
) -> None:
    path = f"{NAMESPACES}/{project['namespace']}"
    for ref in (REF, None):
        answer = operator.patch(path, {"metadata": {"labels": {"supaplane.dev/ref": ref}}})
        refused(answer, "must be the ref in its name")


# --- the operator: its own rights


@pytest.mark.parametrize("namespace", ["others", "kube-system", SYSTEM, HOME, f"supabase-{REF}"])
def test_the_operator_binds_itself_nowhere_but_in_project_namespaces(
    operator: Any, refused: Any, namespace: str
) -> None:
    path = in_(namespace, "rolebindings", RBAC)
    answer = operator.make(path, "supaplane-operator", roleRef=ROLE, subjects=[SELF])
    refused(answer, "only handle RoleBindings of project namespaces")


@pytest.mark.parametrize("role", ["cluster-admin", "admin", "view"])
def test_the_operator_binds_no_role_with_rights_that_it_has_not(
    operator: Any, refused: Any, project: Any, role: str
) -> None:
    path = in_(project["namespace"], "rolebindings", RBAC)
    answer = operator.make(path, "more", roleRef=ROLE | {"name": role}, subjects=[SELF])
    refused(answer, "is attempting to grant RBAC permissions not currently held")


def test_nor_another_role_whose_rights_it_has(operator: Any, refused: Any, project: Any) -> None:
    path = in_(project["namespace"], "rolebindings", RBAC)
    words = "only bind the ClusterRole supaplane-project"
    for other in ({"name": "system:basic-user"}, {"name": "supaplane-operator"}):
        refused(operator.make(path, "more", roleRef=ROLE | other, subjects=[SELF]), words)


@pytest.mark.parametrize(
    "subject",
    [
        {"kind": "ServiceAccount", "name": "default", "namespace": "others"},
        SELF | {"namespace": "others"},
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"},
    ],
    ids=["another", "its namesake elsewhere", "everybody"],
)
def test_the_operator_binds_nobody_else(
    operator: Any, refused: Any, project: Any, subject: dict[str, str]
) -> None:
    path = in_(project["namespace"], "rolebindings", RBAC)
    words = "only bind its own ServiceAccount"
    refused(operator.make(path, "more", roleRef=ROLE, subjects=[subject]), words)
    refused(operator.make(path, "more", roleRef=ROLE, subjects=[SELF, subject]), words)
    added = operator.patch(f"{path}/supaplane-operator", {"subjects": [SELF, subject]})
    refused(added, words)


def test_the_operator_does_not_take_over_bindings_of_others(operator: Any, refused: Any) -> None:
    path = f"{in_('others', 'rolebindings', RBAC)}/of-others"
    refused(operator.patch(path, {"subjects": [SELF]}), "RoleBindings of project namespaces")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{RBAC}/clusterrolebindings"),
        ("POST", f"{RBAC}/clusterroles"),
        ("PATCH", f"{RBAC}/clusterroles/supaplane-operator"),
        ("PATCH", f"{RBAC}/clusterroles/supaplane-project"),
        ("POST", f"{RBAC}/namespaces/others/roles"),
        ("POST", "/api/v1/namespaces/kube-system/serviceaccounts/default/token"),
        ("POST", f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/supaplane-api/token"),
        ("PATCH", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/x"),
        ("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/x"),
        ("PATCH", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x"),
        ("PATCH", f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/supaplane-operator"),
        ("PATCH", f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/supaplane-operator"),
        ("POST", "/api/v1/namespaces/others/pods"),
        ("POST", "/api/v1/namespaces/others/events"),
        ("POST", "/apis/apps/v1/namespaces/kube-system/deployments"),
        ("PUT", "/api/v1/namespaces/kube-system/finalize"),
        ("GET", "/api/v1/nodes"),
        ("GET", "/api/v1/pods"),
        ("GET", "/api/v1/configmaps"),
    ],
)
def test_the_operator_has_no_way_to_more_rights(
    operator: Any, refused: Any, method: str, path: str
) -> None:
    if method == "PATCH":
        answer = operator.patch(path, {"metadata": {"labels": {"a": "b"}}})
    else:
        answer = operator.send(method, path, {} if method != "GET" else None)
    refused(answer, "cannot")


def test_nobody_runs_as_somebody_else(operator: Any) -> None:
    answer = operator.client.get("/api/v1/nodes", headers={"Impersonate-User": "admin"})
    assert answer.status_code == 403
    assert "cannot impersonate" in answer.text


# --- the operator: projects


def project_path(name: str = "standing", namespace: str = HOME) -> str:
    return f"/apis/supaplane.dev/v1alpha1/namespaces/{namespace}/supabaseprojects/{name}"


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({"spec": {"size": "16xlarge"}}, "may not change the spec"),
        ({"spec": {"images": {"db": "evil"}}}, "may not change the spec"),
        ({"spec": {"deletion": {"policy": "Delete"}}}, "may not change the spec"),
        ({"metadata": {"labels": {"supaplane.dev/allow-delete": "true"}}}, "labels or annotations"),
        ({"metadata": {"annotations": {"a": "b"}}}, "labels or annotations"),
        ({"metadata": {"finalizers": ["supaplane.dev/project", "x.y/z"]}}, "its own finalizer"),
    ],
)
def test_the_operator_does_not_change_what_a_person_wished_for(
    operator: Any, refused: Any, project: Any, patch: dict[str, Any], words: str
) -> None:
    refused(operator.patch(project_path(), patch), words)


def test_the_operator_neither_makes_nor_deletes_projects(
    operator: Any, refused: Any, project: Any
) -> None:
    collection = project_path().rpartition("/")[0]
    refused(operator.make(collection, "mine"), "cannot create")
    refused(operator.send("DELETE", project_path()), "cannot delete")


def test_the_operator_deletes_no_volume(operator: Any, refused: Any, project: Any) -> None:
    claims = in_(project["namespace"], "persistentvolumeclaims")
    name = operator.send("GET", claims).json()["items"][0]["metadata"]["name"]
    refused(operator.send("DELETE", f"{claims}/{name}"), "cannot delete")
    refused(operator.send("DELETE", claims), "cannot deletecollection")


# --- the API


def test_the_api_reads_projects_and_secrets_of_homes(api: Any, project: Any) -> None:
    assert api.send("GET", project_path()).status_code == 200
    assert api.send("GET", project_path().rpartition("/")[0]).status_code == 200
    secret = api.send("GET", f"{in_(HOME)}/standing-credentials")
    assert secret.status_code == 200
    assert secret.json()["data"]["anon-key"]


@pytest.mark.parametrize("namespace", ["others", "kube-system", "default", SYSTEM])
def test_the_api_sees_nothing_of_other_namespaces(api: Any, refused: Any, namespace: str) -> None:
    for plural in ("secrets", "configmaps", "pods", "services"):
        refused(api.send("GET", in_(namespace, plural)), "cannot list")
    collection = project_path(namespace=namespace).rpartition("/")[0]
    refused(api.send("GET", collection), "cannot list")
    refused(api.make(collection, "x"), "cannot create")


def test_the_api_has_no_rights_in_the_namespace_of_a_project(
    api: Any, refused: Any, project: Any
) -> None:
    for plural in ("secrets", "configmaps", "pods", "services", "persistentvolumeclaims"):
        refused(api.send("GET", in_(project["namespace"], plural)), "cannot list")
    refused(api.send("GET", f"{NAMESPACES}/{project['namespace']}"), "cannot get")
    proxy = f"{in_(project['namespace'], 'services')}/meta:8080/proxy/"
    refused(api.send("GET", proxy), "cannot get")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/apis/supaplane.dev/v1alpha1/supabaseprojects"),
        ("GET", "/api/v1/secrets"),
        ("GET", "/api/v1/namespaces"),
        ("GET", in_(HOME)),
        ("DELETE", project_path().rpartition("/")[0]),  # one by one, never all at once
        ("PATCH", f"{project_path()}/status"),
        ("POST", in_(HOME, "configmaps")),
        ("POST", in_(HOME, "pods")),
        ("POST", in_(HOME, "rolebindings", RBAC)),
        ("POST", f"{in_(HOME, 'serviceaccounts')}/default/token"),
        ("POST", NAMESPACES),
    ],
)
def test_the_api_does_nothing_else(
    api: Any, refused: Any, project: Any, method: str, path: str
) -> None:
    if method == "PATCH":
        answer = api.patch(path, {"status": {"phase": "INACTIVE"}})
    else:
        answer = api.send(method, path, {} if method == "POST" else None)
    refused(answer, "cannot")


def test_after_all_that_the_project_is_as_it_was(admin: Any, project: Any) -> None:
    found = admin.send("GET", project_path()).json()
    assert found["metadata"]["generation"] == 1
    assert found["metadata"]["finalizers"] == ["supaplane.dev/project"]
    assert found["status"]["phase"] == "ACTIVE_HEALTHY"
