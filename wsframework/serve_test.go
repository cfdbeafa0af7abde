package wsframework_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A lineChannel gets log lines as they are written.
type lineChannel chan string

func (l lineChannel) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// A running application was started with Run.
type running struct {
	*server
	cancel context.CancelFunc
	ended  chan error
}

// run starts an application with Run and learns its address from the log.
func run(t *testing.T, settings wsframework.Settings, configure func(*probe)) *running {
	t.Helper()
	lines := make(lineChannel, 100)
	settings.Logger = slog.New(slog.NewTextHandler(lines, nil))
	app := wsframework.NewApplication(settings)
	app.WebSocket("/ws", func() wsframework.Handler {
		p := &probe{events: make(chan string, 100), done: make(chan struct{})}
		configure(p)
		return p
	})
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r := &running{cancel: cancel, ended: make(chan error, 1)}
	go func() { r.ended <- app.Run(ctx, "127.0.0.1:0") }()
	line := receive(t, lines)
	_, url, ok := strings.Cut(strings.TrimSpace(line), "url=http://")
	if !ok || !strings.Contains(line, "level=INFO") {
		t.Fatalf("log %q", line)
	}
	r.server = dialing(t, url)
	r.app = app
	return r
}

func TestRun(t *testing.T) {
	r := run(t, wsframework.Settings{}, func(p *probe) {
		p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
	})
	cl := r.connect()
	cl.Write("hello")
	cl.Expect("hello")
	r.cancel()
	shake(t, cl, 1001, "the server shuts down")
	if err := receive(t, r.ended); err != nil {
		t.Error(err)
	}
	if c, err := r.dial(); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

func TestRunWhereTheAddressIsTaken(t *testing.T) {
	taken, _ := listenTCP(t)
	defer taken.Close()
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	address := taken.Addr().String()
	if err := app.Run(t.Context(), address); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), address) {
		t.Errorf("Run: %v", err)
	}
	if err := app.Run(t.Context(), "nonsense"); err == nil {
		t.Error("Run with a malformed address returns nil")
	}
}

func TestRunThatIsOverAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	if err := app.Run(ctx, "127.0.0.1:0"); err != nil {
		t.Error(err)
	}
}

// Somebody else's Shutdown ends Run, too, and it waits for that.
func TestRunAndShutdown(t *testing.T) {
	r := run(t, wsframework.Settings{}, func(*probe) {})
	cl := r.connect()
	shut := make(chan error, 1)
	go func() { shut <- r.app.Shutdown(context.Background()) }()
	expectClose(t, cl, 1001, "the server shuts down")
	select {
	case err := <-r.ended:
		t.Errorf("Run ended, with %v, before the connection did", err)
	default:
	}
	cl.WriteClose(1001, "")
	if err := receive(t, shut); err != nil {
		t.Error(err)
	}
	if err := receive(t, r.ended); err != nil {
		t.Error(err)
	}
}

func TestShutdownTimeout(t *testing.T) {
	for name, tt := range map[string]struct {
		timeout time.Duration
		want    error
	}{
		"over": {50 * time.Millisecond, context.DeadlineExceeded},
		"off":  {-1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			var latest *probe
			r := run(t, wsframework.Settings{ShutdownTimeout: tt.timeout}, func(p *probe) {
				latest = p
				p.message = func(wsframework.Message) error { <-release; return nil }
			})
			cl := r.connect()
			latest.expect(t, "open")
			cl.Write("hang")
			latest.expect(t, "message hang")
			r.cancel()
			expectClose(t, cl, 1001, "the server shuts down")
			cl.WriteClose(1001, "")
			cl.ExpectEnd() // the socket does not wait for the callback
			if tt.want == nil {
				select {
				case err := <-r.ended:
					t.Errorf("Run ended, with %v, before the callback did", err)
				default:
				}
				close(release)
			}
			if err := receive(t, r.ended); !errors.Is(err, tt.want) {
				t.Errorf("Run: %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				close(release)
			}
			<-latest.done
		})
	}
}

// A listener that fails.
type brokenListener struct{ net.Listener }

func (brokenListener) Accept() (net.Conn, error) { return nil, errFailing }
func (brokenListener) Close() error              { return nil }
func (brokenListener) Addr() net.Addr            { return &net.UnixAddr{} }

func TestServeErrors(t *testing.T) {
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	if err := app.Serve(brokenListener{}); !errors.Is(err, errFailing) {
		t.Errorf("Serve: %v", err)
	}
	if err := app.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := app.Serve(brokenListener{}); err != nil { // not any more
		t.Errorf("Serve after Shutdown: %v", err)
	}
}

