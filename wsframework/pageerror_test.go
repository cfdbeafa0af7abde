package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// An error in any hook is answered by WriteError. What it wraps is for the log, and for error pages with
// Settings.Debug.
func TestErrorsOfPages(t *testing.T) {
	secret := errors.New("the password is swordfish")
	for _, tt := range []struct {
		name   string
		fail   func() error
		status int
		body   string
		level  string
	}{
		{"an HTTPError", func() error { return &wsframework.HTTPError{Status: 410, Message: "It is gone.", Err: secret} }, 410, "It is gone.", "WARN"},
		{"without a message", func() error { return &wsframework.HTTPError{Status: 404, Err: secret} }, 404, "Not Found", "WARN"},
		{"wrapped", func() error {
			return fmt.Errorf("the password is swordfish: %w", &wsframework.HTTPError{Status: 429})
		}, 429, "Too Many Requests", "WARN"},
		{"unavailable", func() error { return &wsframework.HTTPError{Status: 503, Err: secret} }, 503, "Service Unavailable", "WARN"},
		{"no error's status", func() error { return &wsframework.HTTPError{Status: 200, Err: secret} }, 500, "Internal Server Error", "ERROR"},
		{"any error", func() error { return secret }, 500, "Internal Server Error", "ERROR"},
		{"a panic", func() error { panic(secret) }, 500, "Internal Server Error", "ERROR"},
	} {
		for name, h := range map[string]hooks{
			"Prepare":        {prepare: func(*sheet) error { return tt.fail() }},
			"Get":            {get: func(*sheet) error { return tt.fail() }},
			"GetCurrentUser": {user: func(*sheet) (any, error) { return "eve", tt.fail() }},
		} {
			for _, debug := range []bool{false, true} {
				s := newSite(t, wsframework.Settings{Debug: debug}).page(h, wsframework.Authenticated())
				if h.user == nil {
					s = newSite(t, wsframework.Settings{Debug: debug}).page(h)
				}
				w := s.ask("GET", "/")
				body := w.Body.String()
				if w.Code != tt.status || !debug && body != tt.body+"\n" || debug != strings.Contains(body, "swordfish") ||
					w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || w.Header().Get("Content-Length") != fmt.Sprint(len(body)) {
					t.Errorf("%s, %s, debug %t: %d %q %v", tt.name, name, debug, w.Code, w.Body, w.Header())
				}
				if tt.name == "a panic" && debug && !strings.Contains(body, "pageerror_test.go") {
					t.Errorf("%s: no stack in %q", name, body)
				}
				s.log.ExpectLine("level="+tt.level, fmt.Sprint("status=", tt.status), "swordfish", "route=/{$}")
				if tt.name == "a panic" && !strings.Contains(s.log.String(), "stack=") || strings.Contains(s.log.String(), "user=") {
					t.Errorf("%s: log %q", name, s.log)
				}
			}
		}
	}
}

// What a page wrote before its error is gone, but for its cookies.
func TestErrorPageIsWhole(t *testing.T) {
	s := newSite(t, wsframework.Settings{}).page(hooks{
		prepare: func(p *sheet) error { return p.SetCookie(&http.Cookie{Name: "kept", Value: "1"}) },
		get: func(p *sheet) error {
			p.SetHeader("X-Page", "half")
			p.SetHeader("Content-Type", "image/png")
			p.SetHeader("Content-Length", "4")
			p.AddHeader("X-Content-Type-Options", "more")
			p.SetStatus(203)
			p.WriteString("half")
			return errFailing
		},
	})
	w := s.expect("GET", "/", 500, "Internal Server Error\n")
	if h := w.Header(); h.Get("X-Page") != "" || h.Get("Set-Cookie") != "kept=1; Path=/" || len(h["X-Content-Type-Options"]) != 1 || h.Get("Etag") != "" {
		t.Errorf("header %v", h)
	}
}

