package simnode

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// lifetime is what a container does when nothing is wrong with it.
type lifetime int

const (
	keepsRunning lifetime = iota
	completes
)

const (
	firstBackOff   = 10 * time.Second
	longestBackOff = 5 * time.Minute
)

// nextContainer is the status of one container, and after how long it changes by itself (0: never).
func nextContainer(scene Scene, spec corev1.Container, previous corev1.ContainerStatus, kind lifetime) (corev1.ContainerStatus, time.Duration) {
	next := identity(spec, previous)
	fault := faultOfContainer(scene, spec.Name)
	switch fault.Word {
	case "", Evicted, SlowStart:
		return healthy(scene, next, previous, kind), 0
	case NeverReady:
		next = healthy(scene, next, previous, keepsRunning)
		next.Ready = false
		return next, 0
	case CrashLoopBackOff, OOMKilled, JobFailed:
		return crashed(scene, fault, next, previous)
	default:
		return waiting(fault, next), 0
	}
}

// faultOfContainer: a fault that names no container is meant for the main ones.
func faultOfContainer(scene Scene, name string) Fault {
	fault := scene.Fault
	if fault.Container == "" {
		for _, c := range scene.Pod.Spec.Containers {
			if c.Name == name {
				return fault
			}
		}
		return Fault{}
	}
	if fault.Container == name {
		return fault
	}
	if fault.Container != "" && !hasContainer(scene.Pod, fault.Container) {
		return Fault{Word: notUnderstood, Message: fmt.Sprintf("the pod has no container %q to be faulty", fault.Container)}
	}
	return Fault{}
}

func hasContainer(pod *corev1.Pod, name string) bool {
	for _, c := range append(append([]corev1.Container{}, pod.Spec.InitContainers...), pod.Spec.Containers...) {
		if c.Name == name {
			return true
		}
	}
	return false
}

// identity carries over what a container keeps through all its states.
func identity(spec corev1.Container, previous corev1.ContainerStatus) corev1.ContainerStatus {
	status := corev1.ContainerStatus{
		Name:                 spec.Name,
		Image:                spec.Image,
		ImageID:              imageID(spec.Image),
		RestartCount:         previous.RestartCount,
		LastTerminationState: *previous.LastTerminationState.DeepCopy(),
		Started:              ptr.To(false),
	}
	if len(spec.Resources.Requests)+len(spec.Resources.Limits) > 0 {
		status.Resources = &corev1.ResourceRequirements{Requests: spec.Resources.Requests, Limits: spec.Resources.Limits}
		status.AllocatedResources = spec.Resources.Requests
	}
	return status
}

func healthy(scene Scene, next, previous corev1.ContainerStatus, kind lifetime) corev1.ContainerStatus {
	if kind == completes && previous.State.Terminated != nil && previous.State.Terminated.ExitCode == 0 {
		return previous
	}
	if previous.State.Waiting != nil && previous.LastTerminationState.Terminated != nil {
		next.RestartCount++ // it comes up again out of its back-off
	}
	started := metav1.NewTime(scene.Now)
	if previous.State.Running != nil {
		started = previous.State.Running.StartedAt
	}
	next.ContainerID = containerID(scene.Pod, next)
	next.Ready = true
	if kind == completes {
		next.State.Terminated = &corev1.ContainerStateTerminated{
			Reason: "Completed", StartedAt: started, FinishedAt: metav1.NewTime(scene.Now), ContainerID: next.ContainerID,
		}
		// An init container that is done counts as ready; a finished main container does not.
		next.Ready = isInitContainer(scene.Pod, next.Name)
		return next
	}
	next.State.Running = &corev1.ContainerStateRunning{StartedAt: started}
	next.Started = ptr.To(true)
	return next
}

func isInitContainer(pod *corev1.Pod, name string) bool {
	for _, c := range pod.Spec.InitContainers {
		if c.Name == name {
			return true
		}
	}
	return false
}

