"""Do public hosts lead to the gateway, with the certificate that was asked for?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from supaplane_contract.spec import IngressKind, IssuerRef, ParentRef
from supaplane_operator.releases import load_releases
from supaplane_operator.render import Platform, RenderInput, project, public_hosts, public_names

MakeInput = Callable[..., RenderInput]
HOST = "abcdefghijklmnopqrst.example.com"
STUDIO = "studio-abcdefghijklmnopqrst.example.com"


def of_kind(input: RenderInput, kind: str) -> list[Mapping[str, Any]]:
    return [m for m in project(input).manifests if m["kind"] == kind]


def test_without_a_word_nothing_is_made(make_input: MakeInput) -> None:
    assert of_kind(make_input({}), "Ingress") == of_kind(make_input({}), "HTTPRoute") == []


def test_every_public_host_leads_to_the_gateway(make_input: MakeInput) -> None:
    spec = {"ingress": {"kind": "Ingress"}, "customDomains": ["data.acme.test"]}
    (ingress,) = of_kind(make_input(spec), "Ingress")
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == [HOST, STUDIO, "data.acme.test"]
    for rule in ingress["spec"]["rules"]:
        (path,) = rule["http"]["paths"]
        assert (path["path"], path["pathType"]) == ("/", "Prefix")
        assert path["backend"]["service"] == {"name": "gateway", "port": {"name": "http"}}


def test_the_platforms_issuer_signs_unless_the_spec_says_otherwise(
    make_input: MakeInput, platform: Platform
) -> None:
    ours = dataclasses.replace(
        platform, ingress_kind=IngressKind.INGRESS, tls_issuer=IssuerRef(name="letsencrypt")
    )

    def ingress(tls: Mapping[str, Any] | None, **more: Any) -> Any:
        spec = {"ingress": {} if tls is None else {"tls": tls}}
        return of_kind(make_input(spec, platform=ours, **more), "Ingress")[0]

    def issuers(ingress: Mapping[str, Any]) -> Mapping[str, str]:
        found = ingress["metadata"]["annotations"].items()
        return {key: value for key, value in found if key.startswith("cert-manager.io/")}

    default = ingress(None)
    assert issuers(default) == {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert default["spec"]["tls"] == [{"hosts": [HOST, STUDIO], "secretName": "gateway-tls"}]
    own = ingress({"enabled": True, "issuerRef": {"name": "acme", "kind": "Issuer"}})
    assert issuers(own) == {"cert-manager.io/issuer": "acme"}
    mine = ingress({"enabled": True, "secretName": "mine"}, secrets={
        ("mine", "tls.crt"): "c", ("mine", "tls.key"): "k"})  # fmt: skip
    assert issuers(mine) == {}
    assert mine["spec"]["tls"][0]["secretName"] == "gateway-tls"
    assert "tls" not in ingress({"enabled": False})["spec"]


def test_a_certificate_of_ones_own_is_copied_beside_the_ingress(make_input: MakeInput) -> None:
    spec = {"ingress": {"kind": "Ingress", "tls": {"enabled": True, "secretName": "mine"}}}
    secrets = {("mine", "tls.crt"): "certificate", ("mine", "tls.key"): "key"}
    copies = of_kind(make_input(spec, secrets=secrets), "Secret")
    (copy,) = [m for m in copies if m["metadata"]["name"] == "gateway-tls"]
    assert copy["type"] == "kubernetes.io/tls"
    assert set(copy["data"]) == {"tls.crt", "tls.key"}


def test_the_scheme_of_urls_follows_the_certificate(
    make_input: MakeInput, platform: Platform
) -> None:
    plain = dataclasses.replace(platform, url_scheme="http", url_port=8080)

    def url(spec: Mapping[str, Any]) -> str | None:
        return project(make_input(spec, platform=plain)).endpoints.api

    assert url({}) == f"http://{HOST}:8080"
    secure = {"ingress": {"tls": {"enabled": True, "issuerRef": {"name": "x"}}}}
    assert url(secure) == f"https://{HOST}"


def test_an_http_route_attaches_to_its_gateway(make_input: MakeInput, platform: Platform) -> None:
    spec = {
        "ingress": {"kind": "HTTPRoute", "parentRefs": [{"name": "web", "sectionName": "https"}]}
    }
    (route,) = of_kind(make_input(spec), "HTTPRoute")
    (parent,) = route["spec"]["parentRefs"]
    assert (parent["name"], parent["sectionName"], parent["kind"]) == ("web", "https", "Gateway")
    assert route["spec"]["hostnames"] == [HOST, STUDIO]
    (rule,) = route["spec"]["rules"]
    assert (rule["backendRefs"][0]["name"], rule["backendRefs"][0]["port"]) == ("gateway", 8000)
    assert rule["timeouts"] == {"request": "0s"}
    ours = dataclasses.replace(
        platform,
        ingress_kind=IngressKind.HTTP_ROUTE,
        ingress_parent_refs=(ParentRef(name="shared", namespace="gateways"),),
    )
    (default,) = of_kind(make_input({}, platform=ours), "HTTPRoute")
    assert default["spec"]["parentRefs"][0]["namespace"] == "gateways"


def test_public_hosts_are_those_of_the_ingress(make_input: MakeInput, platform: Platform) -> None:
    spec = {"ingress": {"kind": "Ingress"}, "host": "a.acme.test", "customDomains": ["b.acme.test"]}
    input_ = make_input(spec)
    (ingress,) = of_kind(input_, "Ingress")
    hosts = public_hosts(input_.spec, input_.ref, platform)
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == list(hosts)
    assert hosts == ("a.acme.test", STUDIO, "b.acme.test")


def annotations_of(input: RenderInput, kind: str = "Ingress") -> Mapping[str, str]:
    (found,) = of_kind(input, kind)
    annotations: Mapping[str, str] = found["metadata"].get("annotations", {})
    return annotations


def test_nginx_lets_large_files_and_slow_functions_through(make_input: MakeInput) -> None:
    for name in ({}, {"className": "nginx"}, {"className": "internal-nginx"}):
        found = annotations_of(make_input({"ingress": {"kind": "Ingress", **name}}))
        assert found["nginx.ingress.kubernetes.io/proxy-body-size"] == "0"
        assert int(found["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > 400
        assert found["nginx.org/websocket-services"] == "gateway"


def test_a_controller_gets_the_annotations_that_it_reads(make_input: MakeInput) -> None:
    def prefixes(class_name: str) -> set[str]:
        spec = {"ingress": {"kind": "Ingress", "className": class_name}}
        return {key.partition("/")[0] for key in annotations_of(make_input(spec))}

    assert prefixes("haproxy") == {"haproxy.org", "haproxy-ingress.github.io"}
    assert prefixes("contour") == {"projectcontour.io"}
    assert prefixes("traefik") == set()


def test_what_platform_and_project_say_counts_more(
    make_input: MakeInput, platform: Platform
) -> None:
    size = "nginx.ingress.kubernetes.io/proxy-body-size"
    ours = dataclasses.replace(
        platform, ingress_annotations={size: "50m"}, allowed_annotations=(size,)
    )
    said = annotations_of(make_input({"ingress": {"kind": "Ingress"}}, platform=ours))
    assert said[size] == "50m"
    spec = {"ingress": {"kind": "Ingress", "annotations": {size: "70m"}}}
    assert annotations_of(make_input(spec, platform=ours))[size] == "70m"


def test_external_dns_is_told_nothing_unless_the_platform_wants_it(make_input: MakeInput) -> None:
    spec = {
        "ingress": {"kind": "Ingress"},
        "database": {"external": {"enabled": True, "allowedCidrs": ["203.0.113.0/24"]}},
    }
    assert "external-dns" not in str(project(make_input(spec)).manifests)


def test_external_dns_is_told_the_platforms_names_and_no_custom_domain(
    make_input: MakeInput, platform: Platform
) -> None:
    ours = dataclasses.replace(
        platform,
        external_dns_prefix="external-dns.kubernetes.io/",
        external_dns_ttl=60,
        dns_targets=("203.0.113.7", "2001:db8::7"),
        allowed_annotations=("external-dns.kubernetes.io/*",),
        ingress_parent_refs=(ParentRef(name="web"),),
    )
    own = {"external-dns.kubernetes.io/hostname": "www.bank.test"}
    spec: dict[str, Any] = {"customDomains": ["www.acme.test"]}
    ingress = annotations_of(
        make_input({**spec, "ingress": {"kind": "Ingress", "annotations": own}}, platform=ours)
    )
    assert {k: v for k, v in ingress.items() if k.startswith("external-dns")} == {
        "external-dns.kubernetes.io/hostname": f"{HOST},{STUDIO}",
        "external-dns.kubernetes.io/ingress-hostname-source": "annotation-only",
        "external-dns.kubernetes.io/target": "203.0.113.7,2001:db8::7",
        "external-dns.kubernetes.io/ttl": "60",
    }
    route = annotations_of(
        make_input({**spec, "ingress": {"kind": "HTTPRoute"}}, platform=ours), "HTTPRoute"
    )
    assert route == {
        "external-dns.kubernetes.io/gateway-hostname-source": "annotation-only",
        "external-dns.kubernetes.io/hostname": f"{HOST},{STUDIO}",
        "external-dns.kubernetes.io/ttl": "60",
    }


def test_external_dns_is_told_where_the_database_is_when_that_is_open(
    make_input: MakeInput, platform: Platform
) -> None:
    ours = dataclasses.replace(platform, external_dns_prefix="external-dns.kubernetes.io/")
    spec = {"database": {"external": {"enabled": True, "allowedCidrs": ["203.0.113.0/24"]}}}
    services = of_kind(make_input(spec, platform=ours), "Service")
    told = {m["metadata"]["name"]: m["metadata"].get("annotations") for m in services}
    (name,) = [name for name, annotations in told.items() if annotations]
    assert "db" in name
    assert told[name] == {"external-dns.kubernetes.io/hostname": f"db.{HOST}"}


def test_public_names_are_the_platforms_only(make_input: MakeInput, platform: Platform) -> None:
    spec = {"ingress": {"kind": "Ingress"}, "host": "api.acme.test"}
    (ingress,) = of_kind(make_input(spec), "Ingress")
    ref = "abcdefghijklmnopqrst"
    assert public_names(ingress, ref, platform) == (STUDIO,)


def test_the_pooler_has_a_public_name_when_a_load_balancer_leads_to_it(
    make_input: MakeInput, platform: Platform
) -> None:
    access = {"enabled": True, "allowedCidrs": ["203.0.113.0/24"]}
    spec = {"pooler": {"enabled": True, "external": access}}
    release = load_releases()["2026.9.2"]
    ref = "abcdefghijklmnopqrst"
    services = of_kind(make_input(spec, release=release), "Service")
    assert {name for m in services for name in public_names(m, ref, platform)} == {
        f"{ref}.pooler.example.com"
    }


def test_a_custom_domain_that_does_not_point_here_yet_holds_up_no_other_certificate(
    make_input: MakeInput, platform: Platform
) -> None:
    ours = dataclasses.replace(platform, tls_issuer=IssuerRef(name="letsencrypt"))
    spec = {"ingress": {"kind": "Ingress"}, "customDomains": ["a.acme.test", "b.acme.test"]}
    (ingress,) = of_kind(make_input(spec, platform=ours), "Ingress")
    entries = ingress["spec"]["tls"]
    assert [e["hosts"] for e in entries] == [[HOST, STUDIO], ["a.acme.test"], ["b.acme.test"]]
    assert len({e["secretName"] for e in entries}) == 3
    fewer = {**spec, "customDomains": ["b.acme.test"]}
    (later,) = of_kind(make_input(fewer, platform=ours), "Ingress")
    assert later["spec"]["tls"] == [entries[0], entries[2]]
