package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
)

func TestProblemWithName(t *testing.T) {
	for _, name := range []string{
		"ann", "Ann-Marie O'Neil", "小明", strings.Repeat("明", 32), "<img src=x onerror=alert(1)>", "a{b}",
		"2026-01-02 15:04:05", "👩\u200d👩\u200d👧", "می\u200cخواهم",
	} {
		if problem := problemWithName(name); problem != "" {
			t.Errorf("%q is refused: %s", name, problem)
		}
	}
	for _, name := range []string{
		"", "\u200b", "\u200d\u200c", strings.Repeat("明", 33), "{", `{"type":"left"}`, "a\nb", "a\x00b", "a\u0085b",
		"a\u2028b", "a\u202eb", "\xff", "bob-2026-01-02 15:04:05-说:I",
	} {
		if problemWithName(name) == "" {
			t.Errorf("%q is accepted", name)
		}
	}
}

// A browser keeps cookies and does not follow redirects, so that tests see them.
type browser struct {
	*http.Client
	t      *testing.T
	server string
}

func newBrowser(t *testing.T, server string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{&http.Client{Jar: jar, CheckRedirect: stay}, t, server}
}

func (b *browser) get(path string) (*http.Response, string) {
	b.t.Helper()
	return b.read(b.Get(b.server + path))
}

func (b *browser) post(path string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	return b.read(b.PostForm(b.server+path, form))
}

func (b *browser) read(response *http.Response, err error) (*http.Response, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response, string(body)
}

func (b *browser) logIn(name string) {
	b.t.Helper()
	response, body := b.post("/login", url.Values{"name": {name}})
	b.wantRedirect(response, "/")
	if b.t.Failed() {
		b.t.Fatal(body)
	}
}

func (b *browser) wantRedirect(response *http.Response, to string) {
	b.t.Helper()
	if got := response.Header.Get("Location"); response.StatusCode/100 != 3 || got != to {
		b.t.Errorf("status %d to %q, want a redirect to %q", response.StatusCode, got, to)
	}
}

// startChat serves a chat with sessions of its own.
func startChat(t *testing.T) string {
	sessions := scs.New()
	sessions.Store = memstore.NewWithCleanupInterval(0)
	server := httptest.NewServer(newChat(sessions))
	t.Cleanup(server.Close)
	return server.URL
}

func TestLogin(t *testing.T) {
	b := newBrowser(t, startChat(t))

	response, _ := b.get("/")
	b.wantRedirect(response, "/login?next=%2F")

	response, body := b.get("/login?next=/rooms")
	if response.StatusCode != http.StatusOK || !strings.Contains(body, `name="next" value="/rooms"`) {
		t.Errorf("the form: status %d\n%s", response.StatusCode, body)
	}
	if csp := response.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("Content-Security-Policy is %q", csp)
	}

	response, body = b.post("/login", url.Values{"name": {` {"<b>`}, "next": {"//evil.example"}})
	if response.StatusCode != http.StatusUnprocessableEntity ||
		!strings.Contains(body, `value="{&#34;&lt;b&gt;`) || !strings.Contains(body, `role="alert"`) ||
		!strings.Contains(body, `name="next" value="/"`) {
		t.Errorf("a bad name: status %d\n%s", response.StatusCode, body)
	}

	response, _ = b.post("/login", url.Values{"name": {strings.Repeat("a", 100_000)}})
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge form: status %d", response.StatusCode)
	}

	response, _ = b.post("/login", url.Values{"name": {"  ann "}, "next": {"/?x=1"}})
	b.wantRedirect(response, "/?x=1")
	response, body = b.get("/")
	if response.StatusCode != http.StatusOK || !strings.Contains(body, `data-user="ann"`) {
		t.Errorf("the chat: status %d\n%s", response.StatusCode, body)
	}

	response, _ = b.post("/logout", nil)
	b.wantRedirect(response, "/login")
	response, _ = b.get("/")
	b.wantRedirect(response, "/login?next=%2F")
}

// A token from before the login is worthless afterwards, and so is a token from before the logout.
func TestLoginRenewsToken(t *testing.T) {
	b := newBrowser(t, startChat(t))
	server, _ := url.Parse(b.server)
	b.logIn("ann")
	old := b.Jar.Cookies(server)
	b.logIn("ann")
	if now := b.Jar.Cookies(server); len(now) != 1 || now[0].Value == old[0].Value {
		t.Errorf("cookies %v before and %v after the second login", old, now)
	}
	last := b.Jar.Cookies(server)
	b.post("/logout", nil)
	for _, cookies := range [][]*http.Cookie{old, last} {
		b.Jar.SetCookies(server, cookies)
		response, _ := b.get("/")
		b.wantRedirect(response, "/login?next=%2F")
	}
}

func TestStaticFiles(t *testing.T) {
	b := newBrowser(t, startChat(t))
	for path, want := range map[string]string{
		"/static/js/chat.js":         "text/javascript",
		"/static/js/reconnecting.js": "text/javascript",
		"/static/css/chat.css":       "text/css",
		"/static/favicon.svg":        "image/svg+xml",
	} {
		response, body := b.get(path)
		if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK ||
			!strings.HasPrefix(got, want) || body == "" {
			t.Errorf("%s: status %d, type %q", path, response.StatusCode, got)
		}
	}
	for _, path := range []string{"/static/", "/static/js/", "/static/static.go", "/nowhere"} {
		if response, _ := b.get(path); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, response.StatusCode)
		}
	}
}
