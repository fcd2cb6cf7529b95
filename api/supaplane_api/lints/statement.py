"""How are the mistakes of `checks.py` found? One SELECT over the catalogue of PostgreSQL.

Each row is a finding: `lint`, the `schema`, `name` and `kind` of what it is about, and `more`, a
word that tells two findings at one thing apart. Schemas of Supabase's own services and what belongs
to extensions are left out.
"""

from __future__ import annotations

from typing import Final

STATEMENT: Final = r"""
with schemas as (
  select oid, nspname as schema from pg_namespace
   where nspname not like 'pg\_%' and nspname not in
     ('_analytics', '_realtime', '_supaplane', '_supavisor', 'auth', 'cron', 'extensions',
      'graphql', 'graphql_public', 'information_schema', 'net', 'pgbouncer', 'pgmq', 'pgsodium',
      'realtime', 'storage', 'supabase_functions', 'supabase_migrations', 'vault')
), relations as (
  select s.schema, c.*, c.oid as id,
         exists (select from pg_policy p where p.polrelid = c.oid) as has_policy
    from pg_class c join schemas s on s.oid = c.relnamespace
   where not exists (select from pg_depend d where d.classid = 'pg_class'::regclass
                       and d.objid = c.oid and d.deptype = 'e')
), tables as (
  select * from relations where relkind in ('r', 'p')
), found as (
  select 'rls_disabled_in_public' as lint, schema, relname::text as name, 'table' as kind,
         '' as more
    from tables where schema = 'public' and not relrowsecurity
  union all
  select 'policy_exists_rls_disabled', schema, relname, 'table', ''
    from tables where has_policy and not relrowsecurity
  union all
  select 'rls_enabled_no_policy', schema, relname, 'table', ''
    from tables where relrowsecurity and not has_policy
  union all
  select 'no_primary_key', schema, relname, 'table', ''
    from tables t where not relispartition
     and not exists (select from pg_index i where i.indrelid = t.id and i.indisprimary)
  union all
  select 'unindexed_foreign_keys', t.schema, t.relname, 'table', k.conname
    from pg_constraint k join tables t on t.id = k.conrelid
   where k.contype = 'f' and not exists
     (select from pg_index i where i.indrelid = k.conrelid and i.indpred is null and k.conkey <@
        (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(k.conkey)])
  union all
  select 'duplicate_index', t.schema, t.relname, 'table',
         string_agg(o.relname, ', ' order by o.relname)
    from pg_index i join tables t on t.id = i.indrelid join pg_class o on o.oid = i.indexrelid
   group by t.schema, t.relname,
            regexp_replace(pg_get_indexdef(i.indexrelid), ' INDEX .*? ON ', ' INDEX ON ')
  having count(*) > 1
  union all
  select 'function_search_path_mutable', s.schema, f.proname, 'function', md5(f.oid::text)
    from pg_proc f join schemas s on s.oid = f.pronamespace
   where f.prokind in ('f', 'p')
     and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass
                       and d.objid = f.oid and d.deptype = 'e')
     and not exists (select from unnest(f.proconfig) c where c like 'search\_path=%')
  union all
  select 'security_definer_view', schema, relname, 'view', ''
    from relations where relkind = 'v' and schema = 'public' and not exists
      (select from unnest(reloptions) o
        where lower(o) ~ '^security_invoker=(true|on|1|yes)$')
  union all
  select 'extension_in_public', s.schema, e.extname, 'extension', ''
    from pg_extension e join schemas s on s.oid = e.extnamespace where s.schema = 'public'
)
select lint, schema, name, kind, more from found order by lint, schema, name, more limit 1000
"""
"""At most a thousand findings: a page of more helps nobody."""
