-- The database that pooler and log server keep their own tables in. Last, for the way there ends
-- the session.
select format('create database _supabase with owner supabase_admin')
where not exists (select from pg_database where datname = '_supabase') \gexec

\connect _supabase
set client_min_messages = warning;
begin;
create schema if not exists _analytics authorization supabase_admin;
create schema if not exists _supavisor authorization supabase_admin;
commit;
