package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"os"
	"regexp"
	"sort"
	"strings"
	"time"
)

// The configuration of Kong without a database, as far as this stand-in knows it. A field that it does not
// know is refused, as Kong refuses what its schema does not have.
// https://developer.konghq.com/gateway/db-less-mode/
type kongConfig struct {
	Format    string         `json:"_format_version"`
	Services  []kongService  `json:"services"`
	Routes    []kongRoute    `json:"routes"`
	Consumers []kongConsumer `json:"consumers"`
}

type kongService struct {
	Name           string      `json:"name"`
	Protocol       string      `json:"protocol"`
	Host           string      `json:"host"`
	Port           int         `json:"port"`
	Path           string      `json:"path"`
	ConnectTimeout int         `json:"connect_timeout"`
	ReadTimeout    int         `json:"read_timeout"`
	WriteTimeout   int         `json:"write_timeout"`
	Retries        int         `json:"retries"`
	Routes         []kongRoute `json:"routes"`
}

type kongRoute struct {
	Name              string              `json:"name"`
	Paths             []string            `json:"paths"`
	Headers           map[string][]string `json:"headers"`
	RegexPriority     int                 `json:"regex_priority"`
	StripPath         bool                `json:"strip_path"`
	PreserveHost      bool                `json:"preserve_host"`
	RequestBuffering  bool                `json:"request_buffering"`
	ResponseBuffering bool                `json:"response_buffering"`
	Plugins           []kongPlugin        `json:"plugins"`

	service *kongService
	path    *regexp.Regexp
	headers map[string]*regexp.Regexp
}

type kongPlugin struct {
	Name     string          `json:"name"`
	Consumer string          `json:"consumer"`
	Config   json.RawMessage `json:"config"`

	run runner
}

type kongConsumer struct {
	Username string                   `json:"username"`
	Acls     []struct{ Group string } `json:"acls"`
	Keys     []struct{ Key string }   `json:"keyauth_credentials"`
	Basic    []basicCredential        `json:"basicauth_credentials"`
	Plugins  []kongPlugin             `json:"plugins"`
}

type basicCredential struct{ Username, Password string }

var kongRules = rules{
	required: map[string]check{
		"KONG_DATABASE":           exactly("off"),
		"KONG_DECLARATIVE_CONFIG": prefixed("/", 2),
		"KONG_PLUGINS":            list,
		"KONG_PROXY_LISTEN":       prefixed("0.0.0.0:", 9),
		"KONG_STATUS_LISTEN":      prefixed("0.0.0.0:", 9),
		"KONG_ADMIN_LISTEN":       exactly("off"),
	},
	optional: map[string]check{
		"KONG_ADMIN_GUI_LISTEN": exactly("off"), "KONG_ANONYMOUS_REPORTS": exactly("on", "off"),
		"KONG_DNS_NOT_FOUND_TTL": number(0, 3600), "KONG_DNS_ORDER": list, "KONG_DNS_VALID_TTL": number(0, 3600),
		"KONG_HEADERS": text, "KONG_LOG_LEVEL": exactly("debug", "info", "notice", "warn", "error", "crit"),
		"KONG_LUA_MAX_REQ_HEADERS": number(1, 1000), "KONG_LUA_MAX_URI_ARGS": number(1, 1000),
		"KONG_MEM_CACHE_SIZE": text, "KONG_NGINX_WORKER_PROCESSES": number(1, 64), "KONG_PORT_MAPS": text,
		"KONG_PREFIX": prefixed("/", 2), "KONG_PROXY_ACCESS_LOG": text, "KONG_REAL_IP_HEADER": text,
		"KONG_REAL_IP_RECURSIVE": exactly("on", "off"), "KONG_TRUSTED_IPS": list,
		"KONG_ROUTER_FLAVOR": exactly("traditional_compatible"),
	},
	patterns: map[string]check{"KONG_NGINX_(HTTP|PROXY)_[A-Z_]+": text},
}

func kong(args []string) error {
	env := environment()
	if strings.Join(args, " ") != "kong docker-start" {
		return fmt.Errorf("the image's entrypoint has no command %v", args)
	}
	if err := errors.Join(kongRules.problems(env), writable(or(env["KONG_PREFIX"], "/usr/local/kong"))); err != nil {
		return err
	}
	raw, err := os.ReadFile(env["KONG_DECLARATIVE_CONFIG"])
	if err != nil {
		return err
	}
	gateway, err := newKong(raw, strings.Split(env["KONG_PLUGINS"], ","))
	if err != nil {
		return fmt.Errorf("the declarative configuration: %w", err)
	}
	listen, _, _ := strings.Cut(env["KONG_PROXY_LISTEN"], " ")
	status := answers("kong-status", nil, map[string]http.HandlerFunc{
		"/status": healthy("{}"), "/status/ready": healthy(`{"message":"ready"}`),
	})
	return serve(plan{name: "gateway", listen: map[string]http.Handler{
		listen: gateway, env["KONG_STATUS_LISTEN"]: status,
	}})
}

// kongGateway is a configuration that was taken in.
type kongGateway struct {
	routes    []*kongRoute
	consumers map[string]*kongConsumer
	keys      map[string]string
}

