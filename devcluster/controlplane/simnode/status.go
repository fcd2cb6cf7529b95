package simnode

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// evictAfter spaces out evictions: a Deployment replaces an evicted pod at once, and a template's fault evicts that too.
const evictAfter = 5 * time.Second

// Scene is all that the status of a pod depends on.
type Scene struct {
	Pod         *corev1.Pod
	Fault       Fault
	NodeLost    bool
	Now         time.Time
	PodIP       string
	HostIP      string
	Delay       time.Duration
	JobDuration time.Duration
}

// Next answers what the status of the pod should be now, and after how long to ask again (0: only when something changes).
func Next(scene Scene) (corev1.PodStatus, time.Duration) {
	scene.Now = scene.Now.Truncate(time.Second) // what the API keeps of a time; finer times would never compare equal
	current := scene.Pod.Status.DeepCopy()
	if isTerminal(current.Phase) {
		return *current, 0
	}
	if scene.NodeLost {
		return lostStatus(scene, current), 0
	}
	status := placed(scene, current)
	if scene.Fault.Word == Evicted {
		age := scene.Now.Sub(status.StartTime.Time)
		if age >= evictAfter {
			return evictedStatus(scene, status), 0
		}
		running, _ := runningStatus(scene, status)
		return running, evictAfter - age
	}
	return runningStatus(scene, status)
}

// Ended is the status of a pod that is deleted while it runs: finalizers (those of Jobs) wait for a terminal phase.
func Ended(scene Scene) corev1.PodStatus {
	status := placed(scene, scene.Pod.Status.DeepCopy())
	status.Phase = corev1.PodFailed
	for _, statuses := range [][]corev1.ContainerStatus{status.InitContainerStatuses, status.ContainerStatuses} {
		for i := range statuses {
			end(&statuses[i], corev1.ContainerStateTerminated{ExitCode: 137, Reason: "Error"}, scene.Now.Truncate(time.Second))
		}
	}
	setConditions(status, scene.Pod, false, false, "PodFailed", scene.Now.Truncate(time.Second))
	return *status
}

func isTerminal(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

// placed fills in what every pod on a node has.
func placed(scene Scene, status *corev1.PodStatus) *corev1.PodStatus {
	if status.StartTime == nil {
		now := metav1.NewTime(scene.Now.Truncate(time.Second))
		status.StartTime = &now
	}
	status.HostIP = scene.HostIP
	status.HostIPs = []corev1.HostIP{{IP: scene.HostIP}}
	if scene.PodIP != "" {
		status.PodIP = scene.PodIP
		status.PodIPs = []corev1.PodIP{{IP: scene.PodIP}}
	}
	status.ObservedGeneration = scene.Pod.Generation
	return status
}

func runningStatus(scene Scene, status *corev1.PodStatus) (corev1.PodStatus, time.Duration) {
	previous := scene.Pod.Status
	if wait := untilStarted(scene, status.StartTime.Time); wait > 0 {
		status.InitContainerStatuses = allWaiting(scene.Pod, scene.Pod.Spec.InitContainers, previous.InitContainerStatuses)
		status.ContainerStatuses = allWaiting(scene.Pod, scene.Pod.Spec.Containers, previous.ContainerStatuses)
		settle(scene, status, false)
		return *status, wait
	}
	initDone, initAgain := setInitContainers(scene, status, previous.InitContainerStatuses)
	if !initDone {
		status.ContainerStatuses = allWaiting(scene.Pod, scene.Pod.Spec.Containers, previous.ContainerStatuses)
		settle(scene, status, false)
		return *status, initAgain
	}
	again := setContainers(scene, status, previous.ContainerStatuses)
	settle(scene, status, true)
	return *status, sooner(initAgain, again)
}

// untilStarted is how long the containers still take to start. Those that run already do not go back.
func untilStarted(scene Scene, start time.Time) time.Duration {
	if hasStarted(scene.Pod.Status) {
		return 0
	}
	delay := scene.Delay
	if scene.Fault.Word == SlowStart {
		delay = time.Duration(orDefault(scene.Fault.Seconds, 30)) * time.Second
	}
	return max(0, start.Add(delay).Sub(scene.Now))
}

func hasStarted(status corev1.PodStatus) bool {
	started := func(c corev1.ContainerStatus) bool { return c.State.Waiting == nil || c.RestartCount > 0 }
	return slices.ContainsFunc(status.ContainerStatuses, started)
}

// setInitContainers says whether all init containers are done (or, as sidecars, running).
func setInitContainers(scene Scene, status *corev1.PodStatus, previous []corev1.ContainerStatus) (bool, time.Duration) {
	status.InitContainerStatuses = nil
	done := true
	var again time.Duration
	for _, container := range scene.Pod.Spec.InitContainers {
		if !done {
			waiting := waitingToStart(scene.Pod, container, find(previous, container.Name))
			status.InitContainerStatuses = append(status.InitContainerStatuses, waiting)
			continue
		}
		kind := completes
		if container.RestartPolicy != nil && *container.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			kind = keepsRunning
		}
		next, wait := nextContainer(scene, container, find(previous, container.Name), kind)
		status.InitContainerStatuses = append(status.InitContainerStatuses, next)
		again = sooner(again, wait)
		done = initContainerIsDone(next, kind)
	}
	return done, again
}

