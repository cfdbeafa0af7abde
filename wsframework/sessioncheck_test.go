package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

const checkInterval = 30 * time.Second

// sockets serves probes under /ws, quietly, and hands them out as they open.
func sockets(t *testing.T, n network, settings wsframework.Settings) (*server, func(options ...wstest.Option) (*wstest.Client, *probe)) {
	opened := make(chan *probe, 1)
	settings.PingInterval = -1
	s := n.probes(t, settings, func(p *probe) {
		p.open = func() error { opened <- p; return nil }
	})
	return s, func(options ...wstest.Option) (*wstest.Client, *probe) {
		cl := s.connect(options...)
		return cl, receive(t, opened)
	}
}

// What ends where nobody sees it is noticed within the interval, and not before it is over.
func TestSessionEndsAreNoticed(t *testing.T) {
	for name, end := range map[string]func(sessions *scs.SessionManager, memory scs.Store, token string) time.Duration{
		"elsewhere": func(_ *scs.SessionManager, memory scs.Store, token string) time.Duration {
			memory.Delete(token)
			return 0
		},
		"lifetime": func(sessions *scs.SessionManager, _ scs.Store, _ string) time.Duration { return sessions.Lifetime },
		"idle":     func(sessions *scs.SessionManager, _ scs.Store, _ string) time.Duration { return sessions.IdleTimeout },
	} {
		t.Run(name, func(t *testing.T) {
			inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
				sessions.Lifetime = 10 * time.Minute
				if name == "idle" {
					sessions.IdleTimeout = 5 * time.Minute
				}
				memory := sessions.Store
				_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions})
				token := begin(t, sessions, "user", "ann")
				began := time.Now()
				cl, p := connect(cookieOf(sessions, token))
				guest, guests := connect()
				_, stale := connect(cookieOf(sessions, "of-nobody"))
				ends := end(sessions, memory, token)
				shake(t, cl, wsframework.CloseSessionEnded, "the session has ended")
				<-p.done
				if took := time.Since(began); took < ends || took > ends+checkInterval+time.Second {
					t.Errorf("after %v, want %v and up to %v", took, ends, checkInterval)
				}
				if !errors.Is(p.cause, wsframework.ErrSessionEnded) || p.cause.Remote {
					t.Errorf("cause %v", p.cause)
				}
				if !guests.IsOpen() || !stale.IsOpen() {
					t.Error("who has no session is closed, too")
				}
				guest.WriteClose(1000, "")
				expectClose(t, guest, 1000, "")
			})
		})
	}
}

// What ends in this process closes at once, by whatever it was ended.
func TestSessionEndsAtOnce(t *testing.T) {
	for name, end := range map[string]func(ctx context.Context, sessions *scs.SessionManager) error{
		"Destroy":    func(ctx context.Context, sessions *scs.SessionManager) error { return sessions.Destroy(ctx) },
		"RenewToken": func(ctx context.Context, sessions *scs.SessionManager) error { return sessions.RenewToken(ctx) },
	} {
		for _, hashed := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", hashed ", hashed), func(t *testing.T) {
				inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
					sessions.HashTokenInStore, sessions.Cookie.Name = hashed, "sid"
					_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions, SessionCheckInterval: -1, SessionEndedCode: 4001})
					token, others := begin(t, sessions, "user", "ann"), begin(t, sessions, "user", "ann")
					cl1, p1 := connect(cookieOf(sessions, token))
					cl2, p2 := connect(cookieOf(sessions, token))
					_, other := connect(cookieOf(sessions, others))
					began := time.Now()
					change(t, sessions, token, func(ctx context.Context) {
						if err := end(ctx, sessions); err != nil {
							t.Error(err)
						}
					})
					shake(t, cl1, 4001, "the session has ended")
					shake(t, cl2, 4001, "the session has ended")
					<-p1.done
					<-p2.done
					if took := time.Since(began); took > 0 || !errors.Is(p1.cause, wsframework.ErrSessionEnded) {
						t.Errorf("after %v: %v", took, p1.cause)
					}
					if !other.IsOpen() {
						t.Error("another session's socket is closed")
					}
				})
			})
		}
	}
}

// Each session is one look-up in each interval, and they are spread over it.
func TestSessionChecksAreSpread(t *testing.T) {
	inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
		store := newBusyStore()
		sessions.Store = store
		_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions})
		const count, each = 64, 3
		for i := range count {
			token := begin(t, sessions, "user", i)
			for range each {
				connect(cookieOf(sessions, token))
			}
		}
		store.counted()
		for range 3 {
			<-time.After(checkInterval)
			synctest.Wait()
			finds, commits := store.counted()
			slices.SortFunc(finds, time.Time.Compare)
			most := 0
			for i := range finds {
				j := i
				for j < len(finds) && finds[j].Sub(finds[i]) < time.Second {
					j++
				}
				most = max(most, j-i)
			}
			if len(finds) != count || commits != 0 || most > 4 {
				t.Errorf("%d look-ups, %d writes; %d within one second", len(finds), commits, most)
			}
		}
	})
}

