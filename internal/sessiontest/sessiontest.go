// Package sessiontest is what wsframework promises of sessions on open sockets, as a suite that runs with any
// store of scs.
package sessiontest

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
)

// A Store is what a suite runs with.
type Store struct {
	// Open opens the store, as each process does for itself: all that it returns share their data.
	Open func(t *testing.T) scs.Store

	// Destroy ends a session from a process of its own, which knows only scs. It is nil for a store that no
	// other process can reach.
	Destroy func(t *testing.T, token string, hashed bool)

	// Tick is a time to live that the store can tell from the next one. The longest case takes twenty.
	Tick time.Duration
}

// Run runs the suite: all cases with tokens as they are, and with hashed ones.
func Run(t *testing.T, store Store) {
	for _, hashed := range []bool{false, true} {
		t.Run(fmt.Sprint("hashed ", hashed), func(t *testing.T) {
			for name, test := range map[string]func(*world){
				"ends at once in its own process": endsAtOnce,
				"ends in another process":         endsElsewhere,
				"expires":                         expires,
				"lives on without its user":       losesItsUser,
				"is not brought back":             isNotBroughtBack,
				"is not saved when it is over":    isNotSavedLate,
				"loses no update":                 losesNoUpdate,
				"is kept alive by messages":       isKeptAlive,
				"is reloaded":                     isReloaded,
				"outlives a store that is away":   outlivesTheStore,
				"ends when nobody speaks":         idles,
				"tells whose sockets they are":    reachesUsers,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(newWorld(t, store, hashed))
				})
			}
		})
	}
}

// A world is a process with an application, and another one that shares its store.
type world struct {
	*testing.T
	store           Store
	tick            time.Duration
	hashed          bool
	ours, elsewhere *scs.SessionManager
	away            *awayStore // between the application and the store
	settings        wsframework.Settings
}

func newWorld(t *testing.T, store Store, hashed bool) *world {
	away, ours := newAwayStore(store.Open(t))
	w := &world{T: t, store: store, tick: store.Tick, hashed: hashed, away: away}
	w.ours = newManager(ours, hashed)
	w.elsewhere = newManager(store.Open(t), hashed)
	w.settings = wsframework.Settings{Sessions: w.ours, Logger: slog.New(slog.DiscardHandler), SessionCheckInterval: w.tick}
	return w
}

func newManager(store scs.Store, hashed bool) *scs.SessionManager {
	manager := scs.New()
	manager.Store, manager.HashTokenInStore = store, hashed
	return manager
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) report(err error) {
	w.Helper()
	if err != nil {
		w.Error(err)
	}
}

// change changes a session as a request of plain scs does, in one of the two processes.
func (w *world) change(manager *scs.SessionManager, token string, f func(ctx context.Context)) {
	w.Helper()
	ctx, err := manager.Load(context.Background(), token)
	w.must(err)
	f(ctx)
	if manager.Status(ctx) == scs.Modified {
		_, _, err = manager.Commit(ctx)
		w.must(err)
	}
}

func (w *world) destroy(manager *scs.SessionManager, token string) {
	w.Helper()
	w.change(manager, token, func(ctx context.Context) { w.report(manager.Destroy(ctx)) })
}

// stored returns a value as a later request would find it.
func (w *world) stored(token, key string) (value any) {
	w.Helper()
	ctx, err := w.elsewhere.Load(context.Background(), token)
	w.must(err)
	return w.elsewhere.Get(ctx, key)
}

// wantGone checks that the store has no such session.
func (w *world) wantGone(token string) {
	w.Helper()
	ctx, err := w.elsewhere.Load(context.Background(), token)
	w.must(err)
	if w.elsewhere.Token(ctx) != "" {
		w.Errorf("the session is there, with %q", w.elsewhere.Keys(ctx))
	}
}