func initContainerIsDone(status corev1.ContainerStatus, kind lifetime) bool {
	if kind == keepsRunning {
		return status.Started != nil && *status.Started
	}
	return status.State.Terminated != nil && status.State.Terminated.ExitCode == 0
}

func setContainers(scene Scene, status *corev1.PodStatus, previous []corev1.ContainerStatus) time.Duration {
	kind := keepsRunning
	var again time.Duration
	if belongsToJob(scene.Pod) && scene.Fault.Word != NeverReady {
		if again = max(0, status.StartTime.Add(scene.Delay+scene.JobDuration).Sub(scene.Now)); again == 0 {
			kind = completes
		}
	}
	status.ContainerStatuses = nil
	for _, container := range scene.Pod.Spec.Containers {
		next, wait := nextContainer(scene, container, find(previous, container.Name), kind)
		status.ContainerStatuses = append(status.ContainerStatuses, next)
		again = sooner(again, wait)
	}
	return again
}

// belongsToJob: only a Job says that its pods are meant to end; any other pod stays up whatever its restart policy.
func belongsToJob(pod *corev1.Pod) bool {
	if pod.Spec.RestartPolicy == corev1.RestartPolicyAlways || pod.Spec.RestartPolicy == "" {
		return false
	}
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == "Job"
}

func evictedStatus(scene Scene, status *corev1.PodStatus) corev1.PodStatus {
	message := orText(scene.Fault.Message, "The node was low on resource: memory.")
	return corev1.PodStatus{
		Phase:     corev1.PodFailed,
		Reason:    "Evicted",
		Message:   message,
		StartTime: status.StartTime,
		HostIP:    status.HostIP,
		HostIPs:   status.HostIPs,
		QOSClass:  status.QOSClass,
		Conditions: []corev1.PodCondition{{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "TerminationByKubelet", Message: message,
			LastTransitionTime: metav1.NewTime(scene.Now),
		}},
	}
}

// lostStatus is what the node lifecycle controller writes: the pod may well be running, but nobody can say so.
func lostStatus(scene Scene, status *corev1.PodStatus) corev1.PodStatus {
	for i := range status.Conditions {
		condition := &status.Conditions[i]
		if condition.Type == corev1.PodReady && condition.Status != corev1.ConditionFalse {
			condition.Status = corev1.ConditionFalse
			condition.LastTransitionTime = metav1.NewTime(scene.Now)
		}
	}
	return *status
}

// settle derives phase and conditions from the containers.
func settle(scene Scene, status *corev1.PodStatus, initialized bool) {
	status.Reason, status.Message = "", ""
	status.Phase = phaseOf(scene.Pod.Spec.RestartPolicy, status.ContainerStatuses, initialized)
	ready := initialized && !slices.ContainsFunc(status.ContainerStatuses, isNotReady) &&
		!slices.ContainsFunc(runningInitContainers(status), isNotReady)
	reason := "ContainersNotReady"
	switch status.Phase {
	case corev1.PodSucceeded:
		ready, reason = false, "PodCompleted"
	case corev1.PodFailed:
		ready, reason = false, "PodFailed"
	}
	setConditions(status, scene.Pod, initialized, ready, reason, scene.Now)
}

func isNotReady(c corev1.ContainerStatus) bool { return !c.Ready }

func runningInitContainers(status *corev1.PodStatus) []corev1.ContainerStatus {
	return slices.DeleteFunc(slices.Clone(status.InitContainerStatuses), func(c corev1.ContainerStatus) bool {
		return c.State.Terminated != nil
	})
}

func phaseOf(policy corev1.RestartPolicy, containers []corev1.ContainerStatus, initialized bool) corev1.PodPhase {
	if !initialized {
		return corev1.PodPending
	}
	running, ended, failed := 0, 0, 0
	for _, c := range containers {
		switch {
		case c.State.Running != nil:
			running++
		case c.State.Terminated != nil:
			ended++
			if c.State.Terminated.ExitCode != 0 {
				failed++
			}
		case c.LastTerminationState.Terminated == nil:
			return corev1.PodPending
		}
	}
	switch {
	case running > 0 || ended < len(containers) || policy == corev1.RestartPolicyAlways:
		return corev1.PodRunning
	case failed == 0:
		return corev1.PodSucceeded
	case policy == corev1.RestartPolicyNever:
		return corev1.PodFailed
	default:
		return corev1.PodRunning
	}
}

// sooner is the shorter of two waits, where 0 is none at all.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

func orDefault(value, fallback int32) int32 {
	if value == 0 {
		return fallback
	}
	return value
}

func orText(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
