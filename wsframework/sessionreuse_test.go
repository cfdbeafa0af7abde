package wsframework_test

import (
	"testing"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gotornado/gotornado/wsframework"
)

// A reusingStore gives out memory that is good until it is asked the next time.
type reusingStore struct {
	*memstore.MemStore
	last []byte
}

func (s *reusingStore) Find(key string) ([]byte, bool, error) {
	clear(s.last)
	data, found, err := s.MemStore.Find(key)
	s.last = append([]byte(nil), data...)
	return s.last, found, err
}

// What a store has found is compared later with what it finds then.
func TestStoresMayReuseMemory(t *testing.T) {
	inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
		sessions.Store = &reusingStore{MemStore: memstore.NewWithCleanupInterval(0)}
		_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions, SessionCheckInterval: -1})
		token := begin(t, sessions, "user", "ann", "n", 1)
		_, p := connect(cookieOf(sessions, token))
		if err := p.Session().Update(t.Context(), increment); err != nil || stored(t, sessions, token, "n") != 2 {
			t.Errorf("Update: %v; n is %v", err, stored(t, sessions, token, "n"))
		}
	})
}