func TestWriteError(t *testing.T) {
	gone := func(p *sheet) error { p.SetHeader("X-Page", "half"); return p.SendError(410) }
	for name, tt := range map[string]struct {
		writeError func(p *sheet, status int, err error) error
		status     int
		body       string
		logged     string
	}{
		"overridden": {func(p *sheet, status int, err error) error {
			return p.WriteJSON(map[string]any{"status": status, "was": p.Status(), "error": err.Error()})
		}, 410, `{"error":"HTTP 410: Gone","status":410,"was":410}`, "HTTP 410"},
		"calls the default": {func(p *sheet, status int, err error) error {
			return p.RequestHandler.WriteError(status, err)
		}, 410, "Gone\n", "HTTP 410"},
		"changes the status": {func(p *sheet, status int, err error) error { p.WriteString("hm"); return p.SetStatus(404) }, 404, "hm", "HTTP 410"},
		"redirects":          {func(p *sheet, status int, err error) error { return p.Redirect("/") }, 302, "", "HTTP 410"},
		"finishes":           {func(p *sheet, status int, err error) error { p.WriteString("fin"); return p.Finish() }, 410, "fin", "HTTP 410"},
		"finishes and fails": {func(p *sheet, status int, err error) error {
			p.WriteString("fin")
			p.Finish()
			return errFailing
		}, 410, "fin", "WriteError: failing"},
		"fails": {func(p *sheet, status int, err error) error {
			p.WriteString("half")
			p.SetStatus(404)
			return errFailing
		}, 410, "Gone\n", "WriteError: failing"},
		"panics":            {func(p *sheet, status int, err error) error { panic("in WriteError") }, 410, "Gone\n", "in WriteError"},
		"calls SendError":   {func(p *sheet, status int, err error) error { return p.SendError(404) }, 410, "Gone\n", "SendError in WriteError would have no end"},
		"asks for the user": {func(p *sheet, status int, err error) error { p.CurrentUser(); return nil }, 410, "", "user unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			finished := 0
			s := newSite(t, wsframework.Settings{}).page(hooks{
				get:        gone,
				writeError: tt.writeError,
				user:       func(*sheet) (any, error) { return nil, errors.New("user unknown") },
				finished:   func(*sheet) { finished++ },
			})
			w := s.expect("GET", "/", tt.status, tt.body)
			if w.Header().Get("X-Page") != "" || finished != 1 {
				t.Errorf("header %v, OnFinish %d times", w.Header(), finished)
			}
			s.log.ExpectLine(fmt.Sprint("status=", tt.status), tt.logged)
		})
	}
}

// An error of GetCurrentUser is no "nobody": the page that asked is answered with it.
func TestCurrentUserThatFails(t *testing.T) {
	for name, h := range map[string]hooks{
		"asked in Prepare": {prepare: func(p *sheet) error { p.CurrentUser(); return nil }, get: func(*sheet) error { t.Error("Get was called"); return nil }},
		"and redirected":   {prepare: func(p *sheet) error { p.CurrentUser(); return p.Redirect("/login") }},
		"asked in Get":     {get: func(p *sheet) error { _, ok := wsframework.UserAs[string](p); _, err := fmt.Fprint(p, ok); return err }},
	} {
		asked := 0
		for _, fail := range []func() (any, error){
			func() (any, error) { asked++; return "eve", &wsframework.HTTPError{Status: 503, Err: errFailing} },
			func() (any, error) { asked++; panic("in GetCurrentUser") },
		} {
			asked = 0
			h.user = func(*sheet) (any, error) { return fail() }
			s := newSite(t, wsframework.Settings{}).page(h)
			w := s.ask("GET", "/")
			if w.Code < 500 || w.Header().Get("Location") != "" || asked != 1 {
				t.Errorf("%s: %d %q %v, asked %d times", name, w.Code, w.Body, w.Header(), asked)
			}
		}
	}
}

// The user is known at any time of the request, also when the header has been sent, and asked for once.
func TestCurrentUserOfPages(t *testing.T) {
	asked := 0
	s := newSite(t, wsframework.Settings{}).page(hooks{
		user: func(p *sheet) (any, error) { asked++; return fmt.Sprint("ann", p.CurrentUser()), nil },
		get: func(p *sheet) error {
			p.Flush()
			name, ok := wsframework.UserAs[string](p)
			_, isInt := wsframework.UserAs[int](p)
			_, err := fmt.Fprint(p, name, ok, isInt)
			return err
		},
	})
	s.expect("GET", "/", 200, "ann<nil>true false")
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	s.log.ExpectLine("status=200", "user=ann")

	s = newSite(t, wsframework.Settings{CurrentUser: func(r *http.Request) (any, error) { return r.URL.Query().Get("as"), nil }})
	s.page(hooks{get: func(p *sheet) error { _, err := fmt.Fprint(p, p.CurrentUser()); return err }}, wsframework.Authenticated())
	s.expect("GET", "/?as=ben", 200, "ben")
}

