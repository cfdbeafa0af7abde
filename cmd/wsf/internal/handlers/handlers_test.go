package handlers_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/cmd/wsf/internal/handlers"
)

// writeProgram writes files, each "name: text", into a folder of its own.
func writeProgram(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func runHandler(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := handlers.NewCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	return out.String(), err
}

func read(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const header = `package main

import "github.com/gotornado/gotornado/wsframework"

`

// A route is put in at ¦, and not an octet of the rest changes.
func TestInsertion(t *testing.T) {
	const added = `app.WebSocket("/ticker", func() wsframework.Handler { return new(tickerHandler) })`
	for _, test := range []struct{ name, program, line string }{
		{"behind the application", header + `func newApp() *wsframework.Application {
	app := wsframework.NewApplication(wsframework.Settings{
		LoginURL: "/login", // where to
	})¦
	return app
}
`, "\n\t" + added},
		{"behind the last route", header + `func main() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/a", newA)
	app.WebSocket("/b", newB)¦
	app.Page("/", newPage)
}
`, "\n\t" + added},
		{"comments and odd formatting", header + `// register   says   nothing.
func   register( app   *wsframework.Application ) {
      /* here */ ; var x=1 // x
	app.WebSocket( "/a" ,newA )   // the first one
            app.WebSocket("/b",  // its pattern
	    newB)/* and
	    its end */   // b¦

	// a comment that stands alone
	_=x   }
`, "\n            " + added},
		{"one line", header + `func register(app *wsframework.Application) { app.WebSocket("/a", newA)¦ }
`, "; " + added},
		{"two statements", header + `func register(app *wsframework.Application) {
	x := 1; app.WebSocket("/a", newA)¦; _ = x
}
`, "; " + added},
		{"a semicolon", header + `func register(app *wsframework.Application) {
	app.WebSocket("/a", newA); // done¦
}
`, "\n\t" + added},
		{"Windows", strings.ReplaceAll(header+`func register(app *wsframework.Application) {
	app.WebSocket("/a", newA) // a¦
}
`, "\n", "\r\n"), "\r\n\t" + added},
		{"another name", `package main

import ws "github.com/gotornado/gotornado/wsframework"

func register(a *ws.Application) {
	a.WebSocket("/a", newA)¦
}
`, "\n\t" + `a.WebSocket("/ticker", func() ws.Handler { return new(tickerHandler) })`},
		{"no name", `package main

import . "github.com/gotornado/gotornado/wsframework"

func register() {
	a := NewApplication(Settings{})¦
}
`, "\n\t" + `a.WebSocket("/ticker", func() Handler { return new(tickerHandler) })`},
		{"a field", header + `func (s *server) routes() {
	s.app.WebSocket("/a", newA)¦
}
`, "\n\ts." + added},
		{"not in a group", header + `func register() {
	app := wsframework.NewApplication(wsframework.Settings{})¦
	admin := app.Under("/admin")
	admin.WebSocket("/a", newA)
	if debug {
		app.WebSocket("/debug", newDebug)
	}
}
`, "\n\t" + added},
	} {
		t.Run(test.name, func(t *testing.T) {
			program := strings.Replace(test.program, "¦", "", 1)
			folder := writeProgram(t, map[string]string{"main.go": program})
			if _, err := runHandler(t, "Ticker", "--kind", "ticker", "--dir", folder); err != nil {
				t.Fatal(err)
			}
			if got, want := read(t, folder, "main.go"), strings.Replace(test.program, "¦", test.line, 1); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			out, err := runHandler(t, "Ticker", "--kind", "ticker", "--dir", folder)
			if err != nil || !strings.HasPrefix(out, "Nothing to do") {
				t.Errorf("once more: %s%v", out, err)
			}
		})
	}
}

func TestDryRun(t *testing.T) {
	const program = header + `func main() {
	app := wsframework.NewApplication(wsframework.Settings{})
}
`
	folder := writeProgram(t, map[string]string{"main.go": program})
	out, err := runHandler(t, "EchoHandler", "--dir", folder, "--authenticated", "--dry-run")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"--- /dev/null\n+++ b/echo.go\n", "+type echoHandler struct {\n", "+++ b/echo_test.go\n",
		"--- a/main.go\n+++ b/main.go\n",
		" \tapp := wsframework.NewApplication(wsframework.Settings{})\n" +
			"+\tapp.WebSocket(\"/echo\", func() wsframework.Handler { return new(echoHandler) }, wsframework.Authenticated())\n }\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the diff lacks %q:\n%s", want, out)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || read(t, folder, "main.go") != program {
		t.Errorf("there is %v (%v)", entries, err)
	}
}

// What can't be done is said, and nothing is changed.
func TestRefusals(t *testing.T) {
	const app = header + `func main() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/a", newA)
}
`
	for _, test := range []struct {
		name  string
		files map[string]string
		args  []string
		want  string
		usage bool
	}{
		{"nothing there", nil, []string{"Echo"}, "there is no Go program in", false},
		{"no application", map[string]string{"a.go": "package main\n"}, []string{"Echo"}, "nothing in", false},
		{"not kept", map[string]string{"a.go": header + "func f() *wsframework.Application { return wsframework.NewApplication(wsframework.Settings{}) }\n"},
			[]string{"Echo"}, "keeps what wsframework.NewApplication returns in a variable", false},
		{"several", map[string]string{"a.go": app, "b.go": header + "func f(app *wsframework.Application) {\n\tapp.WebSocket(\"/b\", newB)\n}\n"},
			[]string{"Echo"}, "-in f ", true},
		{"no such function", map[string]string{"a.go": app}, []string{"Echo", "--in", "g"}, "there is no function g", true},
		{"broken", map[string]string{"a.go": app + "func"}, []string{"Echo"}, "mend that first", false},
		{"a file", map[string]string{"a.go": app, "echo.go": "package main\n"}, []string{"Echo"}, "is there already, with another text", false},
		{"a test", map[string]string{"a.go": app, "echo_test.go": "package main\n"}, []string{"Echo"}, "echo_test.go is there already", false},
		{"a script", map[string]string{"a.go": app, "templates/a.html": "", "static/js/reconnecting.js": "", "static/js/echo.js": ""},
			[]string{"Echo"}, "echo.js is there already", false},
		{"a type", map[string]string{"a.go": app + "type echoHandler int\n"}, []string{"Echo"}, "echoHandler is declared at", false},
		{"a route", map[string]string{"a.go": app}, []string{"Echo", "--route", "/a"}, "the route /a is registered at", false},
		{"a kind", map[string]string{"a.go": app}, []string{"Echo", "--kind", "dance"}, "-kind is one of chat, echo, rpc, stream, ticker", true},
		{"a name", map[string]string{"a.go": app}, []string{"../Echo"}, "can't be the name of a handler", true},
		{"a keyword", map[string]string{"a.go": app}, []string{"func"}, "can't be the name of a handler", true},
		{"a pattern", map[string]string{"a.go": app}, []string{"Echo", "--route", "echo"}, "can't be a route", true},
		{"a wildcard", map[string]string{"a.go": app}, []string{"Echo", "--route", "/{"}, "can't be a route", true},
		{"no name", map[string]string{"a.go": app}, nil, "give the handler one name", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := writeProgram(t, test.files)
			before := snapshot(t, folder)
			_, err := runHandler(t, append(test.args, "--dir", folder)...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if _, coded := err.(interface{ ExitCode() int }); coded != test.usage {
				t.Errorf("the error is a %T", err)
			}
			if after := snapshot(t, folder); !slices.Equal(after, before) {
				t.Errorf("there is %q, there was %q", after, before)
			}
		})
	}
}

// snapshot returns the names and texts of all files.
func snapshot(t *testing.T, folder string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path+": "+read(t, "", path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// What fails half-way is undone.
func TestNothingIsLeftOfAFailure(t *testing.T) {
	folder := writeProgram(t, map[string]string{
		"main.go":                   header + "func main() {\n\tapp := wsframework.NewApplication(wsframework.Settings{})\n}\n",
		"templates/base.html":       "",
		"static/js/reconnecting.js": "",
	})
	before := snapshot(t, folder)
	// It leads nowhere: there is no such file to read, and yet none can be made.
	script := filepath.Join(folder, "static", "js", "echo.js")
	if err := os.Symlink("nowhere", script); err != nil {
		t.Fatal(err)
	}
	if _, err := runHandler(t, "Echo", "--dir", folder); err == nil {
		t.Error("it succeeds")
	}
	if err := os.Remove(script); err != nil {
		t.Fatal(err)
	}
	if after := snapshot(t, folder); !slices.Equal(after, before) {
		t.Errorf("there is %q, there was %q", after, before)
	}
}

// Who is in another room does not hear what is said, and the page's author is told what to fill in.
func TestWildcards(t *testing.T) {
	folder := writeProgram(t, map[string]string{
		"main.go":                   header + "func add(app *wsframework.Application) { app.WebSocket(\"/a\", newA) }\n",
		"templates/base.html":       "",
		"static/js/reconnecting.js": "",
	})
	out, err := runHandler(t, "Chat", "--kind", "chat", "--route", "/{house}/rooms/{room}", "--dir", folder)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(folder, "static/js/chat.js") + "  # say there what {house} and {room} should be"; !strings.Contains(out, want) {
		t.Errorf("it says\n%s, not %q", out, want)
	}
	const group = `"chat/" + h.PathValue("house") + "/" + h.PathValue("room")`
	if text := read(t, folder, "chat.go"); strings.Count(text, group)+strings.Count(text, strings.ReplaceAll(group, " + ", "+")) != 2 {
		t.Errorf("the groups are not %s:\n%s", group, text)
	}
	if text := read(t, folder, "static/js/chat.js"); !strings.Contains(text, `const path = "/house/rooms/room"; // put in`) {
		t.Errorf("the script is\n%s", text)
	}
}
