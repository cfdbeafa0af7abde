package wsframework_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

var cookieSecret = []byte("0123456789abcdef0123456789abcdef")

// A cookiePage answers GET with what a test gives it.
type cookiePage struct {
	wsframework.RequestHandler
	get func(*cookiePage) error
}

func (p *cookiePage) Get() error { return p.get(p) }

// getCookiePage asks for a page once and returns the answer.
func getCookiePage(t *testing.T, settings wsframework.Settings, get func(*cookiePage) error, cookies ...*http.Cookie) *http.Response {
	t.Helper()
	if settings.Logger == nil {
		settings.Logger = quiet
	}
	app := wsframework.NewApplication(settings)
	app.Page("/", func() wsframework.Page { return &cookiePage{get: get} })
	r := httptest.NewRequest("GET", "/", nil)
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Result()
}

func TestSignedCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := wsframework.Settings{CookieSecrets: map[int][]byte{0: cookieSecret}}
		rotated := wsframework.Settings{
			CookieSecrets:    map[int][]byte{0: cookieSecret, 1: []byte("another secret of 29 bytes ..")},
			CookieKeyVersion: 1,
		}
		for _, value := range []string{"ann", "", "小明", "\x00\xff;,\" \\|:\n", strings.Repeat("x", 2900)} {
			var cookies []*http.Cookie
			for i, settings := range []wsframework.Settings{old, rotated} {
				response := getCookiePage(t, settings, func(p *cookiePage) error {
					if _, ok := p.GetSignedCookie("user"); ok {
						t.Error("there is a cookie already")
					}
					return p.SetSignedCookie("user", value)
				})
				cookies = response.Cookies()
				if len(cookies) != 1 || !strings.HasSuffix(cookies[0].Raw, "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax") {
					t.Fatalf("cookies %v", cookies)
				}
				getCookiePage(t, rotated, func(p *cookiePage) error { // who reads both keys
					if got, ok := p.GetSignedCookie("user"); got != value || !ok {
						t.Errorf("%q: %q, %v", value, got, ok)
					}
					if version, ok := p.GetSignedCookieKeyVersion("user"); version != i || !ok {
						t.Errorf("key version %d, %v, want %d", version, ok, i)
					}
					return nil
				}, cookies...)
			}
			getCookiePage(t, old, func(p *cookiePage) error {
				if _, ok := p.GetSignedCookie("user"); ok {
					t.Error("the cookie of an unknown key is read")
				}
				return nil
			}, cookies...)
		}
	})
}

func TestSignedCookieAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := wsframework.Settings{CookieSecrets: map[int][]byte{0: cookieSecret}}
		cookies := getCookiePage(t, settings, func(p *cookiePage) error { return p.SetSignedCookie("user", "ann") }).Cookies()
		for _, tt := range []struct {
			passes time.Duration
			maxAge []time.Duration
			ok     bool
		}{
			{time.Hour, []time.Duration{time.Hour}, true},
			{time.Second, []time.Duration{time.Hour}, false},
			{0, nil, true},
			{31*24*time.Hour - time.Hour - time.Second, nil, true},
			{time.Second, nil, false},
			{0, []time.Duration{40 * 24 * time.Hour}, true},
		} {
			wait := time.NewTimer(tt.passes)
			<-wait.C
			getCookiePage(t, settings, func(p *cookiePage) error {
				if _, ok := p.GetSignedCookie("user", tt.maxAge...); ok != tt.ok {
					t.Errorf("%v more, maxAge %v: %v", tt.passes, tt.maxAge, ok)
				}
				return nil
			}, cookies...)
		}
	})
}

func TestSignedCookieAttributes(t *testing.T) {
	settings := wsframework.Settings{CookieSecrets: map[int][]byte{0: cookieSecret}}
	for want, attributes := range map[string]http.Cookie{
		"; Path=/": {},
		"; Path=/app; Domain=example.com; Secure": {Path: "/app", Domain: "example.com", Secure: true, Name: "other", Value: "unsigned"},
		"; Path=/; Max-Age=60; SameSite=Strict":   {MaxAge: 60, SameSite: http.SameSiteStrictMode},
	} {
		response := getCookiePage(t, settings, func(p *cookiePage) error { return p.SetSignedCookie("user", "ann", attributes) })
		header := response.Header.Get("Set-Cookie")
		if !strings.HasPrefix(header, "user=2|1:0|10:") || !strings.HasSuffix(header, want) || strings.Count(header, ";") != strings.Count(want, ";") {
			t.Errorf("%s, want %s", header, want)
		}
	}

	// Over https the cookie never goes elsewhere.
	settings.TrustedProxies = []string{"192.0.2.1"} // httptest's client
	settings.Logger = quiet
	app := wsframework.NewApplication(settings)
	app.Page("/", func() wsframework.Page {
		return &cookiePage{get: func(p *cookiePage) error { return p.SetSignedCookie("user", "ann") }}
	})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Forwarded-Proto", "https")
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	if header := w.Header().Get("Set-Cookie"); !strings.Contains(header, "; Secure") {
		t.Error(header)
	}
}

