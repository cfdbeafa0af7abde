package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// What a callback's error does, beside the plain cases of TestLife3OnCloseRunsOnce.
func TestCallbackErrors(t *testing.T) {
	tests := []struct {
		name   string
		act    func(p *probe) error
		code   int // of the close frame, 0 if there is none
		reason string
		cause  error
		logged string
	}{
		{"a close error with a code that may not be sent", func(p *probe) error {
			return &wsframework.CloseError{Code: 1006, Reason: "x"}
		}, 1011, "", nil, "close code 1006"},
		{"a close error without a code", func(p *probe) error { return &wsframework.CloseError{} },
			1005, "", nil, ""},
		{"a close error that says why", func(p *probe) error {
			return &wsframework.CloseError{Code: 4000, Reason: "why", Err: errFailing}
		}, 4000, "why", errFailing, ""},
		{"a close error after Close", func(p *probe) error {
			p.Close(4001, "first")
			return &wsframework.CloseError{Code: 4002, Reason: "second"}
		}, 4001, "first", nil, ""},
		{"a failure after Close", func(p *probe) error { p.Close(4001, "first"); return errFailing },
			4001, "first", nil, "failing"},
		{"the context's cause", func(p *probe) error { p.Close(4001, "first"); return context.Cause(p.Context()) },
			4001, "first", nil, ""},
		{"the context's error", func(p *probe) error { p.Close(4001, "first"); return p.Context().Err() },
			4001, "first", nil, ""},
		{"another context's error", func(p *probe) error {
			return fmt.Errorf("asking the database: %w", context.Canceled)
		}, 1011, "", context.Canceled, "asking the database"},
		{"a panic with a close error", func(p *probe) error { panic(&wsframework.CloseError{Code: 4000}) },
			1011, "", nil, "stack="},
		{"a panic with a harmless error", func(p *probe) error { panic(wsframework.ErrClosed) },
			1011, "", nil, "stack="},
		{"an abort", func(p *probe) error { panic(http.ErrAbortHandler) },
			0, "", http.ErrAbortHandler, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				s, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
					p.message = func(wsframework.Message) error { return tt.act(p) }
				})
				cl.Write("go")
				if tt.code == 0 {
					cl.ExpectEnd()
				} else {
					shake(t, cl, tt.code, tt.reason)
				}
				<-p.done
				want := tt.code
				if want == 0 {
					want = 1006
				}
				if p.closeCode != want || p.closeText != tt.reason || p.cause == nil || tt.cause != nil && !errors.Is(p.cause, tt.cause) {
					t.Errorf("closed with %d %q, %v", p.closeCode, p.closeText, p.cause)
				}
				s.app.Shutdown(t.Context())
				log := s.log.String()
				if tt.logged == "" && log != "" || !strings.Contains(log, tt.logged) || strings.Count(log, "\n") > 1 {
					t.Errorf("log %q, want %q", log, tt.logged)
				}
			})
		})
	}
}

// badError panics when it is asked anything.
type badError struct{}

func (badError) Error() string { panic("no text") }

// badUser is a user who panics when asked for a name.
type badUser struct{ name string }

func (u *badUser) String() string { return u.name }

// What a handler returns is not trusted: nothing of it may end the process.
func TestErrorsAndUsersThatPanic(t *testing.T) {
	var noClose *wsframework.CloseError
	var noHTTP *wsframework.HTTPError
	for name, err := range map[string]error{
		"nil *CloseError": noClose, "nil *HTTPError": noHTTP, "bad error": badError{}, "plain": errFailing,
	} {
		for _, in := range []string{"OnMessage", "Go", "Prepare"} {
			for _, user := range []any{"ann", (*badUser)(nil)} {
				t.Run(fmt.Sprintf("%s in %s, user %T", name, in, user), func(t *testing.T) {
					inBubble(t, func(t *testing.T, n network) {
						failed := false
						s := n.probes(t, wsframework.Settings{}, func(p *probe) {
							p.user = func() (any, error) { return user, nil }
							p.prepare = func() error {
								p.CurrentUser()
								if in == "Prepare" && !failed {
									failed = true
									return err
								}
								return nil
							}
							p.message = func(wsframework.Message) error {
								if in == "Go" {
									return p.Go(func(context.Context) error { return err })
								}
								return err
							}
						})
						if in == "Prepare" {
							if response, body := s.ask(goodRequest, ""); response.StatusCode != 500 || body != "Internal Server Error\n" {
								t.Errorf("%s %q", response.Status, body)
							}
							s.expectAlive()
							return
						}
						cl := s.connect()
						cl.Write("go")
						shake(t, cl, 1011, "")
						s.expectAlive()
					})
				})
			}
		}
	}
}

// A callback that ends its goroutine (t.FailNow does) must not take the connection's life with it:
// what waits behind it comes to its turn.
func TestGoexitWithCallbacksWaiting(t *testing.T) {
	for _, in := range []string{"Open", "OnMessage", "OnPong", "a timer"} {
		t.Run(in, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				late := func() {
					<-time.After(time.Second) // somebody else reads by then
					runtime.Goexit()
				}
				closing := false
				s, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
					switch in {
					case "Open":
						p.open = func() error { late(); return nil }
					case "OnMessage":
						p.message = func(m wsframework.Message) error {
							if m.String() == "go" {
								late()
							}
							return nil
						}
					case "OnPong":
						p.pong = func([]byte) { late() }
					case "a timer":
						p.open = func() error { p.After(time.Second, func() error { late(); return nil }); return nil }
					}
					p.close = func() { closing = true }
				})
				if in == "OnPong" {
					cl.Pong("")
				}
				cl.Write("go")
				cl.Write("waits")
				expectClose(t, cl, 1011, "")
				synctest.Wait()
				cl.Write("is discarded")
				cl.WriteClose(1000, "")
				cl.ExpectEnd()
				<-p.done
				if !closing || p.closeCode != 1011 {
					t.Errorf("closed with %d", p.closeCode)
				}
				s.log.ExpectLine("ERROR", "Goexit", "callback=")
			})
		})
	}
}
