package wsframework_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// originCheck returns a function that tells whether a request to host with these Origin headers passes.
// Behind the check stands a Prepare that refuses all with a status of its own.
func originCheck(allowed ...string) func(t *testing.T, host string, origins ...string) bool {
	app := wsframework.NewApplication(wsframework.Settings{AllowedOrigins: allowed, Logger: quiet})
	endpoint := app.Upgrade(func() wsframework.Handler {
		return &probe{prepare: func() error { return &wsframework.HTTPError{Status: http.StatusTeapot} }}
	})
	return func(t *testing.T, host string, origins ...string) bool {
		t.Helper()
		r := recorderRequest()
		r.Host = host
		if origins != nil {
			r.Header["Origin"] = origins
		}
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusTeapot:
			return true
		case http.StatusForbidden:
			return false
		}
		t.Fatalf("host %q, origins %q: status %d", host, origins, w.Code)
		return false
	}
}

func TestOrigin(t *testing.T) {
	tests := []struct {
		allowed string // by spaces
		host    string
		origin  string
		want    bool
	}{
		// The request's own host.
		{"", "example.com", "https://example.com", true},
		{"", "example.com", "http://example.com", true},
		{"", "example.com", "HTTPS://Example.COM", true},
		{"", "EXAMPLE.com", "https://example.com", true},
		{"", "example.com", "https://example.com:443", true},
		{"", "example.com", "http://example.com:80", true},
		{"", "example.com:443", "https://example.com", true},
		{"", "example.com:80", "http://example.com", true},
		{"", "example.com:8080", "http://example.com:8080", true},
		{"", "127.0.0.1:8000", "http://127.0.0.1:8000", true},
		{"", "[::1]:8000", "http://[::1]:8000", true},
		{"", "[::1]", "http://[::1]", true},
		{"", "[::1]", "http://[::1]:80", true},
		{"", "example.com:443", "http://example.com", false},
		{"", "example.com:80", "https://example.com", false},
		{"", "example.com:8080", "http://example.com", false},
		{"", "example.com", "http://example.com:8080", false},
		{"", "example.com", "https://example.com:80", false},
		{"", "example.com", "https://www.example.com", false},
		{"", "www.example.com", "https://example.com", false},
		{"", "example.com", "https://evilexample.com", false},
		{"", "example.com", "https://example.com.evil.com", false},
		{"", "example.com", "https://example.com.", false},
		{"", "[::1]:8000", "http://[::2]:8000", false},
		{"", "[::1]:8000", "http://[::1]:8001", false},
		{"", "localhost", "http://127.0.0.1", false},
		// What is no origin at all.
		{"", "example.com", "", false},
		{"", "example.com", "null", false},
		{"", "example.com", "example.com", false},
		{"", "example.com", "//example.com", false},
		{"", "example.com", "https:example.com", false},
		{"", "example.com", "https:///example.com", false},
		{"", "example.com", "https://", false},
		{"", "example.com", "https://example.com/", false},
		{"", "example.com", "https://example.com/path", false},
		{"", "example.com", "https://example.com?", false},
		{"", "example.com", "https://example.com?q", false},
		{"", "example.com", "https://example.com#", false},
		{"", "example.com", "https://example.com#f", false},
		{"", "example.com", "https://user@example.com", false},
		{"", "example.com", "https://@example.com", false},
		{"", "example.com", "https://user:secret@example.com", false},
		{"", "example.com", "https://evil.com@example.com", false},
		{"", "example.com", "https://example.com@evil.com", false},
		{"", "example.com", "https://evil.com\\@example.com", false},
		{"", "example.com", "https://example.com\\.evil.com", false},
		{"", "example.com", "https://example.com https://evil.com", false},
		{"", "example.com", " https://example.com", false},
		{"", "example.com", "https://example.com:", true}, // no port is the scheme's own
		{"", "example.com", "https://example.com:x", false},
		{"", "example.com", "https://exa%6Dple.com", false},
		{"", "example.com", "https://[example.com", false},
		{"", "example.com", "https://example.com\x00", false},
		{"", "example.com", "\x7f", false},
		// Exact entries.
		{"https://app.example.com", "api.test", "https://app.example.com", true},
		{"https://app.example.com", "api.test", "https://APP.example.com", true},
		{"https://App.Example.com", "api.test", "https://app.example.com", true},
		{"HTTPS://app.example.com", "api.test", "https://app.example.com", true},
		{"https://app.example.com", "api.test", "https://app.example.com:443", true},
		{"https://app.example.com:443", "api.test", "https://app.example.com", true},
		{"http://app.example.com:80", "api.test", "http://app.example.com", true},
		{"https://app.example.com", "api.test", "https://api.test", true}, // beside the own host
		{"https://a.test https://b.test", "api.test", "https://b.test", true},
		{"https://[::1]:8000", "api.test", "https://[::1]:8000", true},
		{"app://desktop", "api.test", "app://desktop", true},
		{"https://app.example.com", "api.test", "http://app.example.com", false},
		{"https://app.example.com", "api.test", "http://app.example.com:443", false},
		{"https://app.example.com", "api.test", "https://app.example.com:8443", false},
		{"https://app.example.com:8443", "api.test", "https://app.example.com", false},
		{"https://app.example.com", "api.test", "https://example.com", false},
		{"https://app.example.com", "api.test", "https://x.app.example.com", false},
		{"https://app.example.com", "api.test", "https://user@app.example.com", false},
		{"https://app.example.com", "api.test", "https://app.example.com.", false},
		{"app://desktop", "api.test", "https://desktop", false},
		// Subdomains.
		{"https://*.example.com", "api.test", "https://a.example.com", true},
		{"https://*.example.com", "api.test", "https://a.b.example.com", true},
		{"https://*.example.com", "api.test", "https://A.EXAMPLE.com:443", true},
		{"https://*.example.com:8443", "api.test", "https://a.example.com:8443", true},
		{"https://*.example.com", "api.test", "https://example.com", false},
		{"https://*.example.com", "api.test", "https://evilexample.com", false},
		{"https://*.example.com", "api.test", "https://example.com.evil.com", false},
		{"https://*.example.com", "api.test", "https://a.example.com.evil.com", false},
		{"https://*.example.com", "api.test", "https://a.example.com.", false},
		{"https://*.example.com", "api.test", "https://.example.com", false},
		{"https://*.example.com", "api.test", "https://a..example.com", false},
		{"https://*.example.com", "api.test", "https://a.ex\u00e1mple.com", false},
		{"https://*.kelvin.com", "api.test", "https://a.\u212Aelvin.com", false},
		{"", "kelvin.com", "https://\u212Aelvin.com", false},
		{"https://*.example.com", "api.test", "http://a.example.com", false},
		{"https://*.example.com", "api.test", "https://a.example.com:8443", false},
		{"https://*.example.com", "api.test", "https://a.example.org", false},
		{"https://*.example.com", "api.test", "https://evil.com/.example.com", false},
		{"https://*.example.com", "api.test", "https://evil.com?.example.com", false},
		{"https://*.example.com", "api.test", "https://evil.com#.example.com", false},
		{"https://*.example.com", "api.test", "https://evil.com\\.example.com", false},
		{"https://*.example.com", "api.test", "https://evil.com@a.example.com", false},
		{"https://*.example.com", "api.test", "https://evil.com:443.example.com", false},
		{"https://*.example.com", "api.test", "https://*.example.com", true},
		{"https://*.example.com", "api.test", "null", false},
		// Every one.
		{"*", "api.test", "https://evil.com", true},
		{"*", "api.test", "null", true},
		{"* https://a.test", "api.test", "http://b.test:1", true},
	}
	for _, tt := range tests {
		if got := originCheck(strings.Fields(tt.allowed)...)(t, tt.host, tt.origin); got != tt.want {
			t.Errorf("allowed %q, host %q: origin %q passes: %v, want %v", tt.allowed, tt.host, tt.origin, got, tt.want)
		}
	}
}

