package client

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gotornado/gotornado/wsframework"
)

// A who says who is logged in.
type who struct{ wsframework.BaseHandler }

func (h *who) GetCurrentUser() (any, error) {
	if user := h.Cookie("user"); user != "" {
		return user, nil
	}
	return nil, nil
}

func (h *who) Open() error { return h.WriteText(h.CurrentUser().(string)) }

func (h *who) OnMessage(wsframework.Message) error { return nil }

// A loginPage is a login with an XSRF token, as applications of the framework have it.
type loginPage struct{ wsframework.RequestHandler }

func (p *loginPage) Get() error { return p.Render("login.html", "") }

func (p *loginPage) Post() error {
	if p.BodyArgument("password") != "right" || p.BodyArgument("next") != "/home" {
		return p.Render("login.html", "Wrong\x07 password.")
	}
	if err := p.SetCookie(&http.Cookie{Name: "user", Value: p.BodyArgument("name"), Path: "/"}); err != nil {
		return err
	}
	return p.Redirect("/home") // which there is not
}

func newLoginApp(t *testing.T) string {
	const page = `<title>Log in</title>
		<form method="post" action="/search"><input name="q"></form>
		<form method="POST">{{xsrf_form_html}}{{with .}}<p role="alert">{{.}}</p>{{end}}
		<input name="name"><input type="password" name="password"><input type="hidden" name="next" value="/home">
		<input type="submit" name="cancel"></form>`
	settings := quietSettings()
	settings.XSRFCookies = true
	settings.Templates = fstest.MapFS{"login.html": {Data: []byte(page)}}
	app := wsframework.NewApplication(settings)
	app.Page("/login", func() wsframework.Page { return new(loginPage) })
	app.WebSocket("/who", func() wsframework.Handler { return new(who) }, wsframework.Authenticated())
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return server.URL
}

func TestLogin(t *testing.T) {
	server := newLoginApp(t)
	got := runCommand(strings.NewReader(""), "--expect", "1", server+"/who", "--login", "/login", "--form", "name=ann", "--form", "password=right")
	if got.code != 0 || got.out != "ann\n" {
		t.Errorf("%v", got)
	}
	for _, test := range []struct {
		name, page string
		form       []string
		want       string
	}{
		{"wrong password", "/login", []string{"--form", "name=ann", "--form", "password=x"}, `the login failed: the page asks again: Wrong\a password.`},
		{"no such field", "/login", []string{"--form", "user=ann"}, "has all the fields of --form; the first one has q"},
		{"no such page", "/nope", []string{"--form", "name=ann"}, "404 Not Found"},
		{"another form", "/login", []string{"--form", "q=ann"}, "the login failed: the form is answered with 404 Not Found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := runCommand(strings.NewReader(""), append(test.form, "--login", test.page, server+"/who")...)
			if got.code != exitRefused || !strings.Contains(got.diagnostics, test.want) {
				t.Errorf("%v\nwant %q", got, test.want)
			}
		})
	}
}

// Logins that have no form of HTML, or other habits.
func TestLoginOther(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "_xsrf", Value: "token"})
	})
	mux.HandleFunc("POST /api", func(w http.ResponseWriter, r *http.Request) {
		xsrf, err := r.Cookie("_xsrf")
		if err != nil || r.Header.Get("X-Xsrftoken") != xsrf.Value || r.PostFormValue("_xsrf") != xsrf.Value {
			http.Error(w, "no token", http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "user", Value: r.PostFormValue("name"), Path: "/"})
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/forms/page", http.StatusFound) })
	mux.HandleFunc("GET /forms/page", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `<form method=post action=take><select name=name></select><input type=checkbox name=keep checked>
			<input type=radio name=r value=1><input type=radio name=r value=2 checked></form>`)
	})
	mux.HandleFunc("POST /forms/take", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("keep") != "on" || r.PostFormValue("r") != "2" || !strings.HasSuffix(r.Referer(), "/forms/page") {
			http.Error(w, r.PostForm.Encode(), http.StatusBadRequest)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "user", Value: r.PostFormValue("name"), Path: "/"})
	})
	mux.HandleFunc("/forgetful", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/circle", http.StatusFound) })
	app := wsframework.NewApplication(quietSettings())
	app.WebSocket("/who", func() wsframework.Handler { return new(who) }, wsframework.Authenticated())
	mux.Handle("/who", app)
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, test := range []struct {
		page string
		want string // "" is a login
	}{
		{"/api", ""},
		{"/moved", ""},
		{server.URL + "/forms/page", ""},
		{"/forgetful", "set no cookie"},
		{"/circle", "too many redirects"},
	} {
		got := runCommand(strings.NewReader(""), "--expect", "1", "--login", test.page, "--form", "name=ann", server.URL+"/who")
		if test.want == "" && got.out != "ann\n" || test.want != "" && (got.code != exitRefused || !strings.Contains(got.diagnostics, test.want)) {
			t.Errorf("%s: %v\nwant %q", test.page, got, test.want)
		}
	}
}

// No page of a server makes it fail.
func FuzzForms(f *testing.F) {
	f.Add([]byte(`<form method=post><input name=a><p role=alert>x</form>`))
	f.Fuzz(func(t *testing.T, page []byte) {
		for _, form := range formsOf(page) {
			if form.fields.Has("") {
				t.Errorf("a field without a name in %q", page)
			}
		}
		if text := bodyText("text/html", page); strings.ContainsAny(text, "\x1b\r\n") {
			t.Errorf("%q", text)
		}
	})
}
