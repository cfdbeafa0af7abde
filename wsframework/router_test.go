package wsframework_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// says makes a page that says its name and what its wildcards are.
func says(name string, wildcards ...string) func() wsframework.Page {
	return sheets(hooks{get: func(p *sheet) error {
		p.WriteString(name)
		for _, wildcard := range wildcards {
			p.WriteString(" " + p.PathValue(wildcard))
		}
		return nil
	}})
}

func TestUnder(t *testing.T) {
	s := newSite(t, wsframework.Settings{})
	s.app.Page("/rooms", says("rooms"))
	api := s.app.Under("/api/")
	api.Page("/rooms", says("api rooms"))
	api.Page("GET /rooms/{room}", says("api room", "room"))
	api.Page("other.test/hosted", says("api hosted"))
	api.Page("", says("api"))
	api.Under("/v2").Page("/{$}", says("v2"))
	api.HandleFunc("POST /plain", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "plain") })
	api.WebSocket("/ws", func() wsframework.Handler { return new(lean) })
	host := s.app.Under("example.org")
	host.Page("/", says("host"))
	host.Page("/rooms", says("host rooms"))
	host.Under("/deep").Page("/rooms", says("host deep rooms"))
	s.app.Under("example.net/net").Page("/rooms", says("net rooms"))
	tenant := s.app.Under("/t/{tenant}")
	tenant.Page("/rooms/{room}", says("tenant", "tenant", "room"))
	s.app.Under("").Page("/empty", says("empty"))
	for target, want := range map[string]string{
		"/rooms":                        "rooms",
		"/api":                          "api",
		"/api/rooms":                    "api rooms",
		"/api/rooms/tea":                "api room tea",
		"http://other.test/api/hosted":  "api hosted",
		"/api/v2/":                      "v2",
		"http://example.org/rooms":      "host rooms",
		"http://example.org:8000/x":     "host",
		"http://example.org/deep/rooms": "host deep rooms",
		"http://example.net/net/rooms":  "net rooms",
		"/t/a/rooms/b%20c":              "tenant a b c",
		"/empty":                        "empty",
	} {
		s.expect("GET", target, 200, want)
	}
	for _, target := range []string{"/api/v2", "/api/nowhere", "/api/hosted", "/v2/", "/deep/rooms"} {
		if w := s.ask("GET", target); w.Code != 404 && w.Code != 307 {
			t.Errorf("%s: %d %q", target, w.Code, w.Body)
		}
	}
	s.expect("POST", "/api/plain", 200, "plain")
	if w := s.ask("GET", "/api/ws"); w.Code != 400 || !strings.Contains(w.Body.String(), "WebSocket endpoint") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	for _, route := range []string{"route=/api/rooms ", "route=\"GET /api/rooms/{room}\" ", "route=\"POST /api/plain\" ", "route=/api/ws ", "route=example.org/ "} {
		if !strings.Contains(s.log.String(), route) {
			t.Errorf("the log lacks %s", route)
		}
	}
}

