-- Each role its own password. Verifiers are compared, so nothing is written when they are there.
do $$
declare
  wanted record;
begin
  for wanted in
    select entry.key as role, entry.value as verifier
    from jsonb_each_text(current_setting('supaplane.roles')::jsonb) as entry
    left join pg_authid on rolname = entry.key
    where rolpassword is distinct from entry.value
    order by entry.key
  loop
    begin
      execute format('alter role %I password %L', wanted.role, wanted.verifier);
    exception when others then
      -- images may reserve these two; no service needs them
      if wanted.role not in ('supabase_read_only_user', 'dashboard_user') then
        raise exception 'the password of role % could not be set: %', wanted.role, sqlstate;
      end if;
      raise warning 'the password of role % could not be set: %', wanted.role, sqlstate;
    end;
  end loop;
end $$;
