"""The certificates that a cluster is given."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtensionOID

from supaplane_devcluster.certificates import Certificates, make

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def made() -> Certificates:
    return make(NOW)


def test_the_server_certificate_is_signed_by_the_ca(made: Certificates) -> None:
    ca = x509.load_pem_x509_certificate(made.ca.encode())
    server = x509.load_pem_x509_certificate(made.server_certificate.encode())
    server.verify_directly_issued_by(ca)


def test_the_server_is_known_by_its_loopback_service_and_node_names(made: Certificates) -> None:
    server = x509.load_pem_x509_certificate(made.server_certificate.encode())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)
    assert names.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("10.96.0.1"),
        ipaddress.ip_address("10.250.0.1"),
    ]


def test_keys_have_identifiers_as_strict_verifiers_want(made: Certificates) -> None:
    ca = x509.load_pem_x509_certificate(made.ca.encode())
    server = x509.load_pem_x509_certificate(made.server_certificate.encode())
    assert ca.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_KEY_IDENTIFIER)
    assert server.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)


def test_they_hold_for_a_year_and_from_a_little_before(made: Certificates) -> None:
    server = x509.load_pem_x509_certificate(made.server_certificate.encode())
    assert server.not_valid_before_utc < NOW
    assert server.not_valid_after_utc - NOW == datetime.timedelta(days=365)


def test_the_keys_of_a_pair_belong_together(made: Certificates) -> None:
    private = serialization.load_pem_private_key(made.service_account_key.encode(), None)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public.decode() == made.service_account_public_key


def test_no_key_shows_when_they_are_printed(made: Certificates) -> None:
    assert "PRIVATE" not in repr(made)
