package main

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// plan is what a program does once it has found nothing wrong.
type plan struct {
	name string
	// listen is one address, or several, by what answers there.
	listen map[string]http.Handler
	// also runs beside the servers, until the process ends.
	also func() error
}

// service makes a program out of what judges its environment and arguments.
func service(judge func(env map[string]string, args []string) (plan, error)) func([]string) error {
	return func(args []string) error {
		plan, err := judge(environment(), args)
		if err != nil {
			return err
		}
		return serve(plan)
	}
}

func serve(plan plan) error {
	if len(plan.listen) == 0 && plan.also == nil {
		fmt.Printf("standin for %s: done\n", plan.name)
		return nil
	}
	failed := make(chan error)
	for address, handler := range plan.listen {
		server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { failed <- server.ListenAndServe() }()
	}
	if plan.also != nil {
		go func() { failed <- plan.also() }()
	}
	fmt.Printf("standin for %s: serving\n", plan.name)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// answers is a mux with the paths that say how the program is, and the echo for all others.
func answers(name string, keys []jwk, paths map[string]http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	for path, handler := range paths {
		mux.HandleFunc(path, handler)
	}
	mux.HandleFunc("/", echo(name, keys))
	return mux
}

// healthy answers like a health path.
func healthy(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}
}

// said is what a stand-in answers: what it was asked, and whom it takes the caller for.
type said struct {
	Standin string            `json:"standin"`
	Pod     string            `json:"pod"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Query   string            `json:"query"`
	Host    string            `json:"host"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Role    string            `json:"role"`
	Subject string            `json:"subject"`
	Refused string            `json:"refused"`
}

func echo(name string, keys []jwk) http.HandlerFunc {
	pod, _ := os.Hostname()
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			socket(w, r)
			return
		}
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		answer := said{
			Standin: name, Pod: pod, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
			Host: r.Host, Headers: map[string]string{}, Body: string(body),
		}
		for header, values := range r.Header {
			answer.Headers[strings.ToLower(header)] = strings.Join(values, ", ")
		}
		status := http.StatusOK
		if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && keys != nil {
			who, err := verified(bearer, keys, time.Now())
			if err != nil {
				status, answer.Refused = http.StatusUnauthorized, err.Error()
			}
			answer.Role, answer.Subject = who.Role, who.Sub
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// socket accepts a websocket and sends every frame back, as RFC 6455 has it. Enough for frames of less
// than 126 bytes.
func socket(w http.ResponseWriter, r *http.Request) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		http.Error(w, "no socket", http.StatusInternalServerError)
		return
	}
	connection, buffer, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	digest := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	accept := base64.StdEncoding.EncodeToString(digest[:])
	fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"+
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept)
	for frames(buffer, connection) == nil {
	}
}

func frames(from io.Reader, to net.Conn) error {
	head := make([]byte, 6)
	if _, err := io.ReadFull(from, head); err != nil {
		return err
	}
	size := int(head[1] & 0x7f)
	if size > 125 || head[1]&0x80 == 0 {
		return errors.New("a frame that is large or not masked")
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(from, payload); err != nil {
		return err
	}
	for i := range payload {
		payload[i] ^= head[2+i%4]
	}
	if _, err := to.Write(append([]byte{head[0], byte(size)}, payload...)); err != nil {
		return err
	}
	if head[0]&0x0f == 8 {
		return io.EOF
	}
	return nil
}
