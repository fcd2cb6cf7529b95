package simnode

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// Run plays nodes and volumes until the context ends. It returns an error only for what no retry can mend.
func Run(ctx context.Context, client kubernetes.Interface, options Options) error {
	if err := options.Validate(); err != nil {
		return err
	}
	s := newSimulation(client, options)
	if err := s.watch(ctx); err != nil {
		return err
	}
	for _, name := range nodeNames(options.NodeCount) {
		s.nodes.workers.queue.Add(name)
	}
	return s.work(ctx)
}

type simulation struct {
	options Options
	pods    *podKeeper
	nodes   *nodeKeeper
	volumes *volumeKeeper
	all     informers.SharedInformerFactory
	placed  informers.SharedInformerFactory
}

func newSimulation(client kubernetes.Interface, options Options) *simulation {
	s := &simulation{options: options}
	s.all = informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(trim))
	onlyPlaced := func(list *metav1.ListOptions) { list.FieldSelector = "spec.nodeName!=" }
	s.placed = informers.NewSharedInformerFactoryWithOptions(
		client, 0, informers.WithTransform(trim), informers.WithTweakListOptions(onlyPlaced))

	namespaces := s.all.Core().V1().Namespaces().Informer().GetStore()
	nodes := s.all.Core().V1().Nodes().Informer().GetStore()
	s.nodes = &nodeKeeper{client: client, options: options, nodes: nodes, now: time.Now}
	s.nodes.workers = newWorkers("node", s.nodes.reconcile)
	s.pods = &podKeeper{
		client: client, options: options, nodes: nodes, namespaces: namespaces, now: time.Now,
		pods:      s.placed.Core().V1().Pods().Informer().GetIndexer(),
		addresses: newAddressPool(netip.MustParsePrefix(options.PodCIDR)),
	}
	s.pods.workers = newWorkers("pod", s.pods.reconcile)
	s.volumes = &volumeKeeper{
		client: client, namespaces: namespaces,
		claims:  s.all.Core().V1().PersistentVolumeClaims().Informer().GetIndexer(),
		volumes: s.all.Core().V1().PersistentVolumes().Informer().GetStore(),
		classes: s.all.Storage().V1().StorageClasses().Informer().GetStore(),
	}
	s.volumes.claimWorkers = newWorkers("claim", s.volumes.reconcileClaim)
	s.volumes.volumeWorkers = newWorkers("volume", s.volumes.reconcileVolume)
	return s
}

// watch starts the informers. The pods come last: what decides about them must be known before the first is looked at.
func (s *simulation) watch(ctx context.Context) error {
	if err := s.subscribe(); err != nil {
		return err
	}
	s.all.Start(ctx.Done())
	for kind, synced := range s.all.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("stopped before the first list of %v", kind)
		}
	}
	s.placed.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), s.placed.Core().V1().Pods().Informer().HasSynced) {
		return fmt.Errorf("stopped before the first list of pods")
	}
	s.keepAddresses()
	return nil
}

// keepAddresses reserves what running pods have before any new pod is given one.
func (s *simulation) keepAddresses() {
	for _, object := range s.pods.pods.List() {
		pod := object.(*corev1.Pod)
		if pod.Status.PodIP == "" || pod.Spec.HostNetwork || isTerminal(pod.Status.Phase) {
			continue
		}
		if _, err := s.pods.addresses.take(pod.UID, pod.Status.PodIP); err != nil {
			klog.ErrorS(err, "No address", "pod", klog.KObj(pod))
		}
	}
}

