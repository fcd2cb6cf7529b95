package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const podFiles = "/var/log/pods"

// pace is how often the stand-in looks for pods and lines; the real program watches.
const pace = time.Second

// vector reads the configuration, and brings lines of pods to where that says. Its script is not run,
// which needs Vector's language: who a line belongs to is computed as the script does it, and the rest
// of an event is left out.
func vector(args []string) error {
	env := environment()
	known := rules{
		required: map[string]check{"VECTOR_SELF_NODE_NAME": text},
		// asked for by the configuration
		patterns: map[string]check{"VECTOR_[A-Z_]+": text, "SUPAPLANE_[A-Z_]+": text},
	}
	if len(args) != 2 || args[0] != "--config" {
		return fmt.Errorf("the program is started with --config FILE, not with %v", args)
	}
	if err := known.problems(env); err != nil {
		return err
	}
	way, err := readVector(args[1], env)
	if err != nil {
		return err
	}
	if _, err := os.ReadDir(podFiles); err != nil {
		return fmt.Errorf("the logs of the node cannot be read: %w", err)
	}
	cluster, err := inCluster()
	if err != nil {
		return err
	}
	shipper := &shipper{way: way, env: env, cluster: cluster, read: map[string]int64{}}
	if err := shipper.look(); err != nil {
		return err
	}
	shipper.skip()
	paths := map[string]http.HandlerFunc{"/health": healthy(`{"ok":true}`)}
	listen := map[string]http.Handler{way.health: answers("vector", nil, paths)}
	return serve(plan{name: "vector", listen: listen, also: shipper.run})
}

// shipper knows the pods of its node, and how far it has read which file.
type shipper struct {
	way        shipment
	env        map[string]string
	cluster    *kubernetes
	components map[string]string
	read       map[string]int64
}

func (s *shipper) run() error {
	for {
		if err := s.look(); err != nil {
			fmt.Fprintln(os.Stderr, "standin for vector:", err)
		}
		for to, events := range s.lines() {
			if err := s.send(to, events); err != nil {
				fmt.Fprintf(os.Stderr, "standin for vector: %s: %v\n", to.host, err)
			}
		}
		time.Sleep(pace)
	}
}

// look asks what the real program watches: its node, the namespaces, and the pods of the node.
func (s *shipper) look() error {
	node := s.env["VECTOR_SELF_NODE_NAME"]
	if nodes, err := s.cluster.list("nodes", "metadata.name="+node, ""); err != nil || len(nodes) != 1 {
		return fmt.Errorf("there is no node %s: %w", node, err)
	}
	namespaces, err := s.cluster.list("namespaces", "", s.way.from.NamespaceSelector)
	if err != nil {
		return err
	}
	collected := map[string]bool{}
	for _, namespace := range namespaces {
		collected[namespace.Metadata.Name] = true
	}
	pods, err := s.cluster.list("pods", "spec.nodeName="+node, s.way.from.PodSelector)
	if err != nil {
		return err
	}
	s.components = map[string]string{}
	for _, pod := range pods {
		if at := pod.Metadata; collected[at.Namespace] {
			s.components[at.Namespace+"_"+at.Name+"_"+at.UID] = at.Labels["supaplane.dev/component"]
		}
	}
	return nil
}

// skip leaves out what was there before.
func (s *shipper) skip() {
	if s.way.from.ReadFrom == "beginning" {
		return
	}
	files, _ := filepath.Glob(podFiles + "/*/*/*.log")
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			s.read[file] = info.Size()
		}
	}
}

// receiver is a project's analytics, and the source that lines of one component are of.
type receiver struct{ host, source, token string }

type event map[string]any

func (s *shipper) lines() map[receiver][]event {
	found := map[receiver][]event{}
	for pod, component := range s.components {
		// of its pod, the program itself and not what runs beside it
		files, _ := filepath.Glob(filepath.Join(podFiles, pod, component, "*.log"))
		to, ok := s.receiver(strings.Split(pod, "_")[0], component)
		for _, file := range files {
			for _, line := range s.news(file) {
				event, wanted := read(component, line)
				if ok && wanted && len(found[to]) < s.way.to.Buffer.MaxEvents {
					found[to] = append(found[to], event)
				}
			}
		}
	}
	return found
}

var ofProject = regexp.MustCompile(`^supabase-([a-z]{20})$`)

func (s *shipper) receiver(namespace, component string) (receiver, bool) {
	ref := ofProject.FindStringSubmatch(namespace)
	source, known := s.way.sources[component]
	if ref == nil || !known {
		return receiver{}, false
	}
	code := hmac.New(sha256.New, []byte(s.env["SUPAPLANE_LOG_KEY"]))
	code.Write([]byte(ref[1]))
	host := "analytics." + namespace + ".svc." + s.env["SUPAPLANE_CLUSTER_DOMAIN"]
	return receiver{host, source, hex.EncodeToString(code.Sum(nil))}, true
}

// news are the whole lines of a file that were not read yet.
func (s *shipper) news(path string) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	content, err := io.ReadAll(io.NewSectionReader(file, s.read[path], 1<<20))
	end := bytes.LastIndexByte(content, '\n')
	if err != nil || end < 0 {
		return nil
	}
	s.read[path] += int64(end) + 1
	return strings.Split(string(content[:end]), "\n")
}

var (
	// of the container runtime: time, stream, whether the line is whole, and the line
	ofRuntime = regexp.MustCompile(`^(\S+) (?:stdout|stderr) [FP] (.*)$`)
	request   = regexp.MustCompile(`^\S+ - \S+ \[[^\]]+\] "`)
)

func read(component, line string) (event, bool) {
	parts := ofRuntime.FindStringSubmatch(line)
	if parts == nil || component == "gateway" && !request.MatchString(parts[2]) {
		return nil, false
	}
	return event{"event_message": parts[2], "timestamp": parts[1], "appname": component,
		"project": "default", "metadata": map[string]any{}}, true
}

func (s *shipper) send(to receiver, events []event) error {
	filled := strings.NewReplacer("{{ _to.host }}", to.host, "{{ _to.source }}", to.source, "{{ _to.token }}", to.token)
	body, err := json.Marshal(events)
	if err != nil {
		return err
	}
	asked, err := http.NewRequest(http.MethodPost, filled.Replace(s.way.to.URI), bytes.NewReader(body))
	if err != nil {
		return err
	}
	asked.Header.Set("Content-Type", "application/json")
	for name, value := range s.way.to.Request.Headers {
		asked.Header.Set(name, filled.Replace(value))
	}
	client := http.Client{Timeout: time.Duration(s.way.to.Request.TimeoutSecs) * time.Second}
	answer, err := client.Do(asked)
	if err != nil {
		return errors.New("nobody took the lines")
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return fmt.Errorf("the lines were refused with %d", answer.StatusCode)
	}
	return nil
}
