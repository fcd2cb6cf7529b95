package simnode

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func makePod(change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "auth-0", Namespace: "shop", UID: "u1", Generation: 3},
		Spec: corev1.PodSpec{
			NodeName:      "node-1",
			RestartPolicy: corev1.RestartPolicyAlways,
			Containers:    []corev1.Container{{Name: "auth", Image: "example/auth:2"}, {Name: "proxy", Image: "proxy"}},
		},
	}
	for _, c := range change {
		c(pod)
	}
	return pod
}

func withInit(pod *corev1.Pod) {
	pod.Spec.InitContainers = []corev1.Container{
		{Name: "migrate", Image: "example/auth:2"},
		{Name: "tunnel", Image: "tunnel:1", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)},
	}
}

func ofJob(policy corev1.RestartPolicy) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Spec.RestartPolicy = policy
		pod.Spec.Containers = pod.Spec.Containers[:1]
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Name: "j", Controller: ptr.To(true)}}
	}
}

// play asks Next again and again, as the reconciler does, for as long as it wants to be asked up to the given time.
func play(scene Scene, until time.Duration) (corev1.PodStatus, time.Duration) {
	end := scene.Now.Add(until)
	for {
		status, again := Next(scene)
		scene.Pod = scene.Pod.DeepCopy()
		scene.Pod.Status = status
		if again == 0 || scene.Now.Add(again).After(end) {
			scene.Now = end
			return status, again
		}
		scene.Now = scene.Now.Add(again)
	}
}

// summary is what `kubectl get pods` would make of a status.
type summary struct {
	Phase    corev1.PodPhase
	Ready    bool
	Init     string
	State    string
	Restarts int32
}

func summaryOf(status corev1.PodStatus) summary {
	s := summary{Phase: status.Phase, Ready: conditionHolds(&status, corev1.PodReady)}
	for _, c := range status.InitContainerStatuses {
		s.Init += stateWord(c) + " "
	}
	if len(status.ContainerStatuses) > 0 {
		s.State = stateWord(status.ContainerStatuses[0])
		s.Restarts = status.ContainerStatuses[0].RestartCount
	}
	return s
}

func stateWord(c corev1.ContainerStatus) string {
	switch {
	case c.State.Waiting != nil:
		return c.State.Waiting.Reason
	case c.State.Terminated != nil:
		return c.State.Terminated.Reason
	default:
		return "Running"
	}
}

