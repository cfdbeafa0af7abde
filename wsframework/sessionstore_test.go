package wsframework_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A busyStore counts what is asked of it.
type busyStore struct {
	*wstest.Store

	mu      sync.Mutex // protects the following
	finds   []time.Time
	commits int
}

func newBusyStore() *busyStore {
	return &busyStore{Store: wstest.NewStore()}
}

func (b *busyStore) Find(token string) ([]byte, bool, error) {
	b.mu.Lock()
	b.finds = append(b.finds, time.Now())
	b.mu.Unlock()
	return b.Store.Find(token)
}

func (b *busyStore) Commit(token string, data []byte, expiry time.Time) error {
	b.mu.Lock()
	b.commits++
	b.mu.Unlock()
	return b.Store.Commit(token, data, expiry)
}

// counted returns what has been asked since the last time.
func (b *busyStore) counted() (finds []time.Time, commits int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	finds, commits = b.finds, b.commits
	b.finds, b.commits = nil, 0
	return finds, commits
}

// inSessionBubble is inBubble with a manager.
func inSessionBubble(t *testing.T, test func(t *testing.T, n network, sessions *scs.SessionManager)) {
	t.Helper()
	inBubble(t, func(t *testing.T, n network) { test(t, n, wstest.NewSessions()) })
}

