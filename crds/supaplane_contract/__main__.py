"""How is crds/supabaseprojects.yaml written, and is it what the models say?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from .schema import crd

DEFAULT_PATH: Final = Path(__file__).parent.parent / f"{crd()['spec']['names']['plural']}.yaml"
_HEADER: Final = """\
# The SupabaseProject of Supaplane, generated from the models in supaplane_contract:
# change those and run `python -m supaplane_contract --write`.
"""


class _Dumper(yaml.SafeDumper):
    """Lists indented below their key, no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def render() -> str:
    """The definition as YAML; the same models give the same text."""
    body = yaml.dump(crd(), Dumper=_Dumper, sort_keys=False, width=98, allow_unicode=True)
    return f"{_HEADER}{body}"


def main(arguments: list[str] | None = None) -> int:
    """Prints the definition, writes it or compares it. 1: the file differs."""
    parser = argparse.ArgumentParser(
        prog="python -m supaplane_contract",
        description="Generates the CustomResourceDefinition from the models. "
        "Without an option it is printed.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="write the file")
    what.add_argument("--check", action="store_true", help="fail if the file differs")
    parser.add_argument("--path", type=Path, default=DEFAULT_PATH, help="default: %(default)s")
    options = parser.parse_args(arguments)
    if options.write:
        options.path.write_text(render(), encoding="utf-8")
    elif options.check:
        return _check(options.path)
    else:
        sys.stdout.write(render())
    return 0


def _check(path: Path) -> int:
    if path.is_file() and path.read_text(encoding="utf-8") == render():
        return 0
    sys.stderr.write(
        f"{path} is not what the models say: run python -m supaplane_contract --write\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
