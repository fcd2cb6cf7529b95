package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// vectorFile is a configuration with sources, transforms and sinks of the kinds that are used here. A
// field that is not named is refused. https://vector.dev/docs/reference/configuration/
type vectorFile struct {
	DataDir string `yaml:"data_dir"`
	API     struct {
		Enabled bool   `yaml:"enabled"`
		Address string `yaml:"address"`
	} `yaml:"api"`
	Sources    map[string]podLogs    `yaml:"sources"`
	Transforms map[string]remap      `yaml:"transforms"`
	Sinks      map[string]httpOutput `yaml:"sinks"`
}

type podLogs struct {
	Type              string `yaml:"type"`
	NamespaceSelector string `yaml:"extra_namespace_label_selector"`
	PodSelector       string `yaml:"extra_label_selector"`
	FieldSelector     string `yaml:"extra_field_selector"`
	ReadFrom          string `yaml:"read_from"`
}

type remap struct {
	Type        string   `yaml:"type"`
	Inputs      []string `yaml:"inputs"`
	Source      string   `yaml:"source"`
	DropOnAbort bool     `yaml:"drop_on_abort"`
	DropOnError bool     `yaml:"drop_on_error"`
}

type httpOutput struct {
	Type     string   `yaml:"type"`
	Inputs   []string `yaml:"inputs"`
	Method   string   `yaml:"method"`
	URI      string   `yaml:"uri"`
	Encoding struct {
		Codec        string   `yaml:"codec"`
		ExceptFields []string `yaml:"except_fields"`
	} `yaml:"encoding"`
	Batch struct {
		MaxEvents   int     `yaml:"max_events"`
		TimeoutSecs float64 `yaml:"timeout_secs"`
	} `yaml:"batch"`
	Request struct {
		Headers          map[string]string `yaml:"headers"`
		TimeoutSecs      int               `yaml:"timeout_secs"`
		RetryAttempts    int               `yaml:"retry_attempts"`
		RetryInitialSecs int               `yaml:"retry_initial_backoff_secs"`
		RetryLongestSecs int               `yaml:"retry_max_duration_secs"`
	} `yaml:"request"`
	Buffer struct {
		Type      string `yaml:"type"`
		MaxEvents int    `yaml:"max_events"`
		WhenFull  string `yaml:"when_full"`
	} `yaml:"buffer"`
}

// shipment is the one way that events go: from pods through a script to where it says.
type shipment struct {
	from    podLogs
	to      httpOutput
	sources map[string]string
	data    string
	health  string
}

var (
	variable = regexp.MustCompile(`\$\$|\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?`)
	asked    = regexp.MustCompile(`get_env_var!?\("([^"]+)"\)`)
	renamed  = regexp.MustCompile(`(?s)sources = (\{.*?\})`)
)

// readVector reads a configuration as Vector does: variables of the environment first.
func readVector(path string, env map[string]string) (shipment, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return shipment{}, err
	}
	var missing []string
	text := variable.ReplaceAllStringFunc(string(content), func(word string) string {
		if word == "$$" {
			return "$"
		}
		name := strings.Trim(word, "${}")
		if _, set := env[name]; !set {
			missing = append(missing, name)
		}
		return env[name]
	})
	if len(missing) > 0 {
		return shipment{}, fmt.Errorf("the configuration wants %s, which is not set", strings.Join(missing, ", "))
	}
	var file vectorFile
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return shipment{}, fmt.Errorf("the configuration: %w", err)
	}
	return file.judged(env)
}

func (f vectorFile) judged(env map[string]string) (shipment, error) {
	if len(f.Sources) != 1 || len(f.Transforms) != 1 || len(f.Sinks) != 1 {
		return shipment{}, errors.New("not one source, one transform and one sink")
	}
	source, from := only(f.Sources)
	transform, script := only(f.Transforms)
	_, to := only(f.Sinks)
	problems := []error{
		applied(exactly("kubernetes_logs"), from.Type), applied(exactly("beginning", "end"), from.ReadFrom),
		applied(exactly("remap"), script.Type), applied(exactly("http"), to.Type), to.problems(),
		writable(f.DataDir),
	}
	if !slices.Equal(script.Inputs, []string{source}) || !slices.Equal(to.Inputs, []string{transform}) {
		problems = append(problems, errors.New("inputs name what is not there"))
	}
	for _, found := range asked.FindAllStringSubmatch(script.Source, -1) {
		if env[found[1]] == "" {
			problems = append(problems, fmt.Errorf("the script wants %s, which is not set", found[1]))
		}
	}
	if host, _, err := net.SplitHostPort(f.API.Address); err != nil || !f.API.Enabled || !net.ParseIP(host).IsLoopback() {
		problems = append(problems, errors.New("api: is not on, or answers to others than its own pod"))
	}
	if !script.DropOnAbort || !script.DropOnError {
		problems = append(problems, errors.New("events that the script refuses would go on"))
	}
	way := shipment{from: from, to: to, data: f.DataDir, health: f.API.Address}
	table := renamed.FindStringSubmatch(script.Source)
	if table == nil || json.Unmarshal([]byte(table[1]), &way.sources) != nil {
		problems = append(problems, errors.New("the script has no table of sources"))
	}
	return way, errors.Join(problems...)
}

func (o httpOutput) problems() error {
	var found []error
	for what, wrong := range map[string]bool{
		"method is not post":                       o.Method != "post",
		"encoding is not json":                     o.Encoding.Codec != "json",
		"batch has no limits":                      o.Batch.MaxEvents < 1 || o.Batch.TimeoutSecs <= 0,
		"request has no limits":                    o.Request.TimeoutSecs < 1 || o.Request.RetryAttempts < 1,
		"buffer is not in memory, or has no limit": o.Buffer.Type != "memory" || o.Buffer.MaxEvents < 1,
		"buffer holds up the others when full":     o.Buffer.WhenFull != "drop_newest",
	} {
		if wrong {
			found = append(found, errors.New("sink: "+what))
		}
	}
	return errors.Join(found...)
}

func only[T any](named map[string]T) (string, T) {
	for name, value := range named {
		return name, value
	}
	panic("counted before")
}
