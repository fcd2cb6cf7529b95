// Command standin takes the place of a program of Supabase whose image no package registry offers.
//
// It does none of that program's work. It is as particular as that program about what it is told:
// environment, files, command line, keys and the state of the database; whatever the real one would
// not start with, or would not understand, ends it with exit code 1 and a line that says what. Then it
// listens where the real one does, answers its health path, and otherwise answers with what was asked,
// so that a gateway in front can be judged by it.
//
// What it expects is written down from the programs' documentation and their official compose file
// (see tests/live/README.md); what is wrong there is wrong here.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(called(os.Args)); err != nil {
		fmt.Fprintln(os.Stderr, "standin:", err)
		os.Exit(1)
	}
}

// called says which program is meant and with which arguments: by the name that it was called by, as
// images do that have several programs, or else by the first argument.
func called(args []string) (string, []string) {
	name := filepath.Base(args[0])
	if name == "standin" && len(args) > 1 {
		return args[1], args[2:]
	}
	return name, args[1:]
}

func run(name string, args []string) error {
	program, ok := programs[name]
	if !ok {
		return fmt.Errorf("there is no stand-in for %s", name)
	}
	return program(args)
}

// programs by name. Those of one image that do one thing and end are here too.
var programs = map[string]func([]string) error{
	"gotrue":    service(gotrue),
	"postgrest": service(postgrest),
	"realtime":  service(realtime),
	"storage":   service(storage),
	"imgproxy":  service(imgproxy),
	"studio":    service(studio),
	"logflare":  logflare,
	"vector":    vector,
	"limits":    limits,
	"migrate":   service(poolerMigrations),
	"supavisor": poolerEval,
	"server":    service(pooler),
	"kong":      kong,
}

// environment is what the process was given, by name.
func environment() map[string]string {
	found := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		found[name] = value
	}
	return found
}
