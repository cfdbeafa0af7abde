package wsframework_test

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// An xsrfPage gives a form away with GET and takes it with all the others.
type xsrfPage struct {
	wsframework.RequestHandler
	user string
}

func (p *xsrfPage) GetCurrentUser() (any, error) {
	if p.user == "" {
		return nil, nil
	}
	return p.user, nil
}

func (p *xsrfPage) Get() error     { return p.Render("form.html", nil) }
func (p *xsrfPage) Post() error    { _, err := p.WriteString("done"); return err }
func (p *xsrfPage) Put() error     { return p.Post() }
func (p *xsrfPage) Patch() error   { return p.Post() }
func (p *xsrfPage) Delete() error  { return p.Post() }
func (p *xsrfPage) Options() error { return p.Post() }

// A hookPage is called by a program of somebody else's.
type hookPage struct{ xsrfPage }

func (p *hookPage) CheckXSRFCookie() error { return nil }

var xsrfFiles = fstest.MapFS{"form.html": {Data: []byte(`<form>{{xsrf_form_html}}{{xsrf_form_html}}</form>`)}}

// xsrfApp has an xsrfPage as "/" and a hookPage as "/hook".
func xsrfApp(settings wsframework.Settings, user string) *wsframework.Application {
	settings.Templates, settings.Logger = xsrfFiles, quiet
	app := wsframework.NewApplication(settings)
	app.Page("/{$}", func() wsframework.Page { return &xsrfPage{user: user} })
	app.Page("/hook", func() wsframework.Page { return new(hookPage) })
	app.Page("GET /read", func() wsframework.Page { return new(xsrfPage) })
	app.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "done") })
	return app
}

var xsrfField = regexp.MustCompile(`<input type="hidden" name="_xsrf" value="([^"]*)"/>`)

// getXSRFForm asks for the form and returns its two tokens and the cookies that came with it.
func getXSRFForm(t *testing.T, visitor *wstest.Browser) (first, second string, set []*http.Cookie) {
	t.Helper()
	page := visitor.Get("/")
	fields := xsrfField.FindAllStringSubmatch(page.Body, -1)
	if len(fields) != 2 {
		t.Fatal(page)
	}
	return fields[0][1], fields[1][1], page.Cookies()
}

