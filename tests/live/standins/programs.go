package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
)

// none refuses arguments: the program's image has its own command.
func none(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("the program takes no arguments, not %v", args)
	}
	return nil
}

func postgrest(env map[string]string, args []string) (plan, error) {
	known := rules{
		required: map[string]check{
			"PGRST_DB_ANON_ROLE": exactly("anon"),
			"PGRST_DB_SCHEMAS":   list,
			"PGRST_DB_URI":       databaseURL("authenticator", "postgres", "postgres", "postgresql"),
			"PGRST_JWT_SECRET":   jwks,
		},
		optional: map[string]check{
			"PGRST_ADMIN_SERVER_HOST":           text,
			"PGRST_ADMIN_SERVER_PORT":           port,
			"PGRST_APP_SETTINGS_JWT_EXP":        number(1, 604800),
			"PGRST_DB_CHANNEL_ENABLED":          flag,
			"PGRST_DB_EXTRA_SEARCH_PATH":        list,
			"PGRST_DB_MAX_ROWS":                 number(1, 1e9),
			"PGRST_DB_POOL":                     number(1, 1000),
			"PGRST_DB_PREPARED_STATEMENTS":      flag,
			"PGRST_DB_USE_LEGACY_GUCS":          flag,
			"PGRST_OPENAPI_SERVER_PROXY_URI":    webAddress,
			"PGRST_SERVER_PORT":                 port,
			"PGRST_SERVER_HOST":                 text,
			"PGRST_LOG_LEVEL":                   text,
			"PGRST_DB_AGGREGATES_ENABLED":       flag,
			"PGRST_DB_PRE_REQUEST":              text,
			"PGRST_DB_POOL_ACQUISITION_TIMEOUT": number(1, 1000),
		},
	}
	if err := errors.Join(none(args), known.problems(env)); err != nil {
		return plan{}, err
	}
	wishes := []wish{member("anon"), member("authenticated"), member("service_role")}
	for _, name := range strings.Split(env["PGRST_DB_SCHEMAS"], ",") {
		wishes = append(wishes, wish{"the exposed schema " + name,
			fmt.Sprintf("select to_regnamespace('%s') is not null", name)})
	}
	if err := prepared(env["PGRST_DB_URI"], wishes, "set role anon"); err != nil {
		return plan{}, err
	}
	keys, _ := keysOf(env["PGRST_JWT_SECRET"])
	listen := map[string]http.Handler{":" + or(env["PGRST_SERVER_PORT"], "3000"): answers("rest", keys, nil)}
	if admin := env["PGRST_ADMIN_SERVER_PORT"]; admin != "" {
		listen[env["PGRST_ADMIN_SERVER_HOST"]+":"+admin] = answers("rest-admin", nil,
			map[string]http.HandlerFunc{"/live": healthy(""), "/ready": healthy("")})
	}
	return plan{name: "rest", listen: listen}, nil
}

// beam are settings of the Erlang VM and of releases made for it.
var beam = map[string]check{
	"ERL_AFLAGS": text, "ERL_EPMD_ADDRESS": text, "RELEASE_COOKIE": length(20, 255),
	"RELEASE_TMP": text, "RLIMIT_NOFILE": number(1024, 1<<20),
}

func with(first, second map[string]check) map[string]check {
	both := map[string]check{}
	for _, part := range []map[string]check{first, second} {
		for name, check := range part {
			both[name] = check
		}
	}
	return both
}

