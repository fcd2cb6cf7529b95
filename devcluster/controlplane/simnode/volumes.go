package simnode

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

const (
	mergePatch              = types.MergePatchType
	provisionedByAnnotation = "pv.kubernetes.io/provisioned-by"
	selectedNodeAnnotation  = "volume.kubernetes.io/selected-node"
	defaultClassAnnotation  = "storageclass.kubernetes.io/is-default-class"
)

// volumeKeeper is an external provisioner without disks: the controller-manager still does the binding itself.
type volumeKeeper struct {
	client        kubernetes.Interface
	claims        cache.Indexer
	volumes       cache.Store
	classes       cache.Store
	namespaces    cache.Store
	claimWorkers  *workers[string]
	volumeWorkers *workers[string]
}

// storageClasses: the default waits for a consumer, as kind's does; the other is for claims that no pod uses.
func storageClasses() []*storagev1.StorageClass {
	class := func(name, isDefault string, mode storagev1.VolumeBindingMode) *storagev1.StorageClass {
		return &storagev1.StorageClass{
			ObjectMeta:           metav1.ObjectMeta{Name: name, Annotations: map[string]string{defaultClassAnnotation: isDefault}},
			Provisioner:          Provisioner,
			ReclaimPolicy:        ptr.To(corev1.PersistentVolumeReclaimDelete),
			VolumeBindingMode:    ptr.To(mode),
			AllowVolumeExpansion: ptr.To(true),
		}
	}
	return []*storagev1.StorageClass{
		class("standard", "true", storagev1.VolumeBindingWaitForFirstConsumer),
		class("standard-immediate", "false", storagev1.VolumeBindingImmediate),
	}
}

func (k *volumeKeeper) ensureClasses(ctx context.Context) error {
	for _, class := range storageClasses() {
		_, err := k.client.StorageV1().StorageClasses().Create(ctx, class, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("storage class %s: %w", class.Name, err)
		}
	}
	return nil
}

func (k *volumeKeeper) reconcileClaim(ctx context.Context, key string) (time.Duration, error) {
	object, exists, err := k.claims.GetByKey(key)
	if err != nil || !exists {
		return 0, err
	}
	claim := object.(*corev1.PersistentVolumeClaim)
	if claim.DeletionTimestamp != nil {
		return 0, nil
	}
	class := k.classOf(claim)
	if class == nil || k.fault(claim).Word != "" {
		return 0, nil
	}
	if claim.Spec.VolumeName == "" {
		return 0, k.provision(ctx, claim, class)
	}
	if claim.Status.Phase == corev1.ClaimBound {
		return 0, k.grow(ctx, claim)
	}
	return 0, nil
}

func (k *volumeKeeper) classOf(claim *corev1.PersistentVolumeClaim) *storagev1.StorageClass {
	object, exists, err := k.classes.GetByKey(ptr.Deref(claim.Spec.StorageClassName, ""))
	if err != nil || !exists {
		return nil
	}
	class := object.(*storagev1.StorageClass)
	if class.Provisioner != Provisioner {
		return nil
	}
	return class
}

func (k *volumeKeeper) fault(claim *corev1.PersistentVolumeClaim) Fault {
	target := Target{Labels: claim.Labels, Annotations: claim.Annotations, Words: claimFaults}
	return FaultOf(target, namespaceFaults(k.namespaces, claim.Namespace))
}

func (k *volumeKeeper) provision(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass,
) error {
	waits := ptr.Deref(class.VolumeBindingMode, "") == storagev1.VolumeBindingWaitForFirstConsumer
	if waits && claim.Annotations[selectedNodeAnnotation] == "" {
		return nil
	}
	_, err := k.client.CoreV1().PersistentVolumes().Create(ctx, volumeFor(claim, class), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func volumeFor(claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) *corev1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{provisionedByAnnotation: Provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:    corev1.ResourceList{corev1.ResourceStorage: requested(claim)},
			AccessModes: claim.Spec.AccessModes,
			VolumeMode:  claim.Spec.VolumeMode,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: ptr.Deref(class.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete),
			// Only a name: a volume needs some source, and this one asks no attacher and pins the pod to no node.
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: "/simulated-volumes/" + name},
			},
		},
	}
}

func requested(claim *corev1.PersistentVolumeClaim) resource.Quantity {
	return claim.Spec.Resources.Requests[corev1.ResourceStorage]
}

// grow gives a bound claim the size that it asks for: first the volume, then what the claim reports.
func (k *volumeKeeper) grow(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	size := requested(claim)
	present := claim.Status.Capacity[corev1.ResourceStorage]
	if size.Cmp(present) <= 0 {
		return nil
	}
	capacity := map[string]any{"capacity": map[string]string{"storage": size.String()}}
	volumePatch, err := json.Marshal(map[string]any{"spec": capacity})
	if err != nil {
		return err
	}
	volumes := k.client.CoreV1().PersistentVolumes()
	if _, err := volumes.Patch(ctx, claim.Spec.VolumeName, mergePatch, volumePatch, metav1.PatchOptions{}); err != nil {
		return ignoreGone(err)
	}
	capacity["conditions"] = nil
	capacity["allocatedResources"] = nil
	capacity["allocatedResourceStatuses"] = nil
	claimPatch, err := json.Marshal(map[string]any{"status": capacity})
	if err != nil {
		return err
	}
	claims := k.client.CoreV1().PersistentVolumeClaims(claim.Namespace)
	_, err = claims.Patch(ctx, claim.Name, mergePatch, claimPatch, metav1.PatchOptions{}, "status")
	return ignoreGone(err)
}

// reconcileVolume removes a volume whose claim has gone, if that is its policy.
func (k *volumeKeeper) reconcileVolume(ctx context.Context, name string) (time.Duration, error) {
	object, exists, err := k.volumes.GetByKey(name)
	if err != nil || !exists {
		return 0, err
	}
	volume := object.(*corev1.PersistentVolume)
	if volume.Annotations[provisionedByAnnotation] != Provisioner || volume.DeletionTimestamp != nil ||
		volume.Status.Phase != corev1.VolumeReleased ||
		volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return 0, nil
	}
	err = k.client.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{})
	return 0, ignoreGone(err)
}
