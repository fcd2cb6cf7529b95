package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a database may be away at the start. The real programs end and are started
// again; waiting instead spares the tests the pauses between.
const patience = 90 * time.Second

// wish is something that must be so in the database, in words and as a query for a boolean.
type wish struct{ words, query string }

func schema(name string) wish {
	return wish{"schema " + name + " with the right to make tables in it", fmt.Sprintf(
		"select coalesce(has_schema_privilege(to_regnamespace('%s')::oid, 'create'), false)", name)}
}

func setting(name, value string) wish {
	return wish{name + " = " + value, fmt.Sprintf("select current_setting('%s') = '%s'", name, value)}
}

func member(role string) wish {
	return wish{"the right to become " + role, fmt.Sprintf(
		"select exists (select from pg_roles where rolname = '%s') and pg_has_role('%s', 'member')",
		role, role)}
}

// prepared connects as the program would, looks whether all wishes hold, and runs the statements that
// stand for the program's own migrations.
func prepared(address string, wishes []wish, migrations ...string) error {
	ctx := context.Background()
	connection, err := connected(ctx, address)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	for _, wish := range wishes {
		var holds bool
		if err := connection.QueryRow(ctx, wish.query).Scan(&holds); err != nil {
			return fmt.Errorf("the database cannot say whether there is %s: %w", wish.words, err)
		}
		if !holds {
			return fmt.Errorf("the database has not %s", wish.words)
		}
	}
	for _, statement := range migrations {
		if _, err := connection.Exec(ctx, statement); err != nil {
			return fmt.Errorf("a migration failed: %w", err)
		}
	}
	return nil
}

func connected(ctx context.Context, address string) (*pgx.Conn, error) {
	// Elixir's scheme is PostgreSQL's
	address = strings.Replace(address, "ecto://", "postgres://", 1)
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("the database's URL cannot be read")
	}
	config.ConnectTimeout = 3 * time.Second
	delete(config.RuntimeParams, "pool_size")
	deadline := time.Now().Add(patience)
	for {
		connection, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			return connection, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the database lets nobody in: %w", err)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// assembled is a URL of what some programs are given in parts.
func assembled(env map[string]string, user, password, host, port, database string) string {
	u := url.URL{
		Scheme: "postgres",
		User:   url.UserPassword(env[user], env[password]),
		Host:   env[host] + ":" + env[port],
		Path:   "/" + env[database],
	}
	return u.String()
}
