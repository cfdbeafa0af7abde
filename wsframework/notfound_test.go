package wsframework_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

func plainText(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, text) }
}

// registerSome gives a site routes of many kinds, and none for the rest.
func registerSome(app *wsframework.Application) {
	app.Page("GET /get", says("get"))
	app.Page("POST /get", sheets(hooks{}))
	app.HandleFunc("PUT /plain/{x}", plainText("put"))
	app.HandleFunc("GET /tree/", plainText("tree"))
	app.Page("/page", func() wsframework.Page { return new(getOnly) })
	app.Page("GET host.test/only", says("host"))
}

var restTests = []struct {
	method, target string
	status         int
	allow          string
}{
	{"GET", "/", 404, ""},
	{"GET", "/nowhere", 404, ""},
	{"POST", "/nowhere", 404, ""},
	{"PROPFIND", "/nowhere", 404, ""},
	{"GET", "/get/more", 404, ""},
	{"DELETE", "/get", 405, "GET, HEAD, POST"},
	{"PROPFIND", "/get", 405, "GET, HEAD, POST"},
	{"GET", "/plain/1", 405, "PUT"},
	{"POST", "/tree/a", 405, "GET, HEAD"},
	{"POST", "/page", 405, "GET, HEAD"},
	{"POST", "http://host.test/only", 405, "GET, HEAD"},
	{"GET", "/only", 404, ""},
	{"GET", "http://host.test/nowhere", 404, ""},
}

func TestNotFoundByDefault(t *testing.T) {
	s := newSite(t, wsframework.Settings{})
	registerSome(s.app)
	for _, tt := range restTests {
		s.log.Forget()
		w := s.expect(tt.method, tt.target, tt.status, map[int]string{404: "Not Found\n", 405: "Method Not Allowed\n"}[tt.status])
		if got := w.Header().Get("Allow"); got != tt.allow {
			t.Errorf("%s %s: Allow %q, want %q", tt.method, tt.target, got, tt.allow)
		}
		if tt.target != "/page" {
			s.log.ExpectLine("level=WARN", fmt.Sprint("status=", tt.status), `route="(not found)"`, "method="+tt.method)
		}
	}
	s.expect("HEAD", "/nowhere", 404, "")
	s.expect("GET", "/get", 200, "get")
	if w := s.ask("GET", "/tree"); w.Code != 307 && w.Code != 301 || w.Header().Get("Location") != "/tree/" {
		t.Errorf("/tree: %d %v", w.Code, w.Header())
	}
	if w := s.ask("GET", "/a//../get"); w.Code != 307 && w.Code != 301 || w.Header().Get("Location") != "/get" {
		t.Errorf("an unclean path: %d %v", w.Code, w.Header())
	}
}

// The page for the rest answers with its own method, with status 404, and else with WriteError.
func TestNotFoundPage(t *testing.T) {
	type lost struct{ sheet }
	for _, method := range []bool{false, true} {
		s := newSite(t, wsframework.Settings{})
		registerSome(s.app)
		writeError := func(p *sheet, status int, err error) error { return p.WriteJSON([]any{status, err.Error()}) }
		s.app.NotFound(func() wsframework.Page {
			if !method {
				return &onlyErrors{}
			}
			return &lost{sheet{hooks: hooks{
				prepare: func(p *sheet) error { return p.SetHeader("X-Prepared", "1") },
				get: func(p *sheet) error {
					_, err := fmt.Fprintf(p, "%s is lost: %d", p.Request().URL.Path, p.Status())
					return err
				},
				writeError: writeError,
			}}}
		})
		for _, tt := range restTests {
			if tt.target == "/page" {
				continue
			}
			body := fmt.Sprintf(`[%d,"HTTP %d: %s"]`, tt.status, tt.status, http.StatusText(tt.status))
			switch {
			case !method:
				body = fmt.Sprintf("sorry: %d", tt.status)
			case tt.status == 404 && tt.method == "GET":
				body = requestPath(tt.target) + " is lost: 404"
			case tt.status == 404 && tt.method == "POST":
				body = "posted"
			}
			w := s.expect(tt.method, tt.target, tt.status, body)
			if got := w.Header().Get("Allow"); got != tt.allow || w.Header().Get("Etag") != "" {
				t.Errorf("%s %s: %v", tt.method, tt.target, w.Header())
			}
		}
	}
}

func requestPath(target string) string {
	r, err := http.NewRequest("GET", target, nil)
	if err != nil {
		return err.Error()
	}
	return r.URL.Path
}

// onlyErrors has no method, which is fine for what is not found.
type onlyErrors struct{ wsframework.RequestHandler }

func (p *onlyErrors) WriteError(status int, err error) error {
	p.WriteString("sorry: ")
	return p.WriteJSON(status)
}

// A program's own route for the rest stands above that of the framework.
func TestNotFoundIsTheProgramsOwn(t *testing.T) {
	for pattern, want := range map[string]map[string]int{
		"/":              {"GET /nowhere": 200, "POST /nowhere": 200, "GET /": 200},
		"/{x...}":        {"GET /nowhere": 200, "POST /nowhere": 200, "GET /": 200},
		"GET /":          {"GET /nowhere": 200, "POST /nowhere": 405, "GET /": 200},
		"/{$}":           {"GET /nowhere": 404, "POST /nowhere": 404, "GET /": 200},
		"example.com/":   {"GET /nowhere": 200, "GET http://other.test/nowhere": 404},
		"/{x}/{rest...}": {"GET /nowhere": 404, "GET /nowhere/at/all": 200, "GET /": 404},
	} {
		s := newSite(t, wsframework.Settings{})
		s.app.NotFound(func() wsframework.Page { return &onlyErrors{} })
		s.app.HandleFunc(pattern, plainText("own"))
		for request, status := range want {
			var method, target string
			fmt.Sscan(request, &method, &target)
			body := "own"
			if status != 200 {
				body = fmt.Sprintf("sorry: %d", status)
			}
			if w := s.ask(method, target); pattern == "/{x}/{rest...}" && target == "/nowhere" && w.Code == 307 {
				continue // to /nowhere/, which it answers
			}
			s.expect(method, target, status, body)
		}
	}
}
