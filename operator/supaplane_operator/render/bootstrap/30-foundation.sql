-- What the supabase/postgres image makes at its first start. Where the image did, this is only
-- noted; a plain PostgreSQL gets it from here.
select not exists (select from _supaplane.bootstrap where step = 'foundation') as needed \gset
\if :needed
begin;
select exists (
  select from pg_roles
  where rolname = 'supabase_storage_admin'
    and coalesce(shobj_description(oid, 'pg_authid'), '') <> 'made by the bootstrap'
) as by_image \gset
\if :by_image
\else
create schema if not exists extensions;
create schema if not exists auth authorization supabase_admin;
create schema if not exists storage authorization supabase_admin;
create schema if not exists pgbouncer authorization pgbouncer;

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('uuid-ossp'), ('pgcrypto'), ('pg_stat_statements')
    ) as extension (name)
    where name in (select available.name from pg_available_extensions as available)
  loop
    execute format('create extension if not exists %I with schema extensions', wanted.name);
  end loop;
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
end $$;

alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_storage_admin set search_path = storage;
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';

grant all on database postgres to postgres, dashboard_user;
grant create on database postgres to supabase_auth_admin, supabase_storage_admin;
-- without pg_read_all_data, which would show it the verifiers of every role
grant anon, authenticated, service_role, authenticator,
  pg_monitor, pg_signal_backend to postgres with admin option;

grant all on schema public to postgres with grant option;
grant usage on schema public to anon, authenticated, service_role;
grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to postgres, dashboard_user;
grant usage on schema auth to anon, authenticated, service_role;
grant all on schema auth to supabase_auth_admin, postgres, dashboard_user;
grant usage on schema storage to anon, authenticated, service_role;
grant all on schema storage to supabase_storage_admin, postgres with grant option;
grant all on schema storage to dashboard_user;

alter default privileges for role postgres in schema public
  grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
  grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
  grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public
  grant all on sequences to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_storage_admin in schema storage
  grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_storage_admin in schema storage
  grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_storage_admin in schema storage
  grant all on sequences to postgres, anon, authenticated, service_role;

-- What a pooler asks to check a client's password: the verifier, never for a role out of date.
create or replace function pgbouncer.get_auth(p_usename text)
returns table (username text, password text)
language sql stable security definer set search_path = pg_catalog
as $$
  select rolname::text, case when rolvaliduntil < now() then null else rolpassword end
  from pg_authid
  where rolname = p_usename and rolcanlogin
$$;
revoke all on function pgbouncer.get_auth(text) from public;
grant execute on function pgbouncer.get_auth(text) to pgbouncer;
\endif
insert into _supaplane.bootstrap (step) values ('foundation');
commit;
\endif
