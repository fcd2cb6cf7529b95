package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// check says what is wrong with a value; nil if nothing is.
type check func(string) error

// rules is everything that a program may be told by its environment.
type rules struct {
	required map[string]check
	optional map[string]check
	// patterns are names that come in families, as in GOTRUE_EXTERNAL_GITHUB_ENABLED.
	patterns map[string]check
}

// everybodys are set by Kubernetes or by images, and no program minds them.
var everybodys = regexp.MustCompile(`^(PATH|HOME|HOSTNAME|TERM|LANG|PWD|SHLVL|OLDPWD|_|KUBERNETES_.*)$`)

// serviceLinks are what Kubernetes adds for each Service of the namespace when a pod does not refuse;
// several programs take them for settings of their own.
var serviceLinks = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_[0-9]+_TCP(_.*)?)$`)

// problems says everything that is wrong with an environment, each by a line without the value: it may
// be a secret.
func (r rules) problems(env map[string]string) error {
	var found []string
	for name := range r.required {
		if env[name] == "" {
			found = append(found, name+" is required and not set")
		}
	}
	for name, value := range env {
		if err := r.judge(name, value); err != nil {
			found = append(found, fmt.Sprintf("%s: %v", name, err))
		}
	}
	sort.Strings(found)
	if len(found) == 0 {
		return nil
	}
	return errors.New(strings.Join(found, "; "))
}

func (r rules) judge(name, value string) error {
	if everybodys.MatchString(name) {
		return nil
	}
	if serviceLinks.MatchString(name) {
		return errors.New("this is a service link, which the program would take for a setting")
	}
	for _, known := range []map[string]check{r.required, r.optional} {
		if check, ok := known[name]; ok {
			return applied(check, value)
		}
	}
	for pattern, check := range r.patterns {
		if regexp.MustCompile("^(" + pattern + ")$").MatchString(name) {
			return applied(check, value)
		}
	}
	return errors.New("the program knows no such setting")
}

func applied(check check, value string) error {
	if value == "" {
		return nil // the required ones are counted elsewhere
	}
	return check(value)
}

// --- checks

func text(string) error { return nil }

func exactly(wanted ...string) check {
	return func(value string) error {
		if slices.Contains(wanted, value) {
			return nil
		}
		return fmt.Errorf("is not %s", strings.Join(wanted, " or "))
	}
}

func length(least, most int) check {
	return func(value string) error {
		if len(value) < least || len(value) > most {
			return fmt.Errorf("has %d characters, not %d to %d", len(value), least, most)
		}
		return nil
	}
}

var (
	flag   = exactly("true", "false")
	port   = number(1, 65535)
	secret = length(32, 4096)
)

func number(least, most float64) check {
	return func(value string) error {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || n < least || n > most {
			return fmt.Errorf("is no number from %g to %g", least, most)
		}
		return nil
	}
}

func duration(value string) error {
	if _, err := time.ParseDuration(value); err != nil {
		return errors.New("is no duration like 1m or 10s")
	}
	return nil
}

func webAddress(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("is no URL with http or https")
	}
	return nil
}

func pathOf(suffix string) check {
	return func(value string) error {
		if err := webAddress(value); err != nil {
			return err
		}
		if u, _ := url.Parse(value); !strings.HasSuffix(u.Path, suffix) {
			return fmt.Errorf("does not end in %s", suffix)
		}
		return nil
	}
}

// databaseURL wants user and database as the program's documentation names them.
func databaseURL(user, database string, schemes ...string) check {
	return func(value string) error {
		u, err := url.Parse(value)
		if err != nil {
			return errors.New("is no URL")
		}
		if !slices.Contains(schemes, u.Scheme) {
			return fmt.Errorf("has not the scheme %s", strings.Join(schemes, " or "))
		}
		if password, set := u.User.Password(); u.User.Username() != user || !set || password == "" {
			return fmt.Errorf("does not sign in as %s with a password", user)
		}
		if u.Path != "/"+database {
			return fmt.Errorf("does not lead to database %s", database)
		}
		return nil
	}
}

func list(value string) error {
	for _, part := range strings.Split(value, ",") {
		if strings.TrimSpace(part) == "" {
			return errors.New("is a list with an empty member")
		}
	}
	return nil
}

func jsonObject(members ...string) check {
	return func(value string) error {
		var object map[string]any
		if json.Unmarshal([]byte(value), &object) != nil {
			return errors.New("is no JSON object")
		}
		for _, member := range members {
			if text, _ := object[member].(string); text == "" {
				return fmt.Errorf("has no member %q", member)
			}
		}
		return nil
	}
}

func prefixed(prefix string, least int) check {
	return func(value string) error {
		if !strings.HasPrefix(value, prefix) || len(value) < least {
			return fmt.Errorf("does not begin with %s, or is too short", prefix)
		}
		return nil
	}
}
