package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func increment(tx *wsframework.SessionTx) error {
	n, _ := wsframework.SessionValue[int](tx, "n")
	tx.Put("n", n+1)
	return nil
}

// With plain calls of scs a session comes back that has been destroyed meanwhile; with Update it does not.
func TestUpdateBringsNothingBack(t *testing.T) {
	for _, idle := range []bool{false, true} {
		inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
			if idle {
				sessions.IdleTimeout = checkInterval * 10
			}
			destroy := func(token string) {
				change(t, sessions, token, func(ctx context.Context) {
					if err := sessions.Destroy(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			token := begin(t, sessions, "user", "ann")
			change(t, sessions, token, func(ctx context.Context) {
				destroy(token)
				sessions.Put(ctx, "n", 1)
			})
			if stored(t, sessions, token, "user") != "ann" {
				t.Fatal("scs does not bring it back any more")
			}

			memory := sessions.Store
			for name, end := range map[string]func(token string){
				"in this process": destroy, "in another": func(token string) { memory.Delete(token) },
			} {
				token := begin(t, sessions, "user", "ann")
				_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions})
				cl, p := connect(cookieOf(sessions, token))
				calls := 0
				update := func(tx *wsframework.SessionTx) error {
					calls++
					end(token)
					return increment(tx)
				}
				if err := p.Session().Update(t.Context(), update); !errors.Is(err, wsframework.ErrSessionEnded) || calls != 1 {
					t.Errorf("%s: %v, %d calls", name, err, calls)
				}
				shake(t, cl, 4401, "the session has ended")
				<-p.done
				if stored(t, sessions, token, "user") != nil || stored(t, sessions, token, "n") != nil {
					t.Errorf("%s: it is back", name)
				}
				for what, err := range map[string]error{"Update": p.Session().Update(t.Context(), update), "Reload": p.Session().Reload(t.Context())} {
					if !errors.Is(err, wsframework.ErrSessionEnded) || calls != 1 {
						t.Errorf("%s, %s later: %v", name, what, err)
					}
				}
			}
		})
	}
}

