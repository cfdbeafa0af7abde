package wsframework_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// Sockets, pages, timers and goroutines touch one map and one slice without a lock: the race detector is the
// judge of Settings.Serial, and nothing gets lost.
func TestSerialPagesAndSocketsShareAMap(t *testing.T) {
	const sockets, messages, visitors, visits, goroutines = 200, 5, 20, 20, 20
	counts, list := make(map[string]int), []string(nil)
	count := func(name string) { counts[name]++; list = append(list, name) }
	sessions := wstest.NewSessions()
	settings := wsframework.Settings{Serial: true, PingInterval: -1, Sessions: sessions, SlowCallback: -1}
	settings.CurrentUser = func(*http.Request) (any, error) { count("user"); return "ann", nil }
	s := overTCP.serve(t, settings, func(app *wsframework.Application) {
		app.WebSocket("/ws", func() wsframework.Handler {
			count("factory")
			p := &probe{events: make(chan string, 100), done: make(chan struct{})}
			p.prepare = func() error { count("prepare"); return nil }
			p.open = func() error { count("open"); return nil }
			p.message = func(m wsframework.Message) error { count("message"); return p.WriteMessage(m) }
			p.close = func() { count("close") }
			return p
		})
		page := func() wsframework.Page {
			count("page factory")
			return &sheet{hooks: hooks{
				prepare:  func(p *sheet) error { count("page prepare"); return nil },
				finished: func(*sheet) { count("finish") },
				get: func(p *sheet) error {
					count("get")
					return errors.Join(p.WriteJSON(len(list)), p.Flush(), p.WriteJSON(counts["get"]))
				},
				post: func(p *sheet) error {
					count("post " + p.Argument("a"))
					if p.Argument("a") == "fail" {
						panic("in Post")
					}
					return p.Redirect("/page")
				},
				writeError: func(p *sheet, status int, err error) error { count("error"); return p.WriteJSON(status) },
			}}
		}
		app.Page("/page", page, wsframework.Authenticated())
		// A plain handler runs beside the line, but who is allowed to call it is asked in it.
		app.Under("/in", wsframework.Authenticated()).HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) {
			app.AddCallback(func() { count("plain") })
		})
	})
	stop := s.app.Every(time.Millisecond, func() { count("every") })
	var group sync.WaitGroup
	for range sockets {
		group.Go(func() {
			cl := s.connect()
			for range messages {
				if _, err := cl.Conn().Write(wstest.EncodeFrame(wstest.TextFrame, []byte("x"))); err != nil {
					t.Error(err)
				}
				if _, got, err := cl.ReadFrame(); string(got) != "x" {
					t.Errorf("%q, %v", got, err)
				}
			}
			cl.WriteClose(1000, "")
			for err := error(nil); err == nil; {
				_, _, err = cl.ReadFrame()
			}
		})
	}
	for range visitors {
		group.Go(func() {
			c, err := s.dial()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			br := bufio.NewReader(c)
			visit := func(request, body string, status int) {
				fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: example.com\r\nContent-Length: %d\r\n%s\r\n\r\n%s", request, len(body), formType, body)
				response, err := http.ReadResponse(br, nil)
				if err != nil || response.StatusCode != status {
					t.Errorf("%s: %v, %v", request, response, err)
					return
				}
				io.Copy(io.Discard, response.Body)
			}
			for range visits {
				visit("GET /page", "", 200)
				visit("POST /page", "a=b", 303)
				visit("POST /page", "a=fail", 500)
				visit("GET /in/plain", "", 200)
			}
		})
	}
	for range goroutines {
		group.Go(func() {
			for range visits {
				if err := s.app.AddCallback(func() { count("added") }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for ticks := 0; ticks == 0; {
		done := make(chan bool)
		if err := s.app.AddCallback(func() { ticks = counts["every"]; close(done) }); err != nil {
			t.Fatal(err)
		}
		<-done
	}
	stop()
	if err := s.app.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	const pages = visitors * visits
	want := map[string]int{
		"factory": sockets + 1, "prepare": sockets, "open": sockets, "message": sockets * messages, "close": sockets,
		"page factory": 3*pages + 1, "page prepare": 3 * pages, "finish": 3 * pages, "get": pages,
		"post b": pages, "post fail": pages, "error": pages, "plain": pages, "user": sockets + 4*pages,
		"added": goroutines * visits, "every": counts["every"],
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	if !maps.Equal(counts, want) || len(list) != total {
		t.Errorf("counted %v\nwant    %v\n%d in the list of %d", counts, want, len(list), total)
	}
}

// A slowVisitor is in no hurry.
func slowVisitor(t *testing.T, s *server) (net.Conn, *bufio.Reader) {
	c, err := s.dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, bufio.NewReader(c)
}

// Who sends a body slowly, or reads an answer slowly, lets all others have the turn: on pipes, where a byte
// that nobody reads holds up who writes it.
func TestSerialSlowVisitors(t *testing.T) {
	large := strings.Repeat("0123456789", 1<<16)
	for name, tt := range map[string]struct {
		page    hooks
		request []string // what is sent before and after all others had their turn
		body    string   // of the answer
	}{
		"a form": {
			hooks{post: func(p *sheet) error { return p.WriteJSON(p.Argument("a")) }},
			[]string{"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n" + formType + "\r\n\r\na=", "12"}, `"12"`,
		},
		"another body": {
			hooks{post: func(p *sheet) error {
				body, err := io.ReadAll(p.Request().Body)
				return errors.Join(err, p.WriteJSON(string(body)))
			}},
			[]string{"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n12", "34"}, `"1234"`,
		},
		"JSON in chunks": {
			hooks{post: func(p *sheet) error {
				var v []int
				return errors.Join(p.ReadJSON(&v), p.WriteJSON(len(v)))
			}},
			[]string{"POST /slow HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n", "3\r\n,2]\r\n0\r\n\r\n"}, `2`,
		},
		"an answer": {
			hooks{get: func(p *sheet) error { _, err := p.WriteString(large); return err }},
			[]string{"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", ""}, large,
		},
		"Flush": {
			hooks{get: func(p *sheet) error {
				_, first := p.WriteString(large)
				err := p.Flush()
				_, second := p.WriteString("end")
				return errors.Join(first, err, second)
			}},
			[]string{"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", ""}, large + "end",
		},
		"Finish": {
			hooks{get: func(p *sheet) error { _, err := p.WriteString(large); return errors.Join(err, p.Finish()) }},
			[]string{"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", ""}, large,
		},
		"an error": {
			hooks{
				get:        func(p *sheet) error { return errFailing },
				writeError: func(p *sheet, _ int, _ error) error { _, err := p.WriteString(large); return err },
			},
			[]string{"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", ""}, large,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				s := n.serve(t, wsframework.Settings{Serial: true, PingInterval: -1}, func(app *wsframework.Application) {
					app.Page("/slow", sheets(tt.page))
					app.Page("/quick", sheets(hooks{}))
					app.WebSocket("/ws", func() wsframework.Handler {
						p := &probe{events: make(chan string, 100), done: make(chan struct{})}
						p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
						return p
					})
				})
				c, br := slowVisitor(t, s)
				io.WriteString(c, tt.request[0])
				synctest.Wait() // it has come as far as it gets

				cl := s.connect()
				cl.Write("x")
				cl.Expect("x")
				if _, body := s.ask([]string{"GET /quick HTTP/1.1", "Host: x"}, ""); body != "got" {
					t.Errorf("%q", body)
				}
				called := make(chan bool)
				if err := s.app.AddCallback(func() { close(called) }); err != nil {
					t.Error(err)
				}
				<-called

				io.WriteString(c, tt.request[1])
				response, err := http.ReadResponse(br, nil)
				if err != nil {
					t.Fatal(err)
				}
				if body, err := io.ReadAll(response.Body); string(body) != tt.body || err != nil {
					t.Errorf("%s: %d bytes %.20q, %v", response.Status, len(body), body, err)
				}
				cl.WriteClose(1000, "")
				expectClose(t, cl, 1000, "")
				if strings.Contains(s.log.String(), "took long") {
					t.Error(s.log)
				}
			})
		})
	}
}

// However a page ends, it gives up the turn.
func TestSerialPagesThatFail(t *testing.T) {
	abort := func(*sheet) error { panic(http.ErrAbortHandler) }
	fail := func(*sheet) error { panic("in a page") }
	for name, tt := range map[string]struct {
		page   hooks
		status int // 0: the client is cut off
	}{
		"Get":            {hooks{get: fail}, 500},
		"Prepare":        {hooks{prepare: fail}, 500},
		"GetCurrentUser": {hooks{user: func(p *sheet) (any, error) { return nil, fail(p) }, get: func(p *sheet) error { p.CurrentUser(); return nil }}, 500},
		"WriteError":     {hooks{get: fail, writeError: func(p *sheet, status int, err error) error { return fail(p) }}, 500},
		"OnFinish":       {hooks{finished: func(p *sheet) { fail(p) }}, 200},
		"abort":          {hooks{get: abort}, 0},
		"after Flush":    {hooks{get: func(p *sheet) error { p.WriteString("x"); p.Flush(); return fail(p) }}, 0},
	} {
		s := overTCP.serve(t, wsframework.Settings{Serial: true}, func(app *wsframework.Application) {
			app.Page("/page", sheets(tt.page))
		})
		c, br := slowVisitor(t, s)
		io.WriteString(c, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
		status := 0
		if response, err := http.ReadResponse(br, nil); err == nil {
			if _, err := io.ReadAll(response.Body); err == nil {
				status = response.StatusCode
			}
		}
		if status != tt.status {
			t.Errorf("%s: status %d, want %d", name, status, tt.status)
		}
		called := make(chan bool)
		if err := s.app.AddCallback(func() { close(called) }); err != nil {
			t.Error(err)
		}
		receive(t, called)
	}
}

// A page that takes long is named; waiting for its visitor is not its fault.
func TestSlowPages(t *testing.T) {
	for name, tt := range map[string]struct {
		page hooks
		want string
	}{
		"Get":      {hooks{get: func(*sheet) error { <-time.After(ms(101)); return nil }}, "callback=Get duration=101ms"},
		"Prepare":  {hooks{prepare: func(*sheet) error { <-time.After(ms(102)); return nil }}, "callback=Prepare duration=102ms"},
		"OnFinish": {hooks{finished: func(*sheet) { <-time.After(ms(103)) }}, "callback=OnFinish duration=103ms"},
		"quick":    {hooks{get: func(*sheet) error { <-time.After(ms(100)); return nil }}, ""},
		"Flush":    {hooks{get: func(p *sheet) error { p.WriteString("x"); return p.Flush() }}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				s := n.serve(t, wsframework.Settings{Serial: true, WriteTimeout: -1}, func(app *wsframework.Application) {
					app.Page("/page", sheets(tt.page), wsframework.Name("home"))
				})
				c, br := slowVisitor(t, s)
				io.WriteString(c, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
				<-time.After(time.Hour)
				if _, err := http.ReadResponse(br, nil); err != nil {
					t.Error(err)
				}
				c.Close()
				if err := s.app.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
				log := s.log.String()
				if strings.Count(log, "took long") != min(1, len(tt.want)) || !strings.Contains(log, tt.want) ||
					tt.want != "" && !(strings.Contains(log, "level=WARN") && strings.Contains(log, "route=home")) {
					t.Errorf("log %q, want %q", log, tt.want)
				}
			})
		})
	}
}
