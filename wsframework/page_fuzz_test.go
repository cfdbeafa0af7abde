package wsframework_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// fuzzedSite has routes of every kind, none of which leads away or answers with 500 by itself.
func fuzzedSite(log *wstest.Log, sessions *scs.SessionManager, serial bool) *wsframework.Application {
	app := wsframework.NewApplication(wsframework.Settings{
		Sessions:         sessions,
		LoginURL:         "/login",
		Templates:        files("page.html", "<p>{{.}} {{current_user}} {{request.URL.Path}} {{static_url .}}</p>"),
		Static:           files("chat.js", "chat", "robots.txt", "robots"),
		MaxBodySize:      100,
		CompressResponse: true,
		TrustedProxies:   []string{"192.0.2.1"},
		Serial:           serial,
		Logger:           log.Logger(slog.LevelInfo),
	})
	app.Page("/{$}", func() wsframework.Page {
		return &formPage{answer: func(p *formPage) error {
			number, err := p.IntArgument("n", 1)
			if err != nil {
				return err
			}
			fmt.Fprint(p, number, p.Argument("a"), p.Arguments("a"), p.File("f") == nil, p.RemoteIP(), p.Scheme())
			return nil
		}}
	})
	app.Page("/login", sheets(hooks{
		get:  func(p *sheet) error { return p.Redirect(p.NextURL("/")) },
		post: func(p *sheet) error { return p.Render("page.html", p.Argument("next")) },
	}), wsframework.Name("login"))
	app.Page("POST /json", sheets(hooks{post: func(p *sheet) error {
		var v any
		if err := p.ReadJSON(&v); err != nil {
			return err
		}
		return p.WriteJSON(v)
	}}))
	app.Page("/rooms/{room}/", sheets(hooks{get: func(p *sheet) error {
		if _, err := p.WriteString(p.PathValue("room")); err != nil {
			return err
		}
		if p.QueryArgument("flush") != "" {
			return p.Flush()
		}
		return nil
	}}))
	app.HandleFunc("GET /plain/{rest...}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("rest")) })
	members := app.Under("/members", wsframework.Authenticated())
	members.Page("/{room}", sheets(hooks{}))
	members.HandleFunc("/plain/", func(http.ResponseWriter, *http.Request) {})
	members.Static("/files/", files("a.txt", "a"))
	app.Redirect("/old/{room}", "/rooms/{room}/")
	app.Redirect("/moved/{rest...}", "/{rest...}", http.StatusFound)
	app.Redirect("POST /moved/{a}/{b}", "/{b}/{a}?fixed=1", http.StatusTemporaryRedirect)
	return app
}

// fuzzedHeaders are those that mean something here.
var fuzzedHeaders = []string{
	"If-None-Match: *", "Accept-Encoding: gzip", "Range: bytes=0-1", "Origin: https://evil.test", "Sec-Fetch-Site: cross-site",
	"Cookie: session=x; user=ann", "X-Forwarded-For: 203.0.113.7, nonsense,", "X-Forwarded-Proto: https",
}

// Whatever a client sends, an application answers once, not with 500, and logs that once; and no redirect
// leads away from the site.
func FuzzPage(f *testing.F) {
	const all = 1<<8 - 1
	sessions := wstest.NewSessions()
	for _, seed := range []struct {
		method, target, body, contentType string
		headers                           uint8
	}{
		{"GET", "/", "", "", all},
		{"GET", "/?a=1&n=x", "", "", 0},
		{"POST", "/?a=%ff", "a=1&n=2", "application/x-www-form-urlencoded", 0},
		{"PUT", "/", formPart(`name="f"; filename="x"`, "1") + "--b--", "multipart/form-data; boundary=b", 2},
		{"POST", "/json", `{"a":[1]}`, "application/json", 0},
		{"POST", "/login", "next=//evil.test&a=%zz", "application/x-www-form-urlencoded", all},
		{"GET", `/login?next=/%5Cevil.test`, "", "", 0},
		{"HEAD", "/static/chat.js?v=1", "", "", 4},
		{"GET", "/robots.txt", "", "", 1},
		{"GET", "/static", "", "", 0},
		{"GET", "//evil.test/..", "", "", 0},
		{"GET", "/moved/%2Fevil.test", "", "", 0},
		{"GET", "/moved/%5Cevil.test//", "", "", 0},
		{"POST", "/moved/%2F/evil.test", "", "", 0},
		{"GET", "/old/..%2f", "", "", 0},
		{"GET", "http://evil.test//members/x", "", "", 0},
		{"GET", "/members/files/a.txt?%0d%0a", "", "", 32},
		{"CONNECT", "//evil.test/rooms/x", "", "", 0},
		{"OPTIONS", "*", "", "", 0},
		{"GET", "*", "", "", 0},
		{"FETCH", "/rooms/x", strings.Repeat("x", 101), "text/plain", 0},
		{"GET", "/rooms/%00/?flush=1", "", "", 0},
	} {
		f.Add(seed.method, seed.target, seed.body, seed.contentType, seed.headers)
	}
	f.Fuzz(func(t *testing.T, method, target, body, contentType string, headers uint8) {
		var text strings.Builder
		fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: example.com\r\nContent-Length: %d\r\nContent-Type: %s\r\n", method, target, len(body), contentType)
		for i, header := range fuzzedHeaders {
			if headers>>i&1 == 1 {
				text.WriteString(header + "\r\n")
			}
		}
		text.WriteString("\r\n" + body)
		for _, serial := range []bool{false, true} {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text.String())))
			if err != nil {
				return // net/http answers itself
			}
			r.RemoteAddr = "192.0.2.1:1234"
			log, w := wstest.NewLog(t), httptest.NewRecorder()
			fuzzedSite(log, sessions, serial).ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("status %d: %s", w.Code, log)
			}
			if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), fmt.Sprint("status=", w.Code)) {
				t.Errorf("%d lines in the log, status %d: %s", lines, w.Code, log)
			}
			location := w.Header().Get("Location")
			if strings.ContainsFunc(location, unicode.IsControl) || strings.Contains(location, `\`) ||
				w.Code/100 == 3 && w.Code != http.StatusNotModified && (!strings.HasPrefix(location, "/") || strings.HasPrefix(location, "//")) {
				t.Errorf("status %d leads to %q", w.Code, location)
			}
		}
	})
}