// begin begins a session with pairs of keys and values, and returns its token.
func begin(t testing.TB, sessions *scs.SessionManager, pairs ...any) string {
	t.Helper()
	ctx, err := sessions.Load(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		sessions.Put(ctx, pairs[i].(string), pairs[i+1])
	}
	token, _, err := sessions.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// change changes a stored session as a plain request does.
func change(t testing.TB, sessions *scs.SessionManager, token string, f func(ctx context.Context)) {
	t.Helper()
	ctx, err := sessions.Load(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	f(ctx)
	if sessions.Status(ctx) == scs.Modified {
		if _, _, err := sessions.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func cookieOf(sessions *scs.SessionManager, token string) wstest.Option {
	return wstest.Cookie(sessions.Cookie.Name, token)
}

// A plainStore has only what scs.Store wants.
type plainStore struct{ scs.Store }

// A ctxStore has methods with a context, and counts their calls.
type ctxStore struct {
	plainStore
	calls []string
}

type ctxKey struct{}

func (s *ctxStore) called(ctx context.Context, method string) {
	if ctx.Value(ctxKey{}) != nil {
		method += " with its context"
	}
	s.calls = append(s.calls, method)
}

func (s *ctxStore) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	s.called(ctx, "FindCtx")
	return s.Find(key)
}

func (s *ctxStore) CommitCtx(ctx context.Context, key string, data []byte, expiry time.Time) error {
	s.called(ctx, "CommitCtx")
	return s.Commit(key, data, expiry)
}

func (s *ctxStore) DeleteCtx(ctx context.Context, key string) error {
	s.called(ctx, "DeleteCtx")
	return s.Delete(key)
}

type iterableCtxStore struct{ *ctxStore }

func (s iterableCtxStore) AllCtx(ctx context.Context) (map[string][]byte, error) {
	s.called(ctx, "AllCtx")
	return s.Store.(scs.IterableStore).All()
}

func TestWatchStore(t *testing.T) {
	memory := wstest.NewStore()
	withCtx := &ctxStore{plainStore: plainStore{memory}}
	for name, tt := range map[string]struct {
		store    scs.Store
		iterable bool
	}{
		"plain": {plainStore{memory}, false}, "iterable": {memory, true},
		"with contexts": {withCtx, false}, "iterable with contexts": {iterableCtxStore{withCtx}, true},
	} {
		t.Run(name, func(t *testing.T) {
			withCtx.calls = nil
			w := wsframework.WatchStore(tt.store)
			if wsframework.WatchStore(w) != w {
				t.Error("it is watched twice")
			}
			_, all := w.(scs.IterableStore)
			_, allCtx := w.(scs.IterableCtxStore)
			if all != tt.iterable || allCtx != tt.iterable {
				t.Errorf("iterable: %v, %v", all, allCtx)
			}
			ctx := context.WithValue(t.Context(), ctxKey{}, 1)
			store := w.(scs.CtxStore)
			soon := time.Now().Add(time.Hour)
			find := func(want string) {
				t.Helper()
				data, found, err := store.FindCtx(ctx, "k")
				plain, plainFound, plainErr := store.Find("k")
				if string(data) != want || found != (want != "") || err != nil || string(plain) != want || plainFound != found || plainErr != nil {
					t.Errorf("found %q %v %v, %q %v %v, want %q", data, found, err, plain, plainFound, plainErr, want)
				}
			}
			find("")
			if err := store.CommitCtx(ctx, "k", []byte("one"), soon); err != nil {
				t.Error(err)
			}
			find("one")
			if err := store.Commit("k", []byte("two"), soon); err != nil {
				t.Error(err)
			}
			find("two")
			if tt.iterable {
				byAll, err1 := w.(scs.IterableStore).All()
				byCtx, err2 := w.(scs.IterableCtxStore).AllCtx(ctx)
				if string(byAll["k"]) != "two" || string(byCtx["k"]) != "two" || err1 != nil || err2 != nil {
					t.Errorf("all: %v %v %v %v", byAll, byCtx, err1, err2)
				}
			}
			if err := errors.Join(store.DeleteCtx(ctx, "k"), store.Delete("k")); err != nil {
				t.Error(err)
			}
			find("")
			if _, ok := tt.store.(interface {
				AllCtx(context.Context) (map[string][]byte, error)
			}); ok && len(withCtx.calls) != 14 {
				t.Errorf("calls %q", withCtx.calls)
			}
			if _, ok := tt.store.(scs.CtxStore); ok && (withCtx.calls[0] != "FindCtx with its context" || withCtx.calls[1] != "FindCtx") {
				t.Errorf("calls %q", withCtx.calls)
			}
		})
	}
	if text := panicOf(func() { wsframework.WatchStore(nil) }); text != "wsframework: WatchStore needs a store" {
		t.Error(text)
	}
}

// A laggingStore finds what has been deleted, as a replica may.
type laggingStore struct {
	scs.Store
	old map[string][]byte
}

func (s laggingStore) Find(key string) ([]byte, bool, error) {
	data, found, err := s.Store.Find(key)
	if found {
		s.old[key] = data
	}
	return s.old[key], s.old[key] != nil, err
}

// What a replica still shows is not brought back either; what plain scs brings back is a session again.
func TestUpdateOnALaggingStore(t *testing.T) {
	inSessionBubble(t, func(t *testing.T, n network, sessions *scs.SessionManager) {
		memory := sessions.Store
		sessions.Store = laggingStore{memory, make(map[string][]byte)}
		_, connect := sockets(t, n, wsframework.Settings{Sessions: sessions})
		token := begin(t, sessions, "user", "ann")
		_, p := connect(cookieOf(sessions, token))
		for range 3 {
			change(t, sessions, token, func(ctx context.Context) { sessions.Destroy(ctx) })
			if err := p.Session().Update(t.Context(), increment); !errors.Is(err, wsframework.ErrSessionEnded) {
				t.Errorf("Update: %v", err)
			}
			if _, found, _ := memory.Find(token); found {
				t.Error("it is back")
			}
			<-time.After(50 * time.Second)
		}
		change(t, sessions, token, func(ctx context.Context) { sessions.Put(ctx, "n", 1) })
		if err := p.Session().Update(t.Context(), increment); err != nil || stored(t, sessions, token, "n") != 2 {
			t.Errorf("after it has come back: %v", err)
		}
	})
}

// No error and no log line shows a token or its key, also where the store's own error does.
func TestNoTokenInErrorsOfTheStore(t *testing.T) {
	for _, hashed := range []bool{false, true} {
		sessions := wstest.NewSessions()
		sessions.HashTokenInStore = hashed
		store := newBusyStore()
		sessions.Store = store
		s := overTCP.probes(t, wsframework.Settings{Sessions: sessions}, func(p *probe) {
			p.prepare = func() error { return p.Session().Put("n", 1) }
		})
		pages := newSite(t, wsframework.Settings{Sessions: sessions}).page(hooks{get: func(p *sheet) error { return p.Session().Destroy() }})
		token := begin(t, sessions, "user", "ann")
		all, err := store.All()
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		for key := range all {
			store.Fail(errors.New("can't read " + key + " of " + token))
			s.refused("/ws", 500, cookieOf(sessions, token))
			s.log.ExpectLine("ERROR", "can't read [session] of [session]")
			pages.expect("GET", "/", 500, "Internal Server Error\n", "Cookie: session="+token)
			pages.log.ExpectLine("ERROR", "can't read [session] of [session]")
		}
	}
}
