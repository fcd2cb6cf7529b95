package simnode

import (
	"context"
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

func storeOf(objects ...any) cache.Indexer {
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for _, object := range objects {
		if err := store.Add(object); err != nil {
			panic(err)
		}
	}
	return store
}

func simulatedNode(annotations map[string]string) *corev1.Node {
	keeper := &nodeKeeper{options: DefaultOptions(), now: func() time.Time { return noon }}
	node := keeper.newNode("node-1")
	node.Annotations = annotations
	return node
}

func podKeeperFor(pod *corev1.Pod, node *corev1.Node) (*podKeeper, *fake.Clientset) {
	client := fake.NewClientset(pod)
	return &podKeeper{
		client: client, options: DefaultOptions(), now: func() time.Time { return noon },
		pods: storeOf(pod), nodes: storeOf(node), namespaces: storeOf(),
		addresses: newAddressPool(netip.MustParsePrefix("198.18.0.0/24")),
	}, client
}

func TestAPodTakesOneWrite(t *testing.T) {
	pod := makePod()
	keeper, client := podKeeperFor(pod, simulatedNode(nil))
	if again, err := keeper.reconcile(t.Context(), "shop/auth-0"); err != nil || again != 0 {
		t.Fatal(again, err)
	}
	if actions := client.Actions(); len(actions) != 1 || actions[0].GetSubresource() != "status" {
		t.Errorf("actions were %v", actions)
	}
	after, err := client.CoreV1().Pods("shop").Get(t.Context(), "auth-0", metav1.GetOptions{})
	if err != nil || after.Status.Phase != corev1.PodRunning || after.Status.PodIP == "" || after.Status.HostIP != "192.0.2.1" {
		t.Errorf("status is %+v, %v", after.Status, err)
	}
	client.ClearActions()
	keeper.pods = storeOf(after)
	if _, err := keeper.reconcile(t.Context(), "shop/auth-0"); err != nil || len(client.Actions()) != 0 {
		t.Errorf("a settled pod was written again: %v, %v", client.Actions(), err)
	}
}

func TestPodsOfOtherNodesAreLeftAlone(t *testing.T) {
	node := simulatedNode(nil)
	node.Labels = nil
	keeper, client := podKeeperFor(makePod(), node)
	if _, err := keeper.reconcile(t.Context(), "shop/auth-0"); err != nil || len(client.Actions()) != 0 {
		t.Errorf("%v, %v", client.Actions(), err)
	}
}

func TestADeletedPodGoesAtOnceUnlessItsNodeIsLost(t *testing.T) {
	pod := makePod(func(p *corev1.Pod) { p.DeletionTimestamp = ptr.To(metav1.NewTime(noon)) })
	keeper, client := podKeeperFor(pod, simulatedNode(map[string]string{FaultAnnotation: Lost}))
	if _, err := keeper.reconcile(t.Context(), "shop/auth-0"); err != nil || len(client.Actions()) != 0 {
		t.Errorf("lost: %v, %v", client.Actions(), err)
	}
	keeper, client = podKeeperFor(pod, simulatedNode(nil))
	if _, err := keeper.reconcile(t.Context(), "shop/auth-0"); err != nil {
		t.Fatal(err)
	}
	_, err := client.CoreV1().Pods("shop").Get(t.Context(), "auth-0", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the pod is still there: %v", err)
	}
}

func TestThePodsOfANamespaceThatEndsGoAtOnce(t *testing.T) {
	keeper, client := podKeeperFor(makePod(), simulatedNode(nil))
	keeper.namespaces = storeOf(&corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", DeletionTimestamp: ptr.To(metav1.NewTime(noon))},
	})
	if _, err := keeper.reconcile(t.Context(), "shop/auth-0"); err != nil {
		t.Fatal(err)
	}
	if actions := client.Actions(); len(actions) != 1 || actions[0].GetVerb() != "delete" {
		t.Errorf("actions were %v", actions)
	}
}

func TestADeletedPodWithAFinalizerEndsFirst(t *testing.T) {
	pod := makePod(func(p *corev1.Pod) {
		p.DeletionTimestamp = ptr.To(metav1.NewTime(noon))
		p.Finalizers = []string{"batch.kubernetes.io/job-tracking"}
	})
	keeper, client := podKeeperFor(pod, simulatedNode(nil))
	if _, err := keeper.reconcile(t.Context(), "shop/auth-0"); err != nil {
		t.Fatal(err)
	}
	actions := client.Actions()
	if len(actions) != 2 || actions[0].GetVerb() != "patch" || actions[1].GetVerb() != "delete" {
		t.Errorf("actions were %v", actions)
	}
}