// crashed ends the container; where the pod's policy restarts it, it crashes again after a kubelet's back-off.
func crashed(scene Scene, fault Fault, next, previous corev1.ContainerStatus) (corev1.ContainerStatus, time.Duration) {
	ending := endingOf(fault)
	if scene.Pod.Spec.RestartPolicy == corev1.RestartPolicyNever {
		end(&next, ending, scene.Now)
		return next, 0
	}
	last := previous.LastTerminationState.Terminated
	inBackOff := previous.State.Waiting != nil && last != nil && sameEnding(*last, ending)
	if inBackOff {
		if wait := last.FinishedAt.Add(backOff(previous.RestartCount)).Sub(scene.Now); wait > 0 {
			next.State.Waiting = previous.State.Waiting
			next.ContainerID = previous.ContainerID
			return next, wait
		}
	}
	next.RestartCount = max(previous.RestartCount+1, fault.Restarts)
	next.ContainerID = containerID(scene.Pod, next)
	ending.StartedAt, ending.FinishedAt = metav1.NewTime(scene.Now), metav1.NewTime(scene.Now)
	ending.ContainerID = next.ContainerID
	next.LastTerminationState = corev1.ContainerState{Terminated: &ending}
	next.State.Waiting = &corev1.ContainerStateWaiting{
		Reason:  "CrashLoopBackOff",
		Message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", backOff(next.RestartCount), next.Name, scene.Pod.Name),
	}
	return next, backOff(next.RestartCount)
}

func endingOf(fault Fault) corev1.ContainerStateTerminated {
	if fault.Word == OOMKilled {
		return corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: ptr.Deref(fault.ExitCode, 137), Message: fault.Message}
	}
	return corev1.ContainerStateTerminated{Reason: "Error", ExitCode: ptr.Deref(fault.ExitCode, 1), Message: fault.Message}
}

func sameEnding(a, b corev1.ContainerStateTerminated) bool {
	return a.Reason == b.Reason && a.ExitCode == b.ExitCode && a.Message == b.Message
}

func backOff(restarts int32) time.Duration {
	wait := firstBackOff
	for i := int32(1); i < restarts && wait < longestBackOff; i++ {
		wait *= 2
	}
	return min(wait, longestBackOff)
}

// end terminates a container for good.
func end(status *corev1.ContainerStatus, ending corev1.ContainerStateTerminated, now time.Time) {
	if status.State.Terminated != nil {
		return
	}
	ending.StartedAt, ending.FinishedAt = metav1.NewTime(now), metav1.NewTime(now)
	if status.State.Running != nil {
		ending.StartedAt = status.State.Running.StartedAt
	}
	ending.ContainerID = status.ContainerID
	status.State = corev1.ContainerState{Terminated: &ending}
	status.Ready, status.Started = false, ptr.To(false)
}

var waitingStates = map[string]corev1.ContainerStateWaiting{
	ContainerCreating:          {Reason: "ContainerCreating"},
	CreateContainerConfigError: {Reason: "CreateContainerConfigError", Message: `secret "simulated" not found`},
	ErrImagePull:               {Reason: "ErrImagePull", Message: "failed to pull and unpack image: not found"},
	ImagePullBackOff:           {Reason: "ImagePullBackOff", Message: "Back-off pulling image"},
	notUnderstood:              {Reason: "FaultNotUnderstood"},
}

// waiting keeps the container from starting at all.
func waiting(fault Fault, next corev1.ContainerStatus) corev1.ContainerStatus {
	state := waitingStates[fault.Word]
	if state.Message != "" && next.Image != "" && fault.Word != CreateContainerConfigError {
		state.Message = fmt.Sprintf("%s %q", state.Message, next.Image)
	}
	state.Message = orText(fault.Message, state.Message)
	next.State.Waiting = &state
	next.ImageID = ""
	return next
}

func waitingToStart(pod *corev1.Pod, spec corev1.Container, previous corev1.ContainerStatus) corev1.ContainerStatus {
	next := waiting(Fault{Word: ContainerCreating}, identity(spec, previous))
	if len(pod.Spec.InitContainers) > 0 {
		next.State.Waiting.Reason = "PodInitializing"
	}
	return next
}

func allWaiting(pod *corev1.Pod, specs []corev1.Container, previous []corev1.ContainerStatus) []corev1.ContainerStatus {
	var statuses []corev1.ContainerStatus
	for _, spec := range specs {
		statuses = append(statuses, waitingToStart(pod, spec, find(previous, spec.Name)))
	}
	return statuses
}

func find(statuses []corev1.ContainerStatus, name string) corev1.ContainerStatus {
	for _, status := range statuses {
		if status.Name == name {
			return status
		}
	}
	return corev1.ContainerStatus{}
}

// imageID is what the reference would resolve to: stable for an image, different between images.
func imageID(image string) string {
	if image == "" {
		return ""
	}
	if strings.Contains(image, "@") {
		return image
	}
	repository := image
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		repository = image[:colon]
	}
	return repository + "@sha256:" + digest(image)
}

func containerID(pod *corev1.Pod, status corev1.ContainerStatus) string {
	return "simulated://" + digest(fmt.Sprintf("%s/%s/%d", pod.UID, status.Name, status.RestartCount))
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
