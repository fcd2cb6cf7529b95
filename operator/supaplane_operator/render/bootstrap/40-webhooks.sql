-- Database webhooks: the trigger function that Studio's webhooks call, over pg_net.
select not exists (select from _supaplane.bootstrap where step = 'webhooks') as needed \gset
\if :needed
begin;
create schema if not exists extensions;
create schema if not exists supabase_functions authorization supabase_admin;

create table if not exists supabase_functions.migrations (
  version text primary key,
  inserted_at timestamptz not null default now()
);
create table if not exists supabase_functions.hooks (
  id bigserial primary key,
  hook_table_id integer not null,
  hook_name text not null,
  created_at timestamptz not null default now(),
  request_id bigint
);
create index if not exists supabase_functions_hooks_request_id_idx
  on supabase_functions.hooks (request_id);
create index if not exists supabase_functions_hooks_h_table_id_h_name_idx
  on supabase_functions.hooks (hook_table_id, hook_name);

do $$
begin
  if to_regprocedure('supabase_functions.http_request()') is not null then
    return;
  end if;
  -- arguments of the trigger: URL, method, headers, parameters (JSON objects), timeout in ms
  create function supabase_functions.http_request() returns trigger
  language plpgsql security definer set search_path = ''
  as $function$
  declare
    url constant text := nullif(tg_argv[0], 'null');
    method constant text := upper(nullif(tg_argv[1], 'null'));
    headers constant jsonb :=
      coalesce(nullif(tg_argv[2], 'null'), '{"Content-Type": "application/json"}')::jsonb;
    params constant jsonb := coalesce(nullif(tg_argv[3], 'null'), '{}')::jsonb;
    timeout constant integer := coalesce(nullif(tg_argv[4], 'null'), '1000')::integer;
    request bigint;
  begin
    if url is null then
      raise exception 'the webhook % has no URL', tg_name;
    end if;
    if method = 'GET' then
      request := net.http_get(
        url := url, params := params, headers := headers, timeout_milliseconds := timeout);
    elsif method = 'POST' then
      request := net.http_post(
        url := url,
        body := jsonb_build_object(
          'type', tg_op, 'schema', tg_table_schema, 'table', tg_table_name,
          'record', case when tg_op <> 'DELETE' then to_jsonb(new) end,
          'old_record', case when tg_op <> 'INSERT' then to_jsonb(old) end),
        params := params, headers := headers, timeout_milliseconds := timeout);
    else
      raise exception 'the webhook % has the method %, which is neither GET nor POST',
        tg_name, method;
    end if;
    insert into supabase_functions.hooks (hook_table_id, hook_name, request_id)
    values (tg_relid::integer, tg_name, request);
    if tg_op = 'DELETE' then
      return old;
    end if;
    return new;
  end
  $function$;
end $$;

alter table supabase_functions.migrations owner to supabase_functions_admin;
alter table supabase_functions.hooks owner to supabase_functions_admin;
alter function supabase_functions.http_request() owner to supabase_functions_admin;
alter role supabase_functions_admin set search_path = supabase_functions;
grant all on schema supabase_functions to supabase_functions_admin;
grant usage on schema supabase_functions to postgres, anon, authenticated, service_role;
grant supabase_functions_admin to postgres;
alter default privileges in schema supabase_functions
  grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges in schema supabase_functions
  grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges in schema supabase_functions
  grant all on sequences to postgres, anon, authenticated, service_role;
revoke all on function supabase_functions.http_request() from public;
grant execute on function supabase_functions.http_request()
  to postgres, anon, authenticated, service_role;
insert into supabase_functions.migrations (version) values ('initial')
  on conflict do nothing;

do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_net') then
    create extension if not exists pg_net with schema extensions;
    grant usage on schema net
      to supabase_functions_admin, postgres, anon, authenticated, service_role;
  end if;
end $$;
insert into _supaplane.bootstrap (step) values ('webhooks');
commit;
\endif
