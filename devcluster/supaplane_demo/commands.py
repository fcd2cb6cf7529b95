"""The demo's commands: up, down and status."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supaplane_contract import names
from supaplane_contract.status import ProjectStatus
from supaplane_devcluster import Cluster
from supaplane_devcluster.kind import KindCluster
from supaplane_kube import AlreadyExists, KubeClient, Login, login
from supaplane_kube.resources import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, Resource

from . import story
from .database import start_database, stop_database
from .home import Home, read_json, write_json, write_private
from .platform import CLUSTER_NAME, AnyCluster, DemoFailed, Programs, choose_cluster, crd_file
from .processes import Process, Processes
from .rest import ApiRefused, Rest
from .screen import Screen, progress_line

PROJECTS = Resource(names.GROUP, names.VERSION, names.PLURAL, names.KIND)
ACTIVE_SECONDS = {"devcluster": 120.0, "kind": 1500.0}
PROJECT_SIZE = "nano"


@dataclass(frozen=True)
class Told:
    """What the demo tells at its end."""

    api_url: str
    account: story.Account
    organization_slug: str
    ref: str
    status: ProjectStatus
    keys: dict[str, str]
    kubeconfig: Path
    kubectl: str
    authorization_file: Path


async def up(home: Home, *, cluster: str, once: bool, screen: Screen) -> None:
    """Everything from nothing to a project that is ACTIVE_HEALTHY; continues where it was.

    Raises DemoFailed, story.ProjectFailed or ApiRefused with what went wrong.
    """
    kind, machine = choose_cluster(cluster, home)
    try:
        told = await _bring_up(home, kind, machine, screen)
        _tell(told, screen, once=once)
    finally:
        if once:
            down(home, delete_data=True, screen=screen)


async def _bring_up(home: Home, kind: str, machine: AnyCluster, screen: Screen) -> Told:
    processes = Processes(home.processes_file, home.logs)
    remembered: dict[str, Any] = read_json(home.demo_file)
    write_json(home.demo_file, {**remembered, "cluster": kind})

    screen.step("Kubernetes" if kind == "devcluster" else "Kubernetes (kind)")
    await asyncio.to_thread(machine.up, screen.live)
    screen.done(str(machine.kubeconfig))

    async with KubeClient(await login.find(kubeconfig=str(machine.kubeconfig))) as kube:
        screen.step("custom resource definition")
        await install_crd(kube)
        screen.done(f"{names.PLURAL}.{names.GROUP}")

        screen.step("management database")
        database_url = await asyncio.to_thread(start_database, home.database)
        screen.done(str(home.database))

        programs = Programs(processes, machine.kubeconfig, home)
        screen.step("operator")
        operator = await asyncio.to_thread(programs.operator)
        screen.done(operator.log)
        screen.step("API")
        api, api_url = await asyncio.to_thread(programs.api, database_url)
        screen.done(api_url)

        account = story.Account(
            remembered.get("email") or story.EMAIL,
            remembered.get("password") or story.new_password(),
        )
        facts = {
            "cluster": kind,
            "api_url": api_url,
            "email": account.email,
            "password": account.password,
            "kubeconfig": str(machine.kubeconfig),
            "database_url": database_url,
            "processes": {p.name: {"pid": p.pid, "log": p.log} for p in (operator, api)},
        }
        write_json(home.demo_file, {**remembered, **facts})
        slug, ref, status, keys = await _first_project(home, kube, api_url, account, kind, screen)
        facts |= {"organization_slug": slug, "project_ref": ref}
        write_json(home.demo_file, facts)
    kubectl = shutil.which("kubectl") or str(home.folder / "bin" / "kubectl")
    return Told(
        api_url,
        account,
        slug,
        ref,
        status,
        keys,
        _shown(machine.kubeconfig),
        kubectl,
        _shown(home.authorization_file),
    )


async def _first_project(
    home: Home,
    kube: KubeClient,
    api_url: str,
    account: story.Account,
    kind: str,
    screen: Screen,
) -> tuple[str, str, ProjectStatus, dict[str, str]]:
    async with Rest(api_url) as rest:
        screen.step("account, sign-in, organization")
        try:
            await story.sign_in(rest, account)
        except ApiRefused as error:
            raise DemoFailed(
                f"signing in as {account.email} failed ({error}). If the password in "
                f".supaplane/demo.json was lost, start afresh: make down ARGS=--delete-data"
            ) from None
        write_private(home.authorization_file, f"Authorization: Bearer {rest.token}\n")
        slug = await story.organization(rest)
        screen.done(account.email)

        ref = await story.existing_project(rest, slug)
        screen.step(f"project {story.PROJECT!r}")
        if ref is None:
            ref = str((await story.project(rest, slug, PROJECT_SIZE))["ref"])
        status = ProjectStatus()

        async def details(ref: str) -> tuple[story.Components, str]:
            nonlocal status
            status = await read_status(kube, ref)
            return [(c.name, c.phase) for c in status.components], status.message or ""

        await story.wait_active(
            rest,
            ref,
            details=details,
            show=lambda phase, parts: screen.live(progress_line(phase, parts)),
            deadline_seconds=ACTIVE_SECONDS[kind],
        )
        screen.done(f"{ref} ACTIVE_HEALTHY")
        settings = await rest.call("GET", f"/platform/projects/{ref}/settings")
        keys = {k["tags"]: k["api_key"] for k in settings.get("service_api_keys", [])}
        return slug, ref, status, keys


async def install_crd(kube: KubeClient) -> None:
    """Applies the CRD and the home namespace, and waits until the kind is served."""
    import yaml

    crd = yaml.safe_load(crd_file().read_text())
    name = crd["metadata"]["name"]
    manager = "supaplane-demo"
    await kube.apply(CUSTOM_RESOURCE_DEFINITIONS, None, name, crd, manager=manager)
    home_namespace = {"metadata": {"name": names.DEFAULT_HOME_NAMESPACE}}
    with contextlib.suppress(AlreadyExists):
        await kube.create(NAMESPACES, None, home_namespace, manager=manager)
    for _ in range(300):
        found = await kube.get(CUSTOM_RESOURCE_DEFINITIONS, None, name) or {}
        conditions = found.get("status", {}).get("conditions") or ()
        if any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
            return
        await asyncio.sleep(0.05)
    raise DemoFailed(f"the API server does not serve {name}: kubectl describe crd {name}")


async def read_status(kube: KubeClient, ref: str) -> ProjectStatus:
    """The status that the operator wrote, by the project's ref."""
    found = await kube.get(PROJECTS, names.DEFAULT_HOME_NAMESPACE, ref)
    return ProjectStatus.model_validate((found or {}).get("status") or {})


