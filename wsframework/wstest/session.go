package wstest

import (
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
)

// NewSessions returns a session manager as scs.New does, with a Store of this package, and starts no goroutine,
// so that it works in a bubble of testing/synctest. Of these managers no more than one may have to do with one
// request.
func NewSessions() *scs.SessionManager {
	manager := *pattern
	manager.Store = NewStore()
	return &manager
}

// pattern is made outside of bubbles, because scs.New starts a goroutine that never ends.
var pattern = scs.New()

// A Store keeps sessions in memory, for [scs.SessionManager], without a goroutine, and fails when a test says
// so. It may be used from any goroutine.
type Store struct {
	mu       sync.Mutex // protects the following
	sessions map[string]storedSession
	err      error
	lookups  int
}

type storedSession struct {
	data   []byte
	expiry time.Time
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{sessions: make(map[string]storedSession)} }

// Fail lets every call fail with an error from now on; nil heals the store. What it holds stays.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Lookups counts the calls of Find so far, those that failed included.
func (s *Store) Lookups() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookups
}

// Find returns a session's data, unless it has expired. It implements [scs.Store].
func (s *Store) Find(token string) (data []byte, found bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups++
	if s.err != nil {
		return nil, false, s.err
	}
	session, ok := s.sessions[token]
	if !ok || !time.Now().Before(session.expiry) {
		return nil, false, nil
	}
	return session.data, true, nil
}

// Commit stores a session. It implements [scs.Store].
func (s *Store) Commit(token string, data []byte, expiry time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.sessions[token] = storedSession{data, expiry}
	return nil
}

// Delete removes a session. It implements [scs.Store].
func (s *Store) Delete(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	delete(s.sessions, token)
	return nil
}

// All returns the sessions that have not expired. It implements [scs.IterableStore].
func (s *Store) All() (map[string][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	all := make(map[string][]byte)
	for token, session := range s.sessions {
		if time.Now().Before(session.expiry) {
			all[token] = session.data
		}
	}
	return all, nil
}
