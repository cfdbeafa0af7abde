package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

type customer struct {
	key  int
	name string
}

type nickname string

type accountNumber int

func (accountNumber) String() string { return "not to be shown" }

func TestUserID(t *testing.T) {
	byKey := func(user any) string {
		if a := user.(*customer); a.key > 0 {
			return fmt.Sprint("account ", a.key)
		}
		return ""
	}
	for name, tt := range map[string]struct {
		userID func(any) string
		user   any
		id     string // "" if he has none
	}{
		"a string": {nil, "ann", "ann"}, "a kind of string": {nil, nickname("ben"), "ben"},
		"an int": {nil, -12, "-12"}, "a uint": {nil, uint8(200), "200"}, "a kind of int": {nil, accountNumber(3), "3"},
		"a struct": {nil, &customer{1, "ann"}, ""}, "nobody": {nil, nil, ""}, "an empty string": {nil, "", ""},
		"by the setting": {byKey, &customer{1, "ann"}, "account 1"}, "none by the setting": {byKey, &customer{0, "ann"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				s, connect := sockets(t, n, wsframework.Settings{UserID: tt.userID, CurrentUser: func(*http.Request) (any, error) { return tt.user, nil }})
				cl, p := connect()
				id := tt.id
				if id == "" {
					id = "ann"
				}
				if err := s.app.SendUser(t.Context(), id, "hello"); err != nil {
					t.Error(err)
				}
				if err := s.app.CloseUser(t.Context(), id, 4000, "bye"); err != nil {
					t.Error(err)
				}
				if tt.id == "" {
					if !p.IsOpen() {
						t.Error("it is closed")
					}
					return
				}
				cl.Expect("hello")
				shake(t, cl, 4000, "bye")
				<-p.done
				if p.cause.Remote || p.cause.Err != nil {
					t.Errorf("cause %v", p.cause)
				}
			})
		})
	}
	s, _ := sockets(t, overTCP, wsframework.Settings{UserID: func(any) string { panic("kaboom") },
		CurrentUser: func(*http.Request) (any, error) { return "ann", nil }})
	s.refused("/ws", 500)
	s.log.ExpectLine("ERROR", "Settings.UserID panicked: kaboom")
}

func TestCloseAndSendUser(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s, connect := sockets(t, n, wsframework.Settings{CurrentUser: func(r *http.Request) (any, error) { return r.Header.Get("X-User"), nil }})
		ann, annProbe := connect(wstest.Header("X-User", "ann"))
		ann2, ann2Probe := connect(wstest.Header("X-User", "ann"))
		ben, benProbe := connect(wstest.Header("X-User", "ben"))
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for name, err := range map[string]error{
			"CloseUser without one": s.app.CloseUser(t.Context(), "", 4000, ""), "SendUser without one": s.app.SendUser(t.Context(), "", "x"),
			"nil": s.app.SendUser(t.Context(), "ann", nil), "CloseUser cancelled": s.app.CloseUser(cancelled, "ann", 4000, ""),
			"SendUser cancelled": s.app.SendUser(cancelled, "ann", "x"),
		} {
			if err == nil || strings.Contains(name, "cancelled") != errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := errors.Join(s.app.SendUser(t.Context(), "nobody", "x"), s.app.CloseUser(t.Context(), "nobody", 4000, "")); err != nil {
			t.Error(err)
		}
		for _, message := range []any{"text", []byte("bytes"), map[string]int{"n": 1}} {
			if err := s.app.SendUser(t.Context(), "ann", message); err != nil {
				t.Error(err)
			}
		}
		for _, cl := range []*wstest.Client{ann, ann2} {
			cl.Expect("text")
			cl.ExpectFrame(wstest.BinaryFrame, "bytes")
			cl.Expect(`{"n":1}`)
		}
		if len(annProbe.Groups()) > 0 {
			t.Errorf("groups %q", annProbe.Groups())
		}
		// One device leaves; the other is still reached.
		ann2.WriteClose(1000, "")
		expectClose(t, ann2, 1000, "")
		<-ann2Probe.done
		s.app.SendUser(t.Context(), "ann", "again")
		ann.Expect("again")
		if err := s.app.CloseUser(t.Context(), "ann", 1006, ""); err == nil || errors.Is(err, wsframework.ErrClosed) {
			t.Errorf("code 1006: %v", err)
		}
		shake(t, ann, 1011, "")
		if !benProbe.IsOpen() {
			t.Error("another user is closed")
		}
		s.app.SendUser(t.Context(), "ben", "hi")
		ben.Expect("hi")
	})
}

// Who has another user from an Update on is reached as that one.
func TestUserChanges(t *testing.T) {
	sessions := wstest.NewSessions()
	token := begin(t, sessions, "user", "ann")
	s, connect := sockets(t, overTCP, wsframework.Settings{Sessions: sessions})
	cl, p := connect(cookieOf(sessions, token))
	if err := p.Session().Update(t.Context(), func(tx *wsframework.SessionTx) error { tx.Put("user", "ben"); return nil }); err != nil {
		t.Fatal(err)
	}
	s.app.SendUser(t.Context(), "ann", "for ann")
	s.app.SendUser(t.Context(), "ben", "for ben")
	cl.Expect("for ben")
}

// A user who is closed while his handshake is under way opens no socket.
func TestCloseUserDuringTheHandshake(t *testing.T) {
	s := overTCP.probes(t, wsframework.Settings{CurrentUser: func(*http.Request) (any, error) { return "ann", nil },
		UserID: func(user any) string { return user.(string) }}, func(p *probe) { p.open = func() error { return p.WriteText("open") } })
	endpoint := s.app.Upgrade(func() wsframework.Handler {
		return &probe{events: make(chan string, 10), done: make(chan struct{})}
	})
	s.app.HandleFunc("/closing", func(w http.ResponseWriter, r *http.Request) {
		endpoint.ServeHTTP(closingWriter{w, func() { s.app.CloseUser(r.Context(), "ann", 4000, "bye"); s.app.SendUser(r.Context(), "ann", "x") }}, r)
	})
	shake(t, s.open("/closing"), 4000, "bye")
}

// A closingWriter calls a function before the answer is written.
type closingWriter struct {
	http.ResponseWriter
	before func()
}

func (w closingWriter) WriteHeader(status int) {
	w.before()
	w.ResponseWriter.WriteHeader(status)
}

func (w closingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// All devices see one order.
func TestSendUserKeepsOneOrder(t *testing.T) {
	s, connect := sockets(t, overTCP, wsframework.Settings{CurrentUser: func(*http.Request) (any, error) { return "ann", nil }})
	a, _ := connect()
	b, _ := connect()
	const count = 200
	for i := range 2 {
		go func() {
			for j := range count {
				s.app.SendUser(context.Background(), "ann", fmt.Sprint(i, ":", j))
			}
		}()
	}
	got := [2][]string{}
	for i, cl := range []*wstest.Client{a, b} {
		for range 2 * count {
			_, payload, err := cl.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			got[i] = append(got[i], string(payload))
		}
	}
	if !slices.Equal(got[0], got[1]) {
		t.Error("two devices see two orders")
	}
}
