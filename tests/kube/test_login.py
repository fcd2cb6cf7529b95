"""How the server and the way to prove who we are, are found."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest
import yaml

from supaplane_kube.login import NoCluster, find


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca"
    subprocess.run(
        [*command.split(), "-keyout", folder / "ca.key", "-out", folder / "ca.crt"],
        check=True,
        capture_output=True,
    )
    return folder / "ca.crt"


def account(tmp_path: Path, certificate: Path) -> dict[str, str]:
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "ca.crt").write_bytes(certificate.read_bytes())
    return {
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
        "KUBERNETES_SERVICE_PORT": "6443",
        "SUPAPLANE_SERVICE_ACCOUNT_DIR": str(tmp_path),
    }


async def test_inside_a_cluster_the_service_account_is_used(tmp_path, certificate):
    login = await find(kubeconfig=None, environ=account(tmp_path, certificate))
    assert login.server == "https://10.0.0.1:6443"
    assert isinstance(login.ssl_context, ssl.SSLContext)
    assert await login.authorization() == "Bearer first"


async def test_an_ipv6_address_is_put_in_brackets(tmp_path, certificate):
    environ = account(tmp_path, certificate) | {"KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert (await find(kubeconfig=None, environ=environ)).server == "https://[fd00::1]:6443"


async def test_a_token_that_was_renewed_on_disk_is_used(tmp_path, certificate, monkeypatch):
    login = await find(kubeconfig=None, environ=account(tmp_path, certificate))
    await login.authorization()
    (tmp_path / "token").write_text("second")
    assert await login.authorization() == "Bearer first"
    monkeypatch.setattr("supaplane_kube.login.TOKEN_LIFE_SECONDS", -1.0)
    assert await login.authorization() == "Bearer second"


async def test_a_kubeconfig_is_read(tmp_path, certificate):
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "c",
                "cluster": {
                    "server": "https://127.0.0.1:6443",
                    "certificate-authority": str(certificate),
                },
            }
        ],
        "users": [{"name": "u", "user": {"token": "from-kubeconfig"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(config))
    for how in (
        {"kubeconfig": str(file), "environ": {}},
        {"kubeconfig": None, "environ": {"KUBECONFIG": str(file)}},
    ):
        login = await find(**how)
        assert login.server == "https://127.0.0.1:6443"
        assert await login.authorization() == "Bearer from-kubeconfig"


async def test_a_named_kubeconfig_wins_over_the_cluster_it_runs_in(tmp_path, certificate):
    with pytest.raises(NoCluster, match="nowhere"):
        await find(kubeconfig=str(tmp_path / "nowhere"), environ=account(tmp_path, certificate))


async def test_a_kubeconfig_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NoCluster, match="missing"):
        await find(kubeconfig=str(tmp_path / "missing"), environ={})
