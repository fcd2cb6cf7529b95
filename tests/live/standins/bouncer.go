package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// bouncer is PgBouncer, which does the pooler's work behind the stand-in: it asks the database for
// the verifier of whoever comes, as the tenant's manager, and shares connections among clients.
// https://www.pgbouncer.org/config.html
type bouncer struct{ address string }

const bouncerFile = `[databases]
%s = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
auth_user = %s
auth_query = select * from pgbouncer.get_auth($1)
pool_mode = %s
default_pool_size = %s
max_client_conn = %s
ignore_startup_parameters = extra_float_digits
`

// started runs PgBouncer for a tenant until the stand-in ends; it is listening when this returns.
func (t tenant) started(mode string, port int, ended chan<- error) (bouncer, error) {
	folder, err := os.MkdirTemp("", "bouncer-")
	if err != nil {
		return bouncer{}, err
	}
	users, file := filepath.Join(folder, "users"), filepath.Join(folder, "ini")
	text := fmt.Sprintf(bouncerFile, t.database, t.host, t.port, port, users, t.manager, mode, t.poolSize, t.clients)
	for path, content := range map[string]string{users: fmt.Sprintf("%q %q\n", t.manager, t.password), file: text} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return bouncer{}, err
		}
	}
	process := exec.Command("pgbouncer", "--quiet", file)
	process.Stdout, process.Stderr = os.Stdout, os.Stderr
	if err := process.Start(); err != nil {
		return bouncer{}, err
	}
	go func() { ended <- fmt.Errorf("PgBouncer ended: %w", process.Wait()) }()
	made := bouncer{fmt.Sprintf("127.0.0.1:%d", port)}
	return made, listening(made.address, 20*time.Second)
}

func listening(address string, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			return connection.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}
