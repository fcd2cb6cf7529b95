-- Schemas that services look for at their start and would fail without.
begin;
create schema if not exists extensions;
create schema if not exists _realtime authorization supabase_admin;
-- exposed by the data API by default; pg_graphql fills it once somebody turns it on
create schema if not exists graphql_public;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;
commit;

-- SQL may ask how long tokens live
do $$
declare
  wanted constant text := current_setting('supaplane.settings')::jsonb ->> 'jwt_exp';
  there text;
begin
  select split_part(entry, '=', 2) into there
  from pg_db_role_setting, unnest(setconfig) as entry
  where setrole = 0 and entry like 'app.settings.jwt_exp=%'
    and setdatabase = (select oid from pg_database where datname = 'postgres');
  if there is distinct from wanted then
    execute format('alter database postgres set "app.settings.jwt_exp" = %L', wanted);
  end if;
end $$;
