package wsframework_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// Where a visitor logs in who has yet to, with the page that was asked for.
func TestLoginURLOfPages(t *testing.T) {
	for _, tt := range []struct {
		login, target string
		header        string
		location      string
	}{
		{"/login", "/", "", "/login?next=%2F"},
		{"/login", "/?a=1&b=%26", "", "/login?next=%2F%3Fa%3D1%26b%3D%2526"},
		{"/login?from=page", "/?a=1", "", "/login?from=page&next=%2F%3Fa%3D1"},
		{"/login#form", "/", "", "/login?next=%2F#form"},
		{"https://id.example.com/", "http://chat.example.com/?a=1", "", "https://id.example.com/?next=http%3A%2F%2Fchat.example.com%2F%3Fa%3D1"},
		{"https://id.example.com/", "http://chat.example.com/", "X-Forwarded-Proto: https", "https://id.example.com/?next=https%3A%2F%2Fchat.example.com%2F"},
		{"https://id.example.com/", "http://chat.example.com/", "X-Forwarded-Proto: javascript", "https://id.example.com/?next=http%3A%2F%2Fchat.example.com%2F"},
		{"https://id.example.com/", "https://chat.example.com/", "", "https://id.example.com/?next=https%3A%2F%2Fchat.example.com%2F"},
	} {
		s := newSite(t, wsframework.Settings{LoginURL: tt.login, TrustedProxies: []string{"192.0.2.0/24"}}).page(hooks{}, wsframework.Authenticated())
		s.app.Under("/", wsframework.Authenticated()).HandleFunc("/plain", func(http.ResponseWriter, *http.Request) { t.Error("it was called") })
		for _, method := range []string{"GET", "HEAD"} {
			w := s.ask(method, tt.target, "X-None: 1", tt.header)
			if w.Code != 302 || w.Header().Get("Location") != tt.location {
				t.Errorf("%s %s: %d %v", method, tt.target, w.Code, w.Header())
			}
			plain := s.ask(method, strings.Replace(tt.target, "/?", "/plain?", 1)+map[bool]string{false: "plain"}[strings.Contains(tt.target, "?")], "X-None: 1", tt.header)
			want := strings.Replace(strings.Replace(tt.location, "com%2F", "com%2Fplain", 1), "next=%2F", "next=%2Fplain", 1)
			if plain.Code != 302 || plain.Header().Get("Location") != want {
				t.Errorf("plain %s %s: %d %v, want %s", method, tt.target, plain.Code, plain.Header(), want)
			}
		}
		if w := s.ask("POST", "/"); w.Code != 403 || w.Header().Get("Location") != "" {
			t.Errorf("POST: %d %v", w.Code, w.Header())
		}
	}
}

// Who logs in comes back to where he wanted to go, unless somebody else has said where.
func TestLoginLeadsBack(t *testing.T) {
	app := newSite(t, wsframework.Settings{Sessions: wstest.NewSessions(), LoginURL: "/login"}).app
	app.Page("/login", sheets(hooks{
		get: func(p *sheet) error { _, err := p.WriteString(p.NextURL("/home")); return err },
		post: func(p *sheet) error {
			return errors.Join(p.Session().RenewToken(), p.Session().Put("user", p.BodyArgument("name")), p.Redirect(p.NextURL("/home")))
		},
	}))
	members := app.Under("/members", wsframework.Authenticated())
	members.Page("/{room}", sheets(hooks{get: func(p *sheet) error { _, err := fmt.Fprint(p, p.CurrentUser(), p.Argument("a")); return err }}))
	members.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "plain", r.FormValue("a")) })
	members.Static("/files/", files("a.txt", "file"))
	ann := url.Values{"name": {"ann"}}
	for path, want := range map[string]string{
		"/members/tea?a=1%20%26&b=2": "ann1 &",
		"/members/plain?a=1":         "plain1",
		"/members/files/a.txt":       "file",
	} {
		visitor := wstest.NewBrowser(t, app)
		login := visitor.Get(path).ExpectStatus(302).Header.Get("Location")
		if page := visitor.Get(login); page.Body != path {
			t.Errorf("%s: %v", path, page)
		}
		if page := visitor.PostForm(login, ann).ExpectStatus(303).ExpectRedirect(path); len(page.Cookies()) != 1 {
			t.Fatalf("%s: cookies %v", login, page.Cookies())
		}
		if page := visitor.Get(path); page.Body != want {
			t.Errorf("%v, want %q", page, want)
		}
	}
	for _, next := range []string{"", "//evil.test", `/\evil.test`, "https://evil.test/", "javascript:alert(1)", "/\t/evil.test", "members"} {
		visitor := wstest.NewBrowser(t, app)
		visitor.PostForm("/login?next="+url.QueryEscape(next), ann).ExpectStatus(303).ExpectRedirect("/home")
		visitor.PostForm("/login?next=/members/tea", url.Values{"name": {"ann"}, "next": {next}}).ExpectStatus(303).ExpectRedirect("/home")
	}
}

