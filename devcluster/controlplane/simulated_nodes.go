package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"supaplane.dev/devcluster/controlplane/simnode"
)

func newSimulatedNodesCommand() *cobra.Command {
	o := simnode.DefaultOptions()
	cmd := &cobra.Command{
		Use:          "simulated-nodes",
		Short:        "Play nodes and volumes in the API: pods become Ready without running",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(*cobra.Command, []string) error { return runSimulatedNodes(o) },
	}
	o.AddFlags(cmd.Flags())
	if err := cmd.MarkFlagRequired("kubeconfig"); err != nil {
		panic(err)
	}
	return cmd
}

func runSimulatedNodes(o simnode.Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", o.Kubeconfig)
	if err != nil {
		return fmt.Errorf("--kubeconfig: %w", err)
	}
	config.QPS, config.Burst = o.ClientQPS, o.ClientBurst
	config.UserAgent = "simulated-nodes"
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return simnode.Run(genericapiserver.SetupSignalContext(), client, o)
}