func TestSignedCookieMistakes(t *testing.T) {
	settings := wsframework.Settings{CookieSecrets: map[int][]byte{0: cookieSecret}}
	getCookiePage(t, settings, func(p *cookiePage) error {
		for want, err := range map[string]error{
			"invalid Cookie.Name":     p.SetSignedCookie("a b", "x"),
			"invalid Cookie.Domain":   p.SetSignedCookie("a", "x", http.Cookie{Domain: "-"}),
			"browsers drop":           p.SetSignedCookie("a", strings.Repeat("x", 3010)),
			"the response has been s": errors.Join(p.Flush(), p.SetSignedCookie("a", "x")),
		} {
			if err == nil || !strings.HasPrefix(err.Error(), "wsframework: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want …%s…", err, want)
			}
		}
		return nil
	})

	log := wstest.NewLog(t)
	getCookiePage(t, wsframework.Settings{Logger: log.Logger(slog.LevelInfo)}, func(p *cookiePage) error {
		if err := p.SetSignedCookie("a", "x"); err == nil || !strings.Contains(err.Error(), "Settings.CookieSecrets") {
			t.Errorf("without a secret: %v", err)
		}
		if value, ok := p.GetSignedCookie("a"); value != "" || ok {
			t.Errorf("without a secret: %q, %v", value, ok)
		}
		return nil
	})
	if !strings.Contains(log.String(), "no secret is set") {
		t.Errorf("log: %s", log)
	}

	unused := new(cookiePage)
	if err := unused.SetSignedCookie("a", "x"); !errors.Is(err, wsframework.ErrNotOpen) {
		t.Error(err)
	}
	if value, ok := unused.GetSignedCookie("a"); value != "" || ok {
		t.Errorf("%q, %v", value, ok)
	}
	if version, ok := unused.GetSignedCookieKeyVersion("a"); version != 0 || ok {
		t.Errorf("%d, %v", version, ok)
	}
}

func TestCookieSettings(t *testing.T) {
	for want, settings := range map[string]wsframework.Settings{
		"Settings.CookieSecrets: the secret of key version 0 has 5 bytes": {CookieSecrets: map[int][]byte{0: []byte("short")}},
		"Settings.CookieKeyVersion is 1":                                  {CookieSecrets: map[int][]byte{0: cookieSecret}, CookieKeyVersion: 1},
		"Settings.CookieMinVersion is 3":                                  {CookieMinVersion: 3},
	} {
		wantSettingsPanic(t, settings, want)
	}
}

// wantSettingsPanic checks that an application is not made, and what it says.
func wantSettingsPanic(t *testing.T, settings wsframework.Settings, want string) {
	t.Helper()
	defer func() {
		if problem := fmt.Sprint(recover()); !strings.Contains(problem, "wsframework: "+want) {
			t.Errorf("%s, want %s", problem, want)
		}
	}()
	wsframework.NewApplication(settings)
}

// On a socket a signed cookie says who it is, and travels with the handshake's answer.
func TestSignedCookieOnSockets(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		settings := wsframework.Settings{CookieSecrets: map[int][]byte{0: cookieSecret}}
		probes := make(chan *probe, 2)
		s := n.probes(t, settings, func(p *probe) {
			p.prepare = func() error { return p.SetSignedCookie("seen", "yes") }
			p.user = func() (any, error) {
				if name, ok := p.GetSignedCookie("user"); ok {
					return name, nil
				}
				return nil, nil
			}
			p.open = func() error { probes <- p; return nil }
		}, wsframework.Authenticated())
		cookie := getCookiePage(t, settings, func(p *cookiePage) error { return p.SetSignedCookie("user", "ann") }).Cookies()[0]

		set := s.connect(wstest.Cookie("user", cookie.Value)).Response().Cookies()
		if len(set) != 1 || set[0].Name != "seen" {
			t.Fatalf("cookies %v", set)
		}
		p := receive(t, probes)
		if p.CurrentUser() != "ann" {
			t.Errorf("user %v", p.CurrentUser())
		}
		if name, ok := p.GetSignedCookie("user"); name != "ann" || !ok { // also later
			t.Errorf("%q, %v", name, ok)
		}
		if err := p.SetSignedCookie("late", "x"); !errors.Is(err, wsframework.ErrHandshakeDone) {
			t.Errorf("SetSignedCookie after the handshake: %v", err)
		}
		tampered := strings.Replace(cookie.Value, "|4:", "|4:Z", 1)
		s.refused("/ws", 401, wstest.Cookie("user", tampered))
	})
}
