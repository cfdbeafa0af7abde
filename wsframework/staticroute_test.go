package wsframework_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

const forEver = "public, max-age=31536000, immutable"

func TestStaticSetting(t *testing.T) {
	for _, tt := range []struct{ prefix, at string }{
		{"", "/static/"}, {"/static/", "/static/"}, {"assets", "/assets/"}, {"/a/b", "/a/b/"}, {"/", "/"},
	} {
		fsys := files("js/chat.js", "chat", "robots.txt", "robots", "favicon.ico", "icon", ".env", "secret", "index.html", "index")
		s := newSite(t, wsframework.Settings{Static: fsys, StaticPrefix: tt.prefix, Sessions: wstest.NewSessions()})
		var urls []string
		s.app.Page("/urls", sheets(hooks{get: func(p *sheet) error {
			urls = append(urls, p.StaticURL("js/chat.js"), p.StaticURL("missing.js"), p.Settings().StaticPrefix)
			return nil
		}}))
		s.ask("GET", "/urls")
		versioned := s.app.StaticURL("js/chat.js")
		if !strings.HasPrefix(versioned, tt.at+"js/chat.js?v=") || urls[0] != versioned || urls[1] != tt.at+"missing.js" {
			t.Errorf("prefix %q: %q, %q", tt.prefix, urls, versioned)
		}
		for _, ask := range []struct {
			method, target, header string
			status                 int
			body, cache            string
		}{
			{"GET", versioned, "", 200, "chat", forEver},
			{"GET", tt.at + "js/chat.js", "", 200, "chat", "no-cache"},
			{"GET", tt.at + "js/chat.js?v=old", "", 200, "chat", "no-cache"},
			{"HEAD", versioned, "", 200, "", forEver},
			{"GET", versioned, "Range: bytes=1-2", 206, "ha", forEver},
			{"GET", tt.at + "favicon.ico", "", 200, "icon", "no-cache"},
			{"GET", "/favicon.ico", "", 200, "icon", "no-cache"},
			{"GET", "/robots.txt", "", 200, "robots", "no-cache"},
			{"HEAD", "/robots.txt", "", 200, "", "no-cache"},
			{"POST", "/robots.txt", "", 405, "Static files can be read only.\n", ""},
			{"GET", tt.at + "index.html", "", 200, "index", "no-cache"}, // no redirect to the folder
			{"GET", tt.at + "missing.js", "", 404, "404 page not found\n", ""},
			{"GET", tt.at + "js/", "", 404, "404 page not found\n", ""},
			{"GET", tt.at + ".env", "", 404, "404 page not found\n", ""},
			{"GET", tt.at + "js%2Fchat.js", "", 404, "404 page not found\n", ""},
			{"POST", tt.at + "js/chat.js", "", 405, "Static files can be read only.\n", ""},
		} {
			s.log.Forget()
			w := s.expect(ask.method, ask.target, ask.status, ask.body, append([]string{"X-None: 1"}, strings.Split(ask.header, "\n")...)...)
			if w.Header().Get("Cache-Control") != ask.cache || w.Header().Get("Vary") != "" || len(w.Result().Cookies()) > 0 {
				t.Errorf("%s %s: %v", ask.method, ask.target, w.Header())
			}
			path, _, _ := strings.Cut(ask.target, "?")
			s.log.ExpectLine("wsframework: request", "method="+ask.method, "path="+strings.ReplaceAll(path, "%2F", "/")+" ", "route=")
			if ask.status == 200 && ask.method == "GET" {
				again := s.expect("GET", ask.target, 304, "", "If-None-Match: "+w.Header().Get("Etag"))
				if again.Header().Get("Etag") != w.Header().Get("Etag") {
					t.Errorf("%s, again: %v", ask.target, again.Header())
				}
			}
		}
	}
}

// What the program answers itself wins over the files at the top; a pattern that only catches their names
// does not.
func TestStaticFilesAtTheTop(t *testing.T) {
	own := hooks{get: func(p *sheet) error { _, err := p.WriteString("own"); return err }}
	for name, tt := range map[string]struct {
		pattern     string
		get, delete string
		status      int // of DELETE
	}{
		"none":              {"/other", "static", "Static files can be read only.\n", 405},
		"own":               {"/robots.txt", "own", "Method Not Allowed\n", 405},
		"own with a method": {"GET /robots.txt", "own", "Method Not Allowed\n", 405},
		"own host":          {"example.com/robots.txt", "own", "Method Not Allowed\n", 405},
		"wildcard":          {"/{page}", "static", "Static files can be read only.\n", 405},
		"with a method":     {"GET /{page}", "static", "Method Not Allowed\n", 405},
	} {
		s := newSite(t, wsframework.Settings{Static: files("robots.txt", "static")})
		s.app.Page(tt.pattern, sheets(own))
		s.expect("GET", "http://example.com/robots.txt", 200, tt.get)
		s.expect("DELETE", "http://example.com/robots.txt", tt.status, tt.delete)
		if t.Failed() {
			t.Fatal(name)
		}
		if name == "own host" {
			s.expect("GET", "http://example.org/robots.txt", 200, "static")
		}
		if w := s.ask("GET", "/favicon.ico"); w.Body.String() == "static" {
			t.Error("a file that is not there is served")
		}
	}
}

