package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
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

func TestLogin(t *testing.T) {
	b := wstest.NewBrowser(t, newChat(wstest.NewSessions()))
	b.Get("/").ExpectRedirect("/login?next=%2F")

	page := b.Get("/login?next=/rooms").ExpectStatus(http.StatusOK).ExpectContains(`name="next" value="/rooms"`)
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("Content-Security-Policy is %q", csp)
	}

	b.PostForm("/login", url.Values{"name": {` {"<b>`}, "next": {"//evil.example"}}).
		ExpectStatus(http.StatusUnprocessableEntity).
		ExpectContains(`value="{&#34;&lt;b&gt;`, `role="alert"`, `name="next" value="/"`)
	b.PostForm("/login", url.Values{"name": {strings.Repeat("a", 100_000)}}).
		ExpectStatus(http.StatusRequestEntityTooLarge)

	b.PostForm("/login", url.Values{"name": {"  ann "}, "next": {"/?x=1"}}).ExpectRedirect("/?x=1")
	b.Get("/").ExpectStatus(http.StatusOK).ExpectContains(`data-user="ann"`)
	b.PostForm("/logout", nil).ExpectRedirect("/login")
	b.Get("/").ExpectRedirect("/login?next=%2F")
}

// A token from before the login is worthless afterwards, and so is a token from before the logout.
func TestLoginRenewsToken(t *testing.T) {
	sessions := wstest.NewSessions()
	b := wstest.NewBrowser(t, newChat(sessions))
	token := func() string { return b.Cookie(sessions.Cookie.Name) }
	logIn(b, "ann")
	old := token()
	cookies := logIn(b, "ann").Header.Values("Set-Cookie")
	last := token()
	if len(cookies) != 1 || last == "" || last == old {
		t.Errorf("the token is %q before and %q after the second login, by the cookies %q", old, last, cookies)
	}
	b.PostForm("/logout", nil)
	for _, token := range []string{old, last} {
		b.SetCookie(sessions.Cookie.Name, token)
		b.Get("/").ExpectRedirect("/login?next=%2F")
	}
}

func TestStaticFiles(t *testing.T) {
	b := wstest.NewBrowser(t, newChat(wstest.NewSessions()))
	for path, want := range map[string]string{
		"/static/js/chat.js":         "text/javascript",
		"/static/js/reconnecting.js": "text/javascript",
		"/static/css/chat.css":       "text/css",
		"/static/favicon.svg":        "image/svg+xml",
	} {
		page := b.Get(path).ExpectStatus(http.StatusOK)
		if got := page.Header.Get("Content-Type"); !strings.HasPrefix(got, want) || page.Body == "" {
			t.Errorf("%s: type %q, %d bytes", path, got, len(page.Body))
		}
	}
	for _, path := range []string{"/static/", "/static/js/", "/static/static.go", "/nowhere"} {
		b.Get(path).ExpectStatus(http.StatusNotFound)
	}
}
