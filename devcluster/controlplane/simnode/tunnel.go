package simnode

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	kubeletPort   = 10250
	headerTimeout = 10 * time.Second
	idleTimeout   = time.Minute
)

// tunnel is where the API server goes instead of dialling an address inside the cluster. Without it a service proxy or
// `kubectl logs` would send packets for made-up addresses into whatever network this machine is on, and wait for them.
type tunnel struct {
	options TunnelOptions
	kubelet http.Handler
	// isNode says whether a kubelet would answer at the address.
	isNode func(address string) bool
}

// run serves until the context ends.
func (t *tunnel) run(ctx context.Context) error {
	config, err := t.options.tlsConfig()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", t.options.Address)
	if err != nil {
		return fmt.Errorf("--tunnel-address: %w", err)
	}
	inner := newHandedOver(listener.Addr())
	// The API server shows a certificate where it opens the tunnel; to the kubelet behind it, it shows none.
	kubeletConfig := config.Clone()
	kubeletConfig.ClientAuth = tls.NoClientCert
	kubelet := newServer(t.kubelet, kubeletConfig)
	outer := newServer(t.handler(inner), config)
	var group sync.WaitGroup
	failed := make(chan error, 2)
	serve := func(server *http.Server, on net.Listener) {
		group.Go(func() {
			if err := server.ServeTLS(on, "", ""); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	serve(kubelet, inner)
	serve(outer, listener)
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	_ = outer.Close()
	_ = kubelet.Close()
	group.Wait()
	return err
}

func newServer(handler http.Handler, config *tls.Config) *http.Server {
	return &http.Server{
		Handler: handler, TLSConfig: config,
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, WriteTimeout: idleTimeout, MaxHeaderBytes: 64 << 10,
		// A tunnel is opened by CONNECT, which HTTP/2 has in another form.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
}

func (t *tunnel) handler(inner *handedOver) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT is answered here", http.StatusMethodNotAllowed)
			return
		}
		host, port, err := net.SplitHostPort(r.URL.Host)
		if err != nil || port != strconv.Itoa(kubeletPort) || !t.isNode(host) {
			http.Error(w, "simulated: nothing listens at "+r.URL.Host, http.StatusServiceUnavailable)
			return
		}
		if err := inner.take(w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}

// handedOver is a listener whose connections come out of another server.
type handedOver struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
	address     net.Addr
}

func newHandedOver(address net.Addr) *handedOver {
	return &handedOver{connections: make(chan net.Conn), closed: make(chan struct{}), address: address}
}

func (l *handedOver) take(w http.ResponseWriter) error {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return errors.New("the connection cannot be handed over")
	}
	connection, _, err := hijacker.Hijack()
	if err != nil {
		return err
	}
	// The deadlines of the request that opened the tunnel are not those of what goes through it.
	if err := connection.SetDeadline(time.Time{}); err != nil {
		return errors.Join(err, connection.Close())
	}
	if _, err := connection.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		return errors.Join(err, connection.Close())
	}
	select {
	case l.connections <- connection:
		return nil
	case <-l.closed:
		return connection.Close()
	}
}

func (l *handedOver) Accept() (net.Conn, error) {
	select {
	case connection := <-l.connections:
		return connection, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *handedOver) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *handedOver) Addr() net.Addr { return l.address }

// TunnelOptions are all set or all empty; empty, there is no tunnel.
type TunnelOptions struct {
	Address  string
	CertFile string
	KeyFile  string
	ClientCA string
}

// tlsConfig lets in only who has a certificate of the cluster's CA: the API server.
func (o TunnelOptions) tlsConfig() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert-file: %w", err)
	}
	ca, err := os.ReadFile(o.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("--client-ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("--client-ca-file: no certificate in %s", o.ClientCA)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}, nil
}