func (s *simulation) work(ctx context.Context) error {
	err := wait.PollUntilContextCancel(ctx, time.Second, true, func(ctx context.Context) (bool, error) {
		if err := s.volumes.ensureClasses(ctx); err != nil {
			klog.V(1).InfoS("Will try again", "what", "storage classes", "err", err)
			return false, nil
		}
		return true, nil
	})
	if err != nil {
		return nil //nolint:nilerr // the context ended: an orderly stop
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var group sync.WaitGroup
	if s.options.Tunnel.Address != "" {
		group.Go(func() {
			if err := s.tunnel().run(ctx); err != nil {
				stop(err)
			}
		})
	}
	group.Go(func() { s.nodes.workers.run(ctx, 4) })
	group.Go(func() { s.pods.workers.run(ctx, s.options.Workers) })
	group.Go(func() { s.volumes.claimWorkers.run(ctx, 4) })
	group.Go(func() { s.volumes.volumeWorkers.run(ctx, 2) })
	group.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func (s *simulation) tunnel() *tunnel {
	kubelet := &kubeletAPI{pods: s.pods.pods, fault: s.pods.fault}
	addresses := map[string]bool{}
	for _, name := range nodeNames(s.options.NodeCount) {
		// The API server prefers a node's name to its address.
		addresses[name], addresses[addressOfNode(name)] = true, true
	}
	isNode := func(address string) bool { return addresses[address] }
	return &tunnel{options: s.options.Tunnel, kubelet: kubelet.handler(), isNode: isNode}
}

func (s *simulation) subscribe() error {
	core := s.all.Core().V1()
	subscriptions := map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		s.placed.Core().V1().Pods().Informer(): cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { enqueue(s.pods.workers, o) },
			UpdateFunc: func(_, o any) { enqueue(s.pods.workers, o) },
			DeleteFunc: s.forgetPod,
		},
		core.Nodes().Informer(): cache.ResourceEventHandlerFuncs{
			AddFunc:    s.nodeChanged,
			UpdateFunc: func(before, after any) { s.nodeUpdated(before.(*corev1.Node), after.(*corev1.Node)) },
			DeleteFunc: s.nodeChanged,
		},
		core.Namespaces().Informer(): cache.ResourceEventHandlerFuncs{
			UpdateFunc: func(before, after any) {
				s.namespaceUpdated(before.(*corev1.Namespace), after.(*corev1.Namespace))
			},
		},
		core.PersistentVolumeClaims().Informer(): cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { enqueue(s.volumes.claimWorkers, o) },
			UpdateFunc: func(_, o any) { enqueue(s.volumes.claimWorkers, o) },
		},
		core.PersistentVolumes().Informer(): cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { enqueue(s.volumes.volumeWorkers, o) },
			UpdateFunc: func(_, o any) { enqueue(s.volumes.volumeWorkers, o) },
		},
	}
	for informer, handler := range subscriptions {
		if err := informer.AddIndexers(indexersOf(informer, s)); err != nil {
			return err
		}
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	return nil
}

func indexersOf(informer cache.SharedIndexInformer, s *simulation) cache.Indexers {
	if informer != s.placed.Core().V1().Pods().Informer() {
		return nil
	}
	return cache.Indexers{podsByNode: func(o any) ([]string, error) {
		return []string{o.(*corev1.Pod).Spec.NodeName}, nil
	}}
}

func enqueue(w *workers[string], object any) {
	if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
		w.queue.Add(key)
	}
}

func (s *simulation) forgetPod(object any) {
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = unknown.Obj
	}
	if pod, ok := object.(*corev1.Pod); ok {
		s.pods.addresses.release(pod.UID)
	}
}

// nodeChanged looks at the node at once, but only if it is one of those that we were asked to play.
func (s *simulation) nodeChanged(object any) {
	key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object)
	if err != nil {
		return
	}
	for _, name := range nodeNames(s.options.NodeCount) {
		if name == key {
			s.nodes.workers.queue.Add(name)
		}
	}
	s.enqueueIndexed(podsByNode, key)
}

func (s *simulation) nodeUpdated(before, after *corev1.Node) {
	if isLost(before) != isLost(after) || !reflect.DeepEqual(before.Status, after.Status) {
		s.nodeChanged(after)
	}
}

func (s *simulation) namespaceUpdated(before, after *corev1.Namespace) {
	ends := before.DeletionTimestamp == nil && after.DeletionTimestamp != nil
	if !ends && before.Annotations[FaultsAnnotation] == after.Annotations[FaultsAnnotation] {
		return
	}
	s.enqueueIndexed(podsByNamespace, after.Name)
	claims, err := s.volumes.claims.ByIndex(cache.NamespaceIndex, after.Name)
	if err != nil {
		return
	}
	for _, claim := range claims {
		enqueue(s.volumes.claimWorkers, claim)
	}
}

func (s *simulation) enqueueIndexed(index, value string) {
	pods, err := s.pods.pods.ByIndex(index, value)
	if err != nil {
		klog.ErrorS(err, "No such index", "index", index)
		return
	}
	for _, pod := range pods {
		enqueue(s.pods.workers, pod)
	}
}