func TestANodeIsRegisteredWithItsLeaseAndLeftAloneWhenLost(t *testing.T) {
	client := fake.NewClientset()
	keeper := &nodeKeeper{client: client, options: DefaultOptions(), nodes: storeOf(), now: func() time.Time { return noon }}
	if _, err := keeper.reconcile(t.Context(), "node-1"); err != nil {
		t.Fatal(err)
	}
	lease, err := client.CoordinationV1().Leases(leaseNamespace).Get(t.Context(), "node-1", metav1.GetOptions{})
	if err != nil || !lease.Spec.RenewTime.Time.Equal(noon) {
		t.Fatalf("lease is %+v, %v", lease, err)
	}
	node, _ := client.CoreV1().Nodes().Get(t.Context(), "node-1", metav1.GetOptions{})
	node.Annotations = map[string]string{FaultAnnotation: Lost}
	keeper.nodes, keeper.now = storeOf(node), func() time.Time { return noon.Add(time.Minute) }
	client.ClearActions()
	if _, err := keeper.reconcile(t.Context(), "node-1"); err != nil {
		t.Fatal(err)
	}
	if actions := client.Actions(); len(actions) != 1 || actions[0].GetSubresource() != "status" {
		t.Errorf("actions were %v", actions)
	}
	node, _ = client.CoreV1().Nodes().Get(t.Context(), "node-1", metav1.GetOptions{})
	ready := node.Status.Conditions[len(node.Status.Conditions)-1]
	if ready.Type != corev1.NodeReady || ready.Status != corev1.ConditionUnknown {
		t.Errorf("ready is %+v", ready)
	}
}

func claimOf(class string, change ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "shop", UID: "c1"},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: ptr.To(class),
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("2Gi")},
			},
		},
	}
	for _, c := range change {
		c(claim)
	}
	return claim
}

func volumeKeeperFor(objects ...runtime.Object) (*volumeKeeper, *fake.Clientset) {
	client := fake.NewClientset(objects...)
	keeper := &volumeKeeper{client: client, claims: storeOf(), volumes: storeOf(), classes: storeOf(), namespaces: storeOf()}
	for _, class := range storageClasses() {
		_ = keeper.classes.Add(class)
	}
	_ = keeper.classes.Add(&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "foreign"}, Provisioner: "other"})
	for _, object := range objects {
		switch typed := object.(type) {
		case *corev1.PersistentVolumeClaim:
			_ = keeper.claims.Add(typed)
		case *corev1.PersistentVolume:
			_ = keeper.volumes.Add(typed)
		}
	}
	return keeper, client
}

func TestWhenAClaimGetsAVolume(t *testing.T) {
	selected := func(c *corev1.PersistentVolumeClaim) {
		c.Annotations = map[string]string{selectedNodeAnnotation: "node-1"}
	}
	never := func(c *corev1.PersistentVolumeClaim) { c.Annotations = map[string]string{FaultAnnotation: NeverBound} }
	for _, test := range []struct {
		sentence string
		claim    *corev1.PersistentVolumeClaim
		want     bool
	}{
		{"the default class waits for a pod", claimOf("standard"), false},
		{"once a node is selected there is a volume", claimOf("standard", selected), true},
		{"the immediate class waits for nobody", claimOf("standard-immediate"), true},
		{"a class of somebody else is left alone", claimOf("foreign"), false},
		{"never-bound", claimOf("standard-immediate", never), false},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			keeper, client := volumeKeeperFor(test.claim)
			if _, err := keeper.reconcileClaim(t.Context(), "shop/data"); err != nil {
				t.Fatal(err)
			}
			_, err := client.CoreV1().PersistentVolumes().Get(t.Context(), "pvc-c1", metav1.GetOptions{})
			if (err == nil) != test.want {
				t.Errorf("volume: %v", err)
			}
		})
	}
}

func TestAGrownClaimGetsItsSize(t *testing.T) {
	claim := claimOf("standard", func(c *corev1.PersistentVolumeClaim) {
		c.Spec.VolumeName = "pvc-c1"
		c.Status.Phase = corev1.ClaimBound
		c.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	})
	keeper, client := volumeKeeperFor(claim, volumeFor(claim, storageClasses()[0]))
	if _, err := keeper.reconcileClaim(t.Context(), "shop/data"); err != nil {
		t.Fatal(err)
	}
	after, _ := client.CoreV1().PersistentVolumeClaims("shop").Get(t.Context(), "data", metav1.GetOptions{})
	if size := after.Status.Capacity[corev1.ResourceStorage]; size.String() != "2Gi" {
		t.Errorf("the claim has %s", size.String())
	}
}

func TestAReleasedVolumeGoesIfThatIsItsPolicy(t *testing.T) {
	for policy, gone := range map[corev1.PersistentVolumeReclaimPolicy]bool{
		corev1.PersistentVolumeReclaimDelete: true, corev1.PersistentVolumeReclaimRetain: false,
	} {
		volume := volumeFor(claimOf("standard"), storageClasses()[0])
		volume.Spec.PersistentVolumeReclaimPolicy = policy
		volume.Status.Phase = corev1.VolumeReleased
		keeper, client := volumeKeeperFor(volume)
		if _, err := keeper.reconcileVolume(t.Context(), volume.Name); err != nil {
			t.Fatal(err)
		}
		_, err := client.CoreV1().PersistentVolumes().Get(t.Context(), volume.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) != gone {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

func TestRunBringsNodesClassesAndPodsUp(t *testing.T) {
	client := fake.NewClientset(makePod())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, client, DefaultOptions()) }()
	deadline := time.Now().Add(20 * time.Second)
	for {
		pod, err := client.CoreV1().Pods("shop").Get(t.Context(), "auth-0", metav1.GetOptions{})
		if err == nil && conditionHolds(&pod.Status, corev1.PodReady) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the pod is %+v, %v", pod.Status, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run ended with %v", err)
	}
}
