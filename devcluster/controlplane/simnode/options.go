package simnode

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Options says how many nodes to play, how large, and how slow their pods are.
type Options struct {
	NodeCount   int
	NodeCPU     string
	NodeMemory  string
	PodsPerNode int64
	PodCIDR     string
	PodDelay    time.Duration
	PodJitter   time.Duration
	JobDuration time.Duration
	Workers     int
	Kubeconfig  string
	ClientQPS   float32
	ClientBurst int
	Tunnel      TunnelOptions
}

// DefaultOptions are generous in capacity, so that a test ends for its own reasons and not for the node's.
func DefaultOptions() Options {
	return Options{
		NodeCount:   3,
		NodeCPU:     "10000",
		NodeMemory:  "64Ti",
		PodsPerNode: 5000,
		// Set aside for benchmarks (RFC 2544): no network that a laptop is on uses it, so no pod address is somebody's.
		PodCIDR:     "198.18.0.0/15",
		Workers:     8,
		ClientQPS:   1000,
		ClientBurst: 2000,
	}
}

// AddFlags makes every option a flag, with the present value as its default.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Kubeconfig, "kubeconfig", o.Kubeconfig, "how to reach the API server (required)")
	flags.IntVar(&o.NodeCount, "node-count", o.NodeCount, "how many nodes to play")
	flags.StringVar(&o.NodeCPU, "node-cpu", o.NodeCPU, "CPU of each node")
	flags.StringVar(&o.NodeMemory, "node-memory", o.NodeMemory, "memory of each node")
	flags.Int64Var(&o.PodsPerNode, "pods-per-node", o.PodsPerNode, "how many pods each node takes")
	flags.StringVar(&o.PodCIDR, "pod-cidr", o.PodCIDR, "IPv4 range of the pod addresses; nothing listens there")
	flags.DurationVar(&o.PodDelay, "pod-delay", o.PodDelay, "how long a scheduled pod takes to become Ready")
	flags.DurationVar(&o.PodJitter, "pod-jitter", o.PodJitter, "up to this much is added to the delay, another for each pod")
	flags.DurationVar(&o.JobDuration, "job-duration", o.JobDuration, "how long the pod of a Job runs before it succeeds")
	flags.IntVar(&o.Workers, "workers", o.Workers, "how many pods are worked on at once")
	flags.Float32Var(&o.ClientQPS, "kube-api-qps", o.ClientQPS, "requests per second to the API server")
	flags.IntVar(&o.ClientBurst, "kube-api-burst", o.ClientBurst, "requests that may come at once")
	flags.StringVar(&o.Tunnel.Address, "tunnel-address", "", "where the API server asks for addresses inside the cluster (an HTTPConnect egress proxy); empty: nowhere")
	flags.StringVar(&o.Tunnel.CertFile, "tls-cert-file", "", "certificate of the tunnel")
	flags.StringVar(&o.Tunnel.KeyFile, "tls-private-key-file", "", "key of that certificate")
	flags.StringVar(&o.Tunnel.ClientCA, "client-ca-file", "", "who may use the tunnel")
}

// Validate finds what would otherwise fail later and less clearly.
func (o *Options) Validate() error {
	if o.NodeCount < 1 || o.NodeCount > 250 {
		return fmt.Errorf("--node-count must be 1 to 250, not %d", o.NodeCount)
	}
	if o.Workers < 1 || o.Workers > 256 {
		return fmt.Errorf("--workers must be 1 to 256, not %d", o.Workers)
	}
	if o.PodDelay < 0 || o.PodJitter < 0 || o.JobDuration < 0 {
		return fmt.Errorf("a delay cannot be negative")
	}
	for flag, value := range map[string]string{"--node-cpu": o.NodeCPU, "--node-memory": o.NodeMemory} {
		if _, err := resource.ParseQuantity(value); err != nil {
			return fmt.Errorf("%s %q: %w", flag, value, err)
		}
	}
	tunnel := o.Tunnel
	if tunnel.Address != "" && (tunnel.CertFile == "" || tunnel.KeyFile == "" || tunnel.ClientCA == "") {
		return fmt.Errorf("--tunnel-address needs --tls-cert-file, --tls-private-key-file and --client-ca-file")
	}
	prefix, err := netip.ParsePrefix(o.PodCIDR)
	if err != nil {
		return fmt.Errorf("--pod-cidr: %w", err)
	}
	if !prefix.Addr().Is4() {
		return fmt.Errorf("--pod-cidr %s: only IPv4 is simulated", o.PodCIDR)
	}
	return nil
}
