package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The plugins that a rendered configuration may use, as their documentation has them.

// pluginOrder is the plugins by their priority, highest first.
var pluginOrder = []string{"cors", "key-auth", "basic-auth", "acl", "request-transformer", "request-termination"}

// runner is a plugin with its settings; it says what is answered in the place of the service.
type runner func(*asking) *refusal

// asking is a request on its way through the plugins.
type asking struct {
	gateway  *kongGateway
	request  *http.Request
	consumer string
	answered http.Header
}

type refusal struct {
	status int
	kind   string
	body   string
}

func refused(status int, message string) *refusal {
	body, _ := json.Marshal(map[string]string{"message": message})
	return &refusal{status, "application/json; charset=utf-8", string(body)}
}

func (r *refusal) answer(w http.ResponseWriter) {
	if r.kind != "" {
		w.Header().Set("Content-Type", r.kind)
	}
	w.WriteHeader(r.status)
	fmt.Fprint(w, r.body)
}

// plugin is the one with the narrowest scope.
func (a *asking) plugin(name string, route *kongRoute) *kongPlugin {
	var general *kongPlugin
	for i := range route.Plugins {
		plugin := &route.Plugins[i]
		switch {
		case plugin.Name != name:
		case plugin.Consumer != "" && plugin.Consumer == a.consumer:
			return plugin
		case plugin.Consumer == "":
			general = plugin
		}
	}
	if consumer := a.gateway.consumers[a.consumer]; consumer != nil {
		for i := range consumer.Plugins {
			if consumer.Plugins[i].Name == name {
				return &consumer.Plugins[i]
			}
		}
	}
	return general
}

var makers = map[string]func(json.RawMessage) (runner, error){
	"cors": maker(cors), "key-auth": maker(keyAuth), "basic-auth": maker(basicAuth), "acl": maker(acl),
	"request-transformer": maker(transform), "request-termination": maker(terminate),
}

func maker[C any](run func(C, *asking) *refusal) func(json.RawMessage) (runner, error) {
	return func(raw json.RawMessage) (runner, error) {
		var config C
		if err := strict(raw, &config); err != nil {
			return nil, err
		}
		return func(a *asking) *refusal { return run(config, a) }, nil
	}
}

func prepareAll(plugins []kongPlugin, loaded []string) (err error) {
	for i := range plugins {
		plugin := &plugins[i]
		if makers[plugin.Name] == nil || !slices.Contains(loaded, plugin.Name) {
			return fmt.Errorf("plugin %s is not known, or not among KONG_PLUGINS", plugin.Name)
		}
		if plugin.run, err = makers[plugin.Name](plugin.Config); err != nil {
			return fmt.Errorf("plugin %s: %w", plugin.Name, err)
		}
	}
	return nil
}

type corsConfig struct {
	Origins        []string `json:"origins"`
	ExposedHeaders []string `json:"exposed_headers"`
	MaxAge         int      `json:"max_age"`
	Credentials    bool     `json:"credentials"`
}

func cors(config corsConfig, a *asking) *refusal {
	origin := a.request.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	for _, allowed := range config.Origins {
		switch {
		case allowed == "*":
			a.answered.Set("Access-Control-Allow-Origin", "*")
		case allowed == origin || regexp.MustCompile(allowed).MatchString(origin):
			a.answered.Set("Access-Control-Allow-Origin", origin)
		}
	}
	if a.request.Method == http.MethodOptions && a.request.Header.Get("Access-Control-Request-Method") != "" {
		a.answered.Set("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT")
		a.answered.Set("Access-Control-Allow-Headers", a.request.Header.Get("Access-Control-Request-Headers"))
		a.answered.Set("Access-Control-Max-Age", strconv.Itoa(config.MaxAge))
		return &refusal{status: 200}
	}
	a.answered.Set("Access-Control-Expose-Headers", strings.Join(config.ExposedHeaders, ","))
	return nil
}

type keyAuthConfig struct {
	KeyNames        []string `json:"key_names"`
	KeyInHeader     bool     `json:"key_in_header"`
	KeyInQuery      bool     `json:"key_in_query"`
	KeyInBody       bool     `json:"key_in_body"`
	HideCredentials bool     `json:"hide_credentials"`
	Anonymous       string   `json:"anonymous"`
}

func keyAuth(config keyAuthConfig, a *asking) *refusal {
	name, query := config.KeyNames[0], a.request.URL.Query()
	shown := a.request.Header.Values(name)
	if len(shown) == 0 && config.KeyInQuery {
		shown = query[name]
	}
	if len(shown) > 1 {
		return refused(401, "Duplicate API key found")
	}
	if config.HideCredentials {
		a.request.Header.Del(name)
		if config.KeyInQuery && query.Has(name) {
			query.Del(name)
			a.request.URL.RawQuery = written(query)
		}
	}
	if len(shown) == 1 {
		a.consumer = a.gateway.keys[shown[0]]
	}
	if a.consumer == "" {
		a.consumer = config.Anonymous
	}
	switch {
	case a.consumer != "":
		return nil
	case len(shown) == 0:
		return refused(401, "No API key found in request")
	}
	return refused(401, "Unauthorized")
}

// written is a query as Kong writes it anew.
func written(query url.Values) string {
	return strings.NewReplacer("%2A", "*", "%2C", ",", "%28", "(", "%29", ")").Replace(query.Encode())
}

type basicAuthConfig struct {
	HideCredentials bool `json:"hide_credentials"`
}

func basicAuth(config basicAuthConfig, a *asking) *refusal {
	name, password, _ := a.request.BasicAuth()
	if config.HideCredentials {
		a.request.Header.Del("Authorization")
	}
	for username, consumer := range a.gateway.consumers {
		if slices.Contains(consumer.Basic, basicCredential{name, password}) {
			a.consumer = username
			return nil
		}
	}
	a.answered.Set("WWW-Authenticate", "Basic")
	return refused(401, "Unauthorized")
}

type aclConfig struct {
	Allow            []string `json:"allow"`
	HideGroupsHeader bool     `json:"hide_groups_header"`
}

func acl(config aclConfig, a *asking) *refusal {
	if consumer := a.gateway.consumers[a.consumer]; consumer != nil {
		for _, group := range consumer.Acls {
			if slices.Contains(config.Allow, group.Group) {
				return nil
			}
		}
	}
	return refused(403, "You cannot consume this service")
}

type transformStep struct {
	Headers     []string `json:"headers"`
	Querystring []string `json:"querystring"`
}

type transformConfig struct {
	Remove  transformStep `json:"remove"`
	Replace transformStep `json:"replace"`
	Add     transformStep `json:"add"`
}

func transform(config transformConfig, a *asking) *refusal {
	headers := a.request.Header
	for _, name := range config.Remove.Headers {
		headers.Del(name)
	}
	if query := a.request.URL.Query(); len(config.Remove.Querystring) > 0 {
		for _, name := range config.Remove.Querystring {
			query.Del(name)
		}
		a.request.URL.RawQuery = written(query)
	}
	for _, pair := range config.Replace.Headers {
		name, value, _ := strings.Cut(pair, ":")
		if headers.Get(name) != "" || name == "Host" {
			headers.Set(name, value)
		}
	}
	for _, pair := range config.Add.Headers {
		name, value, _ := strings.Cut(pair, ":")
		if headers.Get(name) == "" && name != "Host" {
			headers.Set(name, value)
		}
	}
	return nil
}

type terminateConfig struct {
	StatusCode  int    `json:"status_code"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
}

func terminate(config terminateConfig, _ *asking) *refusal {
	return &refusal{config.StatusCode, config.ContentType, config.Body}
}