func newKong(raw []byte, plugins []string) (*kongGateway, error) {
	var config kongConfig
	if err := strict(raw, &config); err != nil {
		return nil, err
	}
	if config.Format != "3.0" {
		return nil, errors.New("_format_version is not 3.0")
	}
	gateway := &kongGateway{consumers: map[string]*kongConsumer{}, keys: map[string]string{}}
	for i := range config.Consumers {
		if err := gateway.take(&config.Consumers[i], plugins); err != nil {
			return nil, err
		}
	}
	names := map[string]bool{}
	add := func(service *kongService, routes []kongRoute) error {
		for i := range routes {
			if names[routes[i].Name] && service != nil {
				return fmt.Errorf("route %s is there twice", routes[i].Name)
			}
			names[routes[i].Name] = true
			routes[i].service = service
			if err := routes[i].prepare(plugins, gateway.consumers); err != nil {
				return fmt.Errorf("route %s: %w", routes[i].Name, err)
			}
			gateway.routes = append(gateway.routes, &routes[i])
		}
		return nil
	}
	for i := range config.Services {
		if err := add(&config.Services[i], config.Services[i].Routes); err != nil {
			return nil, err
		}
	}
	if err := add(nil, config.Routes); err != nil {
		return nil, err
	}
	// routes that look at headers come first, and then by their priority
	sort.SliceStable(gateway.routes, func(a, b int) bool {
		one, other := gateway.routes[a], gateway.routes[b]
		if (len(one.Headers) > 0) != (len(other.Headers) > 0) {
			return len(one.Headers) > 0
		}
		return one.RegexPriority > other.RegexPriority
	})
	return gateway, nil
}

func (g *kongGateway) take(consumer *kongConsumer, plugins []string) error {
	g.consumers[consumer.Username] = consumer
	for _, credential := range consumer.Keys {
		if _, twice := g.keys[credential.Key]; twice || credential.Key == "" {
			return fmt.Errorf("a key of consumer %s is empty or declared twice", consumer.Username)
		}
		g.keys[credential.Key] = consumer.Username
	}
	return prepareAll(consumer.Plugins, plugins)
}

func (r *kongRoute) prepare(plugins []string, consumers map[string]*kongConsumer) (err error) {
	if len(r.Paths) != 1 || !strings.HasPrefix(r.Paths[0], "~") {
		return errors.New("has not one path that is a regular expression")
	}
	if r.path, err = regexp.Compile("^(?:" + r.Paths[0][1:] + ")"); err != nil {
		return err
	}
	r.headers = map[string]*regexp.Regexp{}
	for name, values := range r.Headers {
		pattern, isPattern := strings.CutPrefix(values[0], "~*")
		if len(values) != 1 || !isPattern {
			return errors.New("has a header that is no pattern")
		}
		if r.headers[name], err = regexp.Compile("(?i)" + pattern); err != nil {
			return err
		}
	}
	for _, plugin := range r.Plugins {
		if plugin.Consumer != "" && consumers[plugin.Consumer] == nil {
			return fmt.Errorf("there is no consumer %s", plugin.Consumer)
		}
	}
	return prepareAll(r.Plugins, plugins)
}

func (r *kongRoute) matches(path string, headers http.Header) (string, bool) {
	for name, pattern := range r.headers {
		if !pattern.MatchString(headers.Get(name)) {
			return "", false
		}
	}
	found := r.path.FindString(path)
	return found, found != ""
}

func (g *kongGateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, route := range g.routes {
		if matched, ok := route.matches(r.URL.Path, r.Header); ok {
			g.lead(w, r, route, matched)
			return
		}
	}
	refused(404, "no Route matched with those values").answer(w)
}

func (g *kongGateway) lead(w http.ResponseWriter, r *http.Request, route *kongRoute, matched string) {
	asked := &asking{gateway: g, request: r, answered: w.Header()}
	for _, name := range pluginOrder {
		if plugin := asked.plugin(name, route); plugin != nil {
			if refusal := plugin.run(asked); refusal != nil {
				refusal.answer(w)
				return
			}
		}
	}
	if route.service == nil {
		refused(500, "a route without a service that no plugin ended").answer(w)
		return
	}
	if route.StripPath {
		r.Header.Set("X-Forwarded-Prefix", matched)
		rest := strings.TrimPrefix(r.URL.Path, matched)
		base := strings.TrimSuffix(or(route.service.Path, "/"), "/")
		if rest != "" || strings.HasSuffix(r.URL.Path, "/") {
			base += "/" + strings.TrimPrefix(rest, "/")
		}
		r.URL.Path = or(base, "/")
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme = route.service.Protocol
			p.Out.URL.Host = fmt.Sprintf("%s:%d", route.service.Host, route.service.Port)
			p.Out.Host = p.In.Host
			if own := p.In.Header.Get("Host"); own != "" {
				p.Out.Host = own
			}
			p.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			refused(503, "name resolution failed").answer(w)
		},
		FlushInterval: 10 * time.Millisecond,
	}
	proxy.ServeHTTP(w, r)
}

// strict reads JSON and refuses fields that the target does not have.
func strict(raw []byte, target any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(target)
}
