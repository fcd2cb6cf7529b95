package simnode

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func tunnelOptions(t *testing.T) TunnelOptions {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certFile := write("cert", "CERTIFICATE", certificate)
	return TunnelOptions{CertFile: certFile, KeyFile: write("key", "PRIVATE KEY", private), ClientCA: certFile}
}

// startTunnel answers the address of a tunnel that runs until the test ends.
func startTunnel(t *testing.T, options TunnelOptions, kubelet http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options.Address = listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	opened := &tunnel{options: options, kubelet: kubelet, isNode: func(a string) bool { return a == "node-1" }}
	go func() { done <- opened.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the tunnel ended with %v", err)
		}
	})
	return options.Address
}

func connect(t *testing.T, options TunnelOptions, address, target string, withCertificate bool) (net.Conn, int, error) {
	t.Helper()
	config := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the test's own server
	if withCertificate {
		pair, err := tls.LoadX509KeyPair(options.CertFile, options.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	var connection net.Conn
	for attempt := 0; ; attempt++ {
		var err error
		if connection, err = tls.Dial("tcp", address, config); err == nil {
			break
		}
		if attempt == 500 {
			return nil, 0, err
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := fmt.Fprintf(connection, "CONNECT %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", target); err != nil {
		return connection, 0, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return connection, 0, err
	}
	return connection, answer.StatusCode, nil
}

func TestTheTunnelRefusesAtOnceWhatDoesNotExist(t *testing.T) {
	options := tunnelOptions(t)
	address := startTunnel(t, options, http.NotFoundHandler())
	for _, target := range []string{"198.18.0.1:80", "node-1:80", "node-2:10250"} {
		connection, status, err := connect(t, options, address, target, true)
		if err != nil || status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d, %v", target, status, err)
		}
		_ = connection.Close()
	}
}

func TestTheTunnelIsOnlyForTheAPIServer(t *testing.T) {
	options := tunnelOptions(t)
	address := startTunnel(t, options, http.NotFoundHandler())
	connection, status, err := connect(t, options, address, "node-1:10250", false)
	if err == nil {
		t.Errorf("without a certificate the answer was %d", status)
	}
	_ = connection.Close()
}

func faultOfAuth(*corev1.Pod) Fault {
	return Fault{Word: CrashLoopBackOff, Container: "auth", Message: "first\nlast"}
}

func TestTheTunnelReachesAKubeletThatTellsLogs(t *testing.T) {
	pod := makePod()
	kubelet := &kubeletAPI{pods: storeOf(pod), fault: faultOfAuth}
	options := tunnelOptions(t)
	address := startTunnel(t, options, kubelet.handler())
	connection, status, err := connect(t, options, address, "node-1:10250", true)
	if err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext:     func(context.Context, string, string) (net.Conn, error) { return connection, nil },
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // as the API server does by default
	}}
	defer client.CloseIdleConnections()
	for path, want := range map[string]string{
		"/containerLogs/shop/auth-0/auth":             "simulated: example/auth:2 is not run on this node\nfirst\nlast\n",
		"/containerLogs/shop/auth-0/auth?tailLines=1": "last\n",
		"/containerLogs/shop/auth-0/proxy":            "simulated: proxy is not run on this node\n",
		"/containerLogs/shop/other/auth":              "simulated: no such pod on this node\n",
		"/exec/shop/auth-0/auth":                      "simulated: there is no process behind this pod\n",
	} {
		answer, err := client.Get("https://node-1:10250" + path)
		if err != nil {
			t.Fatal(path, err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || string(body) != want {
			t.Errorf("%s: %q, %v", path, body, err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheTunnelNeedsItsFiles(t *testing.T) {
	options := DefaultOptions()
	options.Tunnel.Address = "127.0.0.1:1"
	if err := options.Validate(); err == nil || !strings.Contains(err.Error(), "--tls-cert-file") {
		t.Errorf("got %v", err)
	}
}
