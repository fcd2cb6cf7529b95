package simnode

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/component-base/version"
	"k8s.io/utils/ptr"
)

const (
	leaseRenewal  = 10 * time.Second
	leaseDuration = 40
)

// nodeKeeper registers our nodes and renews their leases, except for those that are lost.
type nodeKeeper struct {
	client  kubernetes.Interface
	options Options
	nodes   cache.Store
	workers *workers[string]
	now     func() time.Time
}

func nodeNames(count int) []string {
	names := make([]string, 0, count)
	for i := range count {
		names = append(names, fmt.Sprintf("node-%d", i+1))
	}
	return names
}

func (k *nodeKeeper) reconcile(ctx context.Context, name string) (time.Duration, error) {
	object, exists, err := k.nodes.GetByKey(name)
	if err != nil {
		return 0, err
	}
	if !exists {
		_, err := k.client.CoreV1().Nodes().Create(ctx, k.newNode(name), metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return 0, err
		}
		return leaseRenewal, k.renewLease(ctx, name)
	}
	node := object.(*corev1.Node)
	if !isSimulated(node) {
		return 0, fmt.Errorf("a node %s that is not simulated is there already", name)
	}
	if err := k.writeStatus(ctx, node); err != nil {
		return 0, err
	}
	if isLost(node) {
		return leaseRenewal, nil
	}
	return leaseRenewal, k.renewLease(ctx, name)
}

func (k *nodeKeeper) writeStatus(ctx context.Context, node *corev1.Node) error {
	status := k.statusOf(node)
	if equality.Semantic.DeepEqual(node.Status, status) {
		return nil
	}
	next := node.DeepCopy()
	next.Status = status
	_, err := k.client.CoreV1().Nodes().UpdateStatus(ctx, next, metav1.UpdateOptions{})
	return ignoreGone(err)
}

func (k *nodeKeeper) renewLease(ctx context.Context, name string) error {
	leases := k.client.CoordinationV1().Leases(leaseNamespace)
	now := metav1.NewMicroTime(k.now())
	patch := fmt.Appendf(nil, `{"spec":{"renewTime":%q}}`, now.UTC().Format(metav1.RFC3339Micro))
	_, err := leases.Patch(ctx, name, mergePatch, patch, metav1.PatchOptions{})
	if !apierrors.IsNotFound(err) {
		return err
	}
	_, err = leases.Create(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: leaseNamespace},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: ptr.To(name), LeaseDurationSeconds: ptr.To(int32(leaseDuration)), RenewTime: &now,
		},
	}, metav1.CreateOptions{})
	return err
}

func isSimulated(node *corev1.Node) bool {
	return node.Labels[NodeLabel] == "true"
}

func isLost(node *corev1.Node) bool {
	return node.Annotations[FaultAnnotation] == Lost
}

func nodeAddress(node *corev1.Node) string {
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			return address.Address
		}
	}
	return ""
}

func (k *nodeKeeper) newNode(name string) *corev1.Node {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: name,
		Labels: map[string]string{
			NodeLabel:                "true",
			corev1.LabelHostname:     name,
			corev1.LabelOSStable:     "linux",
			corev1.LabelArchStable:   "amd64",
			corev1.LabelTopologyZone: "simulated",
		},
	}}
	node.Status = k.statusOf(node)
	return node
}

func (k *nodeKeeper) statusOf(node *corev1.Node) corev1.NodeStatus {
	status := *node.Status.DeepCopy()
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse(k.options.NodeCPU),
		corev1.ResourceMemory:           resource.MustParse(k.options.NodeMemory),
		corev1.ResourceEphemeralStorage: resource.MustParse("64Ti"),
		corev1.ResourcePods:             *resource.NewQuantity(k.options.PodsPerNode, resource.DecimalSI),
	}
	status.Capacity, status.Allocatable = capacity, capacity.DeepCopy()
	status.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: addressOfNode(node.Name)},
		{Type: corev1.NodeHostName, Address: node.Name},
	}
	status.DaemonEndpoints.KubeletEndpoint.Port = kubeletPort
	status.NodeInfo.KubeletVersion = version.Get().GitVersion
	status.NodeInfo.OperatingSystem = "linux"
	status.NodeInfo.Architecture = "amd64"
	status.NodeInfo.OSImage = "simulated"
	status.NodeInfo.KernelVersion = "simulated"
	status.NodeInfo.ContainerRuntimeVersion = "simulated://1"
	status.Conditions = k.conditionsOf(node)
	return status
}

// addressOfNode lies in a range reserved for documentation (RFC 5737): nobody's machine is there.
func addressOfNode(name string) string {
	var number int
	if _, err := fmt.Sscanf(name, "node-%d", &number); err != nil {
		return ""
	}
	return fmt.Sprintf("192.0.2.%d", number)
}

func (k *nodeKeeper) conditionsOf(node *corev1.Node) []corev1.NodeCondition {
	healthy := map[corev1.NodeConditionType]corev1.NodeCondition{
		corev1.NodeReady:          {Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "simulated"},
		corev1.NodeMemoryPressure: {Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory"},
		corev1.NodeDiskPressure:   {Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure"},
		corev1.NodePIDPressure:    {Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID"},
	}
	order := []corev1.NodeConditionType{
		corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure, corev1.NodeReady,
	}
	var conditions []corev1.NodeCondition
	for _, kind := range order {
		next := healthy[kind]
		next.Type = kind
		if isLost(node) {
			// The words of the node lifecycle controller, which would come to the same a lease later.
			next.Status, next.Reason = corev1.ConditionUnknown, "NodeStatusUnknown"
			next.Message = "Kubelet stopped posting node status."
		}
		conditions = append(conditions, since(node, next, metav1.NewTime(k.now())))
	}
	return conditions
}

// since keeps the times of a condition that has not changed, so that an unchanged status is not written again.
func since(node *corev1.Node, next corev1.NodeCondition, now metav1.Time) corev1.NodeCondition {
	next.LastTransitionTime, next.LastHeartbeatTime = now, now
	for _, present := range node.Status.Conditions {
		if present.Type == next.Type && present.Status == next.Status {
			next.LastTransitionTime = present.LastTransitionTime
			if present.Reason == next.Reason {
				next.LastHeartbeatTime = present.LastHeartbeatTime
			}
		}
	}
	return next
}
