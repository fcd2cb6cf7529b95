"""manifests/install.yaml: what the chart installs, for those who use no Helm.

`--write` renders it, `--check` says whether it is what the chart renders now.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from supaplane_devcluster import tools
from supaplane_devcluster.errors import CannotBuild, DevclusterError

CHECKOUT = Path(__file__).resolve().parents[2]
NAMESPACE = "supaplane-system"
TARGET = "manifests/install.yaml"
_VALUES = "manifests/install-values.yaml"
_HEAD = f"""\
# Written by `make generate` from helm/supaplane with {_VALUES}: change those.
#
# Before: Secret {NAMESPACE}/supaplane-database with DATABASE_URL, and Secret
# {NAMESPACE}/supaplane-api-secrets with JWT_SECRET and ENCRYPTION_SECRET (docs/operations.md).
# projects.example.org is the domain below which projects get their hosts: put yours in its place.
#
#   kubectl apply --server-side -f {TARGET}
---
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
  labels:
    app.kubernetes.io/part-of: supaplane
    pod-security.kubernetes.io/enforce: restricted
"""


def render(helm: Path, checkout: Path = CHECKOUT) -> str:
    """The text of the file. Raises CannotBuild with Helm's words."""
    answer = subprocess.run(
        [
            *(str(helm), "template", "supaplane", str(checkout / "helm/supaplane")),
            *("--namespace", NAMESPACE, "--no-hooks", "--skip-tests"),
            *("--values", str(checkout / _VALUES)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise CannotBuild(answer.stderr.strip())
    # what says that Helm keeps it would be untrue here
    lines = (line for line in answer.stdout.splitlines() if "managed-by: Helm" not in line)
    return _HEAD + "\n".join(line.rstrip() for line in lines) + "\n"


def main() -> int:
    """Writes or checks."""
    parser = argparse.ArgumentParser(prog="supaplane_demo.install", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true")
    what.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    try:
        text = render(tools.ensure("helm", lambda line: print(line, file=sys.stderr, flush=True)))
    except DevclusterError as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    target = CHECKOUT / TARGET
    if arguments.write:
        target.write_text(text)
    elif not target.exists() or target.read_text() != text:
        print(f"{TARGET} is not what the chart renders: make generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