func TestOriginHeaders(t *testing.T) {
	check := originCheck("https://a.test")
	if !check(t, "example.com") {
		t.Error("a request without an Origin is refused")
	}
	if check(t, "example.com", "https://a.test", "https://a.test") || check(t, "example.com", "https://a.test", "https://evil.com") {
		t.Error("two Origin headers pass")
	}
	if originCheck("*")(t, "example.com", "https://a.test", "https://b.test") {
		t.Error("two Origin headers pass where every origin does")
	}
}

func TestMalformedAllowedOrigins(t *testing.T) {
	for _, pattern := range []string{
		"", " ", "example.com", "//example.com", "https://", "https:example.com", "https://example.com/", "https://example.com/x",
		"https://user@example.com", "https://example.com?", "https://example.com#", "https://*", "https://*.", "https://*.*.com",
		"https://a.*.com", "https://*example.com", "https://example.*", "*.example.com", "**", "https://example.com:x",
		"https://[::1", "https://a b", "null", "*://example.com",
	} {
		func() {
			defer func() {
				err, ok := recover().(error)
				if !ok || !strings.Contains(err.Error(), "Settings.AllowedOrigins") {
					t.Errorf("AllowedOrigins %q: %v", pattern, err)
				}
			}()
			wsframework.NewApplication(wsframework.Settings{AllowedOrigins: []string{"https://good.test", pattern}, Logger: quiet})
		}()
	}
}

func TestCheckOriginOverride(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		var asked []string
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.origin = func(origin string) bool {
				asked = append(asked, origin)
				return origin == "https://partner.test" || p.BaseHandler.CheckOrigin(origin)
			}
		})
		for origin, status := range map[string]int{
			"https://partner.test": 101, "https://example.com": 101, "https://evil.test": 403,
		} {
			if status == 101 {
				s.connect(wstest.Origin(origin))
			} else {
				s.refused("/ws", status, wstest.Origin(origin))
			}
			if len(asked) != 1 || asked[0] != origin {
				t.Errorf("%s: asked about %q", origin, asked)
			}
			asked = nil
		}
		if s.connect(); len(asked) > 0 {
			t.Error("asked about a request without Origin")
		}
	})
}

// Whatever passes has the scheme, the port and a host that ends as the pattern says, without anything
// around it.
func FuzzOrigin(f *testing.F) {
	for _, origin := range []string{
		"https://a.example.com", "https://A.Example.com:443", "https://a.example.com:8443", "https://evilexample.com",
		"https://.example.com", "https://a..example.com", "https://evil.com\\.example.com", "https://user@a.example.com",
		"https://[::1].example.com", "https://a.example.com.", "null", "", "https://a%2f.example.com", "https://a.e\u0445ample.com",
	} {
		f.Add(origin)
	}
	check := originCheck("https://*.example.com")
	f.Fuzz(func(t *testing.T, origin string) {
		if !check(t, "server.test", origin) {
			return
		}
		scheme, host, _ := strings.Cut(strings.ToLower(origin), "://")
		host = strings.TrimSuffix(strings.TrimSuffix(host, ":"+map[string]string{"https": "443", "http": "80"}[scheme]), ":")
		if host == "server.test" {
			return
		}
		sub, ok := strings.CutSuffix(host, ".example.com")
		if !ok || scheme != "https" || sub == "" || strings.HasPrefix(sub, ".") || strings.ContainsAny(sub, "/\\?#@:[] \t\r\n\x00") {
			t.Fatalf("%q passes", origin)
		}
	})
}
