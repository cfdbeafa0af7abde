package wsframework_test

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

const (
	formType  = "Content-Type: application/x-www-form-urlencoded"
	partsType = "Content-Type: multipart/form-data; boundary=b"
	jsonType  = "Content-Type: application/json"
)

// formPart is one part of a multipart body with the boundary b.
func formPart(disposition, content string) string {
	return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n"
}

// send sends a request with a body, whose length is announced.
func (s *site) send(method, target, body string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.sendFrom(method, target, strings.NewReader(body), header...)
}

// A formPage answers every method with what a test asks of it.
type formPage struct {
	wsframework.RequestHandler
	answer func(p *formPage) error
}

func (p *formPage) Get() error    { return p.answer(p) }
func (p *formPage) Post() error   { return p.answer(p) }
func (p *formPage) Put() error    { return p.answer(p) }
func (p *formPage) Patch() error  { return p.answer(p) }
func (p *formPage) Delete() error { return p.answer(p) }

func (s *site) form(answer func(p *formPage) error) *site {
	s.app.Page("/form", func() wsframework.Page { return &formPage{answer: answer} })
	return s
}

func TestArgumentsOfPages(t *testing.T) {
	s := newSite(t, wsframework.Settings{}).form(func(p *formPage) error {
		required, err := p.RequiredArgument("a")
		_, writing := fmt.Fprintf(p, "%s|%s|%s %q %q %q %s", p.Argument("a"), p.QueryArgument("a"), p.BodyArgument("a"),
			p.Arguments("a"), p.QueryArguments("a"), p.BodyArguments("a"), required)
		return errors.Join(err, writing)
	})
	parts := formPart(`name="a"`, "3") + formPart(`name="a"`, " 4 ") + formPart(`name="f"; filename="a"`, "5") + "--b--\r\n"
	for _, tt := range []struct {
		method, query, body, header string
		status                      int
		want                        string
	}{
		{"GET", "?a=1&a=2", "", "", 200, `2|2| ["1" "2"] ["1" "2"] [] 2`},
		{"DELETE", "?a=1", "a=3", formType, 200, `1|1| ["1"] ["1"] [] 1`},
		{"POST", "", "a=3&a=4", formType, 200, `4||4 ["3" "4"] [] ["3" "4"] 4`},
		{"POST", "?a=1&a=2", "a=3&a=4", formType, 200, `4|2|4 ["1" "2" "3" "4"] ["1" "2"] ["3" "4"] 4`},
		{"PUT", "?a=1", "a=3", formType + "; charset=utf-8", 200, `3|1|3 ["1" "3"] ["1"] ["3"] 3`},
		{"PATCH", "?a=1", "a=3", formType, 200, `3|1|3 ["1" "3"] ["1"] ["3"] 3`},
		{"POST", "?a=1", parts, partsType, 200, `4|1|4 ["1" "3" "4"] ["1"] ["3" "4"] 4`},
		{"PUT", "", parts, partsType, 200, `4||4 ["3" "4"] [] ["3" "4"] 4`},
		{"POST", "?a=1", `{"a":3}`, jsonType, 200, `1|1| ["1"] ["1"] [] 1`},
		{"POST", "?a=1", "a=", formType, 200, `|1| ["1" ""] ["1"] [""] `},
		{"GET", "?a=%20x%00y%20", "", "", 200, `x y|x y| ["x y"] ["x y"] [] x y`},
		{"GET", "?a=%zz&a=1", "", "", 200, `1|1| ["1"] ["1"] [] 1`}, // as net/http
		{"GET", "", "", "", 400, "The argument \"a\" is missing.\n"},
		{"POST", "?b=1", "A=1", formType, 400, "The argument \"a\" is missing.\n"},
		{"GET", "?b=%ff", "", "", 400, "The argument \"b\" is not valid UTF-8: \"\\xff\".\n"},
		{"GET", "?%ff=1", "", "", 400, "The argument \"\\xff\" is not valid UTF-8: \"1\".\n"},
		{"POST", "?a=1", "b=%ff", formType, 400, "The argument \"b\" is not valid UTF-8: \"\\xff\".\n"},
		{"POST", "", formPart(`name="b"`, "\xff") + "--b--", partsType, 400, "The argument \"b\" is not valid UTF-8: \"\\xff\".\n"},
		{"POST", "", "a=1;b=2", formType, 400, "The body is malformed or breaks off.\n"},
		{"POST", "", formPart(`name="a"`, "1"), partsType, 400, "The body is malformed or breaks off.\n"},
		{"POST", "", "a", "Content-Type: /;;", 400, "The header Content-Type is malformed.\n"},
	} {
		s.log.Forget()
		w := s.send(tt.method, "/form"+tt.query, tt.body, tt.header)
		if w.Code != tt.status || w.Body.String() != tt.want {
			t.Errorf("%s %s %q: %d %s\nwant %d %s", tt.method, tt.query, tt.body, w.Code, w.Body, tt.status, tt.want)
		}
		if tt.status == 400 {
			s.log.ExpectLine("level=WARN", "status=400", "HTTP 400", "path=/form ")
		}
	}
}

