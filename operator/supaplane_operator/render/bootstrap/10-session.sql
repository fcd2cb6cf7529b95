-- Nothing of this session may reach the server's log: it handles passwords' verifiers.
set client_min_messages = warning;
set log_statement = 'none';
set log_min_error_statement = 'panic';
set log_min_duration_statement = -1;
set search_path = pg_catalog;
set statement_timeout = '5min';
set lock_timeout = '30s';

-- one bootstrap at a time; given back with the connection
select pg_advisory_lock(8317250394);

\getenv roles SUPAPLANE_ROLES
\getenv settings SUPAPLANE_SETTINGS
select set_config('supaplane.roles', :'roles', false),
       set_config('supaplane.settings', :'settings', false);

-- Steps that must happen once in the life of a database are remembered here, so that what people
-- take back (a grant, an extension) stays taken back.
create schema if not exists _supaplane authorization supabase_admin;
create table if not exists _supaplane.bootstrap (
  step text primary key,
  applied_at timestamptz not null default now()
);
revoke all on schema _supaplane from public;
