// Package simnode plays the part of nodes and of a volume provisioner: pods become Ready without running.
//
// It keeps what a kubelet would keep in the API (Nodes, Leases, pod status, volumes), and starts no process and touches
// no disk. The one port that it opens is where the API server asks instead of dialling addresses that do not exist.
package simnode

// One home for every name that users or other files rely on.
const (
	// Domain prefixes all our annotations and labels.
	Domain = "simulated-nodes.supaplane.dev"

	// FaultAnnotation on a pod, a claim or a node holds one fault: a word or a JSON object.
	FaultAnnotation = Domain + "/fault"
	// FaultsAnnotation on a namespace holds a JSON object from selector to fault.
	FaultsAnnotation = Domain + "/faults"
	// NodeLabel marks the nodes that are ours; pods on other nodes are never touched.
	NodeLabel = Domain + "/node"
	// Provisioner is what our storage classes name.
	Provisioner = Domain + "/volumes"

	componentLabel = "app.kubernetes.io/component"
	leaseNamespace = "kube-node-lease"
)

// componentLabels are where people write what a pod is; a rule that is a plain name looks at all of them.
var componentLabels = []string{componentLabel, "app.kubernetes.io/name", "app"}
