"""Functions and their variables: Secrets beside the SupabaseProject, and lines in its spec."""

import hashlib
import json

import pytest

from supaplane_api.functions.arrange import arrange
from supaplane_api.problems import Invalid, TooLarge
from supaplane_api.projects.snapshot import PROJECTS
from supaplane_contract import from_secret_data, names
from supaplane_kube.resources import SECRETS

HOME = names.DEFAULT_HOME_NAMESPACE
HELLO = b"Deno.serve(() => new Response('hello'))"


@pytest.fixture
async def shop(bench):
    person = await bench.person()
    organization = await bench.organization(person)
    made = await bench.project(person, organization, name="Shop")
    return person, organization, made["ref"]


def functions_of(bench, ref):
    return bench.kube.peek(PROJECTS, HOME, ref)["spec"].get("functions", {})


def stored(bench, ref, folder):
    secret = bench.kube.peek(SECRETS, HOME, names.function_secret(ref, folder))
    return from_secret_data(secret) if secret else None


async def deploy(person, ref, slug, files, *, bundle_only=False, **metadata):
    query = f"slug={slug}" + ("&bundleOnly=true" if bundle_only else "")
    parts = [("file", (path, content)) for path, content in files.items()]
    said = {"metadata": json.dumps({"entrypoint_path": "index.ts", **metadata})}
    return await person.post(f"/v1/projects/{ref}/functions/deploy?{query}", data=said, files=parts)


async def test_a_deployed_function_is_a_secret_and_a_line_in_the_spec(bench, shop):
    person, _, ref = shop
    files = {"index.ts": HELLO, "words.ts": b"export const word = 'hello'"}
    answer = await deploy(person, ref, "hello", files, name="Hello", verify_jwt=False)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["slug"], told["name"], told["version"]) == ("hello", "Hello", 1)
    assert told["verify_jwt"] is False
    assert told["created_at"] == int(bench.clock.time.timestamp() * 1000)
    secret = names.function_secret(ref, "hello")
    line = {"name": "hello", "secret": secret, "verifyJwt": False}
    assert functions_of(bench, ref) == {"sources": [line]}
    assert stored(bench, ref, "hello") == {name: text.decode() for name, text in files.items()}
    path = f"/v1/projects/{ref}/functions"
    assert (await person.get(path)).json() == [told]
    assert (await person.get(f"{path}/hello")).json() == told


async def test_a_function_that_is_deployed_again_has_only_what_was_sent_now(bench, shop):
    person, _, ref = shop
    await deploy(person, ref, "hello", {"index.ts": HELLO, "old.ts": b""})
    bench.clock.advance(minutes=5)
    answer = await deploy(person, ref, "hello", {"index.ts": b"// new"})
    assert answer.json()["version"] == 2
    assert answer.json()["updated_at"] - answer.json()["created_at"] == 300_000
    assert stored(bench, ref, "hello") == {"index.ts": "// new"}
    assert len(functions_of(bench, ref)["sources"]) == 1


async def test_the_cli_sends_paths_as_it_has_them_and_shared_folders_along(bench, shop):
    person, _, ref = shop
    root = "supabase/functions"
    first = {f"{root}/hello/index.ts": HELLO, f"{root}/_shared/cors.ts": b"// cors"}
    entry = f"{root}/hello/index.ts"
    assert (await deploy(person, ref, "hello", first, entrypoint_path=entry)).status_code == 201
    second = {f"{root}/bye/index.ts": HELLO, f"{root}/_shared/words.ts": b"// words"}
    entry = f"{root}/bye/index.ts"
    assert (await deploy(person, ref, "bye", second, entrypoint_path=entry)).status_code == 201
    sources = [source["name"] for source in functions_of(bench, ref)["sources"]]
    assert sorted(sources) == ["_shared", "bye", "hello"]
    assert stored(bench, ref, "_shared") == {"cors.ts": "// cors", "words.ts": "// words"}
    told = (await person.get(f"/v1/projects/{ref}/functions")).json()
    assert [one["slug"] for one in told] == ["bye", "hello"]


async def test_metadata_may_come_as_a_file(bench, shop):
    person, _, ref = shop
    parts = [
        ("metadata", ("blob", json.dumps({"entrypoint_path": "index.ts", "name": "hello"}))),
        ("file", ("index.ts", HELLO)),
    ]
    answer = await person.post(f"/v1/projects/{ref}/functions/deploy", files=parts)
    assert (answer.status_code, answer.json()["slug"]) == (201, "hello")


