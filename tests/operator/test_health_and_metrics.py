"""What the probes answer and what is counted; the rights that are bound."""

from __future__ import annotations

import aiohttp
from hypothesis import strategies as st

from supaplane_contract.status import Endpoints, OperationStatus, ProjectStatus
from supaplane_kube import resources as kinds
from supaplane_operator import health
from supaplane_operator.metrics import Metrics, gauge
from supaplane_operator.render import Platform
from supaplane_operator.rights import binding
from supaplane_operator.settings import Settings

statuses = st.builds(
    ProjectStatus,
    phase=st.none() | st.sampled_from(["COMING_UP", "INACTIVE"]),
    ready=st.none() | st.text(max_size=3),
    endpoints=st.none()
    | st.builds(Endpoints, api=st.none() | st.text(max_size=3), pooler=st.none() | st.just("p")),
    operation=st.none()
    | st.builds(
        OperationStatus, id=st.text(max_size=2), kind=st.just("restart"), phase=st.just("Running")
    ),
)


def test_rights_are_bound_only_where_a_service_account_is_named():
    platform = Platform("example.org")
    assert binding("ns", "a" * 20, Settings(platform)) is None
    inside = Settings(platform, operator_namespace="supaplane", service_account="operator")
    found = binding("ns", "a" * 20, inside)
    assert found["roleRef"]["name"] == "supaplane-project"
    assert found["subjects"] == [
        {"kind": "ServiceAccount", "name": "operator", "namespace": "supaplane"}
    ]


async def test_probes_answer_and_tell_why_not():
    state: dict[str, str | None] = {"unwell": None, "unready": "caches are not filled yet"}
    metrics = Metrics()
    metrics.request("apply", "secrets", 200)
    metrics.request("get", "secrets", 404)
    metrics.watch(lambda: [gauge("supaplane_queue_depth", "help", 7)])
    runner = await health.serve(
        "127.0.0.1",
        0,
        unwell=lambda: state["unwell"],
        unready=lambda: state["unready"],
        metrics=metrics.text,
    )
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            async with http.get("/healthz") as answer:
                assert answer.status == 200
            async with http.get("/readyz") as answer:
                assert (answer.status, await answer.text()) == (503, "caches are not filled yet\n")
            state["unwell"] = "a worker is stuck"
            async with http.get("/healthz") as answer:
                assert answer.status == 503
            async with http.get("/metrics") as answer:
                text = await answer.text()
    finally:
        await runner.cleanup()
    assert 'supaplane_writes_total{resource="secrets",verb="apply"} 1.0' in text
    assert 'verb="get"' in text
    assert "supaplane_queue_depth 7.0" in text


async def test_a_silent_watch_and_a_stuck_worker_are_unwell(stage):
    assert stage.engine.unwell() is None
    reflector = stage.engine.world.children.reflectors[kinds.SERVICES]
    reflector._heard -= 1000
    reflector._tried -= 1000
    assert "services" in stage.engine.unwell()
    reflector._tried += 1000
    assert stage.engine.unwell() is None, "it tries"
    reflector._heard += 1000
    stage.engine.queue._working[("home", "shop")] = -1e9
    assert "worker" in stage.engine.unwell()
    del stage.engine.queue._working[("home", "shop")]