func TestXSRF(t *testing.T) {
	app := xsrfApp(wsframework.Settings{XSRFCookies: true}, "")
	visitor := wstest.NewBrowser(t, app)
	token, second, cookies := getXSRFForm(t, visitor)
	if token == second || len(cookies) != 1 || !strings.HasSuffix(cookies[0].Raw, "; Path=/; SameSite=Lax") || cookies[0].Name != "_xsrf" {
		t.Fatalf("tokens %s and %s, cookies %v", token, second, cookies)
	}
	cookie := cookies[0].Value
	_, _, others := getXSRFForm(t, wstest.NewBrowser(t, app))
	other := others[0].Value
	if again, _, set := getXSRFForm(t, visitor); again == token || len(set) != 0 {
		t.Errorf("with a cookie the token is %s, and cookies %v are set", again, set)
	}

	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		what, method, path string
		cookie             string
		header             http.Header
		body               string
		status             int
		says               string
	}{
		{"the field", "POST", "/", cookie, http.Header{"Content-Type": {form}}, "_xsrf=" + token, 200, "done"},
		{"the other field", "PUT", "/", cookie, http.Header{"Content-Type": {form}}, "a=b&_xsrf=" + second, 200, "done"},
		{"the query", "POST", "/?_xsrf=" + token, cookie, nil, "", 200, "done"},
		{"the header", "DELETE", "/", cookie, http.Header{"X-Xsrftoken": {token}}, "", 200, "done"},
		{"the cookie as the header", "PATCH", "/", cookie, http.Header{"X-Xsrftoken": {cookie}}, "{}", 200, "done"},
		{"the other header", "POST", "/", cookie, http.Header{"X-Csrftoken": {token}}, "", 200, "done"},
		{"an empty field", "POST", "/", cookie, http.Header{"X-Csrftoken": {token}, "Content-Type": {form}}, "_xsrf=", 200, "done"},
		{"version 1", "POST", "/", "00ff", http.Header{"X-Xsrftoken": {"2|01020304|01fd|1700000000"}}, "", 200, "done"},
		{"nothing", "POST", "/", cookie, nil, "", 403, "The argument _xsrf is missing"},
		{"nothing at all", "PUT", "/", "", nil, "", 403, "The argument _xsrf is missing"},
		{"no cookie", "POST", "/", "", http.Header{"X-Xsrftoken": {token}}, "", 403, "The cookie _xsrf is missing"},
		{"a malformed cookie", "POST", "/", "2|x", http.Header{"X-Xsrftoken": {"2|x"}}, "", 403, "The argument _xsrf is malformed"},
		{"an empty token", "POST", "/", "2|00000000||1", http.Header{"X-Xsrftoken": {"2|00000000||1"}}, "", 403, "The argument _xsrf is malformed"},
		{"somebody else's cookie", "POST", "/", other, http.Header{"X-Xsrftoken": {token}}, "", 403, "does not belong to the cookie _xsrf"},
		{"the first half", "POST", "/", cookie, http.Header{"X-Xsrftoken": {token[:27] + token[43:]}}, "", 403, "does not belong"},
		{"the wrong one of two", "POST", "/", cookie, http.Header{"X-Xsrftoken": {token}, "Content-Type": {form}}, "_xsrf=" + other, 403, "does not belong"},
		{"DELETE", "DELETE", "/", cookie, nil, "", 403, "missing"},
		{"PATCH", "PATCH", "/", cookie, nil, "", 403, "missing"},
		{"a method of nobody", "BREW", "/", cookie, nil, "", 403, "missing"},
		{"OPTIONS", "OPTIONS", "/", "", nil, "", 200, "done"},
		{"HEAD", "HEAD", "/", "", nil, "", 200, ""},
		{"another program", "POST", "/hook", "", nil, "", 200, "done"},
		{"a plain handler", "POST", "/plain", "", nil, "", 200, "done"},
		{"no such page", "POST", "/missing", "", nil, "", 404, ""},
		{"no such method", "POST", "/read", "", nil, "", 405, ""},
	} {
		var options []wstest.Option
		for name := range tt.header {
			options = append(options, wstest.Header(name, tt.header.Get(name)))
		}
		if tt.cookie != "" {
			options = append(options, wstest.Cookie("_xsrf", tt.cookie))
		}
		page := wstest.NewBrowser(t, app).Request(tt.method, tt.path, strings.NewReader(tt.body), options...)
		if page.StatusCode != tt.status || !strings.Contains(page.Body, tt.says) {
			t.Errorf("%s: %v", tt.what, page)
		}
	}
}

func TestXSRFCookieOptions(t *testing.T) {
	for _, tt := range []struct {
		user    string
		options http.Cookie
		want    string
	}{
		{"", http.Cookie{}, "; Path=/; SameSite=Lax"},
		{"ann", http.Cookie{}, "; Path=/; Max-Age=2592000; SameSite=Lax"},
		{"ann", http.Cookie{Name: "_xsrf_go", Value: "x", Path: "/app", MaxAge: 60, HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode},
			"; Path=/app; Max-Age=60; HttpOnly; Secure; SameSite=Strict"},
		{"", http.Cookie{SameSite: http.SameSiteDefaultMode}, "; Path=/"},
	} {
		app := xsrfApp(wsframework.Settings{XSRFCookies: true, XSRFCookieOptions: tt.options}, tt.user)
		visitor := wstest.NewBrowser(t, app)
		token, _, cookies := getXSRFForm(t, visitor)
		name := tt.options.Name
		if name == "" {
			name = "_xsrf"
		}
		if len(cookies) != 1 || cookies[0].Name != name || cookies[0].Raw != name+"="+cookies[0].Value+tt.want {
			t.Fatalf("cookies %v, want …%s", cookies, tt.want)
		}
		visitor.Request("POST", "/", nil, wstest.Header("X-XSRFToken", token), wstest.Cookie(name, cookies[0].Value)).ExpectStatus(200)
	}
}

