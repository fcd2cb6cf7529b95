// Command controlplane is a whole Kubernetes control plane in one file: its first argument says which part to be.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
)

// part is one program of the control plane.
type part struct {
	name    string
	summary string
	command func() *cobra.Command
}

// parts is the one list of what this binary can be.
var parts = append([]part{
	{"etcd", "the store, one embedded member", newEtcdCommand},
	{"kube-apiserver", "the API server, as upstream", newAPIServerCommand},
	{"kube-controller-manager", "the controllers, as upstream", newControllerManagerCommand},
	{"kube-scheduler", "the scheduler, as upstream", newSchedulerCommand},
	{"simulated-nodes", "nodes whose pods become Ready without running", newSimulatedNodesCommand},
	{"kubectl", "the command line client, as upstream", newKubectlCommand},
}, nodeParts...)

func main() {
	name, args := chosenPart(os.Args)
	for _, p := range parts {
		if p.name == name {
			// Upstream commands read os.Args themselves (kubectl also looks for plugins by it).
			os.Args = append([]string{p.name}, args...)
			os.Exit(cli.Run(p.command()))
		}
	}
	if name == "" || name == "help" || name == "--help" || name == "-h" {
		usage(os.Stdout)
		return
	}
	fmt.Fprintf(os.Stderr, "controlplane: there is no part %q\n\n", name)
	usage(os.Stderr)
	os.Exit(2)
}

// chosenPart lets a link named after a part stand for that part: a link named kubectl is kubectl.
func chosenPart(argv []string) (string, []string) {
	invoked := strings.TrimSuffix(filepath.Base(argv[0]), ".exe")
	for _, p := range parts {
		if p.name == invoked {
			return invoked, argv[1:]
		}
	}
	if len(argv) < 2 {
		return "", nil
	}
	return argv[1], argv[2:]
}

func usage(out io.Writer) {
	fmt.Fprintln(out, "Usage: controlplane PART [flags]        (controlplane PART --help for its flags)")
	fmt.Fprintln(out)
	for _, p := range parts {
		fmt.Fprintf(out, "  %-25s %s\n", p.name, p.summary)
	}
}