// Without a socket on a session nothing is asked, and no timer is left to run.
func TestNoSessionNoChecks(t *testing.T) {
	inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
		store := newBusyStore()
		sessions.Store = store
		_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions})
		cookie := cookieOf(sessions, begin(t, sessions, "user", "ann"))
		for range 2 {
			cl, p := connect(cookie)
			cl.WriteClose(1000, "")
			expectClose(t, cl, 1000, "")
			<-p.done
			connect()
			store.counted()
			<-time.After(3 * checkInterval)
			if finds, _ := store.counted(); len(finds) > 0 {
				t.Errorf("%d look-ups for nobody", len(finds))
			}
		}
	})
}

// While the store is away nobody is closed, and the log has one line; when the grace is over, the rest has to go.
func TestSessionStoreIsAway(t *testing.T) {
	for _, grace := range []time.Duration{-1, 5 * time.Minute} {
		t.Run(fmt.Sprint(grace), func(t *testing.T) {
			inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
				store := newBusyStore()
				sessions.Store = store
				s, connect := sockets(t, n, wsframework.Settings{Sessions: sessions, SessionCheckGrace: grace})
				token := begin(t, sessions, "user", "ann")
				cl, p := connect(cookieOf(sessions, token))
				_, p2 := connect(cookieOf(sessions, begin(t, sessions, "user", "ben")))
				away := errors.New("no route to " + token)
				store.Fail(away)
				<-time.After(4 * time.Minute)
				if !p.IsOpen() || !p2.IsOpen() {
					t.Fatal("closed because the store is away")
				}
				if err := p.Session().Reload(t.Context()); !errors.Is(err, away) || strings.Contains(err.Error(), token) {
					t.Errorf("Reload: %v", err)
				}
				s.log.ExpectLine("WARN", "the session store does not answer", "no route to [session]", "SessionCheckGrace")
				s.log.Forget()

				store.Fail(nil)
				<-time.After(4 * time.Minute)
				s.log.ExpectLine("INFO", "the session store answers again")
				s.log.Forget()

				store.Fail(errors.New("again"))
				if grace > 0 {
					began := time.Now()
					shake(t, cl, wsframework.CloseTryAgainLater, "the session can't be checked")
					<-p.done
					if took := time.Since(began); took < grace-checkInterval || took > grace+checkInterval+time.Second ||
						!errors.Is(p.cause, wsframework.ErrSessionUnchecked) {
						t.Errorf("after %v: %v", took, p.cause)
					}
				} else {
					<-time.After(24 * time.Hour)
					if !p.IsOpen() {
						t.Error("closed without a grace")
					}
				}
			})
		})
	}
}

// A store that panics closes nobody, and ends no process.
func TestSessionStorePanics(t *testing.T) {
	inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
		store := &panickyStore{Store: sessions.Store}
		sessions.Store = store
		s, connect := sockets(t, n, wsframework.Settings{Sessions: sessions})
		_, p := connect(cookieOf(sessions, begin(t, sessions, "user", "ann")))
		store.panics.Store(true)
		<-time.After(2 * checkInterval)
		synctest.Wait()
		store.panics.Store(false)
		if !p.IsOpen() {
			t.Error("it is closed")
		}
		s.log.ExpectLine("WARN", "kaboom")
	})
}

type panickyStore struct {
	scs.Store
	panics atomic.Bool
}

func (s *panickyStore) Find(token string) ([]byte, bool, error) {
	if s.panics.Load() {
		panic("kaboom")
	}
	return s.Store.Find(token)
}

// Messages keep a session with an idle time-out alive: with one write in an interval, until its lifetime is over.
func TestSessionKeepAlive(t *testing.T) {
	for _, off := range []bool{false, true} {
		t.Run(fmt.Sprint("off ", off), func(t *testing.T) {
			inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
				store := newBusyStore()
				sessions.Store = store
				sessions.IdleTimeout, sessions.Lifetime = 2*time.Minute, 20*time.Minute
				_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions, NoSessionKeepAlive: off})
				token := begin(t, sessions, "user", "ann", "n", 1)
				began := time.Now()
				cl, p := connect(cookieOf(sessions, token))
				connect(cookieOf(sessions, token))
				store.counted()
				writes := 0
				for p.IsOpen() {
					cl.Write("x")
					cl.Write("y")
					<-time.After(10 * time.Second)
					synctest.Wait()
					_, commits := store.counted()
					writes += commits
				}
				took := time.Since(began)
				want := sessions.Lifetime
				if off {
					want = sessions.IdleTimeout
				}
				if took < want || took > want+checkInterval+10*time.Second {
					t.Errorf("ended after %v, want %v", took, want)
				}
				if most := int(took/checkInterval) + 1; off && writes > 0 || !off && (writes < most/2 || writes > most) {
					t.Errorf("%d writes in %v", writes, took)
				}
				if count(t, sessions) != 0 {
					t.Error("it is back")
				}
			})
		})
	}
}

// What keeps a session alive does not bring one back.
func TestSessionKeepAliveBringsNothingBack(t *testing.T) {
	inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
		memory := sessions.Store
		sessions.IdleTimeout = 2 * time.Minute
		_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions})
		token := begin(t, sessions, "user", "ann")
		cl, p := connect(cookieOf(sessions, token))
		cl.Write("x")
		synctest.Wait()
		memory.Delete(token)
		shake(t, cl, 4401, "the session has ended")
		<-p.done
		if count(t, sessions) != 0 {
			t.Error("it is back")
		}
	})
}
