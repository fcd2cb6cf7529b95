"""Are the minted credentials of the right shape, fitting one another, and minted only once?

Signatures are checked by jwcrypto, which had no part in making them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto import jwk, jws

from supaplane_contract import credentials, jose, names, p256
from supaplane_contract.credentials import IRREPLACEABLE, KEYS, mint
from supaplane_contract.errors import CredentialsLost

RandomBytes = Callable[[int], bytes]
SIGNED = {
    "anon-key": ("HS256", "anon"),
    "service-role-key": ("HS256", "service_role"),
    "anon-key-asymmetric": ("ES256", "anon"),
    "service-role-key-asymmetric": ("ES256", "service_role"),
}


@pytest.fixture(scope="session")
def minted(random_bytes: Callable[[int], RandomBytes], now: datetime) -> dict[str, str]:
    """A complete set."""
    return mint({}, random_bytes=random_bytes(1), now=now)


def claims_of(token: str, key: jwk.JWK, algorithm: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token, after jwcrypto has found its signature good."""
    checked = jws.JWS()
    checked.deserialize(token)
    checked.verify(key, alg=algorithm)
    return checked.jose_header, json.loads(checked.payload)


def hs256_key(secret: str) -> jwk.JWK:
    raw = base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
    return jwk.JWK(kty="oct", k=raw)


def consistent(values: Mapping[str, str]) -> bool:
    """Whether all that is derived fits its origin, as an outsider sees it."""
    published = jwk.JWKSet.from_json(values["jwt-jwks"])
    private, shared = json.loads(values["jwt-keys"])
    for name, (algorithm, role) in SIGNED.items():
        asymmetric = algorithm == "ES256"
        key = published.get_key(private["kid"]) if asymmetric else hs256_key(values["jwt-secret"])
        header, claims = claims_of(values[name], key, algorithm)
        assert claims["role"] == role
        assert header.get("kid") == (private["kid"] if asymmetric else None)
    secrets = [k for k in json.loads(values["jwt-jwks"])["keys"] if k["kty"] == "oct"]
    assert secrets == [shared]
    return base64.urlsafe_b64decode(shared["k"] + "==").decode() == values["jwt-secret"]


def test_a_complete_set_is_minted_out_of_nothing(minted: dict[str, str]) -> None:
    assert set(minted) == set(KEYS)
    assert len(KEYS) == len(set(KEYS))
    assert all(minted.values())
    assert consistent(minted)


