package wsframework_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// loginApp has pages to log in and out, and a socket for those who are in.
func loginApp(sessions *scs.SessionManager) *wsframework.Application {
	app := wsframework.NewApplication(wsframework.Settings{Sessions: sessions, LoginURL: "/login", Logger: quiet})
	app.Page("/login", sheets(hooks{post: func(p *sheet) error {
		return errors.Join(p.Session().RenewToken(), p.Session().Put("user", p.Argument("name")), p.Redirect("/me"))
	}}))
	app.Page("/logout", sheets(hooks{post: func(p *sheet) error { return errors.Join(p.Session().Destroy(), p.Redirect("/login")) }}))
	app.Page("/me", sheets(hooks{get: func(p *sheet) error {
		_, err := fmt.Fprint(p, p.CurrentUser(), sessions.GetString(p.Request().Context(), "user"))
		return err
	}}), wsframework.Authenticated())
	app.WebSocket("/ws", func() wsframework.Handler {
		return &probe{events: make(chan string, 100), done: make(chan struct{})}
	}, wsframework.Authenticated())
	return app
}

func TestLogin(t *testing.T) {
	sessions := wstest.NewSessions()
	app := loginApp(sessions)
	visitor := wstest.NewBrowser(t, app, wstest.Frames())
	if page := visitor.Get("/me").ExpectStatus(302); !strings.HasPrefix(page.Header.Get("Location"), "/login") || page.Header.Get("Vary") != "Cookie" {
		t.Fatal(page.Header)
	}
	visitor.PostForm("/login?name=ann", nil).ExpectStatus(303).ExpectRedirect("/me")
	ann := visitor.Cookie("session")
	if page := visitor.Get("/me"); page.Body != "annann" || len(page.Cookies()) > 0 || ann == "" {
		t.Errorf("%v, cookies %v", page, page.Cookies())
	}
	cl := visitor.Dial("/ws")

	// Who logs in again has another session, and the sockets of the old one end.
	visitor.PostForm("/login?name=ben", nil)
	shake(t, cl, wsframework.CloseSessionEnded, "the session has ended")
	ben := visitor.Cookie("session")
	if ben == ann || count(t, sessions) != 1 {
		t.Errorf("cookies %s and %s, %d sessions", ann, ben, count(t, sessions))
	}
	wstest.NewBrowser(t, app, wstest.Cookie("session", ann)).Get("/me").ExpectStatus(302)
	other := visitor.Dial("/ws")
	cleo := wstest.NewBrowser(t, app, wstest.Frames())
	cleo.PostForm("/login?name=cleo", nil)
	stays := cleo.Dial("/ws")

	page := visitor.PostForm("/logout", nil).ExpectStatus(303)
	shake(t, other, 4401, "the session has ended")
	if set := page.Cookies(); len(set) != 1 || set[0].Name != "session" || set[0].Value != "" || count(t, sessions) != 1 {
		t.Errorf("cookies %v, %d sessions", set, count(t, sessions))
	}
	visitor.DialRefused("/ws", 401, wstest.Cookie("session", ben))
	stays.WriteClose(1000, "")
	expectClose(t, stays, 1000, "")
}