// The errors of typed arguments are answers: they say which argument has to be what.
func TestTypedArguments(t *testing.T) {
	when := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	getters := map[string]func(p *formPage, fallback bool) (any, error){
		"int": func(p *formPage, fallback bool) (any, error) {
			if fallback {
				return p.IntArgument("a", 7)
			}
			return p.IntArgument("a")
		},
		"bool": func(p *formPage, fallback bool) (any, error) {
			if fallback {
				return p.BoolArgument("a", true)
			}
			return p.BoolArgument("a")
		},
		"duration": func(p *formPage, fallback bool) (any, error) {
			if fallback {
				return p.DurationArgument("a", time.Hour)
			}
			return p.DurationArgument("a")
		},
		"time": func(p *formPage, fallback bool) (any, error) {
			if fallback {
				return p.TimeArgument("a", when)
			}
			return p.TimeArgument("a")
		},
	}
	s := newSite(t, wsframework.Settings{}).form(func(p *formPage) error {
		value, err := getters[p.QueryArgument("type")](p, p.QueryArgument("fallback") != "")
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(p, value)
		return err
	})
	for _, tt := range []struct{ kind, good, value, fallback, bad, problem string }{
		{"int", "-12", "-12", "7", "many", `is not a whole number: "many".`},
		{"int", "+7 ", "7", "7", "99999999999999999999", `is too large or too small: "99999999999999999999".`},
		{"bool", "no", "false", "true", "maybe", `is neither true nor false: "maybe".`},
		{"duration", "1.5", "1.5s", "1h0m0s", "soon", `is not a duration like 90 or 1h30m: "soon".`},
		{"time", "2026-07-02", "2026-07-02 00:00:00 +0000 UTC", fmt.Sprint(when), "now", `is not a time like 2026-07-01T12:00:00Z or 2026-07-01: "now".`},
	} {
		target := "/form?type=" + tt.kind
		for _, fallback := range []string{"", "&fallback=1"} {
			good := "a=" + strings.ReplaceAll(tt.good, "+", "%2B")
			if w := s.send("POST", target+fallback, good, formType); w.Code != 200 || w.Body.String() != tt.value {
				t.Errorf("%s %s: %d %s", tt.kind, tt.good, w.Code, w.Body)
			}
			if w := s.send("POST", target+fallback, "a="+tt.bad, formType); w.Code != 400 || w.Body.String() != "The argument \"a\" "+tt.problem+"\n" {
				t.Errorf("%s %s: %d %s", tt.kind, tt.bad, w.Code, w.Body)
			}
		}
		s.expect("GET", target+"&fallback=1", 200, tt.fallback)
		s.expect("GET", target+"&fallback=1&a=", 200, tt.fallback)
		s.expect("GET", target+"&fallback=1&a=+", 200, tt.fallback)
		s.expect("GET", target, 400, "The argument \"a\" is missing.\n")
		if w := s.ask("GET", target+"&a="); w.Code != 400 || !strings.HasPrefix(w.Body.String(), `The argument "a" is `) {
			t.Errorf("%s, empty: %d %s", tt.kind, w.Code, w.Body)
		}
	}
}

