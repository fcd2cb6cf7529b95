package simnode

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// setConditions writes the conditions that a kubelet owns, and leaves those of others (scheduler, readiness gates) alone.
func setConditions(status *corev1.PodStatus, pod *corev1.Pod, initialized, ready bool, reason string, now time.Time) {
	set := func(kind corev1.PodConditionType, holds bool, reason, message string) {
		next := corev1.PodCondition{
			Type: kind, Status: corev1.ConditionTrue, ObservedGeneration: pod.Generation, LastTransitionTime: metav1.NewTime(now),
		}
		if !holds {
			next.Status, next.Reason, next.Message = corev1.ConditionFalse, reason, message
		}
		setCondition(status, next)
	}
	set(corev1.PodReadyToStartContainers, !isTerminal(status.Phase), "", "")
	if isTerminal(status.Phase) {
		// A finished pod is initialized whatever became of it.
		initialized = true
	}
	unready := ""
	if !isTerminal(status.Phase) {
		unready = "containers with unready status: [" + strings.Join(unreadyContainers(status), " ") + "]"
	}
	set(corev1.PodInitialized, initialized, "ContainersNotInitialized", "containers with incomplete status: ["+
		strings.Join(incompleteInitContainers(status), " ")+"]")
	set(corev1.ContainersReady, ready, reason, unready)
	if gate := closedGate(status, pod); ready && gate != "" {
		set(corev1.PodReady, false, "ReadinessGatesNotReady", "readiness gate "+gate+" is not True")
		return
	}
	set(corev1.PodReady, ready, reason, unready)
}

func setCondition(status *corev1.PodStatus, next corev1.PodCondition) {
	for i := range status.Conditions {
		present := &status.Conditions[i]
		if present.Type != next.Type {
			continue
		}
		if present.Status == next.Status {
			next.LastTransitionTime = present.LastTransitionTime
		}
		next.LastProbeTime = present.LastProbeTime
		*present = next
		return
	}
	status.Conditions = append(status.Conditions, next)
}

func closedGate(status *corev1.PodStatus, pod *corev1.Pod) string {
	for _, gate := range pod.Spec.ReadinessGates {
		if !conditionHolds(status, gate.ConditionType) {
			return string(gate.ConditionType)
		}
	}
	return ""
}

func conditionHolds(status *corev1.PodStatus, kind corev1.PodConditionType) bool {
	for _, condition := range status.Conditions {
		if condition.Type == kind {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func unreadyContainers(status *corev1.PodStatus) []string {
	var names []string
	for _, c := range append(runningInitContainers(status), status.ContainerStatuses...) {
		if !c.Ready {
			names = append(names, c.Name)
		}
	}
	return names
}

func incompleteInitContainers(status *corev1.PodStatus) []string {
	var names []string
	for _, c := range status.InitContainerStatuses {
		if !c.Ready {
			names = append(names, c.Name)
		}
	}
	return names
}
