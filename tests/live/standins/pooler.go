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

// tenant is where the pooler leads sessions, and how many of them.
type tenant struct{ id, host, port, database, manager, password, poolSize, clients string }

// ways into a pooler: the mode of each, and where PgBouncer listens for it inside of the pod.
type way struct {
	mode, port string
	inside     int
}

// pooler leads sessions of `user.tenant` to PgBouncer as those of `user`.
func pooler(env map[string]string, args []string) (plan, error) {
	if err := errors.Join(none(args), poolerRules.problems(env)); err != nil {
		return plan{}, err
	}
	tenants, err := tenantsOf(context.Background(), env["DATABASE_URL"])
	if err != nil {
		return plan{}, err
	}
	if len(tenants) != 1 {
		return plan{}, fmt.Errorf("there are %d tenants, not one", len(tenants))
	}
	only := tenants[0]
	if err := only.asked(context.Background()); err != nil {
		return plan{}, err
	}
	failed := make(chan error)
	for _, way := range []way{
		{"session", or(env["PROXY_PORT_SESSION"], "5432"), 15432},
		{"transaction", or(env["PROXY_PORT_TRANSACTION"], "6543"), 16543},
	} {
		behind, err := only.started(way.mode, way.inside, failed)
		if err != nil {
			return plan{}, err
		}
		go func() { failed <- sessions(":"+way.port, only.id, behind) }()
	}
	paths := map[string]http.HandlerFunc{"/api/health": healthy("")}
	return plan{
		name:   "pooler",
		listen: map[string]http.Handler{":" + env["PORT"]: answers("pooler", nil, paths)},
		also:   func() error { return <-failed },
	}, nil
}

func tenantsOf(ctx context.Context, address string) ([]tenant, error) {
	connection, err := connected(ctx, address)
	if err != nil {
		return nil, err
	}
	defer connection.Close(ctx)
	rows, err := connection.Query(ctx, "select "+tenantColumns+" from _supavisor.tenants")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (tenant, error) {
		var t tenant
		err := row.Scan(&t.id, &t.host, &t.port, &t.database, &t.manager, &t.password, &t.poolSize, &t.clients)
		return t, err
	})
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

func sessions(address, tenant string, behind bouncer) error {
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
			if err := session(client, tenant, behind); err != nil && !errors.Is(err, io.EOF) {
				refuse(client, err)
			}
		}()
	}
}

// session reads the start of the protocol, and from then on only passes on.
// https://www.postgresql.org/docs/17/protocol-message-formats.html
func session(client net.Conn, tenant string, behind bouncer) error {
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	parameters, err := startup(client)
	if err != nil {
		return err
	}
	_ = client.SetReadDeadline(time.Time{})
	user, id, _ := strings.Cut(parameters["user"], ".")
	if id != tenant {
		return errors.New("Tenant or user not found")
	}
	parameters["user"] = user
	return behind.lead(client, parameters)
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

func (b bouncer) lead(client net.Conn, parameters map[string]string) error {
	server, err := net.DialTimeout("tcp", b.address, 5*time.Second)
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
