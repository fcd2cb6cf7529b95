package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// Programs that come as releases of the Erlang VM: their images hold several commands, and what is
// told to them as an argument is a program itself.

func now() time.Time { return time.Now() }

var logflareRules = rules{
	required: map[string]check{
		"DB_DATABASE":                   exactly("_supabase"),
		"DB_HOSTNAME":                   text,
		"DB_PASSWORD":                   text,
		"DB_PORT":                       port,
		"DB_SCHEMA":                     exactly("_analytics"),
		"DB_USERNAME":                   exactly("supabase_admin"),
		"LOGFLARE_NODE_HOST":            text,
		"LOGFLARE_PRIVATE_ACCESS_TOKEN": length(20, 256),
		"LOGFLARE_PUBLIC_ACCESS_TOKEN":  length(20, 256),
		"LOGFLARE_SINGLE_TENANT":        exactly("true"),
		"LOGFLARE_SUPABASE_MODE":        exactly("true"),
		"POSTGRES_BACKEND_SCHEMA":       exactly("_analytics"),
		"POSTGRES_BACKEND_URL":          databaseURL("supabase_admin", "_supabase", "postgresql", "postgres"),
	},
	optional: with(beam, map[string]check{
		"DB_POOL_SIZE":                           number(1, 1000),
		"LOGFLARE_FEATURE_FLAG_OVERRIDE":         exactly("multibackend=true"),
		"LOGFLARE_HEALTH_MAX_MEMORY_UTILIZATION": number(0, 1),
	}),
}

func logflare(args []string) error {
	env := environment()
	if err := logflareRules.problems(env); err != nil {
		return err
	}
	switch strings.Join(args, " ") {
	case "eval Logflare.Release.migrate":
		address := assembled(env, "DB_USERNAME", "DB_PASSWORD", "DB_HOSTNAME", "DB_PORT", "DB_DATABASE")
		return prepared(address, []wish{schema("_analytics")},
			"create table if not exists _analytics.schema_migrations (version bigint primary key)")
	case "start --sname logflare":
		if env["LOGFLARE_PRIVATE_ACCESS_TOKEN"] == env["LOGFLARE_PUBLIC_ACCESS_TOKEN"] {
			return errors.New("the two access tokens are the same")
		}
		migrated := wish{"the tables of the migrations", "select to_regclass('_analytics.schema_migrations') is not null"}
		if err := prepared(env["POSTGRES_BACKEND_URL"], []wish{schema("_analytics"), migrated}); err != nil {
			return err
		}
		inbox := &inbox{tokens: []string{env["LOGFLARE_PRIVATE_ACCESS_TOKEN"], env["LOGFLARE_PUBLIC_ACCESS_TOKEN"]}}
		paths := map[string]http.HandlerFunc{
			"/health": healthy(`{"status":"ok"}`), "/api/logs": inbox.take, "/standin/received": inbox.show,
		}
		return serve(plan{name: "analytics", listen: map[string]http.Handler{":4000": answers("analytics", nil, paths)}})
	}
	return fmt.Errorf("the release has no command %v", args)
}

// limits is the entrypoint of the pooler's image: it sets limits and becomes what it was told to run.
func limits(args []string) error {
	if len(args) == 0 {
		return errors.New("nothing to run")
	}
	if err := number(1024, 1<<20)(os.Getenv("RLIMIT_NOFILE")); err != nil {
		return fmt.Errorf("RLIMIT_NOFILE: %w", err)
	}
	return syscall.Exec(args[0], args, os.Environ())
}

var poolerRules = rules{
	required: map[string]check{
		"API_JWT_SECRET":     secret,
		"DATABASE_URL":       databaseURL("supabase_admin", "_supabase", "ecto"),
		"METRICS_JWT_SECRET": secret,
		"PORT":               port,
		"REGION":             text,
		"SECRET_KEY_BASE":    length(64, 256),
		"VAULT_ENC_KEY":      length(32, 32),
	},
	optional: with(beam, map[string]check{
		"CLUSTER_POSTGRES":       flag,
		"DB_POOL_SIZE":           number(1, 1000),
		"NODE_IP":                text,
		"PROXY_PORT":             port,
		"PROXY_PORT_SESSION":     port,
		"PROXY_PORT_TRANSACTION": port,
		// for scripts that it is told to run
		"POSTGRES_DB": text, "POSTGRES_HOST": text, "POSTGRES_PORT": port, "POSTGRES_PASSWORD": text,
	}),
	patterns: map[string]check{"POOLER_[A-Z_]+": text},
}

const tenantColumns = "external_id, host, port, database, manager, password, pool_size, clients"

func poolerMigrations(env map[string]string, args []string) (plan, error) {
	if err := errors.Join(none(args), poolerRules.problems(env)); err != nil {
		return plan{}, err
	}
	columns := strings.Join(strings.Split(tenantColumns, ", ")[1:], " text not null, ") + " text not null"
	err := prepared(env["DATABASE_URL"], []wish{schema("_supavisor")},
		"create table if not exists _supavisor.tenants (external_id text primary key, "+columns+")")
	return plan{name: "pooler's migrations"}, err
}

// poolerEval stands for `supavisor eval`: the script itself is Elixir and cannot be run here. It must
// be there, read nothing from the environment that is not set, and its tenant is written down.
func poolerEval(args []string) error {
	env := environment()
	if err := poolerRules.problems(env); err != nil {
		return err
	}
	if len(args) != 2 || args[0] != "eval" {
		return fmt.Errorf("supavisor has no command %v", args)
	}
	path, found := strings.CutPrefix(args[1], `Code.eval_file("`)
	if !found {
		return errors.New("what is evaluated is no file")
	}
	script, err := os.ReadFile(strings.TrimSuffix(path, `")`))
	if err != nil {
		return err
	}
	for _, part := range strings.Split(string(script), `fetch_env!("`)[1:] {
		if name, _, _ := strings.Cut(part, `"`); env[name] == "" {
			return fmt.Errorf("the script wants %s, which is not set", name)
		}
	}
	changes := strings.Split(tenantColumns, ", ")[1:]
	for i, column := range changes {
		changes[i] = column + " = excluded." + column
	}
	insert := fmt.Sprintf("insert into _supavisor.tenants values (%s) on conflict (external_id) do update set %s",
		quoted(env, "POOLER_TENANT_ID", "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POOLER_MANAGER",
			"POOLER_MANAGER_PASSWORD", "POOLER_DEFAULT_POOL_SIZE", "POOLER_MAX_CLIENT_CONN"),
		strings.Join(changes, ", "))
	return prepared(env["DATABASE_URL"], nil, insert)
}

func quoted(env map[string]string, names ...string) string {
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = "'" + strings.ReplaceAll(env[name], "'", "''") + "'"
	}
	return strings.Join(values, ", ")
}

func copyAll(to io.Writer, from io.Reader, done chan<- error) {
	_, err := io.Copy(to, from)
	done <- err
}