// What a page puts into the session is stored before the client has the first byte, and its cookie comes
// with it; a page that fails has its session as well.
func TestSessionOnPages(t *testing.T) {
	sessions := wstest.NewSessions()
	s := newSite(t, wsframework.Settings{Sessions: sessions})
	page := func(path string, get func(p *sheet) error) { s.app.Page(path, sheets(hooks{get: get})) }
	page("/none", func(p *sheet) error { return nil })
	page("/put", func(p *sheet) error { p.WriteString("x"); return p.Session().Put("n", 1) })
	page("/flush", func(p *sheet) error {
		err := errors.Join(p.Session().Put("n", 1), p.Flush())
		if count(t, sessions) != 1 {
			t.Error("it is not stored yet")
		}
		for name, late := range map[string]error{
			"Put": p.Session().Put("n", 2), "Remove": p.Session().Remove("n"), "RenewToken": p.Session().RenewToken(), "Destroy": p.Session().Destroy(),
		} {
			if !errors.Is(late, wsframework.ErrFinished) {
				t.Errorf("%s after Flush: %v", name, late)
			}
		}
		return err
	})
	page("/fail", func(p *sheet) error { return errors.Join(p.Session().Put("n", 1), errFailing) })
	page("/remove", func(p *sheet) error {
		return errors.Join(p.Session().Put("n", 2), p.Session().Put("m", 1), p.Session().Remove("m"))
	})
	for path, status := range map[string]int{"/none": 200, "/put": 200, "/flush": 200, "/fail": 500, "/remove": 200} {
		sessions.Store = wstest.NewStore()
		w := s.ask("GET", path)
		cookies := w.Result().Cookies()
		if w.Code != status || w.Header().Get("Vary") != "Cookie" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if path == "/none" {
			if len(cookies) > 0 || count(t, sessions) > 0 {
				t.Errorf("%s: cookies %v", path, cookies)
			}
			continue
		}
		want := map[string]int{"/remove": 2}[path]
		if len(cookies) != 1 || stored(t, sessions, cookies[0].Value, "n") != max(want, 1) || stored(t, sessions, cookies[0].Value, "m") != nil {
			t.Errorf("%s: cookies %v", path, cookies)
		}
	}
}

// Inside somebody's own LoadAndSave there is one session and one cookie.
func TestPageInsideLoadAndSave(t *testing.T) {
	sessions := wstest.NewSessions()
	s := newSite(t, wsframework.Settings{Sessions: sessions}).page(hooks{get: func(p *sheet) error {
		return p.Session().Put("inner", p.Session().GetString("outer"))
	}})
	outer := sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "outer", "seen")
		s.app.ServeHTTP(w, r)
	}))
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	app.Handle("/", outer)
	w := (&site{t: t, app: app}).expect("GET", "/", 200, "")
	if cookies := w.Result().Cookies(); len(cookies) != 1 || stored(t, sessions, cookies[0].Value, "inner") != "seen" || count(t, sessions) != 1 ||
		len(w.Header()["Vary"]) != 1 {
		t.Errorf("%v", w.Header())
	}
}

// A session that can't be loaded or saved is an error like any other: with a page, a line, and no cookie.
func TestPageWithAStoreThatFails(t *testing.T) {
	full := errors.New("the disk is full")
	unknown := struct{ Field string }{}
	put := func(value any) func(p *sheet) error {
		return func(p *sheet) error { p.WriteString("secret"); return p.Session().Put("n", value) }
	}
	writeError := func(p *sheet, status int, err error) error { p.WriteString("page of "); return p.WriteJSON(status) }
	for name, tt := range map[string]struct {
		store  brokenStore
		get    func(p *sheet) error
		logged string
	}{
		"Find":            {brokenStore{find: full}, put(1), "loading the session: the disk is full"},
		"Commit":          {brokenStore{commit: full}, put(1), "saving the session: the disk is full"},
		"Commit in Flush": {brokenStore{commit: full}, func(p *sheet) error { put(1)(p); return p.Flush() }, "saving the session: the disk is full"},
		"Flush unheeded":  {brokenStore{commit: full}, func(p *sheet) error { put(1)(p); p.Flush(); return nil }, "saving the session: the disk is full"},
		"in Finish":       {brokenStore{commit: full}, func(p *sheet) error { put(1)(p); p.Finish(); return nil }, "saving the session: the disk is full"},
		"unknown to gob":  {brokenStore{}, put(unknown), "call gob.Register"},
	} {
		t.Run(name, func(t *testing.T) {
			sessions := wstest.NewSessions()
			tt.store.Store = sessions.Store.(*wstest.Store)
			sessions.Store = tt.store
			s := newSite(t, wsframework.Settings{Sessions: sessions}).page(hooks{get: tt.get, writeError: writeError})
			w := s.expect("GET", "/", 500, "page of 500", "Cookie: session=sesame")
			if len(w.Result().Cookies()) > 0 || w.Header().Get("Content-Length") != "11" || w.Header().Get("Etag") != "" {
				t.Errorf("%v", w.Header())
			}
			s.log.ExpectLine("level=ERROR", "status=500", "route=/{$}", tt.logged)
		})
	}
}