func TestWhatBecomesOfAPod(t *testing.T) {
	for _, test := range []struct {
		sentence string
		pod      *corev1.Pod
		fault    Fault
		delay    time.Duration
		after    time.Duration
		want     summary
	}{
		{"a pod is ready at once", makePod(), Fault{}, 0, 0, summary{corev1.PodRunning, true, "", "Running", 0}},
		{"a delayed pod is being created first", makePod(), Fault{}, 5 * time.Second, 0,
			summary{corev1.PodPending, false, "", "ContainerCreating", 0}},
		{"a delayed pod is ready after its delay", makePod(), Fault{}, 5 * time.Second, 5 * time.Second,
			summary{corev1.PodRunning, true, "", "Running", 0}},
		{"slow-start waits for as long as it says", makePod(), Fault{Word: SlowStart, Seconds: 7}, 0, 6 * time.Second,
			summary{corev1.PodPending, false, "", "ContainerCreating", 0}},
		{"slow-start ends", makePod(), Fault{Word: SlowStart, Seconds: 7}, 0, 7 * time.Second,
			summary{corev1.PodRunning, true, "", "Running", 0}},
		{"init containers complete and sidecars stay", makePod(withInit), Fault{}, 0, 0,
			summary{corev1.PodRunning, true, "Completed Running ", "Running", 0}},
		{"never-ready runs without being ready", makePod(), Fault{Word: NeverReady}, 0, 0,
			summary{corev1.PodRunning, false, "", "Running", 0}},
		{"container-creating never gets further", makePod(), Fault{Word: ContainerCreating}, 0, time.Hour,
			summary{corev1.PodPending, false, "", "ContainerCreating", 0}},
		{"image-pull-back-off", makePod(), Fault{Word: ImagePullBackOff}, 0, 0,
			summary{corev1.PodPending, false, "", "ImagePullBackOff", 0}},
		{"err-image-pull", makePod(), Fault{Word: ErrImagePull}, 0, 0,
			summary{corev1.PodPending, false, "", "ErrImagePull", 0}},
		{"create-container-config-error", makePod(), Fault{Word: CreateContainerConfigError}, 0, 0,
			summary{corev1.PodPending, false, "", "CreateContainerConfigError", 0}},
		{"crash-loop-back-off has crashed once at first", makePod(), Fault{Word: CrashLoopBackOff}, 0, 0,
			summary{corev1.PodRunning, false, "", "CrashLoopBackOff", 1}},
		{"crash-loop-back-off crashes again after 10, 20, 40 seconds", makePod(), Fault{Word: CrashLoopBackOff}, 0, 70 * time.Second,
			summary{corev1.PodRunning, false, "", "CrashLoopBackOff", 4}},
		{"crash-loop-back-off can start with more restarts", makePod(), Fault{Word: CrashLoopBackOff, Restarts: 9}, 0, 0,
			summary{corev1.PodRunning, false, "", "CrashLoopBackOff", 9}},
		{"oom-killed", makePod(), Fault{Word: OOMKilled}, 0, 0,
			summary{corev1.PodRunning, false, "", "CrashLoopBackOff", 1}},
		{"a fault of another container leaves this one running", makePod(), Fault{Word: CrashLoopBackOff, Container: "proxy"}, 0, 0,
			summary{corev1.PodRunning, false, "", "Running", 0}},
		{"a fault of an init container holds up all that follow", makePod(withInit), Fault{Word: CrashLoopBackOff, Container: "migrate"}, 0, 0,
			summary{corev1.PodPending, false, "CrashLoopBackOff PodInitializing ", "PodInitializing", 0}},
		{"a sidecar that is never ready keeps the pod unready", makePod(withInit), Fault{Word: NeverReady, Container: "tunnel"}, 0, 0,
			summary{corev1.PodRunning, false, "Completed Running ", "Running", 0}},
		{"a container that does not exist is a mistake, and visible", makePod(), Fault{Word: NeverReady, Container: "nope"}, 0, 0,
			summary{corev1.PodPending, false, "", "FaultNotUnderstood", 0}},
		{"the pod of a Job succeeds", makePod(ofJob(corev1.RestartPolicyNever)), Fault{}, 0, 0,
			summary{corev1.PodSucceeded, false, "", "Completed", 0}},
		{"the pod of a Job that restarts on failure succeeds too", makePod(ofJob(corev1.RestartPolicyOnFailure)), Fault{}, 0, 0,
			summary{corev1.PodSucceeded, false, "", "Completed", 0}},
		{"job-failed fails where nothing restarts it", makePod(ofJob(corev1.RestartPolicyNever)), Fault{Word: JobFailed}, 0, 0,
			summary{corev1.PodFailed, false, "", "Error", 0}},
		{"job-failed restarts where the policy says so", makePod(ofJob(corev1.RestartPolicyOnFailure)), Fault{Word: JobFailed}, 0, 0,
			summary{corev1.PodRunning, false, "", "CrashLoopBackOff", 1}},
		{"never-ready keeps a Job from ending", makePod(ofJob(corev1.RestartPolicyNever)), Fault{Word: NeverReady}, 0, time.Hour,
			summary{corev1.PodRunning, false, "", "Running", 0}},
		{"evicted runs for a moment first", makePod(), Fault{Word: Evicted}, 0, 4 * time.Second,
			summary{corev1.PodRunning, true, "", "Running", 0}},
		{"evicted fails then, and has no containers any more", makePod(), Fault{Word: Evicted}, 0, 5 * time.Second,
			summary{corev1.PodFailed, false, "", "", 0}},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			scene := Scene{Pod: test.pod, Fault: test.fault, Now: noon, Delay: test.delay, PodIP: "198.18.0.1", HostIP: "192.0.2.1"}
			status, _ := play(scene, test.after)
			if diff := cmp.Diff(test.want, summaryOf(status)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAFaultThatGoesHealsThePod(t *testing.T) {
	for _, word := range []string{
		NeverReady, ContainerCreating, CreateContainerConfigError, ErrImagePull, ImagePullBackOff, CrashLoopBackOff, OOMKilled,
		JobFailed, notUnderstood,
	} {
		scene := Scene{Pod: makePod(withInit), Fault: Fault{Word: word}, Now: noon, PodIP: "198.18.0.1", HostIP: "192.0.2.1"}
		scene.Pod.Status, _ = Next(scene)
		scene.Fault, scene.Now = Fault{}, noon.Add(time.Second)
		healed, again := Next(scene)
		if healed.Phase != corev1.PodRunning || !conditionHolds(&healed, corev1.PodReady) || again != 0 {
			t.Errorf("%s: healed to %+v, again %v", word, summaryOf(healed), again)
		}
	}
}

func TestARunningPodFallsIllAndKeepsItsHistory(t *testing.T) {
	scene := Scene{Pod: makePod(), Now: noon, PodIP: "198.18.0.1", HostIP: "192.0.2.1"}
	scene.Pod.Status, _ = Next(scene)
	scene.Fault = Fault{Word: OOMKilled, Message: "too much", ExitCode: ptr.To(int32(9))}
	scene.Now = noon.Add(time.Minute)
	status, again := Next(scene)
	last := status.ContainerStatuses[0].LastTerminationState.Terminated
	if last == nil || last.Reason != "OOMKilled" || last.ExitCode != 9 || last.Message != "too much" {
		t.Errorf("last termination is %+v", last)
	}
	if again != 10*time.Second {
		t.Errorf("the next crash comes after %v", again)
	}
}

func TestTheStatusOfAHealthyPodIsComplete(t *testing.T) {
	scene := Scene{Pod: makePod(), Now: noon.Add(300 * time.Millisecond), PodIP: "198.18.0.1", HostIP: "192.0.2.1"}
	status, again := Next(scene)
	if again != 0 {
		t.Errorf("a healthy pod should be left alone, not asked again after %v", again)
	}
	at := metav1.NewTime(noon)
	condition := func(kind corev1.PodConditionType) corev1.PodCondition {
		return corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: at, ObservedGeneration: 3}
	}
	want := corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: "198.18.0.1", PodIPs: []corev1.PodIP{{IP: "198.18.0.1"}},
		HostIP: "192.0.2.1", HostIPs: []corev1.HostIP{{IP: "192.0.2.1"}}, StartTime: &at, ObservedGeneration: 3,
		Conditions: []corev1.PodCondition{
			condition(corev1.PodReadyToStartContainers), condition(corev1.PodInitialized),
			condition(corev1.ContainersReady), condition(corev1.PodReady),
		},
	}
	if diff := cmp.Diff(want.Conditions, status.Conditions); diff != "" {
		t.Error(diff)
	}
	container := status.ContainerStatuses[0]
	if container.ImageID != "example/auth@sha256:"+digest("example/auth:2") || !*container.Started || !container.Ready {
		t.Errorf("container is %+v", container)
	}
	status.Conditions, status.ContainerStatuses, want.Conditions = nil, nil, nil
	if diff := cmp.Diff(want, status); diff != "" {
		t.Error(diff)
	}
}

func TestAStatusThatIsAskedForAgainIsTheSame(t *testing.T) {
	for _, word := range append([]string{"", notUnderstood}, podFaults...) {
		scene := Scene{Pod: makePod(withInit), Fault: Fault{Word: word}, Now: noon, PodIP: "198.18.0.1", HostIP: "192.0.2.1"}
		first, _ := Next(scene)
		scene.Pod.Status, scene.Now = first, noon.Add(3*time.Second)
		second, _ := Next(scene)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s: %s", word, diff)
		}
	}
}

