package simnode

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

const (
	podsByNode      = "node"
	podsByNamespace = cache.NamespaceIndex
)

// podKeeper makes the status of each pod on our nodes what Next says.
type podKeeper struct {
	client     kubernetes.Interface
	options    Options
	pods       cache.Indexer
	nodes      cache.Store
	namespaces cache.Store
	addresses  *addressPool
	workers    *workers[string]
	now        func() time.Time
}

func (k *podKeeper) reconcile(ctx context.Context, key string) (time.Duration, error) {
	object, exists, err := k.pods.GetByKey(key)
	if err != nil || !exists {
		return 0, err
	}
	pod := object.(*corev1.Pod)
	node := k.simulatedNode(pod.Spec.NodeName)
	if node == nil {
		return 0, nil
	}
	scene, err := k.scene(pod, node)
	if err != nil {
		return 0, err
	}
	if pod.DeletionTimestamp != nil || k.namespaceEnds(pod.Namespace) {
		return 0, k.remove(ctx, scene)
	}
	status, again := Next(scene)
	return again, k.write(ctx, pod, status)
}

func (k *podKeeper) scene(pod *corev1.Pod, node *corev1.Node) (Scene, error) {
	scene := Scene{
		Pod:         pod,
		Fault:       k.fault(pod),
		NodeLost:    isLost(node),
		Now:         k.now(),
		HostIP:      nodeAddress(node),
		Delay:       k.options.PodDelay + jitter(pod.UID, k.options.PodJitter),
		JobDuration: k.options.JobDuration,
	}
	scene.PodIP = scene.HostIP
	if pod.Spec.HostNetwork || isTerminal(pod.Status.Phase) {
		return scene, nil
	}
	address, err := k.addresses.take(pod.UID, pod.Status.PodIP)
	scene.PodIP = address
	return scene, err
}

func (k *podKeeper) fault(pod *corev1.Pod) Fault {
	target := Target{Labels: pod.Labels, Annotations: pod.Annotations, Words: podFaults}
	for _, c := range pod.Spec.InitContainers {
		target.Containers = append(target.Containers, c.Name)
	}
	for _, c := range pod.Spec.Containers {
		target.Containers = append(target.Containers, c.Name)
	}
	return FaultOf(target, namespaceFaults(k.namespaces, pod.Namespace))
}

func namespaceFaults(namespaces cache.Store, name string) string {
	object, exists, err := namespaces.GetByKey(name)
	if err != nil || !exists {
		return ""
	}
	return object.(*corev1.Namespace).Annotations[FaultsAnnotation]
}

// namespaceEnds: the namespace controller looks 5 s after the deletion, and again 5 s later if it still finds pods. They
// cannot be replaced any more, so removing them before it looks the first time saves the second.
func (k *podKeeper) namespaceEnds(name string) bool {
	object, exists, err := k.namespaces.GetByKey(name)
	return err == nil && exists && object.(*corev1.Namespace).DeletionTimestamp != nil
}

func (k *podKeeper) simulatedNode(name string) *corev1.Node {
	object, exists, err := k.nodes.GetByKey(name)
	if err != nil || !exists {
		return nil
	}
	if node := object.(*corev1.Node); isSimulated(node) {
		return node
	}
	return nil
}

// remove ends the pod at once: there is no process whose grace period could matter.
func (k *podKeeper) remove(ctx context.Context, scene Scene) error {
	pod := scene.Pod
	if scene.NodeLost {
		return nil
	}
	if len(pod.Finalizers) > 0 && !isTerminal(pod.Status.Phase) {
		if err := k.write(ctx, pod, Ended(scene)); err != nil {
			return err
		}
	}
	if ptr.Deref(pod.DeletionGracePeriodSeconds, 1) == 0 {
		return nil // only somebody's finalizer still holds it
	}
	err := k.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To(int64(0)),
		Preconditions:      &metav1.Preconditions{UID: &pod.UID},
	})
	return ignoreGone(err)
}

// write patches as a kubelet does: only the difference, and only for the pod of this UID.
func (k *podKeeper) write(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) error {
	if equality.Semantic.DeepEqual(pod.Status, status) {
		return nil
	}
	patch, err := statusPatch(pod, status)
	if err != nil {
		return err
	}
	_, err = k.client.CoreV1().Pods(pod.Namespace).Patch(
		ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return ignoreGone(err)
}

func statusPatch(pod *corev1.Pod, status corev1.PodStatus) ([]byte, error) {
	before, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return nil, fmt.Errorf("status of %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	after, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: pod.UID}, Status: status})
	if err != nil {
		return nil, fmt.Errorf("status of %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
}

// ignoreGone: a pod that is no longer there, or is another of the same name, needs nothing more from us.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// jitter differs between pods and is the same for one pod however often it is asked for.
func jitter(uid types.UID, most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	hash := fnv.New32a()
	hash.Write([]byte(uid))
	return time.Duration(int64(hash.Sum32()) % int64(most))
}