async def test_what_was_sent_only_bundled_waits_until_it_is_put_into_use(bench, shop):
    person, _, ref = shop
    await deploy(person, ref, "hello", {"index.ts": HELLO})
    files = {"hello/index.ts": b"// new", "_shared/a.ts": b"// a"}
    sent = await deploy(
        person, ref, "hello", files, bundle_only=True, entrypoint_path="hello/index.ts"
    )
    assert (sent.status_code, sent.json()["version"]) == (201, 2)
    assert stored(bench, ref, "hello") == {"index.ts": HELLO.decode()}
    assert len(functions_of(bench, ref)["sources"]) == 1
    answer = await person.put(f"/v1/projects/{ref}/functions", [sent.json()])
    assert answer.status_code == 200, answer.text
    assert [one["version"] for one in answer.json()["functions"]] == [2]
    assert stored(bench, ref, "hello") == {"index.ts": "// new"}
    assert stored(bench, ref, "_shared") == {"a.ts": "// a"}
    assert stored(bench, ref, "hello/waiting") is None
    assert stored(bench, ref, "_shared/waiting") is None


async def test_an_import_map_is_found_under_the_one_name_and_told_under_its_own(bench, shop):
    person, _, ref = shop
    files = {"index.ts": HELLO, "deno.json": b'{"imports":{}}'}
    answer = await deploy(person, ref, "hello", files, import_map_path="deno.json")
    assert answer.json()["import_map"] is True
    assert answer.json()["import_map_path"].endswith("/hello/deno.json")
    assert stored(bench, ref, "hello")["import_map.json"] == '{"imports":{}}'
    body = (await person.get(f"/v1/projects/{ref}/functions/hello/body")).text
    assert 'filename="deno.json"' in body
    assert "import_map.json" not in body


async def test_the_files_come_back_in_parts(shop):
    person, _, ref = shop
    await deploy(person, ref, "hello", {"index.ts": HELLO, "a.ts": b"// a\n"})
    answer = await person.get(f"/v1/projects/{ref}/functions/hello/body")
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    parts = answer.text.split(f"--{boundary}")
    assert len(parts) == 4
    assert parts[-1] == "--\r\n"
    assert parts[1].endswith("\r\n\r\n// a\n\r\n")
    assert 'filename="index.ts"' in parts[2]


async def test_a_function_of_one_file_is_made_changed_and_deleted(bench, shop):
    person, _, ref = shop
    path = f"/v1/projects/{ref}/functions"
    wish = {"slug": "hello", "name": "Hello", "body": HELLO.decode()}
    assert (await person.post(path, wish)).status_code == 201
    assert (await person.post(path, wish)).status_code == 409
    answer = await person.patch(f"{path}/hello", {"verify_jwt": False, "body": "// new"})
    assert (answer.json()["verify_jwt"], answer.json()["version"]) == (False, 2)
    assert stored(bench, ref, "hello") == {"index.ts": "// new"}
    assert (await person.client.delete(f"{path}/hello")).status_code == 200
    assert functions_of(bench, ref)["sources"] == []
    assert stored(bench, ref, "hello") is None
    assert (await person.client.delete(f"{path}/hello")).status_code == 404
    rows = await bench.sql(
        "SELECT action FROM audit_log WHERE action LIKE 'function%%' ORDER BY id"
    )
    assert [row[0] for row in rows] == ["function.deploy", "function.change", "function.delete"]


async def test_a_function_of_gitops_is_shown_and_not_taken(bench, shop):
    person, _, ref = shop
    live = bench.kube.peek(PROJECTS, HOME, ref)
    live["spec"]["functions"] = {"sources": [{"name": "theirs", "secret": "theirs"}]}
    owned = {"f:functions": {"f:sources": {'k:{"name":"theirs"}': {"f:secret": {}}}}}
    entry = {"manager": "argocd", "operation": "Apply", "fieldsV1": {"f:spec": owned}}
    live["metadata"]["managedFields"] = [entry]
    bench.kube.put(PROJECTS, live)
    (told,) = (await person.get(f"/v1/projects/{ref}/functions")).json()
    assert (told["slug"], told["version"]) == ("theirs", 1)
    answer = await deploy(person, ref, "theirs", {"index.ts": HELLO})
    assert answer.status_code == 409
    assert "argocd" in answer.json()["message"]
    assert stored(bench, ref, "theirs") is None
    path = f"/v1/projects/{ref}/functions/theirs"
    assert (await person.client.delete(path)).status_code == 409
    assert (await deploy(person, ref, "ours", {"index.ts": HELLO})).status_code == 201


@pytest.mark.parametrize(
    ("files", "entry", "word"),
    [
        ({"main.ts": b""}, "main.ts", "entrypoint_path"),
        ({"other.ts": b""}, "index.ts", "entrypoint_path"),
        ({"index.ts": b"", "lib/a.ts": b""}, "index.ts", "lib/a.ts"),
        ({"f/index.ts": b"", "other/a.ts": b""}, "f/index.ts", "other/a.ts"),
        ({"index.ts": b"", "a b.ts": b""}, "index.ts", "a b.ts"),
        ({"index.ts": b"", "../../x": b""}, "index.ts", "x"),
        ({"index.ts": b"\xff\xfe"}, "index.ts", "no text"),
    ],
)
def test_files_that_cannot_be_carried_are_refused_by_name(files, entry, word):
    with pytest.raises(Invalid, match=word):
        arrange(files, entrypoint=entry)