func TestALostNodeLeavesThePodAsItWasButNotReady(t *testing.T) {
	scene := Scene{Pod: makePod(), Now: noon, PodIP: "198.18.0.1", HostIP: "192.0.2.1"}
	healthy, _ := Next(scene)
	scene.Pod.Status, scene.NodeLost, scene.Now = healthy, true, noon.Add(time.Minute)
	lost, again := Next(scene)
	if summaryOf(lost) != (summary{corev1.PodRunning, false, "", "Running", 0}) || again != 0 {
		t.Errorf("lost: %+v, again %v", summaryOf(lost), again)
	}
	scene.Pod.Status, scene.NodeLost = lost, false
	back, _ := Next(scene)
	if summaryOf(back) != (summary{corev1.PodRunning, true, "", "Running", 0}) {
		t.Errorf("back: %+v", summaryOf(back))
	}
}

func TestAReadinessGateHoldsUpReadinessOnly(t *testing.T) {
	scene := Scene{Pod: makePod(), Now: noon, PodIP: "198.18.0.1", HostIP: "192.0.2.1"}
	scene.Pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example/gate"}}
	status, _ := Next(scene)
	if conditionHolds(&status, corev1.PodReady) || !conditionHolds(&status, corev1.ContainersReady) {
		t.Errorf("conditions are %+v", status.Conditions)
	}
	status.Conditions = append(status.Conditions, corev1.PodCondition{Type: "example/gate", Status: corev1.ConditionTrue})
	scene.Pod.Status = status
	open, _ := Next(scene)
	if !conditionHolds(&open, corev1.PodReady) {
		t.Errorf("conditions are %+v", open.Conditions)
	}
}

func TestAFinishedPodIsNeverTouchedAgain(t *testing.T) {
	pod := makePod()
	pod.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted"}
	status, again := Next(Scene{Pod: pod, Now: noon, PodIP: "198.18.0.1"})
	if diff := cmp.Diff(pod.Status, status); diff != "" || again != 0 {
		t.Error(diff, again)
	}
}

func TestBackOffDoublesUpToFiveMinutes(t *testing.T) {
	for restarts, want := range map[int32]time.Duration{
		0: 10 * time.Second, 1: 10 * time.Second, 2: 20 * time.Second, 5: 160 * time.Second, 6: 5 * time.Minute, 1000: 5 * time.Minute,
	} {
		if got := backOff(restarts); got != want {
			t.Errorf("after %d restarts %v, want %v", restarts, got, want)
		}
	}
}