def test_the_same_randomness_and_time_give_the_same_set(
    minted: dict[str, str], random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    assert mint({}, random_bytes=random_bytes(1), now=now) == minted


def test_other_randomness_changes_every_secret(
    minted: dict[str, str], random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    other = mint({}, random_bytes=random_bytes(2), now=now)
    assert {key for key in KEYS if other[key] == minted[key]} == {"dashboard-username"}


def test_no_two_secrets_of_a_set_are_alike(minted: dict[str, str]) -> None:
    assert len(set(minted.values())) == len(minted)


@pytest.mark.parametrize(("name", "expected"), SIGNED.items())
def test_keys_carry_exactly_the_claims_of_upstream_for_five_years(
    minted: dict[str, str], now: datetime, name: str, expected: tuple[str, str]
) -> None:
    algorithm, role = expected
    kid = json.loads(minted["jwt-keys"])[0]["kid"]
    published = jwk.JWKSet.from_json(minted["jwt-jwks"])
    key = hs256_key(minted["jwt-secret"]) if algorithm == "HS256" else published.get_key(kid)
    header, claims = claims_of(minted[name], key, algorithm)
    issued = int(now.timestamp())
    five_years = 5 * 365 * 24 * 3600
    assert claims == {"role": role, "iss": "supabase", "iat": issued, "exp": issued + five_years}
    assert header == {
        "alg": algorithm,
        "typ": "JWT",
        **({"kid": kid} if algorithm[0] == "E" else {}),
    }


def test_a_key_signed_for_another_project_does_not_pass(
    minted: dict[str, str], random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    other = mint({}, random_bytes=random_bytes(2), now=now)
    with pytest.raises(jws.InvalidJWSSignature):
        claims_of(minted["anon-key"], hs256_key(other["jwt-secret"]), "HS256")


def test_jwt_keys_holds_the_private_key_and_the_secret(minted: dict[str, str]) -> None:
    private, shared = json.loads(minted["jwt-keys"])
    assert set(private) == {"kty", "kid", "use", "key_ops", "alg", "ext", "crv", "x", "y", "d"}
    assert private["key_ops"] == ["sign", "verify"]
    assert (private["kty"], private["crv"], private["alg"]) == ("EC", "P-256", "ES256")
    assert set(shared) == {"kty", "k", "alg"}
    assert jwk.JWK(**private).has_private


def test_jwt_jwks_does_not_hold_the_private_half(minted: dict[str, str]) -> None:
    public, shared = json.loads(minted["jwt-jwks"])["keys"]
    private = json.loads(minted["jwt-keys"])[0]
    assert public == {**{k: v for k, v in private.items() if k != "d"}, "key_ops": ["verify"]}
    assert shared["alg"] == "HS256"


@pytest.mark.parametrize("kind", ["publishable", "secret"])
def test_opaque_keys_end_in_the_checksum_of_upstream(minted: dict[str, str], kind: str) -> None:
    match = re.fullmatch(
        rf"(sb_{kind}_[-_A-Za-z0-9]{{22}})_([-_A-Za-z0-9]{{8}})", minted[f"{kind}-key"]
    )
    assert match
    digest = hashlib.sha256(f"supabase-self-hosted|{match[1]}".encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode()[:8] == match[2]


@pytest.mark.parametrize(
    ("key", "length"),
    [("realtime-db-enc-key", 16), ("vault-enc-key", 32), ("pgsodium-root-key", 64)],
)
def test_encryption_keys_have_exactly_the_length_that_services_insist_on(
    minted: dict[str, str], key: str, length: int
) -> None:
    assert re.fullmatch(rf"[0-9a-f]{{{length}}}", minted[key])
    assert key in IRREPLACEABLE


def test_the_cookie_secret_is_long_enough_for_phoenix(minted: dict[str, str]) -> None:
    assert len(minted["secret-key-base"]) >= 64


def test_minted_passwords_need_no_escaping_in_a_url(minted: dict[str, str]) -> None:
    passwords = {key: value for key, value in minted.items() if key.startswith("password-")}
    assert len(passwords) == len(credentials.DATABASE_ROLES)
    assert all(re.fullmatch(r"[0-9a-f]{32}", value) for value in passwords.values())


def test_roles_become_keys_with_dashes() -> None:
    assert credentials.password_key("supabase_auth_admin") == "password-supabase-auth-admin"


@given(data=st.data())
def test_whatever_is_there_stays_and_what_is_missing_fits(
    minted: dict[str, str],
    random_bytes: Callable[[int], RandomBytes],
    data: st.DataObject,
) -> None:
    have = {key: minted[key] for key in data.draw(st.sets(st.sampled_from(KEYS)))}
    later = datetime(2029, 1, 1, tzinfo=UTC)
    try:
        made = mint(have, random_bytes=random_bytes(7), now=later)
    except CredentialsLost:
        assert lost(have)
        return
    assert not lost(have)
    assert not set(made) & set(have)
    assert set(made) | set(have) == set(KEYS)
    assert consistent({**have, **made})


def lost(have: Mapping[str, str]) -> bool:
    """Whether something is there whose origin is not, so that nothing consistent can be made."""
    holders = {"jwt-secret", "jwt-keys", "jwt-jwks"} & set(have)
    shared = {"anon-key", "service-role-key"} & set(have)
    of_pair = {"jwt-jwks", "anon-key-asymmetric", "service-role-key-asymmetric"} & set(have)
    return bool(shared and not holders) or bool(of_pair and "jwt-keys" not in have)


def test_nothing_is_minted_when_nothing_is_missing(minted: dict[str, str], now: datetime) -> None:
    def refuse(count: int) -> bytes:
        raise AssertionError("drew randomness for nothing")

    assert mint(minted, random_bytes=refuse, now=now) == {}


def test_keys_of_a_newer_version_are_left_alone(minted: dict[str, str], now: datetime) -> None:
    newer = {**minted, "some-later-key": "x"}
    assert mint(newer, random_bytes=lambda n: b"0" * n, now=now) == {}


def test_an_empty_value_counts_as_missing(
    minted: dict[str, str], random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    made = mint({**minted, "dashboard-password": ""}, random_bytes=random_bytes(3), now=now)
    assert set(made) == {"dashboard-password"}


def test_only_a_jwt_secret_of_an_older_installation_is_enough_to_keep_its_clients(
    random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    have = {"jwt-secret": "your-super-secret-jwt-token-with-at-least-32-characters"}
    values = {**have, **mint(have, random_bytes=random_bytes(4), now=now)}
    assert values["jwt-secret"] == have["jwt-secret"]
    assert consistent(values)


def test_a_lost_jwt_secret_is_read_back_from_the_sets_that_hold_it(
    minted: dict[str, str], random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    have = {k: v for k, v in minted.items() if k != "jwt-secret"}
    made = mint(have, random_bytes=random_bytes(5), now=now)
    assert made == {"jwt-secret": minted["jwt-secret"]}


@pytest.mark.parametrize(
    ("have", "named"),
    [
        ({"anon-key": "x.y.z"}, ["jwt-secret is missing", "anon-key"]),
        ({"anon-key-asymmetric": "x.y.z"}, ["jwt-keys is missing", "anon-key-asymmetric"]),
        ({"jwt-keys": "not json"}, ["jwt-keys is not a set of JSON Web Keys"]),
        ({"jwt-keys": "[]"}, ["jwt-keys holds no private P-256 key"]),
        ({"jwt-keys": '[{"kty":"EC","kid":"a","d":"AAAA"}]'}, ["holds no private P-256 key"]),
        ({"jwt-keys": '[{"kty":"oct","k":7}]'}, ["jwt-keys holds a symmetric key"]),
        ({"jwt-jwks": "[1]"}, ["jwt-jwks is not a set of JSON Web Keys"]),
    ],
)
def test_what_cannot_be_completed_is_refused_with_the_key_and_the_cure(
    have: dict[str, str], named: list[str], now: datetime
) -> None:
    with pytest.raises(CredentialsLost) as refusal:
        mint(have, random_bytes=lambda n: b"7" * n, now=now)
    assert all(part in str(refusal.value) for part in named)


def test_sets_that_disagree_about_the_secret_are_refused_without_telling_it(
    minted: dict[str, str], now: datetime
) -> None:
    have = {"jwt-keys": minted["jwt-keys"], "jwt-secret": "another-secret-of-enough-characters"}
    with pytest.raises(CredentialsLost, match="different secrets") as refusal:
        mint(have, random_bytes=lambda n: b"7" * n, now=now)
    told = str(refusal.value)
    assert minted["jwt-secret"] not in told
    assert "another-secret" not in told


def test_a_published_set_of_another_key_is_refused(
    minted: dict[str, str], random_bytes: Callable[[int], RandomBytes], now: datetime
) -> None:
    mixed = mint({"jwt-secret": minted["jwt-secret"]}, random_bytes=random_bytes(9), now=now)
    have = {"jwt-keys": minted["jwt-keys"], "jwt-jwks": mixed["jwt-jwks"]}
    with pytest.raises(CredentialsLost, match="lacks the public half"):
        mint(have, random_bytes=random_bytes(10), now=now)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        mint({}, random_bytes=lambda n: b"7" * n, now=datetime(2026, 1, 1))  # noqa: DTZ001


@given(seed=st.binary(min_size=p256.SCALAR_BYTES, max_size=p256.SCALAR_BYTES))
def test_every_seed_makes_a_key_that_others_can_read(seed: bytes) -> None:
    key = p256.private_key(seed)
    read = jwk.JWK(**p256.private_jwk(key, "some-kid"))
    token = p256.sign_es256({"role": "anon"}, key, "some-kid")
    public = jwk.JWK(**jose.public_jwk(p256.private_jwk(key, "some-kid")))
    assert not public.has_private
    assert public.thumbprint() == read.thumbprint()
    assert claims_of(token, public, "ES256")[1] == {"role": "anon"}


@pytest.mark.parametrize("seed", [b"\x00" * 40, b"\xff" * 40])
def test_extreme_seeds_make_keys_within_the_order_of_the_curve(seed: bytes) -> None:
    scalar = p256.private_key(seed).private_numbers().private_value
    assert 0 < scalar < p256.P256_ORDER


def test_a_seed_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="40 random bytes"):
        p256.private_key(b"short")


@given(values=st.dictionaries(st.text(min_size=1), st.text()))
def test_values_survive_a_secret(values: dict[str, str]) -> None:
    secret = {"metadata": {"name": "x"}, "data": credentials.to_secret_data(values)}
    assert credentials.from_secret_data(secret) == values


def test_a_secret_without_data_holds_nothing() -> None:
    assert credentials.from_secret_data({"metadata": {"name": "x"}}) == {}
    assert credentials.from_secret_data({"data": {"empty": None}}) == {"empty": ""}


@pytest.mark.parametrize("broken", ["%%%", "/w==", "YQ"])
def test_a_secret_that_is_not_text_is_refused_by_name(broken: str) -> None:
    secret = {"metadata": {"name": "x-credentials"}, "data": {"jwt-secret": broken}}
    with pytest.raises(CredentialsLost, match="key jwt-secret of Secret x-credentials"):
        credentials.from_secret_data(secret)


def test_the_master_secret_lies_beside_its_project_and_belongs_to_nobody() -> None:
    manifest = credentials.master_secret(
        cr_name="shop", namespace="home", ref="a" * 20, values={"jwt-secret": "x"}
    )
    assert manifest["metadata"]["name"] == "shop-credentials"
    assert manifest["metadata"]["namespace"] == "home"
    assert manifest["metadata"]["labels"][names.LABEL_REF] == "a" * 20
    assert manifest["metadata"]["labels"][names.LABEL_MANAGED_BY] == names.MANAGED_BY
    assert manifest["type"] == "Opaque"
    assert "ownerReferences" not in manifest["metadata"]
    assert credentials.from_secret_data(manifest) == {"jwt-secret": "x"}
