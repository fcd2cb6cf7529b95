"""An operator that runs on this machine can answer admission webhooks of the cluster."""

from __future__ import annotations

import base64
import datetime
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supaplane_devcluster import Cluster, certificates

pytestmark = pytest.mark.cluster


class Refuse(http.server.BaseHTTPRequestHandler):
    """Refuses whatever it is asked about."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        review = json.loads(self.rfile.read(length))
        review["response"] = {
            "uid": review["request"]["uid"],
            "allowed": False,
            "status": {"message": "refused by the test"},
        }
        body = json.dumps(review).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def webhook(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The clientConfig of a webhook on loopback."""
    made = certificates.make(datetime.datetime.now(datetime.UTC))
    (tmp_path / "crt").write_text(made.server_certificate)
    (tmp_path / "key").write_text(made.server_key)
    server = http.server.HTTPServer(("127.0.0.1", 0), Refuse)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    bundle = base64.b64encode(made.ca.encode()).decode()
    yield {"url": f"https://127.0.0.1:{server.server_port}/", "caBundle": bundle}
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_by_address_is_asked(running: Cluster, webhook: dict[str, str]) -> None:
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["configmaps"],
    }
    configuration = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "refuse"},
        "webhooks": [
            {
                "name": "refuse.example.com",
                "clientConfig": webhook,
                "rules": [rule],
                "matchConditions": [{"name": "ours", "expression": "object.metadata.name == 'x'"}],
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "timeoutSeconds": 5,
            }
        ],
    }
    running.kubectl("apply", "-f", "-", input=json.dumps(configuration))

    def refused() -> bool:
        answer = running.kubectl("create", "configmap", "x", "--dry-run=server", check=False)
        return "refused by the test" in answer.stderr

    for _ in range(100):
        if refused():
            return
    raise AssertionError("the webhook was not asked")