// Plain handlers and files have no GetCurrentUser: who sends a request is what the settings say, and what goes
// wrong there is in the log, and nothing of it in the answer.
func TestPlainHandlersUnderAuthenticated(t *testing.T) {
	var user func() (any, error)
	for name, tt := range map[string]struct {
		user   func() (any, error)
		status int
		body   string
		logged []string
	}{
		"somebody":  {func() (any, error) { return "ann", nil }, 200, "called", []string{"INFO"}},
		"nobody":    {func() (any, error) { return nil, nil }, 403, "Log in first.\n", []string{"WARN", "setting=\"Authenticated"}},
		"a nil":     {func() (any, error) { return (*sheet)(nil), nil }, 403, "Log in first.\n", []string{"WARN"}},
		"an error":  {func() (any, error) { return "ann", errFailing }, 500, "Internal Server Error\n", []string{"ERROR", "cause=", errFailing.Error()}},
		"an answer": {func() (any, error) { return nil, &wsframework.HTTPError{Status: 429, Message: "Later."} }, 429, "Later.\n", []string{"WARN", "Later."}},
		"a panic":   {func() (any, error) { panic("in CurrentUser") }, 500, "Internal Server Error\n", []string{"ERROR", "CurrentUser panicked: in CurrentUser", "stack=", "authenticated_test.go"}},
	} {
		for _, settings := range []wsframework.Settings{{}, {Serial: true}, {Sessions: wstest.NewSessions()}} {
			settings.CurrentUser = func(*http.Request) (any, error) { return user() }
			user = tt.user
			s := newSite(t, settings)
			s.app.Under("/in", wsframework.Authenticated()).HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "called") })
			s.expect("GET", "/in/plain", tt.status, tt.body)
			s.log.ExpectLine(append(tt.logged, fmt.Sprint("status=", tt.status), "route=/in/plain")...)
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
	// Without the setting it is the session's user, and without sessions nobody.
	s := newSite(t, wsframework.Settings{})
	s.app.Under("/in", wsframework.Authenticated()).HandleFunc("/plain", func(http.ResponseWriter, *http.Request) {})
	s.expect("GET", "/in/plain", 403, "Log in first.\n")
}

// Plain handlers are safe from forged requests as pages are, and the log names the setting.
func TestForgedRequestsToPlainHandlers(t *testing.T) {
	s := newSite(t, wsframework.Settings{AllowedOrigins: []string{"https://partner.test"}})
	s.app.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "called") })
	for _, tt := range []struct {
		method, header string
		passes         bool
	}{
		{"POST", "X-None: 1", true},
		{"POST", "Origin: http://example.com", true},
		{"POST", "Origin: https://partner.test", true},
		{"PUT", "Sec-Fetch-Site: none", true},
		{"GET", "Origin: https://evil.test", true},
		{"POST", "Origin: https://evil.test", false},
		{"PUT", "Sec-Fetch-Site: same-site", false},
		{"DELETE", "Origin: null", false},
	} {
		s.log.Forget()
		w := s.ask(tt.method, "/plain", tt.header)
		if tt.passes && w.Body.String() != "called" || !tt.passes && (w.Code != 403 || w.Body.String() == "called") {
			t.Errorf("%s %s: %d %s", tt.method, tt.header, w.Code, w.Body)
		}
		if !tt.passes {
			s.log.ExpectLine("level=WARN", "status=403", "setting=Settings.AllowedOrigins")
		}
	}
}
