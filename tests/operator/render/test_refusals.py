"""Is what cannot be rendered refused, with the reason and the cure?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from supaplane_contract.spec import ComponentName
from supaplane_contract.status import Reason
from supaplane_operator.releases import load_releases, newest
from supaplane_operator.render import NotRenderable, Platform, RenderInput, project

MakeInput = Callable[..., RenderInput]
SECRET = {"external_google_secret": {"name": "google", "key": "secret"}}

REFUSED = [
    ({"database": {"enabled": False}}, Reason.SPEC_INVALID, "database.enabled"),
    ({"meta": {"enabled": False}}, Reason.SPEC_INVALID, "studio needs meta"),
    ({"gateway": {"enabled": False}}, Reason.SPEC_INVALID, "functions needs gateway"),
    (
        {"gateway": {"enabled": False}, "functions": {"enabled": False}},
        Reason.SPEC_INVALID,
        "studio needs gateway",
    ),
    ({"database": {"version": "15"}}, Reason.NOT_SUPPORTED, "set database.version to 17"),
    ({"database": {"parameters": {"port": "1"}}}, Reason.SPEC_INVALID, "port is set by"),
    ({"database": {"parameters": {"hba_file": "x"}}}, Reason.SPEC_INVALID, "hba_file"),
    ({"database": {"parameters": {"archive_command": "rm"}}}, Reason.SPEC_INVALID, "archive_"),
    ({"database": {"parameters": {"a..b": "1"}}}, Reason.SPEC_INVALID, "'a..b'"),
    ({"host": "shop.example.com"}, Reason.HOST_RESERVED, "shop.example.com"),
    ({"host": "example.com"}, Reason.HOST_RESERVED, "outside of it"),
    ({"customDomains": ["x.y.example.com"]}, Reason.HOST_RESERVED, "x.y.example.com"),
    (
        {"host": "zzzzzzzzzzzzzzzzzzzz.example.com"},
        Reason.HOST_RESERVED,
        "zzzzzzzzzzzzzzzzzzzz",
    ),
    (
        {"ingress": {"annotations": {"nginx.org/server-snippets": "x"}}},
        Reason.ANNOTATION_REFUSED,
        "nginx.org/server-snippets",
    ),
    (
        {"database": {"external": {"annotations": {"lb.test/x": "y"}}}},
        Reason.ANNOTATION_REFUSED,
        "lb.test/x",
    ),
    ({"ingress": {"kind": "HTTPRoute"}}, Reason.SPEC_INVALID, "ingress.parentRefs"),
    (
        {
            "ingress": {
                "kind": "HTTPRoute",
                "parentRefs": [{"name": "public"}],
                "tls": {"enabled": True, "secretName": "x"},
            }
        },
        Reason.NOT_SUPPORTED,
        "belongs to its Gateway",
    ),
    (
        {"ingress": {"kind": "Ingress", "tls": {"enabled": True, "secretName": "mine"}}},
        Reason.SECRET_MISSING,
        "tls.crt",
    ),
    ({"auth": {"secretRefs": SECRET}}, Reason.SECRET_MISSING, "google"),
    (
        {"pooler": {"external": {"annotations": {"lb.test/x": "y"}}, "enabled": True}},
        Reason.ANNOTATION_REFUSED,
        "lb.test/x",
    ),
    ({"auth": {"extraEnvFrom": [{"name": "mine"}]}}, Reason.SECRET_MISSING, "mine"),
    ({"auth": {"settings": {"no_such_thing": "1"}}}, Reason.SPEC_INVALID, "no_such_thing"),
    ({"auth": {"settings": {"site_url": "x"}}}, Reason.SPEC_INVALID, "set auth.siteUrl"),
    ({"auth": {"settings": {"smtp_host": "x"}}}, Reason.SPEC_INVALID, "set auth.smtp.host"),
    (
        {"auth": {"settings": {"mailer_templates_invite_content": "x"}}},
        Reason.NOT_SUPPORTED,
        "mail templates",
    ),
    (
        {"auth": {"settings": {"saml_enabled": "yes"}}},
        Reason.SPEC_INVALID,
        '"true" or "false"',
    ),
    (
        {"auth": {"settings": {"smtp_max_frequency": "1m"}}},
        Reason.SPEC_INVALID,
        "whole number of seconds",
    ),
    (
        {"auth": {"settings": {"password_min_length": "-1"}}},
        Reason.SPEC_INVALID,
        "a whole number",
    ),
]


@pytest.mark.parametrize(("spec", "reason", "words"), REFUSED)
def test_what_cannot_be_is_refused_with_its_cure(
    make_input: MakeInput, spec: Mapping[str, Any], reason: Reason, words: str
) -> None:
    with pytest.raises(NotRenderable) as refusal:
        project(make_input(spec))
    assert (refusal.value.reason, words in refusal.value.message) == (reason, True), (
        refusal.value.message
    )


def test_a_release_that_lacks_a_program_is_not_asked_for_it(make_input: MakeInput) -> None:
    before_kong = load_releases()["2026.9.1"]
    with pytest.raises(NotRenderable, match=r"no kong for gateway: set spec\.release") as refusal:
        project(make_input({"gateway": {"kind": "kong"}}, release=before_kong))
    assert refusal.value.reason is Reason.COMPONENT_UNAVAILABLE
    own = {"gateway": {"kind": "kong"}, "images": {"gateway": "acme/kong:3.9.3"}}
    assert project(make_input(own, release=before_kong)).components[-1].image == "acme/kong:3.9.3"


def test_what_a_release_lacks_is_named_with_the_way_to_do_without(make_input: MakeInput) -> None:
    spec = {"pooler": {"enabled": True}, "realtime": {"enabled": True}}
    with pytest.raises(NotRenderable) as refusal:
        project(make_input(spec, release=load_releases()["2026.9.1"]))
    assert refusal.value.reason is Reason.COMPONENT_UNAVAILABLE
    assert "does not offer pooler, realtime" in refusal.value.message
    assert "set pooler.enabled, realtime.enabled to false" in refusal.value.message


def test_a_refusal_holds_no_value_of_a_secret(make_input: MakeInput) -> None:
    spec = {"auth": {"secretRefs": {"password_min_length": {"name": "a", "key": "b"}}}}
    with pytest.raises(NotRenderable) as refusal:
        project(make_input(spec, secrets={("a", "b"): "hunter2"}))
    assert "hunter2" not in refusal.value.message


def test_a_component_that_is_off_takes_its_needs_with_it(make_input: MakeInput) -> None:
    default = newest(load_releases()).default_components - {ComponentName.DB}
    # imgproxy goes with storage
    off = {name.value: {"enabled": False} for name in default - {ComponentName.IMGPROXY}}
    rendered = project(make_input(off))
    assert [c.name for c in rendered.components] == [ComponentName.DB]
    assert (rendered.endpoints.api, rendered.endpoints.studio) == (None, None)


def test_an_image_of_ones_own_may_have_another_version(make_input: MakeInput) -> None:
    spec = {"database": {"version": "15"}, "images": {"db": "acme/postgres:15"}}
    assert project(make_input(spec)).components[0].image == "acme/postgres:15"


def test_a_component_without_an_image_in_the_release_can_be_brought_along_only_if_known(
    make_input: MakeInput,
) -> None:
    spec = {"realtime": {"enabled": True}, "images": {"realtime": "acme/realtime:1"}}
    with pytest.raises(NotRenderable) as refusal:
        project(make_input(spec, release=load_releases()["2026.9.1"]))
    assert refusal.value.reason is Reason.COMPONENT_UNAVAILABLE


def test_the_reserved_hosts_of_the_project_itself_are_its_own(make_input: MakeInput) -> None:
    own = "abcdefghijklmnopqrst.example.com"
    assert project(make_input({"host": own})).endpoints.api == f"https://{own}"


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("acme.test/size", True), ("acme.test/*", True), ("acme.test/si", False), ("*", True)],
)
def test_an_allow_list_names_keys_or_their_beginnings(
    make_input: MakeInput, platform: Platform, pattern: str, fits: bool
) -> None:
    allowing = dataclasses.replace(platform, allowed_annotations=(pattern,))
    spec = {"ingress": {"kind": "Ingress", "annotations": {"acme.test/size": "1m"}}}
    if fits:
        assert project(make_input(spec, platform=allowing)).manifests
        return
    with pytest.raises(NotRenderable):
        project(make_input(spec, platform=allowing))
