package wstest_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/alexedwards/scs/v2"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A login page keeps the name that is posted.
type login struct {
	wsframework.RequestHandler
	sessions *scs.SessionManager
}

func (p *login) Get() error {
	form, err := p.XSRFFormHTML()
	if err != nil {
		return err
	}
	_, err = p.Write([]byte("<form>" + string(form) + "</form> from " + p.Request().Header.Get("X-From") + p.Request().Header.Get("Wstest-Visit")))
	return err
}

func (p *login) Post() error {
	p.sessions.Put(p.Request().Context(), "user", p.Argument("name"))
	return p.Redirect("/")
}

func newSite(sessions *scs.SessionManager) *wsframework.Application {
	app := newApp(wsframework.Settings{Sessions: sessions, XSRFCookies: true})
	app.Page("/login", func() wsframework.Page { return &login{sessions: sessions} })
	app.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, sessions.GetString(r.Context(), "user"))
	})
	app.HandleFunc("PUT /thing", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	return app
}

// Pages and sockets share cookies.
func TestBrowser(t *testing.T) {
	test := func(t *testing.T, options ...wstest.Option) {
		b := wstest.NewBrowser(t, newSite(wstest.NewSessions()), append(options, wstest.Header("X-From", "here"))...)
		b.PostForm("/login", url.Values{"name": {"ann"}}).ExpectStatus(403) // no form yet, no token
		b.DialRefused("/private", 401)
		b.Get("/login").ExpectStatus(200).ExpectContains("<form>", "_xsrf", "from here")
		set := b.PostForm("/login", url.Values{"name": {"ann"}}).ExpectRedirect("/").Cookies()
		if len(set) != 1 || set[0].Name != "session" || !set[0].HttpOnly || set[0].Value != b.Cookie("session") {
			t.Errorf("cookies %v", set)
		}
		if b.Get("/who").Body != "ann" {
			t.Error("the page does not know ann")
		}
		c := b.Dial("/private")
		c.Write("who")
		c.Expect("ann")
		c.Close(1000, "")

		cookie := b.Cookie("session")
		b.SetCookie("session", "")
		b.DialRefused("/private", 401)
		b.SetCookie("session", cookie)
		b.Dial("/private").Close(1000, "")
		if page := b.Request("PUT", "/thing", strings.NewReader("body")); page.Body != "body" {
			t.Errorf("%v", page)
		}
	}
	t.Run("memory", func(t *testing.T) { test(t) })
	t.Run("bubble", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t) }) })
	t.Run("tcp", func(t *testing.T) { test(t, wstest.TCP()) })
	t.Run("tls", func(t *testing.T) { test(t, wstest.TLS()) })
}

// An answer counts also where the server has read only a part of the request, and so does the last of several.
func TestEarlyAnswer(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /short", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
	})
	mux.HandleFunc("GET /hints", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "page")
	})
	b := wstest.NewBrowser(t, mux)
	long := url.Values{"name": {strings.Repeat("a", 1<<20)}}
	for range 100 {
		b.PostForm("/short", long).ExpectStatus(413).ExpectContains("too long")
	}
	b.Get("/hints").ExpectStatus(200).ExpectContains("page")
}

// A user that a test names is one on sockets and on pages, and the application sees nothing of how.
func TestUser(t *testing.T) {
	app := newSite(wstest.NewSessions())
	app.Page("/secret", func() wsframework.Page { return new(secret) }, wsframework.Authenticated())
	app.Under("/members", wsframework.Authenticated()).HandleFunc("/plain",
		func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "plain") })
	ann := wstest.NewBrowser(t, app, wstest.User("ann"))
	if page := ann.Get("/secret"); page.Body != "for ann" {
		t.Errorf("%v", page)
	}
	ann.Get("/members/plain").ExpectStatus(200)
	ann.Dial("/private").Close(1000, "")
	ann.Get("/login").ExpectContains("</form> from ")
	nobody := wstest.NewBrowser(t, app, wstest.Session("user", "ann"), wstest.User(nil))
	nobody.Get("/secret").ExpectStatus(403)
	nobody.Get("/members/plain").ExpectStatus(403)
	wstest.DialRefused(t, app, "/private", 401, wstest.Header("Wstest-Visit", "7"))
}

type secret struct{ wsframework.RequestHandler }

func (p *secret) Get() error {
	_, err := io.WriteString(p, "for "+p.CurrentUser().(string))
	return err
}

func TestSession(t *testing.T) {
	sessions := wstest.NewSessions()
	app := newSite(sessions)
	b := wstest.NewBrowser(t, app, wstest.Session("user", "ann"), wstest.Session("n", 1))
	c := b.Dial("/private")
	c.Write("who")
	c.Expect("ann")
	ctx, err := sessions.Load(t.Context(), b.Cookie("session"))
	if err != nil {
		t.Fatal(err)
	}
	if err := sessions.Destroy(ctx); err != nil {
		t.Fatal(err)
	}
	c.ExpectClose(wsframework.CloseSessionEnded)

	wstest.Dial(t, app, "/private", wstest.Cookie("session", wstest.NewBrowser(t, app, wstest.Session("user", "bob")).Cookie("session"))).Close(1000, "")
	for name, test := range map[string]struct {
		of   func(t testing.TB)
		want string
	}{
		"no sessions": {func(t testing.TB) {
			wstest.Dial(t, newApp(wsframework.Settings{}), "/echo", wstest.Session("user", "ann"))
		}, "the application has no Settings.Sessions; wstest.NewSessions makes some"},
		"no application": {func(t testing.TB) {
			wstest.Dial(t, http.NotFoundHandler(), "/echo", wstest.Session("user", "ann"))
		}, "not an *Application"},
		"a type that gob does not know": {func(t testing.TB) {
			wstest.Dial(t, app, "/echo", wstest.Session("user", struct{ Name string }{"ann"}))
		}, "storing the session"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := failing(t, test.of); !strings.Contains(got, test.want) {
				t.Errorf("the failure lacks %q: %s", test.want, got)
			}
		})
	}
}