// A socket has the arguments of its handshake for as long as it lives.
func TestArgumentsOfSockets(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			look := func() string {
				number, err := p.IntArgument("n")
				return fmt.Sprint(p.Argument("a"), p.Arguments("a"), p.QueryArgument("a"), p.QueryArguments("b"), number, err)
			}
			p.prepare = func() error {
				if _, err := p.RequiredArgument("a"); err != nil {
					return err
				}
				if _, err := p.IntArgument("n"); err != nil {
					return err
				}
				return p.SetHeader("X-Arguments", look())
			}
			p.message = func(wsframework.Message) error { return p.WriteText(look()) }
		})
		const want = "2[1 2]2[] 5 <nil>"
		cl := s.open("/ws?a=1&a=2&n=5")
		if header := cl.Response().Header; header.Get("X-Arguments") != want {
			t.Fatal(header)
		}
		for range 3 {
			cl.Write("x")
			cl.Expect(want)
		}
		for query, message := range map[string]string{
			"":               `The argument "a" is missing.`,
			"?a=1":           `The argument "n" is missing.`,
			"?a=1&n=x":       `The argument "n" is not a whole number: "x".`,
			"?a=1&n=5&b=%f":  "",
			"?a=1&n=5&b=%ff": `The argument "b" is not valid UTF-8: "\xff".`,
		} {
			s.log.Forget()
			if message == "" {
				s.open("/ws" + query)
				continue
			}
			if page := s.refused("/ws"+query, 400); page.Body != message+"\n" {
				t.Error(page)
			}
			s.log.ExpectLine("handshake refused", "level=WARN", "status=400")
		}
		cl.WriteClose(1000, "")
		expectClose(t, cl, 1000, "")
	})
}

// Handlers that no route made have no arguments, and say so where they can.
func TestArgumentsOfStrayHandlers(t *testing.T) {
	p, h := new(formPage), new(probe)
	for _, got := range []string{p.Argument("a"), p.QueryArgument("a"), p.BodyArgument("a"), h.Argument("a"), p.NextURL(""), p.StaticURL("a")} {
		if got != "" {
			t.Errorf("%q", got)
		}
	}
	if p.Arguments("a") != nil || p.QueryArguments("a") != nil || p.BodyArguments("a") != nil || p.File("a") != nil || p.Files("a") != nil {
		t.Error("arguments of nothing")
	}
	_, rendering := h.RenderString("a", nil)
	_, reversing := h.ReverseURL("a")
	for _, err := range []error{p.ReadJSON(new(int)), p.Render("a", nil), rendering, reversing} {
		if !errors.Is(err, wsframework.ErrNotOpen) {
			t.Error(err)
		}
	}
}

func TestReadJSON(t *testing.T) {
	type order struct {
		Tea string
		N   int
	}
	var first bool
	s := newSite(t, wsframework.Settings{MaxBodySize: 100}).form(func(p *formPage) error {
		var kind struct{ Tea string }
		var o order
		if first {
			if err := p.ReadJSON(&kind); err != nil {
				return err
			}
		}
		if err := p.ReadJSON(&o); err != nil {
			return err
		}
		left, err := io.ReadAll(p.Request().Body)
		if err != nil {
			return err
		}
		return p.WriteJSON(fmt.Sprint(o, kind, len(left)))
	})
	for _, tt := range []struct {
		body, header string
		status       int
		want         string
	}{
		{`{"tea":"oolong","n":2}`, jsonType, 200, `"{oolong 2} {%s} 22"`},
		{`{"tea":"oolong","n":2}`, "X-None: 1", 200, `"{oolong 2} {%s} 22"`},
		{`{"tea":"oolong","n":2}`, formType, 200, `"{oolong 2} {%s} 22"`}, // what curl -d calls it
		{`{"n":"two"}`, jsonType, 400, "The body is not the JSON that is expected.\n"},
		{`{"n":1} {"n":2}`, jsonType, 400, "The body is not the JSON that is expected.\n"},
		{`{`, jsonType, 400, "The body is not the JSON that is expected.\n"},
		{``, jsonType, 400, "The body is not the JSON that is expected.\n"},
		{`"` + strings.Repeat("x", 100) + `"`, jsonType, 413, "The body is longer than 100 bytes; the server's setting MaxBodySize decides.\n"},
	} {
		for _, first = range []bool{false, true} {
			for _, announced := range []bool{true, false} {
				var body io.Reader = strings.NewReader(tt.body)
				if !announced {
					body = struct{ io.Reader }{body}
				}
				want := tt.want
				if tt.status == 200 {
					want = fmt.Sprintf(tt.want, map[bool]string{true: "oolong"}[first])
				}
				if w := s.sendFrom("POST", "/form", body, tt.header); w.Code != tt.status || w.Body.String() != want {
					t.Errorf("%s: %d %s, want %d %s", tt.body, w.Code, w.Body, tt.status, want)
				}
			}
		}
	}
}

func TestUploadedFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR")) // where Windows looks
	onDisk := func() int {
		entries, err := os.ReadDir(os.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	large := strings.Repeat("0123456789", 200_000)
	read := func(header *multipart.FileHeader) string {
		file, err := header.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		data, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(header.Filename, " ", len(data))
	}
	during := 0
	for _, fail := range []error{nil, errFailing} {
		s := newSite(t, wsframework.Settings{MaxBodySize: 5_000_000}).form(func(p *formPage) error {
			during = onDisk()
			all := p.Files("f")
			fmt.Fprint(p, len(all), " ", read(p.File("f")), ", ", read(all[0]), ", ", p.File("g") == nil)
			return fail
		})
		send := func(body string, announced bool) *httptest.ResponseRecorder {
			if announced {
				return s.send("POST", "/form", body+"--b--", partsType)
			}
			return s.sendFrom("POST", "/form", struct{ io.Reader }{strings.NewReader(body + "--b--")}, partsType)
		}
		for _, announced := range []bool{true, false} {
			w := send(formPart(`name="f"; filename="one.txt"`, "12345")+formPart(`name="f"; filename="../../two"`, large), announced)
			if fail == nil && (w.Code != 200 || w.Body.String() != "2 two 2000000, one.txt 5, true") || fail != nil && w.Code != 500 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if during == 0 || onDisk() != 0 {
				t.Errorf("%d files on disk in Post, %d afterwards", during, onDisk())
			}
			during = 0
			w = send(formPart(`name="f"; filename="one"`, large)+formPart(`name="f"; filename="two"`, large)+formPart(`name="f"; filename="three"`, large), announced)
			if w.Code != 413 || during != 0 || onDisk() != 0 {
				t.Errorf("too large: %d %s, %d files on disk", w.Code, w.Body, onDisk())
			}
		}
	}
}

// Who writes the error pages writes those for what can't be read, too.
func TestWriteErrorOfBodies(t *testing.T) {
	s := newSite(t, wsframework.Settings{MaxBodySize: 10}).page(hooks{writeError: func(p *sheet, status int, err error) error {
		var refusal *wsframework.HTTPError
		_, writing := fmt.Fprint(p, "page ", status, errors.As(err, &refusal), p.Argument("a"))
		return writing
	}})
	for _, tt := range []struct{ target, body, header, want string }{
		{"/?a=1", "a=%zz", formType, "page 400 true1"},
		{"/?a=1", "a=0123456789", formType, "page 413 true1"},
		{"/?a=1", "x", partsType, "page 400 true1"},
		{"/?a=1&b=%ff", "", formType, "page 400 true1"},
	} {
		if w := s.send("POST", tt.target, tt.body, tt.header); w.Body.String() != tt.want {
			t.Errorf("%s %q: %d %q, want %q", tt.target, tt.body, w.Code, w.Body, tt.want)
		}
	}
}

// A client that announces too much is refused before it has sent anything, and one that sends it in chunks
// as soon as it has.
func TestMaxBodySizeOverHTTP(t *testing.T) {
	for _, limit := range []int64{1000, -1} {
		s := overTCP.serve(t, wsframework.Settings{MaxBodySize: limit}, func(app *wsframework.Application) {
			app.Page("/form", func() wsframework.Page {
				return &formPage{answer: func(p *formPage) error { return p.WriteJSON(len(p.Argument("a"))) }}
			})
		})
		form := "a=" + strings.Repeat("x", 1<<16)
		status, body := 413, "The body is longer than 1000 bytes; the server's setting MaxBodySize decides.\n"
		if limit < 0 {
			status, body = http.StatusOK, "65536"
		}
		head := []string{"POST /form HTTP/1.1", "Host: example.com", formType, "Connection: close"}
		for _, request := range [][]string{
			{"Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(form), form)},
			{fmt.Sprint("Content-Length: ", len(form)), form},
		} {
			if response, got := s.ask(append(head, request[0]), request[1]); response.StatusCode != status || got != body {
				t.Errorf("limit %d, %s: %s %q", limit, request[0], response.Status, got)
			}
		}
		if limit > 0 {
			if response, got := s.ask(append(head, "Content-Length: 1000000000", "Expect: 100-continue"), ""); response.StatusCode != 413 || got != body {
				t.Errorf("announced: %s %q", response.Status, got)
			}
		}
	}
}
