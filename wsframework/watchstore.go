package wsframework

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
)

// WatchStore returns a store that does what another one does and lets applications know of it, so that the
// sockets of a session that ends are closed at once, whoever ends it: a plain handler that only knows scs,
// too. An iterable store stays iterable, and a method with a context that a store has not falls back to the
// one without, as in scs. A store that is watched already is returned as it is.
//
// [NewApplication] puts it in place, in Settings.Sessions.Store. Call it where somebody else in this process
// has the same store and another scs.SessionManager, and give both of them the result.
//
// Its methods may be called from any goroutine if those of the store may. Writing one session happens one at
// a time.
func WatchStore(store scs.Store) scs.Store {
	if store == nil {
		panic(errors.New("wsframework: WatchStore needs a store"))
	}
	if watchedStoreOf(store) != nil {
		return store
	}
	w := &watchedStore{store: store}
	_, all := store.(scs.IterableStore)
	_, allCtx := store.(scs.IterableCtxStore)
	if all || allCtx {
		return &iterableWatchedStore{w}
	}
	return w
}

// watchedStoreOf returns nil for a store that is not watched.
func watchedStoreOf(store scs.Store) *watchedStore {
	switch w := store.(type) {
	case *watchedStore:
		return w
	case *iterableWatchedStore:
		return w.watchedStore
	}
	return nil
}

// A watchedStore is what WatchStore returns. It also takes orders that scs does not know of, which come in
// the context: see storeCall.
type watchedStore struct {
	store   scs.Store
	updates keyedLocks // held by Session.Update from load to commit
	writes  keyedLocks // held by what deletes or commits
	ended   tombstones

	mu       sync.Mutex // protects the following
	watchers []storeWatcher
}

// A storeWatcher is told what happens to the sessions of a store, by their keys there. It must not block.
type storeWatcher interface {
	sessionDeleted(key string)
	sessionCommitted(key string, data []byte, by *conn)
}

// A storeCall is an order for one call of the session manager, in its context.
type storeCall struct {
	keyOnly bool   // find nothing: tell the key of a token, which scs may have hashed
	given   []byte // find this
	guarded bool   // commit only a session that the store has, and
	onto    []byte // only onto this, unless it is nil
	by      *conn  // who commits, and gets the data

	// What became of it.
	key  string
	data []byte // that was found
}

type storeCallKey struct{}

func (call *storeCall) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, storeCallKey{}, call)
}

func storeCallIn(ctx context.Context) *storeCall {
	if call, ok := ctx.Value(storeCallKey{}).(*storeCall); ok {
		return call
	}
	return new(storeCall)
}

// errSessionChanged is a guarded commit's that comes too late.
var errSessionChanged = errors.New("wsframework: the session has been saved by somebody else meanwhile")

func (w *watchedStore) Find(key string) ([]byte, bool, error) {
	return w.FindCtx(context.Background(), key)
}

func (w *watchedStore) FindCtx(ctx context.Context, key string) (data []byte, found bool, err error) {
	call := storeCallIn(ctx)
	call.key = key
	switch {
	case call.keyOnly:
		return nil, false, nil
	case call.given != nil:
		return call.given, true, nil
	}
	data, found, err = w.find(ctx, key)
	call.data = data
	return data, found, err
}

func (w *watchedStore) Delete(key string) error { return w.DeleteCtx(context.Background(), key) }

func (w *watchedStore) DeleteCtx(ctx context.Context, key string) error {
	if err := w.delete(ctx, key); err != nil {
		return err
	}
	for _, watcher := range w.snapshot() {
		watcher.sessionDeleted(key)
	}
	return nil
}

func (w *watchedStore) delete(ctx context.Context, key string) error {
	unlock, err := w.writes.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	if ctxStore, ok := w.store.(interface {
		DeleteCtx(context.Context, string) error
	}); ok {
		err = ctxStore.DeleteCtx(ctx, key)
	} else {
		err = w.store.Delete(key)
	}
	if err == nil {
		w.ended.add(key)
	}
	return err
}

