package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func TestCloseSession(t *testing.T) {
	for _, hashed := range []bool{false, true} {
		t.Run(fmt.Sprint("hashed ", hashed), func(t *testing.T) {
			sessions := wstest.NewSessions()
			sessions.HashTokenInStore = hashed
			probes := make(chan *probe, 10)
			s := sessionServer(t, sessions, wsframework.Settings{}, func(p *probe) {
				p.open = func() error { probes <- p; return nil }
			})
			ann, annToken := s.login("ann")
			bob, bobToken := s.login("bob")
			connect := func(options ...wstest.Option) (*wstest.Client, *probe) {
				cl := s.connect(options...)
				return cl, receive(t, probes)
			}
			ann1, ann1probe := connect(ann)
			ann2, ann2probe := connect(ann)
			bob1, bob1probe := connect(bob)
			_, guestProbe := connect()

			// Nobody's, nothing's, and one too late.
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.app.CloseSession(t.Context(), "another", 4401, ""); err != nil {
				t.Error(err)
			}
			if err := s.app.CloseSession(t.Context(), "", 4401, ""); err == nil {
				t.Error("an empty token is accepted")
			}
			if err := s.app.CloseSession(cancelled, annToken, 4401, ""); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			for _, p := range []*probe{ann1probe, ann2probe, bob1probe, guestProbe} {
				if !p.IsOpen() {
					t.Fatal("a connection is closed for nothing")
				}
			}

			if err := s.app.CloseSession(t.Context(), annToken, wsframework.CloseSessionEnded, "logged out"); err != nil {
				t.Error(err)
			}
			shake(t, ann1, 4401, "logged out")
			shake(t, ann2, 4401, "logged out")
			<-ann1probe.done
			<-ann2probe.done
			if ann1probe.closeCode != 4401 || ann1probe.closeText != "logged out" || ann1probe.cause.Remote {
				t.Errorf("closed with %v", ann1probe.cause)
			}
			if !bob1probe.IsOpen() || !guestProbe.IsOpen() {
				t.Error("others are closed, too")
			}
			if err := s.app.CloseSession(t.Context(), annToken, 4401, "again"); err != nil {
				t.Errorf("again: %v", err)
			}

			// A code that may not be sent.
			if err := s.app.CloseSession(t.Context(), bobToken, 1006, "x"); err == nil || errors.Is(err, wsframework.ErrClosed) {
				t.Errorf("code 1006: %v", err)
			}
			shake(t, bob1, 1011, "")
		})
	}
}

// A token is as good as a password, so no log line has one, whatever happens.
func TestNoTokenInTheLog(t *testing.T) {
	sessions := wstest.NewSessions()
	s := sessionServer(t, sessions, wsframework.Settings{}, func(p *probe) {
		p.prepare = func() error {
			if p.Argument("fail") == "Prepare" {
				return errFailing
			}
			return p.Session().Put("n", 1)
		}
		p.open = func() error {
			p.Logger().Info("opened")
			switch p.Argument("fail") {
			case "Open":
				return errFailing
			case "panic":
				panic("kaboom")
			}
			return nil
		}
	})
	cookie, token := s.login("ann")
	for _, fail := range []string{"", "Prepare", "Open", "panic"} {
		if fail == "Prepare" {
			s.refused("/ws?fail="+fail, 500, cookie)
			continue
		}
		cl := s.open("/ws?fail="+fail, cookie)
		cl.WriteClose(1000, "")
		for { // to the end
			if _, _, err := cl.ReadFrame(); err != nil {
				break
			}
		}
	}
	s.app.CloseSession(t.Context(), token, 4401, "logged out")
	s.app.Shutdown(t.Context())
	log := s.log.String()
	if strings.Count(log, "\n") != 6 || !strings.Contains(log, "user=ann") {
		t.Errorf("log:\n%s", log)
	}
	if strings.Contains(log, token) || strings.Contains(log, "session=") {
		t.Errorf("the token is in the log:\n%s", log)
	}
}

// A session that ends while its handshake is under way opens no socket.
func TestCloseSessionDuringTheHandshake(t *testing.T) {
	sessions := wstest.NewSessions()
	ctx, err := sessions.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	sessions.Put(ctx, "user", "ann")
	token, _, err := sessions.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{"Prepare", "GetCurrentUser"} {
		var s *server
		s = networks[1].probes(t, wsframework.Settings{Sessions: sessions}, func(p *probe) {
			end := func() error {
				p.Session().Put("n", 1) // saving this would bring the session back
				return s.app.CloseSession(t.Context(), token, wsframework.CloseSessionEnded, "out")
			}
			if in == "Prepare" {
				p.prepare = end
			} else {
				p.user = func() (any, error) { return "ann", end() }
			}
			p.open = func() error { t.Error("it is open"); return nil }
		})
		s.refused("/ws", 401, wstest.Cookie("session", token))
	}
}