// With plain calls of scs one of two concurrent changes is lost; with Update none is.
func TestUpdatesLoseNothing(t *testing.T) {
	inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
		token := begin(t, sessions, "user", "ann")
		plain := func(ctx context.Context) { sessions.Put(ctx, "n", sessions.GetInt(ctx, "n")+1) }
		change(t, sessions, token, func(ctx context.Context) {
			change(t, sessions, token, plain)
			plain(ctx)
		})
		if stored(t, sessions, token, "n") != 1 {
			t.Fatal("scs does not lose updates any more")
		}

		_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions})
		const count, each = 10, 20
		var all []*probe
		var wg sync.WaitGroup
		for range count {
			_, p := connect(cookieOf(sessions, token))
			all = append(all, p)
			wg.Go(func() {
				for range each {
					if err := p.Session().Update(t.Context(), increment); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := stored(t, sessions, token, "n"); got != 1+count*each {
			t.Errorf("%v of %d updates", got, 1+count*each)
		}
		// A page that saves in between is not overwritten: the function runs again.
		calls := 0
		err := all[0].Session().Update(t.Context(), func(tx *wsframework.SessionTx) error {
			if calls++; calls == 1 {
				change(t, sessions, token, func(ctx context.Context) { plain(ctx); sessions.Put(ctx, "cart", "tea") })
			}
			return increment(tx)
		})
		if err != nil || calls != 2 || stored(t, sessions, token, "n") != 3+count*each || stored(t, sessions, token, "cart") != "tea" {
			t.Errorf("beside a page: %v, %d calls, n %v", err, calls, stored(t, sessions, token, "n"))
		}
		// All sockets get to know, and so do their contexts.
		synctest.Wait()
		for _, p := range all {
			if got := sessions.GetInt(p.Context(), "n"); got != 3+count*each || p.Session().GetString("cart") != "tea" {
				t.Errorf("a socket has %v", got)
			}
		}
	})
}

// A handshake saves what Prepare has changed, and leaves what others have saved meanwhile.
func TestHandshakeLosesNoUpdate(t *testing.T) {
	for _, idle := range []bool{false, true} {
		sessions := wstest.NewSessions()
		if idle {
			sessions.IdleTimeout = checkInterval
		}
		token := begin(t, sessions, "user", "ann", "n", 1, "old", 1, "gone", 1)
		s := overTCP.probes(t, wsframework.Settings{Sessions: sessions}, func(p *probe) {
			p.prepare = func() error {
				change(t, sessions, token, func(ctx context.Context) { sessions.Put(ctx, "n", 2); sessions.Remove(ctx, "old") })
				return errors.Join(p.Session().Put("mine", 1), p.Session().Remove("gone"))
			}
			p.open = func() error { return p.WriteText(fmt.Sprint(p.Session().Keys(), p.Session().Get("n"))) }
		})
		s.connect(cookieOf(sessions, token)).Expect("[mine n user] 2")
		for key, want := range map[string]any{"user": "ann", "n": 2, "mine": 1, "old": nil, "gone": nil} {
			if got := stored(t, sessions, token, key); got != want {
				t.Errorf("%s: %v, want %v", key, got, want)
			}
		}
	}
}

func TestUpdate(t *testing.T) {
	inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
		store := newBusyStore()
		sessions.Store = store
		s, connect := sockets(t, n, wsframework.Settings{Sessions: sessions})
		token := begin(t, sessions, "user", "ann", "n", 5, "old", "x")
		cl, p := connect(cookieOf(sessions, token))
		session := p.Session()

		// What f sees and does.
		err := session.Update(p.Context(), func(tx *wsframework.SessionTx) error {
			if tx.GetString("old") != "x" || !tx.Exists("n") || fmt.Sprint(tx.Keys()) != "[n old user]" {
				t.Errorf("it has %v", tx.Keys())
			}
			tx.Remove("old")
			tx.Put("user", "ben")
			return increment(tx)
		})
		if n, ok := wsframework.SessionValue[int](session, "n"); err != nil || n != 6 || !ok || p.CurrentUser() != "ben" || session.Exists("old") {
			t.Errorf("%v: n %d, user %v", err, n, p.CurrentUser())
		}
		if stored(t, sessions, token, "n") != 6 || stored(t, sessions, token, "user") != "ben" {
			t.Error("it is not stored")
		}

		// An f that does nothing writes nothing; one that fails or panics saves nothing.
		store.counted()
		if err := session.Update(t.Context(), func(*wsframework.SessionTx) error { return nil }); err != nil {
			t.Error(err)
		}
		if err := session.Update(t.Context(), func(tx *wsframework.SessionTx) error { return errors.Join(increment(tx), errFailing) }); !errors.Is(err, errFailing) {
			t.Error(err)
		}
		if text := panicOf(func() {
			session.Update(t.Context(), func(tx *wsframework.SessionTx) error { increment(tx); panic("kaboom") })
		}); text != "kaboom" {
			t.Error(text)
		}
		if _, commits := store.counted(); commits != 0 || stored(t, sessions, token, "n") != 6 {
			t.Errorf("%d writes", commits)
		}
		if text := panicOf(func() { session.Update(t.Context(), nil) }); !strings.Contains(text, "needs a function") {
			t.Error(text)
		}

		// Nesting, renewing and destroying.
		_, p2 := connect(cookieOf(sessions, token))
		err = session.Update(t.Context(), func(tx *wsframework.SessionTx) error {
			for what, err := range map[string]error{
				"Update": session.Update(t.Context(), increment), "Update of another socket's": p2.Session().Update(t.Context(), increment),
				"RenewToken": session.RenewToken(), "Destroy": session.Destroy(),
			} {
				if err == nil {
					t.Errorf("%s within Update is allowed", what)
				}
			}
			return increment(tx)
		})
		if err != nil || stored(t, sessions, token, "n") != 7 {
			t.Errorf("after all that: %v", err)
		}

		// Who waits for another one's may give up.
		cancelled, cancel := context.WithCancel(t.Context())
		err = session.Update(t.Context(), func(tx *wsframework.SessionTx) error {
			waits := make(chan error)
			go func() { waits <- p2.Session().Update(cancelled, increment) }()
			cancel()
			if err := <-waits; !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}

		// Errors of the store show no token.
		full := errors.New("no room for " + token)
		err = session.Update(t.Context(), func(tx *wsframework.SessionTx) error { store.Fail(full); return increment(tx) })
		if !errors.Is(err, full) || strings.Contains(err.Error(), token) || !strings.HasPrefix(err.Error(), "wsframework: saving the session: no room for ") {
			t.Errorf("a full store: %v", err)
		}
		store.Fail(nil)

		// It works until the end, and after it.
		closing := make(chan error, 1)
		p.close = func() { closing <- session.Update(t.Context(), increment) }
		cl.WriteClose(1000, "")
		expectClose(t, cl, 1000, "")
		if err := receive(t, closing); err != nil || stored(t, sessions, token, "n") != 8 {
			t.Errorf("in OnClose: %v", err)
		}
		if log := s.log.String(); log != "" {
			t.Errorf("log %s", log)
		}
	})
}

