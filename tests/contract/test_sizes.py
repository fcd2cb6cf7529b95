"""Does every size hold together, and do overrides stay within what Kubernetes takes?"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_contract import quantities, shares
from supaplane_contract.quantities import parse
from supaplane_contract.sizes import (
    SIZES,
    SUPERUSER_RESERVED,
    ComponentProfile,
    SizeProfile,
    postgres_memory,
)
from supaplane_contract.spec import ComponentName, ProjectSpec, Size

every_size = pytest.mark.parametrize("profile", SIZES.values(), ids=list(SIZES))
GROWING = [SIZES[size] for size in Size if size is not Size.DEV]


def test_there_is_a_profile_for_every_size_and_every_component() -> None:
    assert list(SIZES) == list(Size)
    assert all(set(profile.components) == set(ComponentName) for profile in SIZES.values())


@every_size
def test_requests_are_within_limits_and_in_normal_form(profile: SizeProfile) -> None:
    for part in profile.components.values():
        for asked, most in (
            (part.requests.cpu, part.limits.cpu),
            (part.requests.memory, part.limits.memory),
        ):
            assert parse(asked) <= parse(most)
            assert quantities.normal(asked) == asked
            assert quantities.normal(most) == most


@every_size
def test_all_pools_together_leave_connections_for_people_and_jobs(profile: SizeProfile) -> None:
    spare = profile.max_connections - SUPERUSER_RESERVED - sum(profile.connections.values())
    assert spare >= profile.max_connections * 0.15


@every_size
def test_the_database_keeps_a_quarter_of_its_memory_for_its_own_cache(
    profile: SizeProfile,
) -> None:
    memory = parse(profile.components[ComponentName.DB].limits.memory) / 1024**2
    assert profile.shared_buffers == f"{memory / 4}MB"


def test_only_one_pod_writes_the_database_or_runs_what_cannot_be_run_twice() -> None:
    single = {"db", "realtime", "studio", "meta", "pooler", "analytics", "objectstore"}
    for profile in SIZES.values():
        assert {profile.components[ComponentName(name)].replicas for name in single} == {1}


@pytest.mark.parametrize(("smaller", "larger"), list(pairwise(GROWING)), ids=lambda p: p.size)
def test_a_larger_size_gives_no_less_of_anything(smaller: SizeProfile, larger: SizeProfile) -> None:
    assert larger.max_connections >= smaller.max_connections
    assert larger.pooler_clients >= smaller.pooler_clients
    assert parse(larger.database_volume) >= parse(smaller.database_volume)
    assert parse(larger.object_volume) >= parse(smaller.object_volume)
    for name, part in smaller.components.items():
        other = larger.components[name]
        assert parse(other.limits.memory) >= parse(part.limits.memory)
        assert parse(other.limits.cpu) >= parse(part.limits.cpu)
        assert parse(other.requests.cpu) >= parse(part.requests.cpu)
        assert parse(other.requests.memory) >= parse(part.requests.memory)
        assert other.replicas >= part.replicas
    assert all(larger.connections[name] >= many for name, many in smaller.connections.items())


def test_a_developers_stack_asks_a_laptop_for_next_to_nothing() -> None:
    parts = SIZES[Size.DEV].components.values()
    assert {part.requests.cpu for part in parts} == {"1m"}
    assert {part.requests.memory for part in parts} == {"16Mi"}


def test_the_smallest_stack_of_six_services_asks_for_less_than_a_gibibyte() -> None:
    six = ("db", "auth", "rest", "meta", "studio", "gateway")
    asked = [SIZES[Size.NANO].components[ComponentName(name)].requests.memory for name in six]
    assert sum(map(parse, asked)) <= 1024**3


def test_memory_parameters_of_postgres_are_in_its_own_units() -> None:
    assert postgres_memory("1Gi") == {
        "shared_buffers": "256MB",
        "effective_cache_size": "768MB",
        "maintenance_work_mem": "64MB",
    }


def test_an_override_takes_the_place_of_what_the_size_gives() -> None:
    spec = of({"rest": {"resources": {"requests": {"cpu": "0.2"}, "limits": {"memory": "1024Mi"}}}})
    rest = shares.share(spec, ComponentName.REST)
    assert (rest.requests.cpu, rest.limits.memory) == ("200m", "1Gi")
    assert rest.requests.memory == SIZES[Size.NANO].components[ComponentName.REST].requests.memory


def test_a_request_above_the_limit_of_the_size_lifts_the_limit() -> None:
    spec = of({"auth": {"resources": {"requests": {"memory": "4Gi"}}}})
    assert shares.share(spec, ComponentName.AUTH).limits.memory == "4Gi"


def test_a_limit_below_the_request_of_the_size_lowers_the_request() -> None:
    spec = of({"auth": {"resources": {"limits": {"memory": "32Mi"}}}})
    assert shares.share(spec, ComponentName.AUTH).requests.memory == "32Mi"


def test_the_databases_parameters_follow_its_memory_and_the_spec_has_the_last_word() -> None:
    spec = of(
        {
            "size": "small",
            "database": {
                "resources": {"limits": {"memory": "4Gi"}},
                "parameters": {"work_mem": "8MB", "max_connections": "50"},
            },
        }
    )
    found = shares.postgres_parameters(spec)
    assert found["shared_buffers"] == "1024MB"
    assert (found["work_mem"], found["max_connections"]) == ("8MB", "50")


def test_files_on_a_volume_are_held_by_one_pod() -> None:
    spec = of({"size": "16xlarge", "storage": {"backend": "file"}})
    assert shares.replicas(spec, ComponentName.STORAGE) == 1


def test_autoscaling_counts_with_its_most_pods() -> None:
    spec = of({"rest": {"autoscaling": {"maxReplicas": 7}}})
    assert shares.replicas(spec, ComponentName.REST) == 7


def test_more_pods_share_the_same_connections() -> None:
    one, four = of({"size": "large"}), of({"size": "large", "rest": {"replicas": 4}})
    total = SIZES[Size.LARGE].connections[ComponentName.REST]
    assert shares.connections_per_pod(one, ComponentName.REST) == total
    assert shares.connections_per_pod(four, ComponentName.REST) == total // 4


def test_a_pool_that_is_asked_for_is_given() -> None:
    spec = of({"rest": {"poolSize": 33}, "pooler": {"defaultPoolSize": 44}})
    assert shares.connections_per_pod(spec, ComponentName.REST) == 33
    assert shares.connections_per_pod(spec, ComponentName.POOLER) == 44


def test_volumes_are_as_the_spec_or_the_size_has_them() -> None:
    assert shares.database_volume(of({"size": "small"})) == "16Gi"
    assert shares.database_volume(of({"database": {"storage": {"size": "2048Gi"}}})) == "2Ti"
    held = {"backend": "file", "volume": {"size": "3Gi"}}
    assert shares.object_volume(of({"storage": held})) == "3Gi"
    assert shares.object_volume(of({"objectstore": {"volume": {"size": "4Gi"}}})) == "4Gi"


@given(data=st.data())
def test_whatever_the_spec_every_share_is_one_that_kubernetes_takes_and_the_quota_holds_all(
    specs: st.SearchStrategy[ProjectSpec], data: st.DataObject
) -> None:
    spec = data.draw(specs)
    parts = [shares.share(spec, name) for name in ComponentName]
    for part in parts:
        assert parse(part.requests.cpu) <= parse(part.limits.cpu)
        assert parse(part.requests.memory) <= parse(part.limits.memory)
    quota = shares.quota(spec)
    surge = 2
    assert parse(quota["limits.memory"]) >= surge * total(parts, "limits", "memory")
    assert parse(quota["requests.cpu"]) >= surge * total(parts, "requests", "cpu")
    assert int(quota["pods"]) > surge * sum(part.replicas for part in parts)
    volumes = parse(shares.database_volume(spec)) + parse(shares.object_volume(spec))
    assert parse(quota["requests.storage"]) > volumes
    assert all(quantities.normal(value) == value for value in quota.values())


def total(parts: list[ComponentProfile], kind: str, what: str) -> Fraction:
    amounts = [parse(getattr(getattr(p, kind), what)) * p.replicas for p in parts]
    return sum(amounts, Fraction(0))


def of(spec: dict[str, object]) -> ProjectSpec:
    return ProjectSpec.model_validate(spec)
