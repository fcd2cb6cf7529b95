"""The environment is read whole, or refused with what is wrong in it."""

from __future__ import annotations

import pytest

from supaplane_contract.spec import IngressKind
from supaplane_operator.errors import SettingsRefused
from supaplane_operator.settings import VARIABLES, Hook, from_environment

BASE = {"DOMAIN_BASE": "example.org"}


def refused(**environ: str) -> str:
    with pytest.raises(SettingsRefused) as caught:
        from_environment(BASE | environ)
    return str(caught.value)


def test_a_domain_is_all_that_is_needed():
    settings = from_environment(BASE)
    assert settings.platform.domain_base == "example.org"
    assert settings.home_namespaces == ("supaplane-projects",)
    assert settings.resync_seconds == 600
    assert settings.rollout_concurrency == 1


def test_without_a_domain_it_does_not_start():
    with pytest.raises(SettingsRefused, match="DOMAIN_BASE"):
        from_environment({})


def test_an_unknown_variable_is_refused_with_those_there_are():
    message = refused(SUPAPLANE_HOME_NAMESPACE="a")
    assert "SUPAPLANE_HOME_NAMESPACE:" in message
    assert "SUPAPLANE_HOME_NAMESPACES" in message


def test_what_the_kubelet_sets_for_a_service_of_ours_is_no_setting():
    from_environment(
        BASE
        | {
            "SUPAPLANE_API_SERVICE_HOST": "10.0.0.1",
            "SUPAPLANE_API_SERVICE_PORT_HTTP": "80",
            "SUPAPLANE_API_PORT": "tcp://10.0.0.1:80",
            "SUPAPLANE_API_PORT_80_TCP_ADDR": "10.0.0.1",
            "SUPAPLANE_HOME": "/somewhere",
        }
    )


def test_every_trouble_is_told_at_once():
    message = refused(SUPAPLANE_WORKERS="many", SUPAPLANE_INGRESS_KIND="Istio")
    assert "SUPAPLANE_WORKERS" in message
    assert "SUPAPLANE_INGRESS_KIND" in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOMAIN_BASE", "https://example.org"),
        ("DOMAIN_BASE", "Example.org"),
        ("SUPAPLANE_RESYNC_SECONDS", "0"),
        ("SUPAPLANE_URL_SCHEME", "ftp"),
        ("SUPAPLANE_URL_PORT", "70000"),
        ("SUPAPLANE_INGRESS_ANNOTATIONS", "{"),
        ("SUPAPLANE_INGRESS_PARENT_REFS", '[{"nam": "x"}]'),
        ("SUPAPLANE_TLS_ISSUER", "Vault/x"),
        ("SUPAPLANE_LOG_FORMAT", "xml"),
        ("SUPAPLANE_LEASE", "maybe"),
        ("SUPAPLANE_DEADLINE_PAUSING", "-1"),
        ("SUPAPLANE_DNS_TARGETS", "203.0.113.7, https://lb"),
        ("SUPAPLANE_EXTERNAL_DNS_PREFIX", "external-dns.kubernetes.io"),
        ("SUPAPLANE_EXTERNAL_DNS_TTL", "0"),
        ("DOMAIN_DNS_HOOK_URL", "ftp://dns.example.org/"),
        ("DOMAIN_DNS_HOOK_URL", "https://user:password@dns.example.org/"),
        ("DOMAIN_DNS_HOOK_URL", "https://dns.example.org:https/"),
        ("DOMAIN_DNS_HOOK_KEY", "too short"),
        ("SUPAPLANE_LOG_KEY", "too short"),
        ("SERVICE_VERSION_URL", "http://releases.example.org/"),
        ("SERVICE_VERSION_URL", "https://user:password@releases.example.org/"),
        ("SERVICE_VERSION_URL", "releases.yaml"),
    ],
)
def test_is_refused(name, value):
    assert name in refused(**{name: value})


