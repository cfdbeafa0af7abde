package wsframework

import (
	"context"
	"errors"
	"reflect"
	"time"
)

// commitOnto commits the session of a handshake. If others have saved it since data was loaded, their changes
// are kept, and those of the handshake are made to what they have saved.
func (s *Session) commitOnto(ctx context.Context, data []byte) (token string, expiry time.Time, err error) {
	store, err := s.x.app.watchedStore()
	if err != nil {
		return "", time.Time{}, err
	}
	key, err := s.x.app.sessionKey(s.token)
	if err != nil {
		return "", time.Time{}, err
	}
	unlock, err := store.updates.lock(ctx, key)
	if err != nil {
		return "", time.Time{}, err
	}
	defer unlock()
	for range updateAttempts {
		call := storeCall{guarded: true, onto: data, by: s.c}
		token, expiry, err = s.manager.Commit(call.in(ctx))
		if !errors.Is(err, errSessionChanged) {
			return token, expiry, err
		}
		base, err := s.decode(data)
		if err != nil {
			return "", time.Time{}, err
		}
		var theirs context.Context
		if theirs, data, err = s.load(ctx); err != nil {
			return "", time.Time{}, err
		}
		s.merge(base, theirs)
	}
	return token, expiry, err
}

// decode returns a context that holds a session's data.
func (s *Session) decode(data []byte) (context.Context, error) {
	call := storeCall{given: data}
	return s.manager.Load(call.in(context.Background()), s.token)
}

// merge takes over what theirs has, but for values that have been changed since base. It reports whether there
// was something to take over.
func (s *Session) merge(base, theirs context.Context) (changed bool) {
	m := s.manager
	for _, key := range append(m.Keys(theirs), m.Keys(s.ctx)...) {
		mine, value := m.Get(s.ctx, key), m.Get(theirs, key)
		if !reflect.DeepEqual(mine, m.Get(base, key)) || reflect.DeepEqual(mine, value) && m.Exists(s.ctx, key) == m.Exists(theirs, key) {
			continue
		}
		changed = true
		if m.Exists(theirs, key) {
			m.Put(s.ctx, key, value)
		} else {
			m.Remove(s.ctx, key)
		}
	}
	return changed
}