// A client must not take a part of a page for the whole: it is cut off.
func TestPagesThatAreCutOff(t *testing.T) {
	for name, tt := range map[string]struct {
		h      hooks
		body   string // what the client has until then
		logged []string
	}{
		"abort":             {hooks{get: func(*sheet) error { panic(http.ErrAbortHandler) }}, "", []string{"INFO", "abort Handler"}},
		"abort in Prepare":  {hooks{prepare: func(*sheet) error { panic(http.ErrAbortHandler) }}, "", []string{"INFO", "abort Handler"}},
		"Goexit":            {hooks{get: func(*sheet) error { runtime.Goexit(); return nil }}, "", []string{"INFO", "abort Handler"}},
		"abort in the user": {hooks{user: func(*sheet) (any, error) { panic(http.ErrAbortHandler) }}, "", []string{"INFO", "abort Handler"}},
		"error after Flush": {hooks{get: func(p *sheet) error {
			p.WriteString("half")
			p.Flush()
			return errFailing
		}}, "half", []string{"ERROR", "status=200", "cause=failing"}},
		"panic after Flush": {hooks{get: func(p *sheet) error {
			p.WriteString("half")
			p.Flush()
			panic("oh")
		}}, "half", []string{"ERROR", "status=200", "Get panicked: oh", "stack="}},
		"WriteError after its Flush": {hooks{
			get: func(p *sheet) error { return p.SendError(404) },
			writeError: func(p *sheet, status int, err error) error {
				p.WriteString("half")
				p.Flush()
				return errFailing
			},
		}, "half", []string{"WARN", "status=404", "WriteError: failing"}},
	} {
		t.Run(name, func(t *testing.T) {
			finished := make(chan bool, 1)
			tt.h.finished = func(*sheet) { finished <- true }
			log := wstest.NewLog(t)
			s := overTCP.serve(t, wsframework.Settings{AccessLogger: log.Logger(slog.LevelInfo)}, func(app *wsframework.Application) {
				app.Page("/", sheets(tt.h), wsframework.Authenticated())
			})
			if tt.h.user == nil {
				s = overTCP.serve(t, wsframework.Settings{AccessLogger: log.Logger(slog.LevelInfo)}, func(app *wsframework.Application) {
					app.Page("/", sheets(tt.h))
				})
			}
			c, err := s.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
			answer, _ := io.ReadAll(c)
			receive(t, finished)
			if tt.body == "" && len(answer) > 0 || !strings.Contains(string(answer), tt.body) || strings.HasSuffix(string(answer), "0\r\n\r\n") {
				t.Errorf("answer %q", answer)
			}
			if err := s.app.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
			log.ExpectLine(tt.logged...)
			if tt.body == "" && strings.Contains(log.String(), "status=") {
				t.Errorf("log %q", log)
			}
		})
	}
}

// An OnFinish that panics harms nobody but its own line in the log.
func TestOnFinishThatPanics(t *testing.T) {
	s := newSite(t, wsframework.Settings{}).page(hooks{finished: func(*sheet) { panic("in OnFinish") }})
	s.expect("GET", "/", 200, "got")
	s.log.ExpectLine("level=ERROR", "status=200", "OnFinish panicked: in OnFinish", "stack=")
}

// On a page that no route made the methods say so; after the end, too.
func TestStrayPages(t *testing.T) {
	change := map[string]func(p *sheet) error{
		"Write":        func(p *sheet) error { _, err := p.Write([]byte("x")); return err },
		"WriteString":  func(p *sheet) error { _, err := p.WriteString("x"); return err },
		"WriteJSON":    func(p *sheet) error { return p.WriteJSON(1) },
		"SetStatus":    func(p *sheet) error { return p.SetStatus(201) },
		"SetHeader":    func(p *sheet) error { return p.SetHeader("X-A", "x") },
		"AddHeader":    func(p *sheet) error { return p.AddHeader("X-A", "x") },
		"SetCookie":    func(p *sheet) error { return p.SetCookie(&http.Cookie{Name: "a"}) },
		"ClearCookie":  func(p *sheet) error { return p.ClearCookie("a") },
		"Redirect":     func(p *sheet) error { return p.Redirect("/") },
		"SendError":    func(p *sheet) error { return p.SendError(404) },
		"Flush":        func(p *sheet) error { return p.Flush() },
		"Finish":       func(p *sheet) error { return p.Finish() },
		"WriteError":   func(p *sheet) error { return p.RequestHandler.WriteError(500, errFailing) },
		"WriteError()": func(p *sheet) error { return p.WriteError(500, nil) },
	}
	var over []*sheet
	for _, get := range []func(*sheet) error{
		nil,
		func(p *sheet) error { return p.Redirect("/") },
		func(p *sheet) error { return p.SendError(404) },
		func(p *sheet) error { p.Flush(); return p.Finish() },
		func(p *sheet) error { return errFailing },
	} {
		s := newSite(t, wsframework.Settings{}).page(hooks{get: get, finished: func(p *sheet) { over = append(over, p) }})
		s.ask("GET", "/")
	}
	for name, f := range change {
		if err := f(new(sheet)); !errors.Is(err, wsframework.ErrNotOpen) {
			t.Errorf("%s on a stray page: %v", name, err)
		}
		for i, p := range over {
			if err := f(p); !errors.Is(err, wsframework.ErrFinished) {
				t.Errorf("%s after the end of page %d: %v", name, i, err)
			}
		}
	}
	p := new(sheet)
	if p.Request() != nil || p.Session() != nil || p.Application() != nil || p.CurrentUser() != nil || p.Status() != 0 ||
		p.PathValue("x")+p.Argument("x")+p.Cookie("x")+p.RemoteIP() != "" || p.Context() == nil || p.Logger() == nil || p.Settings().MaxMessageSize != 0 {
		t.Error("a stray page knows something")
	}
	if user, err := p.GetCurrentUser(); user != nil || !errors.Is(err, wsframework.ErrNotOpen) {
		t.Errorf("user of a stray page: %v, %v", user, err)
	}
	p.OnFinish()
}