func TestUpdateWithoutASession(t *testing.T) {
	sessions := wstest.NewSessions()
	token := begin(t, sessions, "user", "ann")
	s := overTCP.serve(t, wsframework.Settings{Sessions: sessions}, func(app *wsframework.Application) {
		app.WebSocket("/ws", func() wsframework.Handler {
			p := &probe{events: make(chan string, 10), done: make(chan struct{})}
			both := func() []error {
				return []error{p.Session().Update(t.Context(), increment), p.Session().Reload(t.Context())}
			}
			p.prepare = func() error {
				for _, err := range both() {
					if !errors.Is(err, wsframework.ErrNotOpen) {
						t.Errorf("in Prepare: %v", err)
					}
				}
				if p.Argument("begin") != "" {
					return p.Session().Put("n", 1)
				}
				return nil
			}
			p.open = func() error { return p.WriteText(fmt.Sprint(both())) }
			return p
		})
		app.Page("/page", sheets(hooks{get: func(p *sheet) error {
			for _, err := range []error{p.Session().Update(t.Context(), increment), p.Session().Reload(t.Context())} {
				if err == nil || !strings.Contains(err.Error(), "are for sockets") {
					t.Errorf("on a page: %v", err)
				}
			}
			return nil
		}}))
	})
	s.connect().Expect(fmt.Sprint([]error{wsframework.ErrNoSession, wsframework.ErrNoSession}))
	s.connect(wstest.Cookie("session", "of-nobody")).Expect(fmt.Sprint([]error{wsframework.ErrNoSession, wsframework.ErrNoSession}))
	s.connect(cookieOf(sessions, token)).Expect("[<nil> <nil>]")
	cl := s.open("/ws?begin=1")
	cl.Expect("[<nil> <nil>]")
	if got := stored(t, sessions, cl.Response().Cookies()[0].Value, "n"); got != 2 {
		t.Errorf("of a session that Prepare began: %v", got)
	}
	wstest.NewBrowser(t, s.app, wstest.Via(s.dial), cookieOf(sessions, token)).Get("/page").ExpectStatus(200)
}

// In one line for all callbacks, Updates of one session wait for each other without holding anybody up.
func TestUpdateUnderSerial(t *testing.T) {
	inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
		token := begin(t, sessions, "user", "ann")
		holding, release := make(chan struct{}), make(chan struct{})
		asked := 0 // in the line, so without a lock
		s := n.probes(t, wsframework.Settings{Sessions: sessions, Serial: true, SlowCallback: -1, PingInterval: -1}, func(p *probe) {
			p.user = func() (any, error) { asked++; return p.BaseHandler.GetCurrentUser() }
			p.message = func(m wsframework.Message) error {
				switch m.String() {
				case "hold":
					return p.Go(func(ctx context.Context) error {
						return errors.Join(p.Session().Update(ctx, func(tx *wsframework.SessionTx) error {
							close(holding)
							<-release
							return increment(tx)
						}), p.WriteText("held"))
					})
				case "update":
					err := p.Session().Update(p.Context(), func(tx *wsframework.SessionTx) error { asked++; return increment(tx) })
					return errors.Join(err, p.WriteText("updated"))
				case "release":
					close(release)
				}
				return nil
			}
		})
		holder, a, b := s.connect(cookieOf(sessions, token)), s.connect(cookieOf(sessions, token)), s.connect()
		holder.Write("hold")
		<-holding
		a.Write("update")
		b.Write("release") // needs the turn, which a gives up while it waits
		holder.Expect("held")
		a.Expect("updated")
		if got := stored(t, sessions, token, "n"); got != 2 {
			t.Errorf("n is %v", got)
		}
	})
}

