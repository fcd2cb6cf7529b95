"""Do public hosts lead to the gateway, with the certificate that was asked for?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from supaplane_contract.spec import IngressKind, IssuerRef, ParentRef
from supaplane_operator.render import Platform, RenderInput, project, public_hosts

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

    default = ingress(None)
    assert default["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert default["spec"]["tls"] == [{"hosts": [HOST, STUDIO], "secretName": "gateway-tls"}]
    own = ingress({"enabled": True, "issuerRef": {"name": "acme", "kind": "Issuer"}})
    assert own["metadata"]["annotations"] == {"cert-manager.io/issuer": "acme"}
    mine = ingress({"enabled": True, "secretName": "mine"}, secrets={
        ("mine", "tls.crt"): "c", ("mine", "tls.key"): "k"})  # fmt: skip
    assert "annotations" not in mine["metadata"]
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