func TestPageFailures(t *testing.T) {
	b := func(t testing.TB) *wstest.Browser { return wstest.NewBrowser(t, newSite(wstest.NewSessions())) }
	for name, test := range map[string]struct {
		of   func(t testing.TB)
		want string
	}{
		"status":      {func(t testing.TB) { b(t).Get("/nowhere").ExpectStatus(200) }, "GET /nowhere was answered with 404, want 200"},
		"part":        {func(t testing.TB) { b(t).Get("/login").ExpectContains("<form>", "hello") }, `the answer to GET /login (status 200) lacks "hello"`},
		"redirect":    {func(t testing.TB) { b(t).Get("/login").ExpectRedirect("/") }, `GET /login was answered with 200 and Location ""`},
		"no address":  {func(t testing.TB) { b(t).Get("/%zz") }, "GET /%zz: "},
		"no answer":   {func(t testing.TB) { b(t).Get("/panic") }, "GET /panic: "},
		"log":         {func(t testing.TB) { wstest.NewLog(t).ExpectContains("x") }, `the log lacks "x"`},
		"log line":    {func(t testing.TB) { l := logged(t, "x"); l.ExpectLine("INFO", "x"); l.ExpectLine("y") }, `the log's line lacks "y"`},
		"two lines":   {func(t testing.TB) { logged(t, "x", "y").ExpectLine("x") }, `want one line in the log with ["x"], but it has:`},
		"no line yet": {func(t testing.TB) { wstest.NewLog(t).ExpectLine() }, "want one line in the log with []"},
		"no log line": {func(t testing.TB) { l := wstest.NewLog(t); l.Logger(nil).Info("x"); l.ExpectNothing() }, "want nothing in the log, but it has:"},
	} {
		t.Run(name, func(t *testing.T) {
			f := func(t testing.TB) {
				if name == "no answer" {
					wstest.NewBrowser(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).Get("/panic")
				}
				test.of(t)
			}
			if got := failing(t, f); !strings.Contains(got, test.want) {
				t.Errorf("the failure lacks %q: %s", test.want, got)
			}
		})
	}
}

// logged is a log with lines.
func logged(t testing.TB, lines ...string) *wstest.Log {
	l := wstest.NewLog(t)
	for _, line := range lines {
		l.Logger(nil).Info(line)
	}
	return l
}

// The log is shown when its test has failed, and only then.
func TestLogIsShown(t *testing.T) {
	for _, fails := range []bool{false, true} {
		f := runFake(t, func(t testing.TB) {
			l := wstest.NewLog(t)
			l.Logger(nil).Info("before")
			l.Forget()
			l.Logger(nil).Info("said something")
			l.ExpectContains("something")
			if fails {
				t.Errorf("broken")
			}
		})
		shown := strings.Join(f.logs, "\n")
		if strings.Contains(shown, "said something") != fails || strings.Contains(shown, "before") {
			t.Errorf("failed: %v, shown: %q", fails, shown)
		}
	}
}

// An application behind a router of somebody else's, and one that subtests share.
func TestServe(t *testing.T) {
	app := newApp(wsframework.Settings{})
	mux := http.NewServeMux()
	mux.Handle("/under/", http.StripPrefix("/under", app))
	c := wstest.Dial(t, mux, "/under/echo?x=1", wstest.User("ann"))
	c.Write("who")
	c.Expect("ann")
	c.Close(1000, "")

	shared := newSite(wstest.NewSessions())
	url := wstest.Serve(t, shared, wstest.TCP())
	for range 2 {
		t.Run("subtest", func(t *testing.T) { wstest.Dial(t, shared, "/echo").Close(1000, "") })
	}
	response, err := http.Get(url + "/login")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("status %s", response.Status)
	}
}

// The cookies of one request stay, as those do that a server sets.
func TestCookiesOfOneRequest(t *testing.T) {
	b := wstest.NewBrowser(t, newSite(wstest.NewSessions()))
	b.DialRefused("/private", 401)
	b.Dial("/private", wstest.Session("user", "ann")).Close(1000, "")
	ann := b.Cookie("session")
	if page := b.Get("/who"); page.Body != "ann" {
		t.Error(page)
	}
	if page := b.Get("/who", wstest.Cookie("session", "of-nobody")); page.Body != "" || b.Cookie("session") != "of-nobody" {
		t.Error(page)
	}
	if page := b.Get("/who", wstest.Cookie("session", ann)); page.Body != "ann" {
		t.Error(page)
	}
}
