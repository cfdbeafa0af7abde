package wsframework

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestLocalPath(t *testing.T) {
	for _, next := range []string{
		"/", "/rooms/tea", "/rooms/", "/?a=b", "/#top", "/a?b=c&d=e#f", "/a?next=https://other.example//x", "/#//x", "/a?b//c",
		"/a%20b", "/%C3%A9", "/é", "/a b", "/%09/evil.example", "/%5Cevil.example", "/%2F/evil.example", "/@evil.example",
		"/https:evil.example", "/:80", "/.", "/..", "/a/../b", "/%2e%2e/b", "/;x", "/a?" + strings.Repeat("x", 5000),
	} {
		if got, ok := localPath(next); got != next || !ok {
			t.Errorf("%q is refused", next)
		}
	}
	for _, next := range []string{
		"", "rooms", "?a=b", "#a", ".", "./a", "//", "//evil.example", "///evil.example", "////evil.example", "//evil.example/..",
		`/\evil.example`, `\/evil.example`, `\\evil.example`, `/\/evil.example`, `/a?b=\`, `\`,
		"https://evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example", "javascript:alert(1)", "data:,x", "mailto:a@b",
		"/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", "\t/a", "/\x00/evil.example", "/a\x7f", "/a\u0085", "/a\r\nSet-Cookie: a=b",
		" /a", "/a ", " //evil.example", "\u00a0/a", "/a\u2003", "\ufeff//evil.example",
		"/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/%2e//evil.example", "/a//b",
		"/\xff", "/a?\xc3", "/%zz", "/%", "@evil.example", "evil.example", ":80",
	} {
		if got, ok := localPath(next); got != "/" || ok {
			t.Errorf("%q is accepted, as %q", next, got)
		}
	}
}

func TestLoginURL(t *testing.T) {
	tests := []struct{ login, target, want string }{
		{"/login", "/", "/login?next=%2F"},
		{"/login", "/rooms/tea?a=b&c=d e#f", "/login?next=%2Frooms%2Ftea%3Fa%3Db%26c%3Dd+e%23f"},
		{"/login", "/%C3%A9/a%2Fb", "/login?next=%2F%25C3%25A9%2Fa%252Fb"},
		{"/login?lang=en", "/a", "/login?lang=en&next=%2Fa"},
		{"/login?", "/a", "/login?next=%2Fa"},
		{"/login#form", "/a", "/login?next=%2Fa#form"},
		{"login", "/a", "login?next=%2Fa"},
		{"https://id.example/login", "/a?b", "https://id.example/login?next=https%3A%2F%2Fsite.example%3A8000%2Fa%3Fb"},
		{"https://id.example", "/a", "https://id.example?next=https%3A%2F%2Fsite.example%3A8000%2Fa"},
		{"//id.example/login?x=1#y", "/a", "//id.example/login?x=1&next=https%3A%2F%2Fsite.example%3A8000%2Fa#y"},
		{"%zz", "/a", "%zz"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host, r.RequestURI = "site.example:8000", tt.target
		got := loginURL(tt.login, "https", r)
		if got != tt.want {
			t.Errorf("%q for %q: %q, want %q", tt.login, tt.target, got, tt.want)
		}
	}

	// A router that cuts off a prefix leaves the request's own target alone; a proxy's has a host in it.
	r := httptest.NewRequest("GET", "/app/a?b", nil)
	r.URL.Path = "/a"
	if got := loginURL("/login", "http", r); got != "/login?next=%2Fapp%2Fa%3Fb" {
		t.Error(got)
	}
	r = httptest.NewRequest("GET", "http://site.example/a?b", nil)
	if got := loginURL("/login", "http", r); got != "/login?next=%2Fa%3Fb" {
		t.Error(got)
	}
}

// FuzzLocalPath: what is accepted stays on the site, also after all that browsers do to a URL.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/", "/a?b#c", "//evil.example", `/\evil.example`, "/\t/evil.example", "https:evil.example",
		"/.//evil.example", "/%2e//x", " /a", "/a/..//evil.example", "/%09/x", "/é\u2028"} {
		f.Add(seed)
	}
	base := must(url.Parse("https://site.example/login"))
	f.Fuzz(func(t *testing.T, next string) {
		got, ok := localPath(next)
		if !ok && got != "/" || ok && got != next {
			t.Fatalf("%q: %q, %v", next, got, ok)
		}
		asBrowser := strings.Map(func(c rune) rune {
			switch c {
			case '\t', '\n', '\r':
				return -1
			case '\\':
				return '/'
			}
			return c
		}, strings.TrimFunc(got, func(c rune) bool { return c <= ' ' }))
		for _, text := range []string{got, asBrowser} {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatalf("%q: %v", next, err)
			}
			once := base.ResolveReference(u)
			// A script may take the path of what it got and go there.
			again := base.ResolveReference(must(url.Parse(once.EscapedPath())))
			for _, there := range []*url.URL{once, again} {
				if there.Scheme != "https" || there.Host != "site.example" || there.User != nil {
					t.Fatalf("%q leads to %v", next, there)
				}
			}
		}
		if strings.ContainsAny(got, "\r\n\x00") || strings.HasPrefix(asBrowser, "//") {
			t.Fatalf("%q: %q", next, got)
		}
		// The login page gets back what it was sent, unharmed.
		r := httptest.NewRequest("GET", "/", nil)
		r.RequestURI = got
		if back := must(url.Parse(loginURL("/login", "https", r))).Query().Get("next"); back != got {
			t.Fatalf("%q comes back as %q", got, back)
		}
	})
}
