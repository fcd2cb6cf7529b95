//go:build realnode

package main

import (
	"context"

	"github.com/spf13/cobra"
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// nodeParts make a machine a node. They run on Linux only, and only clusters with a real node pay for compiling them.
var nodeParts = []part{
	{"kubelet", "runs the pods of this machine, as upstream", newKubeletCommand},
	{"kube-proxy", "makes Services reachable, as upstream", newProxyCommand},
}

func newKubeletCommand() *cobra.Command {
	return kubelet.NewKubeletCommand(context.Background())
}

func newProxyCommand() *cobra.Command {
	return kubeproxy.NewProxyCommand()
}
