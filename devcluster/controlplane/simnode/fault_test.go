package simnode

import (
	"strings"
	"testing"
)

func TestFaultOfAPod(t *testing.T) {
	auth := Target{
		Labels:     map[string]string{componentLabel: "auth", "tier": "api"},
		Containers: []string{"gotrue", "proxy"},
		Words:      podFaults,
	}
	annotated := auth
	annotated.Annotations = map[string]string{FaultAnnotation: NeverReady}
	detailed := auth
	detailed.Annotations = map[string]string{FaultAnnotation: `{"fault":"oom-killed","container":"proxy","restarts":4}`}

	for _, test := range []struct {
		sentence  string
		target    Target
		namespace string
		word      string
		container string
	}{
		{"nothing said, nothing wrong", auth, "", "", ""},
		{"a word on the pod", annotated, "", NeverReady, ""},
		{"an object on the pod", detailed, "", OOMKilled, "proxy"},
		{"the pod's own fault goes before its namespace's", annotated, `{"*":"oom-killed"}`, NeverReady, ""},
		{"a rule for everything", auth, `{"*":"oom-killed"}`, OOMKilled, ""},
		{"a rule for a component", auth, `{"auth":"image-pull-back-off"}`, ImagePullBackOff, ""},
		{"a rule for a container means that container only", auth, `{"proxy":"never-ready"}`, NeverReady, "proxy"},
		{"a rule for another component", auth, `{"rest":"image-pull-back-off"}`, "", ""},
		{"a rule by label selector", auth, `{"tier in (api,web)":"never-ready"}`, NeverReady, ""},
		{"a selector that does not match", auth, `{"tier=web":"never-ready"}`, "", ""},
		{"a name goes before a selector before everything", auth, `{"*":"evicted","tier=api":"oom-killed","auth":"never-ready"}`, NeverReady, ""},
		{"a rule about claims does not concern pods", auth, `{"*":"never-bound"}`, "", ""},
		{"rules that are no JSON", auth, `auth: never-ready`, notUnderstood, ""},
		{"an unknown word in a rule that matches", auth, `{"auth":"explode"}`, notUnderstood, ""},
		{"a selector that cannot be read", auth, `{"a in b":"never-ready"}`, notUnderstood, ""},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			fault := FaultOf(test.target, test.namespace)
			if fault.Word != test.word || fault.Container != test.container {
				t.Errorf("got %+v", fault)
			}
		})
	}
}

func TestAFaultThatCannotBeReadSaysWhy(t *testing.T) {
	for text, why := range map[string]string{
		"explode":                             "never-ready",
		`{"fault":"never-ready","x":1}`:       "unknown field",
		`{"fault":`:                           "unexpected EOF",
		`{"fault":"slow-start","seconds":-1}`: "negative",
		`{"container":"auth"}`:                `""`,
	} {
		if _, err := ParseFault(text, podFaults); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v, want something about %q", text, err, why)
		}
	}
}