func realtime(env map[string]string, args []string) (plan, error) {
	known := rules{
		required: map[string]check{
			"API_JWT_SECRET":         secret,
			"APP_NAME":               text,
			"DB_AFTER_CONNECT_QUERY": exactly("SET search_path TO _realtime"),
			"DB_ENC_KEY":             length(16, 16),
			"DB_HOST":                text,
			"DB_NAME":                exactly("postgres"),
			"DB_PASSWORD":            text,
			"DB_PORT":                port,
			"DB_USER":                exactly("supabase_admin"),
			"METRICS_JWT_SECRET":     secret,
			"PORT":                   port,
			"SECRET_KEY_BASE":        length(64, 256),
		},
		optional: with(beam, map[string]check{
			"API_JWT_JWKS":                jwks,
			"DB_ENC_KEY_GCM":              length(32, 32),
			"DB_ENC_WRITE_GCM":            flag,
			"DB_IP_VERSION":               exactly("ipv4", "ipv6"),
			"DB_POOL_SIZE":                number(1, 1000),
			"DB_SSL":                      flag,
			"DISABLE_HEALTHCHECK_LOGGING": flag,
			"DNS_NODES":                   exactly("''"),
			"GEN_RPC_SOCKET_IP":           text,
			"MAX_CONNECTIONS":             number(1, 1e6),
			"MAX_HEADER_LENGTH":           number(1, 1e6),
			"REALTIME_IP_VERSION":         exactly("IPV4", "IPV6"),
			"RUN_JANITOR":                 flag,
			"SEED_SELF_HOST":              flag,
			"SELF_HOST_TENANT_NAME":       text,
			"SLOT_NAME_SUFFIX":            text,
		}),
		patterns: map[string]check{"TENANT_MAX_[A-Z_]+": number(1, 1e9)},
	}
	if err := errors.Join(none(args), known.problems(env)); err != nil {
		return plan{}, err
	}
	address := assembled(env, "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT", "DB_NAME")
	tenant := or(env["SELF_HOST_TENANT_NAME"], "realtime-dev")
	err := prepared(address,
		[]wish{schema("_realtime"), setting("wal_level", "logical")},
		env["DB_AFTER_CONNECT_QUERY"],
		"create table if not exists tenants (external_id text primary key)",
		"delete from tenants where external_id = '"+tenant+"'",
		"insert into tenants values ('"+tenant+"')",
	)
	if err != nil {
		return plan{}, err
	}
	keys := sharedSecret(env["API_JWT_SECRET"])
	if more, err := keysOf(env["API_JWT_JWKS"]); err == nil {
		keys = append(keys, more...)
	}
	paths := map[string]http.HandlerFunc{"/healthcheck": healthy(`"ok"`)}
	handler := ofTenant(tenant, answers("realtime", keys, paths))
	return plan{name: "realtime", listen: map[string]http.Handler{":" + env["PORT"]: handler}}, nil
}

