package main

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// seeded are the sources that the program makes in its Supabase mode.
var seeded = []string{
	"cloudflare.logs.prod", "deno-relay-logs", "gotrue.logs.prod", "postgREST.logs.prod",
	"postgres.logs", "realtime.logs.prod", "storage.logs.prod.2",
}

// kept is how many events the stand-in remembers, the newest ones.
const kept = 1000

// inbox takes events as POST /api/logs does, and shows them at a path of the stand-in's own.
type inbox struct {
	tokens []string
	mutex  sync.Mutex
	events []received
}

type received struct {
	Source  string `json:"source"`
	Message string `json:"message"`
	App     string `json:"app"`
}

func (i *inbox) take(w http.ResponseWriter, r *http.Request) {
	source := r.URL.Query().Get("source_name")
	status, reason := http.StatusOK, ""
	var events []map[string]any
	switch {
	case r.Method != http.MethodPost:
		status, reason = http.StatusMethodNotAllowed, "not POST"
	case !i.knows(r.Header.Get("x-api-key")):
		status, reason = http.StatusUnauthorized, "x-api-key is none of the two access tokens"
	case !slices.Contains(seeded, source):
		status, reason = http.StatusNotFound, "there is no source "+source
	case json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<20)).Decode(&events) != nil:
		status, reason = http.StatusBadRequest, "no JSON array of events"
	default:
		reason = i.keep(source, events)
		if reason != "" {
			status = http.StatusBadRequest
		}
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, or(reason, "Logged!"))
}

func (i *inbox) knows(token string) bool {
	return slices.ContainsFunc(i.tokens, func(own string) bool {
		return subtle.ConstantTimeCompare([]byte(own), []byte(token)) == 1
	})
}

func (i *inbox) keep(source string, events []map[string]any) string {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	for _, event := range events {
		message, whole := event["event_message"].(string)
		_, described := event["metadata"].(map[string]any)
		if !whole || !described || event["timestamp"] == nil {
			return "an event without event_message, metadata or timestamp"
		}
		for name := range event {
			if strings.HasPrefix(name, "_") {
				return "an event with what is meant for the shipper: " + name
			}
		}
		app, _ := event["appname"].(string)
		i.events = append(i.events, received{source, message, app})
	}
	i.events = i.events[max(0, len(i.events)-kept):]
	return ""
}

func (i *inbox) show(w http.ResponseWriter, _ *http.Request) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(i.events)
}
