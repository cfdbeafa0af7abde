package wstest_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A watched handler tells how its connection ended.
type watched struct {
	wsframework.BaseHandler
	ended chan int
}

func (h *watched) OnMessage(m wsframework.Message) error { return h.WriteMessage(m) }

func (h *watched) OnClose() { h.ended <- h.CloseCode() }

func newWatched(settings wsframework.Settings) (app *wsframework.Application, ended chan int) {
	ended = make(chan int, 10)
	settings.Logger = slog.New(slog.DiscardHandler)
	app = wsframework.NewApplication(settings)
	app.WebSocket("/ws", func() wsframework.Handler { return &watched{ended: ended} })
	return app, ended
}

// Every fault of a peer ends its connection in the way that the framework promises.
func TestFaults(t *testing.T) {
	for name, test := range map[string]struct {
		options []wstest.Option
		fault   func(c *wstest.Client)
		code    int
		after   time.Duration
	}{
		"vanishes":         {nil, func(c *wstest.Client) { c.Vanish() }, 1006, 0},
		"answers no pings": {[]wstest.Option{wstest.NoPongs()}, func(*wstest.Client) {}, 1006, 45 * time.Second},
		"stops reading": {nil, func(c *wstest.Client) {
			c.StopReading()
			c.Write("this fills the pipe")
		}, 1006, 30 * time.Second},
		"sends garbage": {nil, func(c *wstest.Client) { c.WriteRaw([]byte("GET / HTTP/1.1\r\n\r\n")) }, 1002, 0},
		"sends half a frame": {[]wstest.Option{wstest.NoPongs()}, func(c *wstest.Client) {
			c.WriteRaw(wstest.EncodeFrame(wstest.TextFrame, []byte("half"))[:8])
		}, 1006, 45 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app, ended := newWatched(wsframework.Settings{})
				began := time.Now()
				c := wstest.Dial(t, app, "/ws", test.options...)
				test.fault(c)
				if code := <-ended; code != test.code {
					t.Errorf("it ended with %d, want %d", code, test.code)
				}
				if took := time.Since(began); took < test.after || took > test.after+15*time.Second {
					t.Errorf("it took %v, want %v", took, test.after)
				}
			})
		})
	}
}

// What arrives while a client does not read is there when it does again.
func TestResumeReading(t *testing.T) {
	for name, options := range map[string][]wstest.Option{"memory": nil, "tcp": {wstest.TCP()}, "tls": {wstest.TLS()}} {
		t.Run(name, func(t *testing.T) {
			c := wstest.Dial(t, newApp(wsframework.Settings{}), "/echo", options...)
			c.Write("before")
			c.Expect("before")
			c.StopReading()
			c.StopReading() // which changes nothing
			c.Write("a")
			c.ExpectNothing(20 * time.Millisecond)
			c.ResumeReading()
			c.ResumeReading()
			c.Expect("a")
			c.Close(1000, "")
		})
	}
}

// Frame by frame a test is the peer.
func TestFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, ended := newWatched(wsframework.Settings{})
		c := wstest.Dial(t, app, "/ws", wstest.Frames())
		<-time.After(26 * time.Second) // a ping waits, unanswered
		c.Write("hello")
		c.Expect("hello") // now it is answered
		<-time.After(26 * time.Second)
		if first, payload, err := c.ReadFrame(); first != wstest.PingFrame || len(payload) > 0 || err != nil {
			t.Errorf("frame %x %q, %v", first, payload, err)
		}
		c.Pong("")
		c.WriteClose(1005, "")
		c.ExpectFrame(wstest.CloseFrame, "")
		if _, _, err := c.ReadFrame(); err == nil {
			t.Error("there is a frame after the close")
		}
		if code := <-ended; code != 1005 {
			t.Errorf("code %d", code)
		}
	})
}

// Who writes to Conn is not hurried by what methods wrote before.
func TestConnHasNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := wstest.Dial(t, newApp(wsframework.Settings{}), "/echo")
		c.Write("hello")
		c.Expect("hello")
		<-time.After(time.Minute)
		if _, err := c.Conn().Write(wstest.EncodeFrame(wstest.TextFrame, []byte("again"))); err != nil {
			t.Fatal(err)
		}
		c.Expect("again")
	})
}

