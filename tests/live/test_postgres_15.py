"""What a project does with a PostgreSQL that is older than that of the releases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from supaplane_devcluster.images import Images

from .images.recipes import POSTGRES_15, REFERENCE_15
from .platform import Platform
from .things import Project


def inside(platform: Platform, project: Project, *command: str, given: str | None = None) -> str:
    """The answer of a program of the database's container."""
    argv = ("exec", "--stdin", "db-0", "-n", project.namespace, "-c", "db", "--")
    return platform.cluster.kubectl(*argv, *command, input=given).stdout


def test_version_15_is_brought_to_the_same_state_and_its_dump_fits_a_project_with_17(
    platform: Platform, shop: Project, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    platform.cluster.import_images(Images((POSTGRES_15,)).build(POSTGRES_15.name))
    platform.cluster.tag_image(POSTGRES_15.reference, REFERENCE_15)
    older = {"database": {"version": "15"}, "images": {"db": REFERENCE_15}}
    project = platform.until_healthy(apply("older", {**small, **older}), "with PostgreSQL 15")
    with platform.database(project) as session:
        assert session.info.server_version // 10000 == 15
        session.execute("create table public.moved (word text primary key)")
        session.execute("insert into public.moved values ('kept')")
        session.execute("alter table public.moved enable row level security")
        session.execute("create policy own on public.moved to authenticated using (true)")
        session.execute("grant select on public.moved to anon")

    who = ("-h", "/var/run/postgresql", "-U", "supabase_admin", "-d", "postgres")
    dump = inside(platform, project, "pg_dump", *who, "--table=public.moved")
    into = ("gosu", "postgres", "psql", *who, "-X", "-q", "-v", "ON_ERROR_STOP=1")
    inside(platform, shop, *into, given=dump)
    with platform.database(shop) as session:
        assert session.info.server_version // 10000 == 17
        assert session.execute("select word from public.moved").fetchall() == [("kept",)]
        policies = "select policyname, roles::text from pg_policies where tablename = 'moved'"
        assert session.execute(policies).fetchall() == [("own", "{authenticated}")]
    with platform.database(shop, "authenticator") as session:
        session.execute("set role anon")
        assert session.execute("select word from public.moved").fetchall() == []
