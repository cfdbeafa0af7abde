package routes_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/cmd/wsf/internal/routes"
)

var update = flag.Bool("update", false, "write what is listed into testdata")

func runRoutes(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := routes.NewCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestRoutes(t *testing.T) {
	got, err := runRoutes(t, "testdata/app")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/app.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got != string(want) {
		t.Errorf("got (%v)\n%s\nwant\n%s", err, got, want)
	}
}

func TestJSON(t *testing.T) {
	out, err := runRoutes(t, "testdata/app", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var listed []struct {
		Method, Pattern, Kind, Handler string
		Options                        []string
		File                           string
		Line                           int
	}
	if err := json.Unmarshal([]byte(out), &listed); err != nil {
		t.Fatal(err)
	}
	for _, r := range listed {
		if r.Pattern == "/b/{id}" {
			if r.Method != "GET" || r.Kind != "websocket" || r.Handler != "*room" || r.File != "main.go" || r.Line == 0 ||
				strings.Join(r.Options, " ") != `Authenticated() Name("b")` {
				t.Errorf("got %+v", r)
			}
			return
		}
	}
	t.Errorf("there is no /b/{id}: %s", out)
}

func TestProblems(t *testing.T) {
	broken, empty := t.TempDir(), t.TempDir()
	for folder, text := range map[string]string{broken: "package main\n\nfunc main() { undefined() }\n", empty: "package main\n\nfunc main() {}\n"} {
		for name, text := range map[string]string{"main.go": text, "go.mod": "module app\n\ngo 1.25\n"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct{ folder, want string }{
		{broken, "main.go:3:15: undefined: undefined"},
		{broken, "does not compile"},
		{empty, "no route is registered in"},
		{t.TempDir(), "name a folder in the program's module"},
		{filepath.Join(empty, "main.go"), "is no folder"},
		{filepath.Join(empty, "nowhere"), "nowhere"},
	} {
		if out, err := runRoutes(t, test.folder); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q\n%s", test.folder, err, test.want, out)
		} else if strings.Count(err.Error(), test.want) > 1 {
			t.Errorf("%s: said more than once: %v", test.folder, err)
		}
	}
	if _, err := runRoutes(t, "a", "b"); err == nil || err.(interface{ ExitCode() int }).ExitCode() != 2 {
		t.Errorf("two folders: %v", err)
	}
}
