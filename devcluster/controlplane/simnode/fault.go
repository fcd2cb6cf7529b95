package simnode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// The words of the vocabulary: what `kubectl get pods` would show, in kebab case.
const (
	NeverReady                 = "never-ready"
	SlowStart                  = "slow-start"
	ContainerCreating          = "container-creating"
	CreateContainerConfigError = "create-container-config-error"
	ErrImagePull               = "err-image-pull"
	ImagePullBackOff           = "image-pull-back-off"
	CrashLoopBackOff           = "crash-loop-back-off"
	OOMKilled                  = "oom-killed"
	Evicted                    = "evicted"
	JobFailed                  = "job-failed"
	NeverBound                 = "never-bound"
	Lost                       = "lost"

	// notUnderstood is what an annotation becomes that we cannot read: loud, and on the pod that it is about.
	notUnderstood = "not-understood"
)

var (
	podFaults = []string{
		NeverReady, SlowStart, ContainerCreating, CreateContainerConfigError, ErrImagePull, ImagePullBackOff,
		CrashLoopBackOff, OOMKilled, Evicted, JobFailed,
	}
	claimFaults = []string{NeverBound}
)

// Fault is one thing that goes wrong, with what the vocabulary lets a test choose about it.
type Fault struct {
	Word      string `json:"fault"`
	Container string `json:"container,omitempty"`
	ExitCode  *int32 `json:"exitCode,omitempty"`
	Message   string `json:"message,omitempty"`
	Restarts  int32  `json:"restarts,omitempty"`
	Seconds   int32  `json:"seconds,omitempty"`
}

// Target is what a fault may be put on, as far as choosing one needs to know it.
type Target struct {
	Labels      map[string]string
	Annotations map[string]string
	Containers  []string
	Words       []string
}

// ParseFault reads a word or a JSON object.
func ParseFault(text string, words []string) (Fault, error) {
	text = strings.TrimSpace(text)
	fault := Fault{Word: text}
	if strings.HasPrefix(text, "{") {
		fault = Fault{}
		decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&fault); err != nil {
			return Fault{}, fmt.Errorf("fault %s: %w", text, err)
		}
	}
	if !slices.Contains(words, fault.Word) {
		return Fault{}, fmt.Errorf("there is no fault %q here; there are %s", fault.Word, strings.Join(words, ", "))
	}
	if fault.Restarts < 0 || fault.Seconds < 0 {
		return Fault{}, fmt.Errorf("fault %s: restarts and seconds cannot be negative", text)
	}
	return fault, nil
}

// FaultOf chooses the fault of one pod or claim: its own annotation first, then the rules of its namespace.
func FaultOf(target Target, namespaceFaults string) Fault {
	if own := target.Annotations[FaultAnnotation]; own != "" {
		fault, err := ParseFault(own, target.Words)
		return orNotUnderstood(fault, err)
	}
	if namespaceFaults == "" {
		return Fault{}
	}
	fault, err := faultFromRules(target, namespaceFaults)
	return orNotUnderstood(fault, err)
}

func orNotUnderstood(fault Fault, err error) Fault {
	if err != nil {
		return Fault{Word: notUnderstood, Message: err.Error()}
	}
	return fault
}

func faultFromRules(target Target, text string) (Fault, error) {
	rules := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(text), &rules); err != nil {
		return Fault{}, fmt.Errorf("annotation %s: %w", FaultsAnnotation, err)
	}
	for _, key := range mostSpecificFirst(rules) {
		matches, err := ruleMatches(key, target)
		if err != nil {
			return Fault{}, fmt.Errorf("annotation %s: %q: %w", FaultsAnnotation, key, err)
		}
		if !matches {
			continue
		}
		fault, err := parseRule(rules[key])
		if err != nil {
			return Fault{}, err
		}
		if fault.Container == "" && namesOnlyContainer(key, target) {
			fault.Container = key
		}
		// One rule may match pods and claims alike; a word for the other kind is not a mistake.
		if slices.Contains(target.Words, fault.Word) {
			return fault, nil
		}
	}
	return Fault{}, nil
}

func parseRule(raw json.RawMessage) (Fault, error) {
	text := string(raw)
	var word string
	if err := json.Unmarshal(raw, &word); err == nil {
		text = word
	}
	return ParseFault(text, slices.Concat(podFaults, claimFaults))
}

// mostSpecificFirst puts names before selectors before "*", since a JSON object has no order of its own.
func mostSpecificFirst(rules map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(rules))
	for key := range rules {
		keys = append(keys, key)
	}
	rank := func(key string) int {
		switch {
		case key == "*":
			return 2
		case isName(key):
			return 0
		default:
			return 1
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		if rank(keys[i]) != rank(keys[j]) {
			return rank(keys[i]) < rank(keys[j])
		}
		return keys[i] < keys[j]
	})
	return keys
}

func isName(key string) bool {
	return !strings.ContainsAny(key, "=!,() *")
}

// ruleMatches reads "*" as everything, a plain name as a component or container, and the rest as a label selector.
func ruleMatches(key string, target Target) (bool, error) {
	if key == "*" {
		return true, nil
	}
	if isName(key) {
		return isComponent(key, target) || slices.Contains(target.Containers, key), nil
	}
	selector, err := labels.Parse(key)
	if err != nil {
		return false, err
	}
	return selector.Matches(labels.Set(target.Labels)), nil
}

func isComponent(key string, target Target) bool {
	return slices.ContainsFunc(componentLabels, func(label string) bool { return target.Labels[label] == key })
}

// namesOnlyContainer tells a rule about one container from a rule about the pod that it happens to be in.
func namesOnlyContainer(key string, target Target) bool {
	return isName(key) && !isComponent(key, target) && slices.Contains(target.Containers, key)
}