// A socket's cookie can't follow, so its session is renewed and destroyed on a page.
func TestRenewAndDestroyOnASocket(t *testing.T) {
	check := func(p *probe) error {
		for name, err := range map[string]error{"RenewToken": p.Session().RenewToken(), "Destroy": p.Session().Destroy()} {
			if err == nil || !strings.Contains(err.Error(), "on a page") {
				t.Errorf("%s: %v", name, err)
			}
		}
		return nil
	}
	s := sessionServer(t, wstest.NewSessions(), wsframework.Settings{}, func(p *probe) {
		p.prepare = func() error { return check(p) }
		p.open = func() error { return errors.Join(check(p), p.WriteText("still "+p.CurrentUser().(string))) }
	})
	cookie, _ := s.login("ann")
	s.connect(cookie).Expect("still ann")
	s.connect(cookie).Expect("still ann")
}

func TestAuthenticatedPages(t *testing.T) {
	for _, tt := range []struct {
		loginURL, method string
		status           int
	}{
		{"", "GET", 403}, {"", "HEAD", 403}, {"", "POST", 403},
		{"/login", "GET", 302}, {"/login", "HEAD", 302}, {"/login", "POST", 403},
	} {
		called := 0
		call := func(*sheet) error { called++; return nil }
		var user any
		s := newSite(t, wsframework.Settings{LoginURL: tt.loginURL, CurrentUser: func(*http.Request) (any, error) { return user, nil }})
		s.page(hooks{get: call, post: call}, wsframework.Authenticated())
		w := s.ask(tt.method, "/")
		path, _, _ := strings.Cut(w.Header().Get("Location"), "?")
		if w.Code != tt.status || called > 0 || tt.status == 302 && path != "/login" || tt.status == 403 && tt.method != "HEAD" && w.Body.String() != "Log in first.\n" {
			t.Errorf("%+v: %d %q %v", tt, w.Code, w.Body, w.Header())
		}
		if tt.status == 403 {
			s.log.ExpectLine("level=WARN", "status=403", `setting="Authenticated, GetCurrentUser, Settings.LoginURL"`)
		}
		user = "ann"
		if w := s.ask(tt.method, "/"); w.Code != 200 || called != 1 {
			t.Errorf("%+v, logged in: %d, called %d times", tt, w.Code, called)
		}
	}
}

// What changes something is refused for pages of other origins; the page writes its own error.
func TestPagesRefuseOtherOrigins(t *testing.T) {
	s := newSite(t, wsframework.Settings{AllowedOrigins: []string{"https://partner.test", "*"}}).page(hooks{
		prepare:    func(p *sheet) error { return p.SetHeader("X-Prepared", "1") },
		writeError: func(p *sheet, status int, err error) error { return p.WriteJSON(status) },
	})
	for _, tt := range []struct {
		method string
		header []string
		passes bool
	}{
		{"POST", nil, true},
		{"POST", []string{"Sec-Fetch-Site: same-origin"}, true},
		{"POST", []string{"Sec-Fetch-Site: cross-site", "Origin: https://partner.test"}, true},
		{"POST", []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.test"}, false},
		{"POST", []string{"Sec-Fetch-Site: same-site"}, false},
		{"POST", []string{"Origin: https://evil.test"}, false},
		{"POST", []string{"Origin: null"}, false},
		{"GET", []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.test"}, true},
	} {
		w := s.ask(tt.method, "/", tt.header...)
		if tt.passes && w.Code != 200 || !tt.passes && (w.Code != 403 || w.Body.String() != "403" || w.Header().Get("X-Prepared") != "") {
			t.Errorf("%s %q: %d %q", tt.method, tt.header, w.Code, w.Body)
		}
		if !tt.passes {
			s.log.ExpectLine("level=WARN", "status=403", "setting=Settings.AllowedOrigins")
		}
		s.log.Forget()
	}
}