// The options of a prefix come before those of a route, and do not leak to its neighbours.
func TestUnderInheritsOptions(t *testing.T) {
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	s := &site{t: t, app: app}
	members := app.Under("/members", wsframework.Authenticated())
	members.Page("/a", says("a"), wsframework.Name("a"))
	members.Page("/b", says("b"), wsframework.Name("b"))
	members.Under("/deep", wsframework.Name("deep")).Page("/c", says("c"))
	app.Under("/open").Page("/d", says("d"))
	for path, want := range map[string]int{"/members/a": 403, "/members/b": 403, "/members/deep/c": 403, "/open/d": 200} {
		if w := s.ask("GET", path); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for name, want := range map[string]string{"a": "/members/a", "b": "/members/b", "deep": "/members/deep/c"} {
		if got, err := app.ReverseURL(name); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}

	server := overTCP.serve(t, wsframework.Settings{}, func(app *wsframework.Application) {
		small := app.Under("/small", wsframework.MessageLimit(3))
		small.WebSocket("/own", func() wsframework.Handler { return new(counter) }, wsframework.MessageLimit(5))
		small.WebSocket("/inherited", func() wsframework.Handler { return new(counter) })
	})
	for path, limit := range map[string]int{"/small/own": 5, "/small/inherited": 3} {
		cl := server.open(path)
		cl.Write(strings.Repeat("x", limit))
		cl.Expect(fmt.Sprint(limit))
		cl.Write(strings.Repeat("x", limit+1))
		shake(t, cl, 1009, fmt.Sprintf("message of more than %d bytes", limit))
	}
}

// A mistake in a route is a panic that names the lines of the program.
func TestRoutesThatPanicWithLines(t *testing.T) {
	plain := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	socket := func() wsframework.Handler { return new(lean) }
	app := new(wsframework.Application)
	first, then := "", ""
	for name, tt := range map[string]struct {
		register func() // the last line panics
		parts    []string
	}{
		"the same": {func() {
			first = nextLine()
			app.Page("/a", says(""))
			then = nextLine()
			app.Page("/a", says(""))
		}, []string{`pattern "/a" (registered at %[2]s) conflicts with pattern "/a" (registered at %[1]s)`}},
		"neither more specific": {func() {
			first = nextLine()
			app.Handle("/a/{b}", plain)
			then = nextLine()
			app.WebSocket("/{a}/b", socket)
		}, []string{`pattern "/{a}/b" (registered at %[2]s) conflicts with pattern "/a/{b}" (registered at %[1]s)`}},
		"under a prefix": {func() {
			first = nextLine()
			app.Under("/p").Handle("/a", plain)
			then = nextLine()
			app.Page("/p/a", says(""))
		}, []string{`pattern "/p/a" (registered at %[2]s) conflicts with pattern "/p/a" (registered at %[1]s)`}},
		"a name that is taken": {func() {
			first = nextLine()
			app.Page("/a", says(""), wsframework.Name("n"))
			then = nextLine()
			app.WebSocket("/b", socket, wsframework.Name("n"))
		}, []string{`the name "n" is taken by "/a", registered at %[1]s`}},
		"a method in the prefix": {func() {
			then = nextLine()
			app.Under("GET /a")
		}, []string{`"GET /a"`, `it is a path, a host, or a host and a path`}},
		"a host under a host": {func() {
			then = nextLine()
			app.Under("a.test").Under("b.test")
		}, []string{`"b.test"`, `a host of its own`}},
		"a host's page under one": {func() {
			then = nextLine()
			app.Under("a.test").Page("b.test/", says(""))
		}, []string{`"b.test/"`, `a host of its own`}},
		"a prefix without a slash": {func() {
			then = nextLine()
			app.Under("/a").Under("v2")
		}, []string{`"v2"`, `a path begins with /`}},
		"a path without a slash": {func() {
			then = nextLine()
			app.Under("/a").Page("rooms", says(""))
		}, []string{`"rooms"`, `a path begins with /`}},
		"a wildcard twice": {func() {
			then = nextLine()
			app.Under("/{a}").Page("/{a}", says(""))
		}, []string{`duplicate`}},
		"a prefix that has an end": {func() {
			then = nextLine()
			app.Under("/{$}").Page("/a", says(""))
		}, []string{`{$}`}},
		"malformed": {func() {
			then = nextLine()
			app.Page("/{", says(""))
		}, []string{`"/{"`}},
		"no path": {func() {
			then = nextLine()
			app.Page("rooms", says(""))
		}, []string{`missing /`}},
		"empty": {func() {
			then = nextLine()
			app.HandleFunc("", plain)
		}, []string{`invalid pattern`}},
		"no handler": {func() {
			then = nextLine()
			app.Handle("/a", nil)
		}, []string{`"/a" has no handler`}},
		"no function": {func() {
			then = nextLine()
			app.Under("/p").HandleFunc("/a", nil)
		}, []string{`"/a" has no handler`}},
	} {
		app = wsframework.NewApplication(wsframework.Settings{Logger: quiet})
		text := panicOf(tt.register)
		for _, part := range append(tt.parts, "wsframework: %[2]s: ") {
			if part = strings.NewReplacer("%[1]s", first, "%[2]s", then).Replace(part); !strings.Contains(text, part) {
				t.Errorf("%s: panic %q lacks %q", name, text, part)
			}
		}
	}
}

func TestReverseURL(t *testing.T) {
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	name := wsframework.Name
	app.Page("/about", says(""), name("about"))
	app.Page("/rooms/{room}", says(""), name("room"))
	app.Page("GET example.com/{a}/x/{b}", says(""), name("two"))
	app.Page("/files/{path...}", says(""), name("files"))
	app.Page("/dir/{$}", says(""), name("dir"))
	app.Page("/tree/", says(""), name("tree"))
	app.Page("/ä%2Fö/50%/{x}/a?b", says(""), name("literal"))
	app.WebSocket("/ws/{id}", func() wsframework.Handler { return new(lean) }, name("socket"))
	app.Under("/t/{tenant}").Page("/u/{user}", says(""), name("nested"))
	type id int
	for _, tt := range []struct {
		name string
		args []any
		want string // or what the error says, after "error: "
	}{
		{"about", nil, "/about"},
		{"room", []any{"tea"}, "/rooms/tea"},
		{"room", []any{7}, "/rooms/7"},
		{"room", []any{id(8)}, "/rooms/8"},
		{"room", []any{errFailing}, "/rooms/failing"},
		{"room", []any{"a b/c?d#e%f&g;h,i\"j'ä再\x00\xff"}, "/rooms/a%20b%2Fc%3Fd%23e%25f&g%3Bh%2Ci%22j%27%C3%A4%E5%86%8D%00%FF"},
		{"room", []any{"..."}, "/rooms/..."},
		{"room", []any{"{room}"}, "/rooms/%7Broom%7D"},
		{"two", []any{1, 2}, "/1/x/2"},
		{"files", []any{""}, "/files/"},
		{"files", []any{"a/b c/"}, "/files/a/b%20c/"},
		{"files", []any{"a?/%2F"}, "/files/a%3F/%252F"},
		{"dir", nil, "/dir/"},
		{"tree", nil, "/tree/"},
		{"literal", []any{"x"}, "/%C3%A4%2F%C3%B6/50%25/x/a%3Fb"},
		{"socket", []any{3}, "/ws/3"},
		{"nested", []any{"a", "b"}, "/t/a/u/b"},
		{"nowhere", nil, `error: wsframework: no route has the name "nowhere"; give it one with wsframework.Name`},
		{"", nil, `error: no route has the name ""`},
		{"room", nil, `error: the URL of route "room": "/rooms/{room}" has 1 wildcards, not 0`},
		{"room", []any{1, 2}, "error: not 2"},
		{"about", []any{1}, "error: has 0 wildcards, not 1"},
		{"dir", []any{1}, "error: has 0 wildcards, not 1"},
		{"room", []any{""}, "error: {room}: an empty text"},
		{"room", []any{"."}, `error: {room}: "." would lead to another path`},
		{"room", []any{"/"}, `error: {room}: "/" would lead to another path`},
		{"files", []any{"/"}, "error: {path}: an empty text"},
		{"room", []any{".."}, `error: {room}: ".." would lead to another path`},
		{"files", []any{"a//b"}, "error: {path}: an empty text"},
		{"files", []any{"/a"}, "error: {path}: an empty text"},
		{"files", []any{"a/../b"}, `error: {path}: ".." would lead`},
		{"files", []any{"a/."}, `error: {path}: "." would lead`},
	} {
		got, err := app.ReverseURL(tt.name, tt.args...)
		if failure, fails := strings.CutPrefix(tt.want, "error: "); fails {
			if err == nil || !strings.HasPrefix(err.Error(), "wsframework: ") || !strings.Contains(err.Error(), failure) || got != "" {
				t.Errorf("%s %q: %q, %v, want error %q", tt.name, tt.args, got, err, failure)
			}
		} else if err != nil || got != tt.want {
			t.Errorf("%s %q: %q, %v, want %q", tt.name, tt.args, got, err, tt.want)
		}
	}
}