def test_an_import_map_elsewhere_is_refused():
    files = {"f/index.ts": b"", "import_map.json": b"{}"}
    with pytest.raises(Invalid, match="import_map"):
        arrange(files, entrypoint="f/index.ts", import_map="import_map.json")


def test_more_than_a_secret_holds_is_too_large_and_the_cure_is_named():
    with pytest.raises(TooLarge, match="npm:"):
        arrange({"index.ts": b"x" * 1_000_001}, entrypoint="index.ts")


@pytest.mark.parametrize("slug", ["main", "_shared", "a.b", "x" * 64])
async def test_names_that_no_function_can_have_are_refused(bench, shop, slug):
    person, _, ref = shop
    answer = await deploy(person, ref, slug, {"index.ts": HELLO}, bundle_only=True)
    assert answer.status_code == 400
    assert functions_of(bench, ref) == {}
    assert stored(bench, ref, f"{slug}/waiting") is None


async def test_read_only_members_see_functions_and_developers_deploy_them(bench, shop):
    _, organization, ref = shop
    reader = await bench.member(organization, "Read-only")
    developer = await bench.member(organization, "Developer")
    assert (await deploy(reader, ref, "hello", {"index.ts": HELLO})).status_code == 403
    assert (await deploy(developer, ref, "hello", {"index.ts": HELLO})).status_code == 201
    assert (await reader.get(f"/v1/projects/{ref}/functions/hello")).status_code == 200


async def test_variables_lie_in_a_secret_that_the_functions_get(bench, shop):
    person, _, ref = shop
    path = f"/v1/projects/{ref}/secrets"
    assert (await person.get(path)).json() == []
    wish = [{"name": "API_KEY", "value": "hush"}, {"name": "MODE", "value": ""}]
    answer = await person.post(path, wish)
    assert (answer.status_code, answer.content) == (201, b"")
    assert "content-type" not in answer.headers
    secret = names.functions_environment_secret(ref)
    assert functions_of(bench, ref) == {"extraEnvFrom": [{"name": secret}]}
    values = from_secret_data(bench.kube.peek(SECRETS, HOME, secret))
    assert values == {"API_KEY": "hush", "MODE": ""}
    told = (await person.get(path)).json()
    assert told[0] == {"name": "API_KEY", "value": hashlib.sha256(b"hush").hexdigest()}
    assert "hush" not in json.dumps(bench.kube.peek(PROJECTS, HOME, ref))
    assert "hush" not in str(await bench.sql("SELECT details::text FROM audit_log"))


async def test_a_changed_variable_wakes_the_operator_although_the_spec_stays(bench, shop):
    person, _, ref = shop
    path, touched = f"/v1/projects/{ref}/secrets", names.ANNOTATION_TOUCHED
    await person.post(path, [{"name": "A", "value": "1"}])
    before = bench.kube.peek(PROJECTS, HOME, ref)
    await person.post(path, [{"name": "A", "value": "2"}])
    after = bench.kube.peek(PROJECTS, HOME, ref)
    assert after["spec"] == before["spec"]
    assert after["metadata"]["annotations"][touched] != before["metadata"]["annotations"][touched]


async def test_with_the_last_variable_the_secret_goes_and_its_line_first(bench, shop):
    person, _, ref = shop
    path = f"/v1/projects/{ref}/secrets"
    await person.post(path, [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    assert (await person.client.request("DELETE", path, json=["A", "X"])).status_code == 200
    assert [one["name"] for one in (await person.get(path)).json()] == ["B"]
    assert (await person.client.request("DELETE", path, json=["X"])).status_code == 404
    seen = []

    def gone_first(request):
        if request.verb == "delete" and request.resource == SECRETS:
            seen.append(functions_of(bench, ref)["extraEnvFrom"])

    bench.kube.on_request = gone_first
    assert (await person.client.request("DELETE", path, json=["B"])).status_code == 200
    assert seen == [[]]


@pytest.mark.parametrize("name", ["SUPABASE_URL", "SUPAPLANE_JWKS", "HOME", "A-B", "1A", ""])
async def test_a_variable_of_the_platforms_is_not_taken(bench, shop, name):
    person, _, ref = shop
    wish = [{"name": name, "value": "hush"}]
    answer = await person.post(f"/v1/projects/{ref}/secrets", wish)
    assert answer.status_code == 400
    assert "hush" not in answer.text
    assert functions_of(bench, ref) == {}


async def test_an_environment_that_gitops_set_is_not_taken(bench, shop):
    person, _, ref = shop
    live = bench.kube.peek(PROJECTS, HOME, ref)
    live["spec"]["functions"] = {"extraEnvFrom": [{"name": "theirs"}]}
    owned = {"f:functions": {"f:extraEnvFrom": {}}}
    entry = {"manager": "argocd", "operation": "Apply", "fieldsV1": {"f:spec": owned}}
    live["metadata"]["managedFields"] = [entry]
    bench.kube.put(PROJECTS, live)
    wish = [{"name": "A", "value": "1"}]
    assert (await person.post(f"/v1/projects/{ref}/secrets", wish)).status_code == 409
