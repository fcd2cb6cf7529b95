package main

import (
	"encoding/json"
	"errors"
	"net/http"
)

func gotrue(env map[string]string, args []string) (plan, error) {
	known := rules{
		required: map[string]check{
			"API_EXTERNAL_URL":              pathOf("/auth/v1"),
			"GOTRUE_API_HOST":               exactly("0.0.0.0"),
			"GOTRUE_API_PORT":               port,
			"GOTRUE_DB_DATABASE_URL":        databaseURL("supabase_auth_admin", "postgres", "postgres", "postgresql"),
			"GOTRUE_DB_DRIVER":              exactly("postgres"),
			"GOTRUE_JWT_ADMIN_ROLES":        list,
			"GOTRUE_JWT_AUD":                exactly("authenticated"),
			"GOTRUE_JWT_DEFAULT_GROUP_NAME": exactly("authenticated"),
			"GOTRUE_JWT_EXP":                number(1, 604800),
			"GOTRUE_JWT_ISSUER":             exactly(env["API_EXTERNAL_URL"]),
			"GOTRUE_JWT_SECRET":             secret,
			"GOTRUE_SITE_URL":               text,
		},
		optional: map[string]check{
			"GOTRUE_DB_MAX_POOL_SIZE":                 number(1, 1000),
			"GOTRUE_DISABLE_SIGNUP":                   flag,
			"GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED": flag,
			"GOTRUE_JWT_KEYS":                         privateKeys,
			"GOTRUE_MAILER_AUTOCONFIRM":               flag,
			"GOTRUE_MAILER_EXTERNAL_HOSTS":            list,
			"GOTRUE_SMS_AUTOCONFIRM":                  flag,
			"GOTRUE_SMTP_MAX_FREQUENCY":               duration,
			"GOTRUE_SMTP_PORT":                        port,
			"GOTRUE_URI_ALLOW_LIST":                   list,
		},
		patterns: map[string]check{
			"GOTRUE_EXTERNAL_(EMAIL|PHONE)_ENABLED":                                           flag,
			"GOTRUE_EXTERNAL_[A-Z_]+_(ENABLED|SKIP_NONCE_CHECK|EMAIL_OPTIONAL)":               flag,
			"GOTRUE_EXTERNAL_[A-Z_]+_(CLIENT_ID|SECRET|URL|API_URL)":                          text,
			"GOTRUE_EXTERNAL_[A-Z_]+_REDIRECT_URI":                                            pathOf("/callback"),
			"GOTRUE_MAILER_URLPATHS_(INVITE|CONFIRMATION|RECOVERY|EMAIL_CHANGE)":              prefixed("/", 2),
			"GOTRUE_SMTP_(HOST|USER|PASS|ADMIN_EMAIL|SENDER_NAME)":                            text,
			"GOTRUE_(MAILER|SMS|MFA|SAML|HOOK|RATE_LIMIT|SECURITY|SESSIONS|PASSWORD)_[A-Z_]+": text,
		},
	}
	if err := errors.Join(none(args), known.problems(env)); err != nil {
		return plan{}, err
	}
	err := prepared(env["GOTRUE_DB_DATABASE_URL"],
		[]wish{schema("auth")},
		"create table if not exists auth.schema_migrations (version text primary key)",
		// the real one replaces these, so they are its own or are not there yet
		"create or replace function auth.uid() returns uuid language sql stable as $$ "+
			"select nullif(current_setting('request.jwt.claims', true)::json ->> 'sub', '')::uuid $$",
		"create or replace function auth.role() returns text language sql stable as $$ "+
			"select current_setting('request.jwt.claims', true)::json ->> 'role' $$",
	)
	if err != nil {
		return plan{}, err
	}
	paths := map[string]http.HandlerFunc{
		"/health": healthy(`{"version":"standin","name":"GoTrue","description":"a stand-in"}`),
		"/.well-known/jwks.json": func(w http.ResponseWriter, _ *http.Request) {
			publish(w, env["GOTRUE_JWT_KEYS"])
		},
	}
	return plan{
		name:   "auth",
		listen: map[string]http.Handler{":" + env["GOTRUE_API_PORT"]: answers("auth", sharedAnd(env), paths)},
	}, nil
}

// sharedAnd is every key that the auth server's own tokens may be signed with.
func sharedAnd(env map[string]string) []jwk {
	var own []jwk
	_ = json.Unmarshal([]byte(env["GOTRUE_JWT_KEYS"]), &own)
	return append(own, sharedSecret(env["GOTRUE_JWT_SECRET"])...)
}

// publish shows the public half of the keys that sign, and nothing of a shared secret.
func publish(w http.ResponseWriter, private string) {
	var own []jwk
	_ = json.Unmarshal([]byte(private), &own)
	shown := []map[string]string{}
	for _, key := range own {
		if key.Kty == "EC" {
			shown = append(shown, map[string]string{
				"kty": "EC", "kid": key.Kid, "alg": key.Alg, "crv": key.Crv, "x": key.X, "y": key.Y,
			})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": shown})
}