func TestXSRFSettings(t *testing.T) {
	for want, cookie := range map[string]http.Cookie{
		"Settings.XSRFCookieOptions: http: invalid Cookie.Name": {Name: "a b"},
		"Settings.XSRFCookieOptions: MaxAge -1 deletes":         {MaxAge: -1},
	} {
		wantSettingsPanic(t, wsframework.Settings{XSRFCookieOptions: cookie}, want)
	}
}

// Without the setting there are tokens, and nobody asks for them; a cookie that is too late is an error.
func TestXSRFTokens(t *testing.T) {
	app := xsrfApp(wsframework.Settings{}, "")
	wstest.NewBrowser(t, app).PostForm("/", nil).ExpectStatus(200)
	if _, _, cookies := getXSRFForm(t, wstest.NewBrowser(t, app, wstest.Cookie("_xsrf", "2|malformed"))); len(cookies) != 1 {
		t.Errorf("a malformed cookie is answered with %v", cookies)
	}
	getCookiePage(t, wsframework.Settings{}, func(p *cookiePage) error {
		if err := p.Flush(); err != nil {
			t.Error(err)
		}
		if token, err := p.XSRFToken(); token != "" || !errors.Is(err, wsframework.ErrFinished) {
			t.Errorf("%q, %v", token, err)
		}
		if html, err := p.XSRFFormHTML(); html != "" || !errors.Is(err, wsframework.ErrFinished) {
			t.Errorf("%q, %v", html, err)
		}
		return nil
	})
	unused := new(cookiePage)
	if token, err := unused.XSRFToken(); token != "" || !errors.Is(err, wsframework.ErrNotOpen) {
		t.Errorf("%q, %v", token, err)
	}
	if err := unused.CheckXSRFCookie(); !errors.Is(err, wsframework.ErrNotOpen) {
		t.Error(err)
	}
}

// A socket can set the cookie in Prepare. Later there is a token if it did, or the visitor has one.
func TestXSRFOnSockets(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		probes := make(chan *probe, 3)
		s := n.probes(t, wsframework.Settings{XSRFCookies: true}, func(p *probe) {
			p.prepare = func() error {
				if p.Argument("early") == "" {
					return nil
				}
				_, err := p.XSRFToken()
				return err
			}
			p.open = func() error { probes <- p; return nil }
		})
		for _, tt := range []struct {
			path    string
			options []wstest.Option
			cookies int
			late    error
		}{
			{"/ws?early=1", nil, 1, nil},
			{"/ws?early=1", []wstest.Option{wstest.Cookie("_xsrf", "00ff")}, 0, nil},
			{"/ws", []wstest.Option{wstest.Cookie("_xsrf", "00ff")}, 0, nil},
			{"/ws", nil, 0, wsframework.ErrHandshakeDone},
		} {
			if set := s.open(tt.path, tt.options...).Response().Cookies(); len(set) != tt.cookies {
				t.Fatalf("%s: cookies %v", tt.path, set)
			}
			token, err := receive(t, probes).XSRFToken()
			if !errors.Is(err, tt.late) || (token != "") != (tt.late == nil) {
				t.Errorf("%s, %d cookies set: %q, %v", tt.path, tt.cookies, token, err)
			}
		}
	})
}

// A page's goroutines all get tokens of one cookie.
func TestXSRFTokenFromManyGoroutines(t *testing.T) {
	tokens := make(chan string, 8)
	response := getCookiePage(t, wsframework.Settings{}, func(p *cookiePage) error {
		for range cap(tokens) {
			go func() {
				token, err := p.XSRFToken()
				if err != nil {
					t.Error(err)
				}
				tokens <- token
			}()
		}
		for range cap(tokens) {
			if token := receive(t, tokens); len(token) != len("2|00000000|")+32+len("|1700000000") {
				t.Errorf("token %q", token)
			}
		}
		return nil
	})
	if cookies := response.Cookies(); len(cookies) != 1 {
		t.Errorf("cookies %v", cookies)
	}
}