func (w *watchedStore) Commit(key string, data []byte, expiry time.Time) error {
	return w.CommitCtx(context.Background(), key, data, expiry)
}

func (w *watchedStore) CommitCtx(ctx context.Context, key string, data []byte, expiry time.Time) error {
	unlock, err := w.writes.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	call := storeCallIn(ctx)
	call.key = key
	if call.guarded {
		now, found, err := w.find(ctx, key)
		switch {
		case err != nil:
			return err
		case !found || w.ended.has(key) || !expiry.After(time.Now()): // a store may keep what is over for ever
			return ErrSessionEnded
		case call.onto != nil && !bytes.Equal(now, call.onto):
			return errSessionChanged
		}
	}
	if err := w.commit(ctx, key, data, expiry); err != nil {
		return err
	}
	if call.by != nil {
		call.by.standing.fresh.Store(&data)
	}
	w.ended.remove(key) // by who knows only scs, which brings sessions back
	for _, watcher := range w.snapshot() {
		watcher.sessionCommitted(key, data, call.by)
	}
	return nil
}

// look finds a session and shows its data, unless it is not there. With expiry it is kept until then. Nothing
// is written meanwhile, so that who is shown data last is shown the latest.
func (w *watchedStore) look(ctx context.Context, key string, expiry func(data []byte) (time.Time, error), show func(data []byte)) (found bool, err error) {
	unlock, err := w.writes.lock(ctx, key)
	if err != nil {
		return false, err
	}
	defer unlock()
	data, found, err := w.find(ctx, key)
	if err != nil || !found || w.ended.has(key) {
		return false, err
	}
	if expiry != nil {
		until, err := expiry(data)
		if err == nil && !until.After(time.Now()) {
			return false, nil
		}
		if err == nil {
			err = w.commit(ctx, key, data, until)
		}
		if err != nil {
			return true, err
		}
	}
	show(data)
	return true, nil
}

// find returns data that stays what it is: a store may use the memory of what it returned again, as one does that
// shows its file.
func (w *watchedStore) find(ctx context.Context, key string) (data []byte, found bool, err error) {
	if ctxStore, ok := w.store.(interface {
		FindCtx(context.Context, string) ([]byte, bool, error)
	}); ok {
		data, found, err = ctxStore.FindCtx(ctx, key)
	} else {
		data, found, err = w.store.Find(key)
	}
	return bytes.Clone(data), found, err
}

func (w *watchedStore) commit(ctx context.Context, key string, data []byte, expiry time.Time) error {
	if ctxStore, ok := w.store.(interface {
		CommitCtx(context.Context, string, []byte, time.Time) error
	}); ok {
		return ctxStore.CommitCtx(ctx, key, data, expiry)
	}
	return w.store.Commit(key, data, expiry)
}

// watch has a watcher told from now on.
func (w *watchedStore) watch(watcher storeWatcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.watchers, watcher) {
		w.watchers = append(slices.Clip(w.watchers), watcher) // snapshots stay what they are
	}
}

func (w *watchedStore) unwatch(watcher storeWatcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watchers = slices.DeleteFunc(slices.Clone(w.watchers), func(other storeWatcher) bool { return other == watcher })
}

func (w *watchedStore) snapshot() []storeWatcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.watchers
}

// An iterableWatchedStore is a watchedStore that lists its sessions.
type iterableWatchedStore struct{ *watchedStore }

func (w *iterableWatchedStore) All() (map[string][]byte, error) {
	if store, ok := w.store.(scs.IterableStore); ok {
		return store.All()
	}
	return w.AllCtx(context.Background())
}

func (w *iterableWatchedStore) AllCtx(ctx context.Context) (map[string][]byte, error) {
	if store, ok := w.store.(scs.IterableCtxStore); ok {
		return store.AllCtx(ctx)
	}
	return w.store.(scs.IterableStore).All()
}