// Shutdown may be called by several, also when it is over, and Serve returns after the first.
func TestShutdownTwice(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
		var latest *probe
		opened := make(chan struct{}, 1)
		app.WebSocket("/ws", func() wsframework.Handler {
			latest = &probe{events: make(chan string, 100), done: make(chan struct{})}
			latest.open = func() error { opened <- struct{}{}; return nil }
			return latest
		})
		listener, dial := n.make(t)
		served := make(chan error, 1)
		go func() { served <- app.Serve(listener) }()
		cl := (&server{t: t, app: app, dial: dial}).connect()
		<-opened
		var shutting sync.WaitGroup
		for range 3 {
			shutting.Go(func() {
				if err := app.Shutdown(context.Background()); err != nil {
					t.Errorf("Shutdown: %v", err)
				}
				select {
				case <-latest.done:
				default:
					t.Error("Shutdown returned before OnClose did")
				}
			})
		}
		expectClose(t, cl, 1001, "the server shuts down")
		select {
		case <-served:
			t.Error("Serve returned before the connection was closed")
		default:
		}
		cl.WriteClose(1001, "")
		cl.ExpectEnd()
		shutting.Wait()
		if err := receive(t, served); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := app.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown after all: %v", err)
		}
	})
}

// What Shutdown waits for, and for how long.
func TestShutdownWaits(t *testing.T) {
	tests := []struct {
		name      string
		configure func(*probe)
		answers   bool // the peer answers the close frame
		took      time.Duration
	}{
		{"a peer that answers", func(p *probe) {}, true, 0},
		{"a peer that does not", func(p *probe) {}, false, 5 * time.Second}, // CloseTimeout
		{"a callback", func(p *probe) {
			p.message = func(wsframework.Message) error { <-time.After(3 * time.Second); return nil }
		}, true, 3 * time.Second},
		{"OnClose", func(p *probe) { p.close = func() { <-time.After(4 * time.Second) } }, true, 4 * time.Second},
		{"a function given to Go", func(p *probe) {
			p.open = func() error {
				return p.Go(func(ctx context.Context) error { <-ctx.Done(); <-time.After(7 * time.Second); return nil })
			}
		}, true, 7 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				s, p, cl := one(t, n, wsframework.Settings{}, tt.configure)
				cl.Write("x")
				synctest.Wait()
				start := time.Now()
				go func() {
					expectClose(t, cl, 1001, "the server shuts down")
					if tt.answers {
						cl.WriteClose(1001, "")
					}
					io.Copy(io.Discard, cl.Conn())
				}()
				if err := s.app.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
				// net/http looks at its own connections now and then, at most half a second apart.
				if took := time.Since(start); took < tt.took || took > tt.took+time.Second {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				select {
				case <-p.done:
				default:
					t.Error("OnClose has not returned")
				}
				if p.closeCode != 1001 || p.cause == nil || p.cause.Remote || !errors.Is(p.cause, wsframework.ErrShutdown) {
					t.Errorf("closed with %d, %v", p.closeCode, p.cause)
				}
			})
		})
	}
}

// When its time is over, Shutdown cuts the sockets and does not wait for callbacks that hang.
func TestShutdownThatIsCutShort(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		s, p, cl := one(t, n, wsframework.Settings{CloseTimeout: time.Hour}, func(p *probe) {
			p.message = func(wsframework.Message) error { <-time.After(time.Minute); return nil }
		})
		cl.Write("hang")
		synctest.Wait()
		start := time.Now()
		ctx, cancel := context.WithTimeoutCause(context.Background(), 3*time.Second, errFailing)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- s.app.Shutdown(ctx) }()
		expectClose(t, cl, 1001, "the server shuts down") // and no answer
		cl.ExpectEnd()
		if err := receive(t, ended); !errors.Is(err, errFailing) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		if err := s.app.Shutdown(context.Background()); err != nil { // waits for the callback
			t.Error(err)
		}
		if took := time.Since(start); took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("the second took %v", took)
		}
		<-p.done
		if p.closeCode != 1001 {
			t.Errorf("closed with %d, %v", p.closeCode, p.cause)
		}
	})
}

// A plain request that does not end is cut as well.
func TestShutdownCutsPlainRequests(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		s := n.serve(t, wsframework.Settings{}, func(app *wsframework.Application) {
			app.HandleFunc("/hang", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		})
		c, err := s.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		go io.WriteString(c, "GET /hang HTTP/1.1\r\nHost: example.com\r\n\r\n")
		synctest.Wait()
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if err := s.app.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		synctest.Wait()
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Error("the client gets an answer")
		}
	})
}

// Making an application starts nothing.
func TestNoGoroutineBeforeServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
		app.WebSocket("/ws", func() wsframework.Handler { return new(lean) })
	})
}

// A client that does not finish its request's header is cut.
func TestReadHeaderTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		for _, tt := range []struct{ setting, want time.Duration }{{0, 10 * time.Second}, {time.Minute, time.Minute}} {
			s := n.probes(t, wsframework.Settings{ReadHeaderTimeout: tt.setting}, func(*probe) {})
			c, err := s.dial()
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			io.WriteString(c, "GET /ws HTTP/1.1\r\n")
			io.Copy(io.Discard, c)
			if took := time.Since(start); took != tt.want {
				t.Errorf("cut after %v, want %v", took, tt.want)
			}
			c.Close()
		}
		// An open connection may be silent for as long as it likes.
		s, p, _ := one(t, n, wsframework.Settings{PingInterval: -1}, func(*probe) {})
		<-time.After(time.Hour)
		if !p.IsOpen() {
			t.Errorf("closed: %v", context.Cause(p.Context()))
		}
		s.app.Shutdown(context.Background())
	})
}
