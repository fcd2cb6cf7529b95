# Makes the pooler's one tenant, or changes it to what the environment says: a new password of the
# database or another size reaches it with the next start. Nothing is written when nothing differs.
alias Supavisor.{Repo, Tenants}

{:ok, _} = Application.ensure_all_started(:supavisor)

id = System.fetch_env!("POOLER_TENANT_ID")
pool_size = System.fetch_env!("POOLER_DEFAULT_POOL_SIZE")
tenant = Tenants.get_tenant_by_external_id(id)

# Told to clients before the pool has a connection of its own. "17.6 (Debian 17.6-1)" is too much.
%{rows: [[version]]} = Repo.query!("show server_version")
[version | _] = String.split(version)

manager = %{
  "db_user" => System.fetch_env!("POOLER_MANAGER"),
  "db_password" => System.fetch_env!("POOLER_MANAGER_PASSWORD"),
  "mode_type" => System.fetch_env!("POOLER_POOL_MODE"),
  "pool_size" => pool_size,
  "is_manager" => true
}

# by its id the row that is there is changed in place
manager =
  case tenant && Enum.find(tenant.users, & &1.is_manager) do
    nil -> manager
    user -> Map.put(manager, "id", user.id)
  end

attributes = %{
  "external_id" => id,
  "db_host" => System.fetch_env!("POSTGRES_HOST"),
  "db_port" => System.fetch_env!("POSTGRES_PORT"),
  "db_database" => System.fetch_env!("POSTGRES_DB"),
  # whoever has a password in the database may come: it is asked for the verifier
  "require_user" => false,
  "auth_query" => "select * from pgbouncer.get_auth($1)",
  "default_max_clients" => System.fetch_env!("POOLER_MAX_CLIENT_CONN"),
  "default_pool_size" => pool_size,
  "default_parameter_status" => %{"server_version" => version},
  "users" => [manager]
}

outcome =
  if tenant,
    do: Tenants.update_tenant(tenant, attributes),
    else: Tenants.create_tenant(attributes)

case outcome do
  {:ok, _} ->
    IO.puts("tenant #{id} is in place")

  {:error, changeset} ->
    # never the changeset itself: the password is in it
    troubles = Ecto.Changeset.traverse_errors(changeset, fn {message, _} -> message end)
    IO.puts(:stderr, "tenant #{id} was refused: #{inspect(troubles)}")
    System.halt(1)
end
