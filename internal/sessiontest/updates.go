package sessiontest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
)

// increment is a function for Update.
func increment(tx *wsframework.SessionTx) error {
	n, _ := wsframework.SessionValue[int](tx, "n")
	tx.Put("n", n+1)
	return nil
}

// wantEnded checks that Update finds no session any more, and makes none.
func (v *visitor) wantEnded(f func(*wsframework.SessionTx) error) {
	v.w.Helper()
	if err := v.socket.Session().Update(v.w.Context(), f); !errors.Is(err, wsframework.ErrSessionEnded) {
		v.w.Errorf("Update: %v", err)
	}
	v.w.wantGone(v.token)
}

func isNotBroughtBack(w *world) {
	w.settings.SessionCheckInterval = time.Hour
	v := w.visit("ann")
	w.change(w.ours, v.token, func(ctx context.Context) { w.destroy(w.ours, v.token); w.ours.Put(ctx, "n", 1) })
	if w.stored(v.token, "user") != "ann" {
		w.Error("scs itself does not bring it back any more")
	}

	for _, manager := range []*scs.SessionManager{w.ours, w.elsewhere} {
		end := func(token string) { w.destroy(manager, token) }
		v = w.visit("ann")
		v.wantEnded(func(tx *wsframework.SessionTx) error { end(v.token); return increment(tx) })
		v.wantClose(ended, wsframework.ErrSessionEnded, atOnce)

		v = w.visit("ann")
		end(v.token)
		v.wantEnded(increment)
		v.wantClose(ended, wsframework.ErrSessionEnded, atOnce)
		v.wantEnded(increment)
		if err := v.socket.Session().Reload(w.Context()); !errors.Is(err, wsframework.ErrSessionEnded) {
			w.Errorf("Reload: %v", err)
		}
	}
}

func isNotSavedLate(w *world) {
	w.settings.SessionCheckInterval = time.Hour
	w.ours.Lifetime = 6 * w.tick
	v := w.visit("ann")
	over := time.After(7 * w.tick)
	v.wantEnded(func(tx *wsframework.SessionTx) error { <-over; return increment(tx) })
	v.wantClose(ended, wsframework.ErrSessionEnded, atOnce)
}

func losesNoUpdate(w *world) {
	const sockets, each = 20, 20
	v := w.visit("ann")
	plain := func(ctx context.Context) { w.ours.Put(ctx, "n", w.ours.GetInt(ctx, "n")+1) }
	w.change(w.ours, v.token, func(ctx context.Context) { w.change(w.ours, v.token, plain); plain(ctx) })
	if got := w.stored(v.token, "n"); got != 1 {
		w.Errorf("scs itself does not lose updates any more: %v", got)
	}

	var all sync.WaitGroup
	for i := range sockets {
		if i > 0 {
			v = v.another()
		}
		session := v.socket.Session()
		all.Go(func() {
			for range each {
				w.report(session.Update(w.Context(), increment))
			}
		})
	}
	all.Wait()
	if got := w.stored(v.token, "n"); got != 1+sockets*each {
		w.Errorf("%v of %d", got, 1+sockets*each)
	}
}

func isReloaded(w *world) {
	w.settings.SessionCheckInterval = time.Hour
	v := w.visit("ann")
	w.change(w.elsewhere, v.token, func(ctx context.Context) { w.elsewhere.Put(ctx, "user", "ben") })
	if v.socket.CurrentUser() != "ann" {
		w.Error("it has seen what nobody told it")
	}
	w.must(v.socket.Session().Reload(w.Context()))
	if v.socket.CurrentUser() != "ben" || v.socket.Session().GetString("user") != "ben" {
		w.Errorf("the user is %v", v.socket.CurrentUser())
	}
}