@pytest.mark.parametrize(
    "url", ["https://dns.example.org", "http://[2001:db8::7]:8080/hosts", "http://10.0.0.1/a?b=c"]
)
def test_a_hook_may_be_anywhere(url):
    settings = from_environment(
        BASE | {"DOMAIN_DNS_HOOK_URL": url, "DOMAIN_DNS_HOOK_KEY": "k" * 32}
    )
    assert settings.dns_hook == Hook(url, "k" * 32)


def test_the_hook_needs_its_key_and_the_key_its_hook():
    assert "DOMAIN_DNS_HOOK_KEY" in refused(DOMAIN_DNS_HOOK_URL="https://dns.example.org/hosts")
    assert "DOMAIN_DNS_HOOK_URL" in refused(DOMAIN_DNS_HOOK_KEY="k" * 32)


def test_a_log_shipper_is_known_by_its_place_and_its_key():
    assert "SUPAPLANE_LOG_KEY" in refused(SUPAPLANE_LOG_NAMESPACE="logs")
    assert "SUPAPLANE_LOG_NAMESPACE" in refused(SUPAPLANE_LOG_KEY="k" * 32)
    given = {"SUPAPLANE_LOG_NAMESPACE": "logs", "SUPAPLANE_LOG_KEY": "k" * 32}
    platform = from_environment(BASE | given).platform
    assert (platform.log_namespace, platform.log_key) == ("logs", "k" * 32)
    assert "kkkk" not in repr(platform)


def test_a_refused_key_is_not_told():
    assert "hunter2" not in refused(DOMAIN_DNS_HOOK_KEY="hunter2")
    assert "hunter2" not in refused(SUPAPLANE_LOG_KEY="hunter2")


def test_values_are_read():
    settings = from_environment(
        BASE
        | {
            "SUPAPLANE_HOME_NAMESPACES": "a, b",
            "SUPAPLANE_INGRESS_KIND": "HTTPRoute",
            "SUPAPLANE_INGRESS_ANNOTATIONS": '{"a": "b"}',
            "SUPAPLANE_INGRESS_PARENT_REFS": '[{"name": "gw", "namespace": "infra"}]',
            "SUPAPLANE_TLS_ISSUER": "Issuer/ca",
            "SUPAPLANE_DEADLINE_COMING_UP": "60",
            "SUPAPLANE_LEASE": "on",
            "SUPAPLANE_STORAGE_CLASS": "",
            "SUPAPLANE_DNS_TARGETS": "203.0.113.7, 2001:db8::7, lb.example.net",
            "SUPAPLANE_EXTERNAL_DNS_PREFIX": "external-dns.kubernetes.io/",
            "DOMAIN_DNS_HOOK_URL": "http://dns.infra.svc:8080/hosts?zone=a",
            "DOMAIN_DNS_HOOK_KEY": "k" * 32,
        }
    )
    assert settings.home_namespaces == ("a", "b")
    assert settings.platform.ingress_kind is IngressKind.HTTP_ROUTE
    assert settings.platform.ingress_annotations == {"a": "b"}
    assert settings.platform.ingress_parent_refs[0].namespace == "infra"
    assert settings.platform.tls_issuer.name == "ca"
    assert settings.deadlines.coming_up == 60
    assert settings.lease is True
    assert settings.platform.storage_class is None
    assert settings.platform.dns_targets == ("203.0.113.7", "2001:db8::7", "lb.example.net")
    assert settings.platform.external_dns_prefix == "external-dns.kubernetes.io/"
    assert settings.dns_hook == Hook("http://dns.infra.svc:8080/hosts?zone=a", "k" * 32)


def test_every_variable_has_the_prefix_but_the_shared_ones():
    shared = ["DOMAIN_BASE", "DOMAIN_DNS_HOOK_URL", "DOMAIN_DNS_HOOK_KEY", "SERVICE_VERSION_URL"]
    assert [name for name in VARIABLES if not name.startswith("SUPAPLANE_")] == shared