// A user who is gone from a session that lives on is closed with 4403, wherever that is seen.
func TestSessionWithoutItsUser(t *testing.T) {
	logout := func(t *testing.T, sessions *scs.SessionManager, token string) {
		change(t, sessions, token, func(ctx context.Context) { sessions.Remove(ctx, "user") })
	}
	for name, leave := range map[string]func(t *testing.T, sessions, elsewhere *scs.SessionManager, token string, p *probe){
		"in this process": func(t *testing.T, sessions, _ *scs.SessionManager, token string, _ *probe) {
			logout(t, sessions, token)
		},
		"in another": func(t *testing.T, _, elsewhere *scs.SessionManager, token string, _ *probe) {
			logout(t, elsewhere, token)
		},
		"by Update": func(t *testing.T, _, _ *scs.SessionManager, _ string, p *probe) {
			if err := p.Session().Update(t.Context(), func(tx *wsframework.SessionTx) error { tx.Remove("user"); return nil }); err != nil {
				t.Error(err)
			}
		},
		"by Reload": func(t *testing.T, _, elsewhere *scs.SessionManager, token string, p *probe) {
			logout(t, elsewhere, token)
			if err := p.Session().Reload(t.Context()); err != nil {
				t.Error(err)
			}
		},
	} {
		for _, viaRequest := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", CurrentUser of the settings ", viaRequest), func(t *testing.T) {
				inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
					elsewhere := *sessions // its store stays unwatched
					settings := wsframework.Settings{Sessions: sessions, NoUserCode: 4003}
					if viaRequest {
						settings.CurrentUser = func(r *http.Request) (any, error) { return sessions.Get(r.Context(), "user"), nil }
					}
					_, connect := sockets(t, n, settings)
					token := begin(t, sessions, "user", "ann", "lang", "en")
					cl, p := connect(cookieOf(sessions, token))
					cl2, p2 := connect(cookieOf(sessions, token))
					guest := begin(t, sessions, "lang", "en")
					_, guests := connect(cookieOf(sessions, guest))
					leave(t, sessions, &elsewhere, token, p)
					shake(t, cl, 4003, "nobody is logged in any more")
					shake(t, cl2, 4003, "nobody is logged in any more")
					<-p.done
					<-p2.done
					if !errors.Is(p2.cause, wsframework.ErrNoUser) || p2.CurrentUser() != nil || p2.Session().GetString("lang") != "en" {
						t.Errorf("%v, user %v", p2.cause, p2.CurrentUser())
					}
					change(t, sessions, guest, func(ctx context.Context) { sessions.Put(ctx, "lang", "de") })
					if err := guests.Session().Reload(t.Context()); err != nil || !guests.IsOpen() || guests.Session().GetString("lang") != "de" {
						t.Errorf("a guest: %v", err)
					}
				})
			})
		}
	}
}

// While GetCurrentUser fails, he stays who he was.
func TestUserWhoCannotBeAskedAgain(t *testing.T) {
	sessions := wstest.NewSessions()
	token := begin(t, sessions, "user", "ann")
	failing := false
	s := overTCP.probes(t, wsframework.Settings{Sessions: sessions}, func(p *probe) {
		p.user = func() (any, error) {
			if failing {
				return nil, errFailing
			}
			return p.BaseHandler.GetCurrentUser()
		}
		p.message = func(wsframework.Message) error {
			failing = true
			err := p.Session().Reload(p.Context())
			return p.WriteText(fmt.Sprint(errors.Is(err, errFailing), p.CurrentUser()))
		}
	})
	cl := s.connect(cookieOf(sessions, token))
	cl.Write("reload")
	cl.Expect("trueann")
	change(t, sessions, token, func(ctx context.Context) { sessions.Remove(ctx, "user") })
	cl.Write("reload")
	cl.Expect("trueann")
	s.log.ExpectLine("WARN", "callback=GetCurrentUser", errFailing.Error())
}
