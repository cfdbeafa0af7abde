package wsframework

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/alexedwards/scs/v2"
)

// A SessionTx is a session as it is in the store, for the function that Update calls. What that changes is
// saved when it returns nil. It must not be used after that.
type SessionTx struct {
	manager *scs.SessionManager
	ctx     context.Context // holds the values
}

// Get returns a value, or nil if there is none. [SessionValue] returns it typed.
func (tx *SessionTx) Get(key string) any { return tx.manager.Get(tx.ctx, key) }

// GetString returns a value that is a string, or "".
func (tx *SessionTx) GetString(key string) string { return tx.manager.GetString(tx.ctx, key) }

// Exists reports whether there is a value.
func (tx *SessionTx) Exists(key string) bool { return tx.manager.Exists(tx.ctx, key) }

// Keys returns the names of all values, sorted.
func (tx *SessionTx) Keys() []string { return tx.manager.Keys(tx.ctx) }

// Put sets a value.
func (tx *SessionTx) Put(key string, value any) { tx.manager.Put(tx.ctx, key, value) }

// Remove removes a value.
func (tx *SessionTx) Remove(key string) { tx.manager.Remove(tx.ctx, key) }

// Reload loads the session of a socket again, so that its values are what the store has now, and asks
// GetCurrentUser again.
//
// It returns ErrSessionEnded if the session has been destroyed or renewed, or has expired, ErrNoSession if the
// socket has none, ErrNotOpen before Open, or the error of the store or of GetCurrentUser. If nobody is logged
// in any more, the socket is closed with Settings.NoUserCode.
//
// In a callback under Settings.Serial other callbacks run while it waits for the store, as with await.
func (s *Session) Reload(ctx context.Context) error {
	store, err := s.onSocket()
	if err != nil {
		return err
	}
	if err := s.look(ctx, store); err != nil {
		return err
	}
	return s.c.takeSession()
}

// Update changes the session of a socket: it loads it, calls f, saves what f has changed, and asks
// GetCurrentUser again. If f returns an error, or panics, nothing is saved. Updates of one session run one at
// a time, those of other sockets in this process included, so that none is lost. Where a page has saved the
// session meanwhile, f is called again, on what that has saved: so let it change nothing else.
//
// f may not call Update, and can't renew or destroy the session: no cookie could follow. A session that has
// ended is not brought back, and ErrSessionEnded is returned. The other errors are those of Reload, and f's.
// What can't be promised when another process writes the same session at the same moment, is in
// docs/sessions.md.
//
// In a callback under Settings.Serial f has the turn, and others have it while Update waits for another one
// or for the store, as with await.
func (s *Session) Update(ctx context.Context, f func(tx *SessionTx) error) error {
	if f == nil {
		panic(errors.New("wsframework: Update needs a function"))
	}
	store, err := s.onSocket()
	if err != nil {
		return err
	}
	if inUpdate() {
		return errors.New("wsframework: Update was called within Update and would wait for it; change everything in one")
	}
	app := s.x.app
	key, err := app.sessionKey(s.token)
	if err != nil {
		return err
	}
	var unlock func()
	err = app.aside(func() (err error) {
		unlock, err = store.updates.lock(ctx, key)
		return err
	})
	if err != nil {
		return err
	}
	err = func() error {
		defer unlock() // before GetCurrentUser, which may wait for the turn
		return s.updateLocked(ctx, store, f)
	}()
	if err != nil {
		return err
	}
	return s.c.takeSession()
}

// updateAttempts is how often Update tries when others save the session meanwhile.
const updateAttempts = 20

func (s *Session) updateLocked(ctx context.Context, store *watchedStore, f func(*SessionTx) error) (err error) {
	app := s.x.app
	for range updateAttempts {
		var fresh context.Context
		var data []byte
		err = app.aside(func() (err error) {
			fresh, data, err = s.load(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if err = runUpdate(&SessionTx{s.manager, fresh}, f); err != nil {
			return err
		}
		if s.manager.Status(fresh) != scs.Modified {
			return s.look(ctx, store)
		}
		call := storeCall{guarded: true, onto: data, by: s.c}
		err = app.aside(func() error {
			_, _, err := s.manager.Commit(call.in(fresh))
			return err
		})
		switch {
		case errors.Is(err, ErrSessionEnded):
			app.sessionEnded(call.key)
			return err
		case !errors.Is(err, errSessionChanged):
			return s.explain("saving", err)
		}
	}
	return err
}

// runUpdate stands on the stack for inUpdate to find.
func runUpdate(tx *SessionTx, f func(*SessionTx) error) error { return f(tx) }

// inUpdate reports whether the calling goroutine is in a function that Update calls.
func inUpdate() bool {
	for caller := range callers() {
		if strings.HasSuffix(caller, "/wsframework.runUpdate") {
			return true
		}
	}
	return false
}

// onSocket returns the store if the session is one of an open socket.
func (s *Session) onSocket() (*watchedStore, error) {
	switch {
	case s.c == nil:
		return nil, errors.New("wsframework: Update and Reload are for sockets; what a page Puts and Removes is saved with its response")
	case !s.c.opened.Load():
		return nil, ErrNotOpen
	case s.token == "":
		return nil, ErrNoSession
	}
	return s.x.app.watchedStore()
}

// look leaves what the store has now with the connection.
func (s *Session) look(ctx context.Context, store *watchedStore) error {
	key, err := s.x.app.sessionKey(s.token)
	if err != nil {
		return err
	}
	found := false
	err = s.x.app.aside(func() (err error) {
		found, err = store.look(ctx, key, nil, func(data []byte) { s.c.standing.fresh.Store(&data) })
		return err
	})
	if err == nil && !found {
		s.x.app.sessionEnded(key)
		return ErrSessionEnded
	}
	return s.explain("loading", err)
}

// load loads the session as it is in the store, and returns its data there, too.
func (s *Session) load(ctx context.Context) (fresh context.Context, data []byte, err error) {
	var call storeCall
	probe := &probeContext{Context: withoutSession{ctx}}
	probe.call.Store(&call)
	fresh, err = s.manager.Load(probe, s.token)
	probe.call.Store(nil)
	if err == nil && s.manager.Token(fresh) == "" {
		s.x.app.sessionEnded(call.key)
		err = ErrSessionEnded
	}
	if err != nil {
		return nil, nil, s.explain("loading", err)
	}
	return fresh, call.data, nil
}

// explain makes an error of the store fit to be shown.
func (s *Session) explain(doing string, err error) error {
	if err == nil || errors.Is(err, ErrSessionEnded) {
		return err
	}
	return fmt.Errorf("wsframework: %s the session: %w", doing, withoutSecrets(gobHint(err), s.x.app.secrets(s.token)...))
}

// withoutSession is a context without the session that it may hold, which scs would take for the one to load.
type withoutSession struct{ context.Context }

var scsPackage = reflect.TypeFor[scs.SessionManager]().PkgPath()

func (c withoutSession) Value(key any) any {
	if t := reflect.TypeOf(key); t != nil && t.PkgPath() == scsPackage {
		return nil
	}
	return c.Context.Value(key)
}
