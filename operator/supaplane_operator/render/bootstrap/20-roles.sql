-- Every role that the services need, where the image has not made it. Attributes of a role that
-- exists are left alone.
begin;
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('postgres', 'login createdb createrole replication bypassrls'),
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      ('authenticator', 'login noinherit'),
      ('supabase_auth_admin', 'login noinherit createrole'),
      ('supabase_storage_admin', 'login noinherit createrole'),
      ('supabase_functions_admin', 'login noinherit createrole'),
      ('supabase_replication_admin', 'login replication'),
      ('supabase_etl_admin', 'login replication'),
      ('supabase_read_only_user', 'login bypassrls'),
      ('pgbouncer', 'login'),
      ('dashboard_user', 'createdb createrole replication')
    ) as role (name, attributes)
    where name not in (select rolname from pg_roles)
  loop
    execute format('create role %I %s', wanted.name, wanted.attributes);
    execute format('comment on role %I is %L', wanted.name, 'made by the bootstrap');
  end loop;
end $$;

grant anon, authenticated, service_role to authenticator;
grant pg_read_all_data to supabase_read_only_user;
commit;