// Frames that no server may send are not taken for right ones.
func TestFramesThatAreWrong(t *testing.T) {
	for name, test := range map[string]struct {
		frame string
		of    func(c *wstest.Client)
		want  string
	}{
		"masked":             {string(wstest.EncodeFrame(wstest.TextFrame, []byte("a"))), func(c *wstest.Client) { c.Expect("a") }, "the server masks its frames"},
		"half of a code":     {"\x88\x01\x03", func(c *wstest.Client) { c.ExpectClose(1005) }, "but got close 0"},
		"half of a code, II": {"\x88\x01\x03", func(c *wstest.Client) { c.Close(1005, "") }, "but got close 0"},
	} {
		t.Run(name, func(t *testing.T) {
			server := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
					"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"+test.frame)
				io.Copy(io.Discard, conn)
			})
			got := failing(t, func(t testing.TB) { test.of(wstest.Dial(t, server, "/", wstest.NoWait())) })
			if !strings.Contains(got, test.want) {
				t.Errorf("the failure lacks %q: %s", test.want, got)
			}
		})
	}
}

// A handler that does not close when the application shuts down fails its test, and is shown.
func TestHandlerThatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		got := failing(t, func(t testing.TB) {
			app := wsframework.NewApplication(wsframework.Settings{Logger: wstest.NewLog(t).Logger(nil)})
			app.WebSocket("/ws", func() wsframework.Handler { return &stubborn{leave: leave} })
			wstest.Dial(t, app, "/ws").Write("stay")
			synctest.Wait()
		})
		for _, want := range []string{"handlers did not close", "(*stubborn).OnMessage"} {
			if !strings.Contains(got, want) {
				t.Errorf("the failure lacks %q:\n%s", want, got)
			}
		}
		close(leave)
	})
}

type stubborn struct {
	wsframework.BaseHandler
	leave chan struct{}
}

func (h *stubborn) OnMessage(wsframework.Message) error { <-h.leave; return nil }

func TestCheckGoroutines(t *testing.T) {
	leave := make(chan struct{})
	got := failing(t, func(t testing.TB) {
		wstest.CheckGoroutines(t)
		c := wstest.Dial(t, newApp(wsframework.Settings{}), "/echo")
		c.Close(1000, "")
		go waitFor(leave)
	})
	if !strings.Contains(got, "wstest_test.waitFor") || strings.Contains(got, "wsframework.") {
		t.Errorf("the failure is %s", got)
	}
	close(leave)
	if f := runFake(t, func(t testing.TB) {
		wstest.CheckGoroutines(t)
		wstest.Dial(t, newApp(wsframework.Settings{}), "/echo")
	}); f.Failed() {
		t.Errorf("without a leak it fails: %s", f.failures)
	}
}

func waitFor(leave chan struct{}) { <-leave }

func TestStoreThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sessions, store, log := wstest.NewSessions(), wstest.NewStore(), wstest.NewLog(t)
		sessions.Store = store
		app := newApp(wsframework.Settings{Sessions: sessions, Logger: log.Logger(nil)})
		b := wstest.NewBrowser(t, app, wstest.Session("user", "ann"))
		c := b.Dial("/private", wstest.Within(time.Hour))
		c.Write("who")
		c.Expect("ann")

		store.Fail(errors.New("the store is on fire"))
		b.DialRefused("/private", 500)
		log.ExpectContains("the store is on fire")
		store.Fail(nil)
		b.Dial("/private").Close(1000, "")

		before := store.Lookups()
		store.Fail(errors.New("away"))
		c.ExpectNothing(2 * time.Minute) // the grace of 10 minutes is not over
		if store.Lookups() == before {
			t.Error("nobody asked the store")
		}
		c.Write("who")
		c.Expect("ann")
		if reason := c.ExpectClose(1013); reason == "" {
			t.Error("no reason")
		}
		store.Fail(nil)
		if all, err := store.All(); err != nil || len(all) != 1 {
			t.Errorf("%d sessions, %v", len(all), err)
		}
		<-time.After(24 * time.Hour)
		if all, _ := store.All(); len(all) != 0 {
			t.Errorf("%d sessions after their lifetime", len(all))
		}
	})
}
