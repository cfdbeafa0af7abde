package wsframework_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// What a page writes is what the client gets.
func TestResponse(t *testing.T) {
	for name, tt := range map[string]struct {
		get    func(p *sheet) error
		status int
		body   string
		header map[string]string // "" is a header that is not there
	}{
		"nothing": {func(p *sheet) error { return nil }, 200, "",
			map[string]string{"Content-Length": "0", "Content-Type": "", "Etag": "", "X-Content-Type-Options": "nosniff"}},
		"Write": {func(p *sheet) error {
			n, err := p.Write([]byte("one "))
			m, also := p.WriteString("two")
			if n != 4 || m != 3 {
				return errFailing
			}
			return errors.Join(err, also)
		}, 200, "one two", map[string]string{"Content-Length": "7", "Content-Type": "text/plain; charset=utf-8"}},
		"HTML": {func(p *sheet) error { _, err := p.WriteString("<!doctype html><p>"); return err }, 200, "<!doctype html><p>",
			map[string]string{"Content-Type": "text/html; charset=utf-8"}},
		"compressed by the page": {func(p *sheet) error {
			p.SetHeader("Content-Encoding", "gzip")
			_, err := p.WriteString("\x1f\x8b\x08")
			return err
		}, 200, "\x1f\x8b\x08", map[string]string{"Content-Type": "", "Content-Encoding": "gzip"}},
		"WriteJSON": {func(p *sheet) error {
			p.SetStatus(201)
			return p.WriteJSON(map[string]any{"a": "<b>", "c": []int{1}})
		}, 201, `{"a":"\u003cb\u003e","c":[1]}`, map[string]string{"Content-Type": "application/json", "Etag": ""}},
		"WriteJSON of what has none": {func(p *sheet) error { return p.WriteJSON(func() {}) }, 500, "Internal Server Error\n", nil},
		"Status": {func(p *sheet) error {
			p.WriteJSON(p.Status())
			p.SetStatus(418)
			return p.WriteJSON(p.Status())
		}, 418, "200418", nil},
		"headers": {func(p *sheet) error {
			p.SetHeader("X-A", "0")
			p.SetHeader("x-a", "1")
			p.AddHeader("X-A", "2")
			return p.SetHeader("Cache-Control", "no-store")
		}, 200, "", map[string]string{"X-A": "1, 2", "Cache-Control": "no-store"}},
		"cookies": {func(p *sheet) error {
			return errors.Join(p.SetCookie(&http.Cookie{Name: "a", Value: "1 2", HttpOnly: true}),
				p.SetCookie(&http.Cookie{Name: "b", Value: p.Cookie("sent") + p.Cookie("not"), Path: "/b"}), p.ClearCookie("c"))
		}, 200, "", map[string]string{"Set-Cookie": `a="1 2"; Path=/; HttpOnly, b=by you; Path=/b, c=; Path=/; Max-Age=0`}},
		"a Content-Length that is wrong": {func(p *sheet) error {
			p.SetHeader("Content-Length", "1000")
			_, err := p.WriteString("short")
			return err
		}, 200, "short", map[string]string{"Content-Length": "5"}},
		"204": {func(p *sheet) error { p.WriteString("nobody reads this"); return p.SetStatus(204) }, 204, "",
			map[string]string{"Content-Length": "", "Content-Type": ""}},
		"304": {func(p *sheet) error { p.WriteString("nobody reads this"); return p.SetStatus(304) }, 304, "",
			map[string]string{"Content-Length": "", "Content-Type": ""}},
		"204 and Flush": {func(p *sheet) error {
			p.SetStatus(204)
			p.WriteString("nobody reads this")
			return p.Flush()
		}, 204, "", nil},
		"SendError": {func(p *sheet) error {
			p.WriteString("half")
			if err := p.SendError(404); err != nil {
				return err
			}
			if _, err := p.WriteString("late"); !errors.Is(err, wsframework.ErrFinished) {
				t.Errorf("Write after SendError: %v", err)
			}
			return nil
		}, 404, "Not Found\n", nil},
		"SendError of no error": {func(p *sheet) error { return p.SendError(200) }, 500, "Internal Server Error\n", nil},
		"Finish": {func(p *sheet) error {
			p.WriteString("whole")
			err := p.Finish()
			if p.Finish() == nil || p.Flush() == nil || p.SetHeader("X-A", "x") == nil {
				t.Error("it goes on after Finish")
			}
			return err
		}, 200, "whole", map[string]string{"Content-Length": "5", "X-A": ""}},
		"Flush": {func(p *sheet) error {
			p.SetHeader("X-A", "x")
			p.WriteString("one ")
			err := p.Flush()
			for name, late := range map[string]error{
				"SetHeader": p.SetHeader("X-A", "y"), "SetCookie": p.ClearCookie("a"), "SetStatus": p.SetStatus(404),
				"Redirect": p.Redirect("/"), "SendError": p.SendError(404),
			} {
				if !errors.Is(late, wsframework.ErrFinished) {
					t.Errorf("%s after Flush: %v", name, late)
				}
			}
			p.WriteJSON("two")
			return err
		}, 200, `one "two"`, map[string]string{"X-A": "x", "Content-Length": "", "Etag": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, wsframework.Settings{}).page(hooks{get: tt.get})
			w := s.expect("GET", "/", tt.status, tt.body, "Cookie: sent=by you")
			for name, want := range tt.header {
				values := w.Header()[http.CanonicalHeaderKey(name)]
				if got := strings.ReplaceAll(strings.Join(values, ", "), `b="by you"`, "b=by you"); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// What can't be said in HTTP is an error, and changes nothing.
func TestResponseRefuses(t *testing.T) {
	for name, change := range map[string]func(p *sheet) error{
		"status 100":              func(p *sheet) error { return p.SetStatus(100) },
		"status 199":              func(p *sheet) error { return p.SetStatus(199) },
		"status 600":              func(p *sheet) error { return p.SetStatus(600) },
		"status -1":               func(p *sheet) error { return p.SetStatus(-1) },
		"header of two lines":     func(p *sheet) error { return p.SetHeader("X-A", "x\r\nSet-Cookie: a=b") },
		"header of LF":            func(p *sheet) error { return p.AddHeader("X-A", "x\ny") },
		"header with NUL":         func(p *sheet) error { return p.SetHeader("X-A", "\x00") },
		"header's name":           func(p *sheet) error { return p.SetHeader("X A", "x") },
		"header's name, injected": func(p *sheet) error { return p.SetHeader("X-A: x\r\nSet-Cookie", "a=b") },
		"no header's name":        func(p *sheet) error { return p.SetHeader("", "x") },
		"cookie's name":           func(p *sheet) error { return p.SetCookie(&http.Cookie{Name: "a b"}) },
		"cookie's value":          func(p *sheet) error { return p.SetCookie(&http.Cookie{Name: "a", Value: "b; Path=/c"}) },
		"no cookie":               func(p *sheet) error { return p.SetCookie(nil) },
		"redirect status 200":     func(p *sheet) error { return p.Redirect("/", 200) },
		"redirect status 400":     func(p *sheet) error { return p.Redirect("/", 400) },
		"redirect of two lines":   func(p *sheet) error { return p.Redirect("/\r\nSet-Cookie: a=b") },
		"redirect malformed":      func(p *sheet) error { return p.Redirect("http://[") },
	} {
		s := newSite(t, wsframework.Settings{}).page(hooks{get: func(p *sheet) error {
			p.WriteString("fine")
			if err := change(p); err == nil || !strings.HasPrefix(err.Error(), "wsframework: ") {
				t.Errorf("%s: %v", name, err)
			}
			return nil
		}})
		w := s.expect("GET", "/", 200, "fine")
		if h := w.Header(); h.Get("X-A") != "" || h.Get("Set-Cookie") != "" || h.Get("Location") != "" {
			t.Errorf("%s: %v", name, h)
		}
	}
}

func TestRedirect(t *testing.T) {
	for _, tt := range []struct {
		method, to string
		status     []int
		want       int
		location   string
	}{
		{"GET", "/a?b=c#d", nil, 302, "/a?b=c#d"},
		{"HEAD", "/a", nil, 302, "/a"},
		{"POST", "/a", nil, 303, "/a"},
		{"GET", "/a", []int{301}, 301, "/a"},
		{"POST", "/a", []int{307}, 307, "/a"},
		{"GET", "../b", nil, 302, "../b"},
		{"GET", "https://example.com/ä b", nil, 302, "https://example.com/%C3%A4%20b"},
	} {
		redirect := func(p *sheet) error {
			p.WriteString("half")
			p.SetHeader("Content-Length", "4")
			err := p.Redirect(tt.to, tt.status...)
			return errors.Join(err, p.ClearCookie("after"))
		}
		s := newSite(t, wsframework.Settings{}).page(hooks{get: redirect, post: redirect})
		w := s.expect(tt.method, "/", tt.want, "")
		if h := w.Header(); h.Get("Location") != tt.location || h.Get("Set-Cookie") == "" || tt.method != "HEAD" && h.Get("Content-Length") != "0" {
			t.Errorf("%s %s: %v", tt.method, tt.to, h)
		}
	}
}

// A whole page has an ETag, and who has the page is not sent it again (RFC 9110, 13.1.2).
func TestEtag(t *testing.T) {
	s := newSite(t, wsframework.Settings{})
	page := func(path string, get func(p *sheet) error) { s.app.Page(path, sheets(hooks{get: get, post: get})) }
	write := func(p *sheet) error { _, err := p.WriteString("content of " + p.Request().URL.Path); return err }
	page("/a", write)
	page("/b", write)
	page("/own", func(p *sheet) error { p.SetHeader("ETag", `W/"own"`); return write(p) })
	page("/secret", func(p *sheet) error { p.SetHeader("Cache-Control", "private, no-store"); return write(p) })
	page("/created", func(p *sheet) error { p.SetStatus(201); return write(p) })
	page("/empty", func(p *sheet) error { return nil })
	page("/flushed", func(p *sheet) error { write(p); return p.Flush() })
	tag := s.ask("GET", "/a").Header().Get("Etag")
	if len(tag) != 34 || tag[0] != '"' || tag != s.ask("HEAD", "/a").Header().Get("Etag") || tag == s.ask("GET", "/b").Header().Get("Etag") {
		t.Errorf("tag %s", tag)
	}
	for _, tt := range []struct {
		method, path string
		match        []string
		status       int
		tagged       bool
	}{
		{"GET", "/a", nil, 200, true},
		{"GET", "/a", []string{tag}, 304, true},
		{"HEAD", "/a", []string{tag}, 304, true},
		{"GET", "/a", []string{"W/" + tag}, 304, true},
		{"GET", "/a", []string{`"x",W/"y" , ` + tag}, 304, true},
		{"GET", "/a", []string{`"x"`, tag}, 304, true},
		{"GET", "/a", []string{"*"}, 304, true},
		{"GET", "/a", []string{`"x"`}, 200, true},
		{"GET", "/a", []string{strings.Trim(tag, `"`)}, 200, true},
		{"GET", "/b", []string{tag}, 200, true},
		{"POST", "/a", []string{tag}, 200, false},
		{"POST", "/a", []string{"*"}, 200, false},
		{"GET", "/own", []string{`"own"`}, 304, true},
		{"GET", "/own", []string{`W/"own"`}, 304, true},
		{"GET", "/own", []string{`"other"`}, 200, true},
		{"GET", "/secret", []string{"*"}, 200, false},
		{"GET", "/created", []string{"*"}, 201, false},
		{"GET", "/empty", []string{"*"}, 200, false},
		{"GET", "/flushed", []string{"*"}, 200, false},
		{"GET", "/nowhere", []string{"*"}, 404, false},
	} {
		var header []string
		for _, value := range tt.match {
			header = append(header, "If-None-Match: "+value)
		}
		w := s.ask(tt.method, tt.path, header...)
		if w.Code != tt.status || tt.tagged != (w.Header().Get("Etag") != "") {
			t.Errorf("%s %s %q: %d %v", tt.method, tt.path, tt.match, w.Code, w.Header())
		}
		if w.Code == 304 && (w.Body.Len() > 0 || w.Header().Get("Content-Type") != "" || w.Header().Get("Content-Length") != "") {
			t.Errorf("%s %s: 304 with %q %v", tt.method, tt.path, w.Body, w.Header())
		}
	}
}

// Flush and Finish bring to the client what there is, while the page goes on.
func TestFlushAndFinishReachTheClient(t *testing.T) {
	step := make(chan bool)
	s := overTCP.serve(t, wsframework.Settings{}, func(app *wsframework.Application) {
		app.Page("/flush", sheets(hooks{get: func(p *sheet) error {
			for _, part := range []string{"one\n", "two\n"} {
				p.WriteString(part)
				if err := p.Flush(); err != nil {
					return err
				}
				<-step
			}
			_, err := p.WriteString("three\n")
			return err
		}}))
		app.Page("/finish", sheets(hooks{get: func(p *sheet) error {
			p.WriteString("whole\n")
			defer func() { <-step }()
			return p.Finish()
		}}))
	})
	for path, want := range map[string][]string{"/flush": {"one\n", "two\n", "three\n"}, "/finish": {"whole\n"}} {
		c, err := s.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: example.com\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		body := bufio.NewReader(response.Body)
		for i, line := range want {
			if got, err := body.ReadString('\n'); got != line {
				t.Errorf("%s: %q, %v", path, got, err)
			}
			if i < 2 {
				step <- true
			}
		}
		if rest, err := io.ReadAll(body); len(rest) > 0 || err != nil {
			t.Errorf("%s: %q, %v", path, rest, err)
		}
	}
}

// A page learns that its client has left, and what it writes then fails. It is nobody's error.
func TestClientLeavesAPage(t *testing.T) {
	began, left := make(chan bool), make(chan error, 2)
	log := wstest.NewLog(t)
	s := overTCP.serve(t, wsframework.Settings{AccessLogger: log.Logger(slog.LevelInfo)}, func(app *wsframework.Application) {
		app.Page("/", sheets(hooks{get: func(p *sheet) error {
			err := p.Flush()
			began <- true
			<-p.Context().Done()
			left <- p.Context().Err()
			for err == nil {
				p.WriteString(strings.Repeat("x", 1<<16))
				err = p.Flush()
			}
			return err
		}}))
	})
	c, err := s.dial()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
	<-began
	c.Close()
	if err := receive(t, left); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := s.app.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	log.ExpectLine("level=INFO", "status=200", "cause=")
}