// ofTenant knows its tenant by the first label of the Host header, the health path apart.
func ofTenant(tenant string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		label, _, _ := strings.Cut(strings.Split(r.Host, ":")[0], ".")
		if label != tenant && r.URL.Path != "/healthcheck" {
			http.Error(w, fmt.Sprintf(`{"message":"Tenant not found: %s"}`, label), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func storage(env map[string]string, args []string) (plan, error) {
	known := rules{
		required: map[string]check{
			"ANON_KEY":         token("anon"),
			"AUTH_JWT_SECRET":  secret,
			"DATABASE_URL":     databaseURL("supabase_storage_admin", "postgres", "postgres", "postgresql"),
			"FILE_SIZE_LIMIT":  number(1, 1e13),
			"GLOBAL_S3_BUCKET": text,
			"REGION":           text,
			"SERVICE_KEY":      token("service_role"),
			"STORAGE_BACKEND":  exactly("file", "s3"),
			"TENANT_ID":        text,
		},
		optional: map[string]check{
			"AWS_ACCESS_KEY_ID":                 text,
			"AWS_SECRET_ACCESS_KEY":             text,
			"DATABASE_MAX_CONNECTIONS":          number(1, 1000),
			"DATABASE_POOL_URL":                 text,
			"DB_INSTALL_ROLES":                  exactly("false"),
			"ENABLE_IMAGE_TRANSFORMATION":       flag,
			"FILE_STORAGE_BACKEND_PATH":         prefixed("/", 2),
			"GLOBAL_S3_ENDPOINT":                webAddress,
			"GLOBAL_S3_FORCE_PATH_STYLE":        flag,
			"GLOBAL_S3_PROTOCOL":                exactly("http", "https"),
			"IMGPROXY_URL":                      webAddress,
			"JWT_JWKS":                          jwks,
			"POSTGREST_URL":                     webAddress,
			"REQUEST_ALLOW_X_FORWARDED_PATH":    flag,
			"S3_PROTOCOL_ACCESS_KEY_ID":         length(16, 64),
			"S3_PROTOCOL_ACCESS_KEY_SECRET":     length(16, 128),
			"SERVER_PORT":                       port,
			"STORAGE_PUBLIC_URL":                webAddress,
			"STORAGE_S3_PRIVATE_ASSET_ENDPOINT": webAddress,
			"TUS_ALLOW_S3_TAGS":                 flag,
		},
	}
	if err := errors.Join(none(args), known.problems(env), placeOfObjects(env)); err != nil {
		return plan{}, err
	}
	keys := sharedSecret(env["AUTH_JWT_SECRET"])
	if more, err := keysOf(env["JWT_JWKS"]); err == nil {
		keys = append(keys, more...)
	}
	for _, name := range []string{"ANON_KEY", "SERVICE_KEY"} {
		if _, err := verified(env[name], keys, now()); err != nil {
			return plan{}, fmt.Errorf("%s %w", name, err)
		}
	}
	err := prepared(env["DATABASE_URL"],
		[]wish{schema("storage"), member("anon"), member("authenticated"), member("service_role")},
		"create table if not exists storage.migrations (id int primary key)",
	)
	if err != nil {
		return plan{}, err
	}
	paths := map[string]http.HandlerFunc{"/status": healthy("")}
	address := ":" + or(env["SERVER_PORT"], "5000")
	return plan{name: "storage", listen: map[string]http.Handler{address: answers("storage", keys, paths)}}, nil
}

// placeOfObjects: a bucket and what opens it, or a folder that can be written to.
func placeOfObjects(env map[string]string) error {
	if env["STORAGE_BACKEND"] == "s3" {
		for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GLOBAL_S3_ENDPOINT"} {
			if env[name] == "" {
				return fmt.Errorf("%s is required with the backend s3", name)
			}
		}
		return nil
	}
	return writable(or(env["FILE_STORAGE_BACKEND_PATH"], "/var/lib/storage"))
}

func writable(folder string) error {
	file, err := os.CreateTemp(folder, ".standin-")
	if err != nil {
		return fmt.Errorf("nothing can be written to %s", folder)
	}
	_ = file.Close()
	return os.Remove(file.Name())
}

func imgproxy(env map[string]string, args []string) (plan, error) {
	known := rules{
		required: map[string]check{"IMGPROXY_BIND": prefixed(":", 2)},
		optional: map[string]check{
			"IMGPROXY_ALLOWED_SOURCES":       list,
			"IMGPROXY_AUTO_WEBP":             flag,
			"IMGPROXY_LOCAL_FILESYSTEM_ROOT": exactly("/"),
			"IMGPROXY_MAX_SRC_RESOLUTION":    number(0.1, 1000),
			"IMGPROXY_USE_ETAG":              flag,
			"IMGPROXY_WORKERS":               number(1, 1000),
		},
	}
	if err := errors.Join(none(args), known.problems(env)); err != nil {
		return plan{}, err
	}
	paths := map[string]http.HandlerFunc{"/health": healthy("imgproxy is running")}
	handler := answers("imgproxy", nil, paths)
	return plan{name: "imgproxy", listen: map[string]http.Handler{env["IMGPROXY_BIND"]: handler}}, nil
}

func studio(env map[string]string, args []string) (plan, error) {
	known := rules{
		required: map[string]check{
			"AUTH_JWT_SECRET":      secret,
			"HOSTNAME":             text,
			"PG_META_CRYPTO_KEY":   length(32, 64),
			"POSTGRES_DB":          exactly("postgres"),
			"POSTGRES_HOST":        text,
			"POSTGRES_PASSWORD":    text,
			"POSTGRES_PORT":        port,
			"STUDIO_PG_META_URL":   webAddress,
			"SUPABASE_ANON_KEY":    token("anon"),
			"SUPABASE_PUBLIC_URL":  webAddress,
			"SUPABASE_SERVICE_KEY": token("service_role"),
			"SUPABASE_URL":         webAddress,
		},
		optional: map[string]check{
			"DEFAULT_ORGANIZATION_NAME":        text,
			"DEFAULT_PROJECT_NAME":             text,
			"EDGE_FUNCTIONS_MANAGEMENT_FOLDER": prefixed("/", 2),
			"ENABLED_FEATURES_LOGS_ALL":        flag,
			"LOGFLARE_PRIVATE_ACCESS_TOKEN":    text,
			"LOGFLARE_URL":                     webAddress,
			"OPENAI_API_KEY":                   text,
			"PGRST_DB_EXTRA_SEARCH_PATH":       list,
			"PGRST_DB_MAX_ROWS":                number(1, 1e9),
			"PGRST_DB_SCHEMAS":                 list,
			"POSTGRES_USER_READ_ONLY":          text,
			"POSTGRES_USER_READ_WRITE":         exactly("postgres"),
			"SNIPPETS_MANAGEMENT_FOLDER":       prefixed("/", 2),
			"SUPABASE_PUBLISHABLE_KEY":         prefixed("sb_publishable_", 40),
			"SUPABASE_SECRET_KEY":              prefixed("sb_secret_", 40),
		},
	}
	problems := []error{none(args), known.problems(env), writable(env["SNIPPETS_MANAGEMENT_FOLDER"])}
	if !slices.Contains([]string{"0.0.0.0", "::"}, env["HOSTNAME"]) {
		problems = append(problems, errors.New("HOSTNAME is not 0.0.0.0 or ::, so nobody would reach it"))
	}
	if env["ENABLED_FEATURES_LOGS_ALL"] == "true" && env["LOGFLARE_URL"] == "" {
		problems = append(problems, errors.New("LOGFLARE_URL is required with logs"))
	}
	// it splices the password into a URL as it is
	if _, err := url.Parse("postgres://postgres:" + env["POSTGRES_PASSWORD"] + "@db:5432/postgres"); err != nil {
		problems = append(problems, errors.New("POSTGRES_PASSWORD makes no URL"))
	}
	if err := errors.Join(problems...); err != nil {
		return plan{}, err
	}
	profile := map[string]http.HandlerFunc{"/api/platform/profile": healthy(`{"id":1}`)}
	handler := answers("studio", nil, profile)
	return plan{name: "studio", listen: map[string]http.Handler{":3000": handler}}, nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
