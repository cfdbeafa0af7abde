package wsframework_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A slowStore takes its time to find, and counts what it is given to save that is over already: there are stores
// that keep it for ever.
type slowStore struct {
	*memstore.MemStore
	delay atomic.Int64
	late  atomic.Int32
}

func (s *slowStore) Find(key string) ([]byte, bool, error) {
	data, found, err := s.MemStore.Find(key)
	<-time.After(time.Duration(s.delay.Load()))
	return data, found, err
}

func (s *slowStore) Commit(key string, data []byte, expiry time.Time) error {
	if !expiry.After(time.Now()) {
		s.late.Add(1)
	}
	return s.MemStore.Commit(key, data, expiry)
}

// What is found just in time is not saved when the time is over.
func TestSessionIsNotSavedLate(t *testing.T) {
	for name, wait := range map[string]func(t *testing.T, cl *wstest.Client, p *probe, lifetime time.Duration){
		"Update": func(t *testing.T, _ *wstest.Client, p *probe, lifetime time.Duration) {
			<-time.After(lifetime - time.Minute)
			if err := p.Session().Update(t.Context(), increment); !errors.Is(err, wsframework.ErrSessionEnded) {
				t.Errorf("Update: %v", err)
			}
		},
		"messages": func(t *testing.T, cl *wstest.Client, p *probe, lifetime time.Duration) {
			for began := time.Now(); p.IsOpen() && time.Since(began) < 2*lifetime; synctest.Wait() {
				cl.Write("x")
				<-time.After(10 * time.Second)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
				store := &slowStore{MemStore: memstore.NewWithCleanupInterval(0)}
				sessions.Store, sessions.Lifetime = store, 10*time.Minute
				settings := wsframework.Settings{Sessions: sessions, SessionCheckInterval: -1}
				if name == "messages" {
					sessions.IdleTimeout, settings.SessionCheckInterval = 5*time.Minute, checkInterval
				}
				_, connect := sockets(t, n, settings)
				cl, p := connect(cookieOf(sessions, begin(t, sessions, "user", "ann")))
				store.delay.Store(int64(40 * time.Second))
				wait(t, cl, p, sessions.Lifetime)
				shake(t, cl, wsframework.CloseSessionEnded, "the session has ended")
				<-p.done
				if late := store.late.Load(); late > 0 || !errors.Is(p.cause, wsframework.ErrSessionEnded) {
					t.Errorf("%d writes too late; cause %v", late, p.cause)
				}
			})
		})
	}
}