func TestStaticRoutes(t *testing.T) {
	dir := folder(t, "a.txt", "on disk", "sub/b.txt", "below")
	s := newSite(t, wsframework.Settings{Static: files("chat.js", "chat")})
	s.app.Static("/downloads", dir)
	s.app.Static("/more/downloads/", dir)
	s.app.Under("/api").Static("/files/", files("c.txt", "under"))
	s.app.Under("files.example.com").Static("/", files("d.txt", "host"))
	s.app.NotFound(sheets(hooks{get: func(p *sheet) error { _, err := p.WriteString("nowhere"); return err }}))
	for target, body := range map[string]string{
		"/downloads/a.txt":               "on disk",
		"/downloads/sub/b.txt":           "below",
		"/more/downloads/a.txt":          "on disk",
		"/api/files/c.txt":               "under",
		"http://files.example.com/d.txt": "host",
		"/static/chat.js":                "chat",
	} {
		s.expect("GET", target, 200, body)
	}
	// The route is there, the file is not: the answer is short. What no route answers is NotFound's.
	s.expect("GET", "/downloads/none.txt", 404, "404 page not found\n")
	s.expect("GET", "/files/c.txt", 404, "nowhere")
	s.log.Forget()
	if w := s.ask("GET", "/downloads?x=1"); w.Code/100 != 3 || w.Header().Get("Location") != "/downloads/?x=1" {
		t.Errorf("without the slash: %d %v", w.Code, w.Header())
	}
	s.log.ExpectLine("wsframework: request", "status=30", "path=/downloads ", `route=(redirect)`)
}

// Files under Authenticated are for those who are logged in, and for no cache on the way.
func TestProtectedStaticFiles(t *testing.T) {
	user := any(nil)
	s := newSite(t, wsframework.Settings{
		LoginURL:    "/login",
		CurrentUser: func(*http.Request) (any, error) { return user, nil },
	})
	s.app.Under("/members", wsframework.Authenticated()).Static("/files/", files("a.txt", "secret"))
	w := s.ask("GET", "/members/files/a.txt?x=1")
	if w.Code != 302 || w.Header().Get("Location") != "/login?next=%2Fmembers%2Ffiles%2Fa.txt%3Fx%3D1" || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	s.log.Forget()
	s.expect("POST", "/members/files/a.txt", 403, "Log in first.\n")
	s.log.ExpectLine("level=WARN", "status=403", `setting="Authenticated, GetCurrentUser, Settings.LoginURL"`)

	user = "ann"
	w = s.expect("GET", "/members/files/a.txt", 200, "secret")
	version := strings.Trim(w.Header().Get("Etag"), `"`)
	if got := w.Header().Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("Cache-Control %q", got)
	}
	w = s.expect("GET", "/members/files/a.txt?v="+version, 200, "secret")
	if got := w.Header().Get("Cache-Control"); got != "private, max-age=31536000, immutable" {
		t.Errorf("Cache-Control with the version %q", got)
	}
}

func TestStaticThatPanics(t *testing.T) {
	newApp := func(settings wsframework.Settings) *wsframework.Application {
		settings.Logger = quiet
		return wsframework.NewApplication(settings)
	}
	fsys := files("a.txt", "a")
	for name, tt := range map[string]struct {
		f     func()
		parts []string
	}{
		"no folder":          {func() { newApp(wsframework.Settings{Static: wsframework.Dir("no/such")}) }, []string{"Settings.Static", `"no/such"`, "does not exist", "working directory"}},
		"a file":             {func() { newApp(wsframework.Settings{Static: wsframework.Dir("doc.go")}) }, []string{"Settings.Static", "it is a file"}},
		"prefix":             {func() { newApp(wsframework.Settings{Static: fsys, StaticPrefix: "/{x}/"}) }, []string{`"/{x}/"`, "plain path"}},
		"no folder, a route": {func() { newApp(wsframework.Settings{}).Static("/files/", wsframework.Dir("no/such")) }, []string{"Static /files/", "does not exist"}},
		"wildcard":           {func() { newApp(wsframework.Settings{}).Under("/{room}").Static("/files/", fsys) }, []string{"staticroute_test.go", `"/{room}/files/"`, "plain path"}},
		"escape":             {func() { newApp(wsframework.Settings{}).Static("/my%20files/", fsys) }, []string{`"/my%20files/"`, "plain path"}},
		"taken": {func() {
			newApp(wsframework.Settings{Static: fsys}).Static("/static", fsys)
		}, []string{"staticroute_test.go", `"/static/"`, "conflicts"}},
	} {
		got := panicOf(tt.f)
		for _, part := range append(tt.parts, "wsframework: ") {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %s\nlacks %q", name, got, part)
			}
		}
	}
	if s := (&site{t: t, app: newApp(wsframework.Settings{})}); s.app.StaticURL("a.txt") != "" {
		t.Error("a URL without Settings.Static")
	} else {
		s.expect("GET", "/static/a.txt", 404, "Not Found\n")
	}
}
