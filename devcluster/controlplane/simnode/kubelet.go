package simnode

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
)

// kubeletAPI is the little of a kubelet's own API that makes sense without a process: logs, and an honest refusal.
type kubeletAPI struct {
	pods  cache.Store
	fault func(*corev1.Pod) Fault
}

func (k *kubeletAPI) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.logs)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "simulated: there is no process behind this pod", http.StatusNotImplemented)
	})
	return mux
}

func (k *kubeletAPI) logs(w http.ResponseWriter, r *http.Request) {
	object, exists, err := k.pods.GetByKey(r.PathValue("namespace") + "/" + r.PathValue("pod"))
	if err != nil || !exists {
		http.Error(w, "simulated: no such pod on this node", http.StatusNotFound)
		return
	}
	pod := object.(*corev1.Pod)
	lines := logLines(pod, r.PathValue("container"), k.fault(pod))
	if tail, err := strconv.Atoi(r.URL.Query().Get("tailLines")); err == nil && tail >= 0 && tail < len(lines) {
		lines = lines[len(lines)-tail:]
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, line := range lines {
		// A reader that went away is nobody's error.
		_, _ = fmt.Fprintln(w, line)
	}
}

// logLines says what the container is, and what its fault would have said: the last words before a crash.
func logLines(pod *corev1.Pod, container string, fault Fault) []string {
	var image string
	for _, c := range append(append([]corev1.Container{}, pod.Spec.InitContainers...), pod.Spec.Containers...) {
		if c.Name == container {
			image = c.Image
		}
	}
	lines := []string{fmt.Sprintf("simulated: %s is not run on this node", image)}
	if fault.Message != "" && (fault.Container == "" || fault.Container == container) {
		lines = append(lines, strings.Split(strings.TrimRight(fault.Message, "\n"), "\n")...)
	}
	return lines
}
