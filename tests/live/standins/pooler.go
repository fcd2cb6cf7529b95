package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// tenant is where the pooler leads sessions.
type tenant struct{ id, host, port, database, manager, password string }

// pooler leads sessions of `user.tenant` to the tenant's database as `user`. It pools nothing: each
// session has a connection of its own, and the database itself asks for the password.
func pooler(env map[string]string, args []string) (plan, error) {
	if err := errors.Join(none(args), poolerRules.problems(env)); err != nil {
		return plan{}, err
	}
	ctx := context.Background()
	connection, err := connected(ctx, env["DATABASE_URL"])
	if err != nil {
		return plan{}, err
	}
	defer connection.Close(ctx)
	rows, err := connection.Query(ctx, "select external_id, host, port, database, manager, password from _supavisor.tenants")
	if err != nil {
		return plan{}, err
	}
	tenants, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tenant, error) {
		var t tenant
		err := row.Scan(&t.id, &t.host, &t.port, &t.database, &t.manager, &t.password)
		return t, err
	})
	if err != nil {
		return plan{}, err
	}
	for _, t := range tenants {
		if err := t.asked(ctx); err != nil {
			return plan{}, err
		}
	}
	paths := map[string]http.HandlerFunc{"/api/health": healthy("")}
	return plan{
		name:   "pooler",
		listen: map[string]http.Handler{":" + env["PORT"]: answers("pooler", nil, paths)},
		also: func() error {
			failed := make(chan error)
			for _, port := range []string{or(env["PROXY_PORT_SESSION"], "5432"), or(env["PROXY_PORT_TRANSACTION"], "6543")} {
				go func() { failed <- sessions(":"+port, tenants) }()
			}
			return <-failed
		},
	}, nil
}

// asked asks the database for a verifier as the pooler's manager does.
func (t tenant) asked(ctx context.Context) error {
	address := assembled(
		map[string]string{"u": t.manager, "p": t.password, "h": t.host, "n": t.port, "d": t.database},
		"u", "p", "h", "n", "d")
	connection, err := connected(ctx, address)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	var user, verifier string
	err = connection.QueryRow(ctx, "select * from pgbouncer.get_auth($1)", "postgres").Scan(&user, &verifier)
	if err != nil || !strings.HasPrefix(verifier, "SCRAM-SHA-256$") {
		return fmt.Errorf("the manager is not told the verifier of postgres: %w", err)
	}
	return nil
}

func sessions(address string, tenants []tenant) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer client.Close()
			if err := session(client, tenants); err != nil && !errors.Is(err, io.EOF) {
				refuse(client, err)
			}
		}()
	}
}

// session reads the start of the protocol, and from then on only passes on.
// https://www.postgresql.org/docs/17/protocol-message-formats.html
func session(client net.Conn, tenants []tenant) error {
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	parameters, err := startup(client)
	if err != nil {
		return err
	}
	_ = client.SetReadDeadline(time.Time{})
	user, id, _ := strings.Cut(parameters["user"], ".")
	for _, t := range tenants {
		if t.id == id {
			parameters["user"] = user
			return t.lead(client, parameters)
		}
	}
	return errors.New("Tenant or user not found")
}

const (
	protocol   = 196608
	sslRequest = 80877103
	gssRequest = 80877104
)

func startup(client net.Conn) (map[string]string, error) {
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(client, head); err != nil {
			return nil, err
		}
		size, code := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
		if code == sslRequest || code == gssRequest {
			if _, err := client.Write([]byte("N")); err != nil {
				return nil, err
			}
			continue
		}
		if code != protocol || size < 9 || size > 10000 {
			return nil, errors.New("no start of a session")
		}
		rest := make([]byte, size-8)
		if _, err := io.ReadFull(client, rest); err != nil {
			return nil, err
		}
		words := strings.Split(strings.TrimRight(string(rest), "\x00"), "\x00")
		parameters := map[string]string{}
		for i := 0; i+1 < len(words); i += 2 {
			parameters[words[i]] = words[i+1]
		}
		return parameters, nil
	}
}

func (t tenant) lead(client net.Conn, parameters map[string]string) error {
	server, err := net.DialTimeout("tcp", net.JoinHostPort(t.host, t.port), 5*time.Second)
	if err != nil {
		return err
	}
	defer server.Close()
	var words strings.Builder
	for name, value := range parameters {
		words.WriteString(name + "\x00" + value + "\x00")
	}
	words.WriteByte(0)
	message := make([]byte, 8, 8+words.Len())
	binary.BigEndian.PutUint32(message, uint32(8+words.Len()))
	binary.BigEndian.PutUint32(message[4:], protocol)
	if _, err := server.Write(append(message, words.String()...)); err != nil {
		return err
	}
	done := make(chan error, 2)
	go copyAll(server, client, done)
	go copyAll(client, server, done)
	<-done
	return io.EOF
}

// refuse says why as PostgreSQL does.
func refuse(client net.Conn, reason error) {
	body := "SFATAL\x00VFATAL\x00CXX000\x00M" + reason.Error() + "\x00\x00"
	message := []byte{'E', 0, 0, 0, 0}
	binary.BigEndian.PutUint32(message[1:], uint32(4+len(body)))
	_, _ = client.Write(append(message, body...))
}
