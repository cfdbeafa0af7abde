package wsframework_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// What proxies say about a request is believed of those that are listed, and of nobody else.
func TestTrustedProxiesOnPages(t *testing.T) {
	for _, tt := range []struct {
		trusted []string
		header  []string
		want    string // RemoteIP and Scheme
		logged  string
	}{
		{nil, nil, "192.0.2.1 http", "192.0.2.1:1234"},
		{nil, []string{"X-Forwarded-For: 203.0.113.7", "X-Real-Ip: 203.0.113.7", "X-Forwarded-Proto: https", "X-Scheme: https"}, "192.0.2.1 http", "192.0.2.1:1234"},
		{[]string{"10.0.0.0/8"}, []string{"X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https"}, "192.0.2.1 http", "192.0.2.1:1234"},
		{[]string{"192.0.2.1"}, []string{"X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https"}, "203.0.113.7 https", "203.0.113.7"},
		{[]string{"192.0.2.0/24", "10.0.0.0/8"}, []string{"X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.0.0.1"}, "203.0.113.7 http", "203.0.113.7"},
		{[]string{"192.0.2.1"}, []string{"X-Real-Ip: 2001:db8::1", "X-Scheme: https"}, "2001:db8::1 https", "2001:db8::1"},
		{[]string{"192.0.2.1"}, nil, "192.0.2.1 http", "192.0.2.1"},
	} {
		s := newSite(t, wsframework.Settings{TrustedProxies: tt.trusted}).page(hooks{get: func(p *sheet) error {
			_, err := fmt.Fprint(p, p.RemoteIP(), " ", p.Scheme())
			return err
		}})
		s.app.HandleFunc("/plain", func(http.ResponseWriter, *http.Request) {})
		header := append([]string{"X-None: 1"}, tt.header...)
		for _, path := range []string{"/", "/plain"} {
			s.log.Forget()
			if w := s.ask("GET", path, header...); path == "/" && w.Body.String() != tt.want {
				t.Errorf("%q, %q: %q, want %q", tt.trusted, tt.header, w.Body, tt.want)
			}
			s.log.ExpectLine("remote=" + tt.logged + " ")
		}
	}
}

func TestTrustedProxiesOnSockets(t *testing.T) {
	for _, trusted := range [][]string{nil, {"127.0.0.0/8"}} {
		log := wstest.NewLog(t)
		s := overTCP.probes(t, wsframework.Settings{TrustedProxies: trusted, AccessLogger: log.Logger(slog.LevelInfo)}, func(p *probe) {
			p.open = func() error { return p.WriteText(p.RemoteIP() + " " + p.Scheme()) }
		})
		want, logged := "127.0.0.1 http", "remote=127.0.0.1:"
		if trusted != nil {
			want, logged = "203.0.113.7 https", "remote=203.0.113.7 "
		}
		cl := s.connect(wstest.Header("X-Forwarded-For", "203.0.113.7"), wstest.Header("X-Forwarded-Proto", "https"))
		cl.Expect(want)
		cl.WriteClose(1000, "")
		expectClose(t, cl, 1000, "")
		cl.ExpectEnd()
		if err := s.app.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if !strings.Contains(log.String(), logged) {
			t.Errorf("%q: %s", trusted, log)
		}
	}
}

func TestTrustedProxiesThatPanic(t *testing.T) {
	for _, entry := range []string{"", "proxy.example.com", "10.0.0.0/33", "10.0.0.1:80", "Unix", "*"} {
		got := panicOf(func() { wsframework.NewApplication(wsframework.Settings{TrustedProxies: []string{"10.0.0.1", entry}}) })
		if !strings.HasPrefix(got, "wsframework: Settings.TrustedProxies: ") || !strings.Contains(got, fmt.Sprintf("%q", entry)) {
			t.Errorf("%q: %s", entry, got)
		}
	}
}