def down(home: Home, *, delete_data: bool, screen: Screen) -> None:
    """Stops everything that `up` started; with `delete_data` removes what it kept.

    A kind cluster cannot be stopped, only deleted; what lay in it is gone then.
    """
    processes = Processes(home.processes_file, home.logs)
    for name in ("api", "operator"):
        screen.step(f"stop {name}")
        screen.done("" if processes.stop(name) else "was not running")
    screen.step("stop management database")
    stop_database(home.database)
    screen.done()
    screen.step("stop Kubernetes")
    kind = str(read_json(home.demo_file).get("cluster") or "devcluster")
    if kind == "kind":
        KindCluster(f"supaplane-{CLUSTER_NAME}", home=home.folder).down()
    else:
        Cluster(CLUSTER_NAME, home=home.folder).down(keep_data=not delete_data)
    screen.done()
    if delete_data:
        for folder in (home.database, home.logs):
            shutil.rmtree(folder, ignore_errors=True)
        for file in ("demo.json", "ports.json", "api-secrets.json", "authorization"):
            (home.folder / file).unlink(missing_ok=True)


async def status(home: Home, screen: Screen) -> bool:
    """Prints what runs; the answer says whether everything does."""
    processes = Processes(home.processes_file, home.logs).known()
    facts = read_json(home.demo_file)
    for name in ("operator", "api"):
        process = processes.get(name)
        screen.note(f"{name:<10} {_process_line(process)}")
    kubeconfig = facts.get("kubeconfig")
    if not kubeconfig:
        screen.note("cluster    was not started: make demo")
        return False
    try:
        session: Login = await login.find(kubeconfig=kubeconfig)
        async with KubeClient(session) as kube:
            projects = (await kube.list(PROJECTS)).items
    except Exception as error:
        screen.note(f"cluster    does not answer ({error}): make demo")
        return False
    screen.note(f"cluster    {kubeconfig}")
    for project in projects:
        state = project.get("status", {})
        name = project["spec"].get("displayName") or project["metadata"]["name"]
        screen.note(f"project    {state.get('ref', '?')}  {state.get('phase', '?'):<15} {name}")
    return all(p.alive for p in processes.values()) and len(processes) >= 2


def _process_line(process: Process | None) -> str:
    if process is None:
        return "was not started: make demo"
    state = f"runs, pid {process.pid}" if process.alive else "ended by itself: make demo"
    return f"{state}, log {process.log}"


def _shown(path: Path) -> Path:
    """The path as a person would type it from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _tell(told: Told, screen: Screen, *, once: bool) -> None:
    endpoints = told.status.endpoints
    rows = [
        ("API", told.api_url),
        ("OpenAPI", f"{told.api_url}/openapi.json"),
        ("sign-in", f"{told.account.email}  {told.account.password}"),
        ("organization", told.organization_slug),
        ("project", told.ref),
        ("project URL", (endpoints.api if endpoints else None) or ""),
        ("project Studio", (endpoints.studio if endpoints else None) or ""),
        *((f"{name} key", key) for name, key in sorted(told.keys.items())),
        ("kubeconfig", str(told.kubeconfig)),
    ]
    screen.note()
    for name, value in rows:
        if value:
            screen.note(f"  {name:<15} {value}")
    if once:
        screen.note()
        return
    kubectl = f"{told.kubectl} --kubeconfig {told.kubeconfig}"
    screen.note(f"\n{screen.heading('Try next')}")
    screen.note(f"  {kubectl} get supabaseprojects -A")
    screen.note(f"  {kubectl} apply -f manifests/samples/minimal.yaml")
    screen.note(
        f"  curl -s -H @{told.authorization_file} {told.api_url}/projects/{told.ref}/status"
    )
    screen.note("\n  make status, make down\n")
