package sessiontest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

const ended = wsframework.CloseSessionEnded

func endsAtOnce(w *world) {
	w.settings.SessionCheckInterval = time.Hour // so that no look-up helps
	for _, path := range []string{"/logout", "/renew"} {
		v := w.visit("ann")
		v.get(path)
		v.wantClose(ended, wsframework.ErrSessionEnded)
		if w.stored(v.token, "user") != nil {
			w.Errorf("after %s it is still there", path)
		}
	}
}

func endsElsewhere(w *world) {
	v := w.visit("ann")
	w.change(w.elsewhere, v.token, func(ctx context.Context) { w.report(w.elsewhere.Destroy(ctx)) })
	v.wantClose(ended, wsframework.ErrSessionEnded)
}

func expires(w *world) {
	w.ours.Lifetime = 2 * w.tick
	w.visit("ann").wantClose(ended, wsframework.ErrSessionEnded)
}

func idles(w *world) {
	w.ours.IdleTimeout = 3 * w.tick
	v := w.visit("ann")
	v.wantClose(ended, wsframework.ErrSessionEnded)
	if w.stored(v.token, "user") != nil {
		w.Error("it is back")
	}
}

func isKeptAlive(w *world) {
	w.ours.IdleTimeout, w.ours.Lifetime = 4*w.tick, 12*w.tick
	v := w.visit("ann")
	began := time.Now()
	speaking, stop := context.WithCancel(w.Context())
	var speaker sync.WaitGroup
	defer speaker.Wait()
	defer stop()
	speaker.Go(func() {
		for ticker := time.NewTicker(w.tick / 2); speaking.Err() == nil; {
			select {
			case <-ticker.C:
				v.conn.Write(speaking, websocket.MessageText, []byte("here"))
			case <-speaking.Done():
				ticker.Stop()
			}
		}
	})
	v.wantClose(ended, wsframework.ErrSessionEnded)
	if took := time.Since(began); took < 8*w.tick {
		w.Errorf("it ended after %v", took)
	}
}

func losesItsUser(w *world) {
	v := w.visit("ann")
	w.change(w.elsewhere, v.token, func(ctx context.Context) { w.elsewhere.Remove(ctx, "user") })
	v.wantClose(wsframework.CloseNoUser, wsframework.ErrNoUser)

	w.settings.SessionCheckInterval = time.Hour
	v = w.visit("ann")
	w.change(w.ours, v.token, func(ctx context.Context) { w.ours.Remove(ctx, "user") })
	v.wantClose(wsframework.CloseNoUser, wsframework.ErrNoUser)
}

func isNotBroughtBack(w *world) {
	w.settings.SessionCheckInterval = time.Hour
	destroy := func(token string) {
		w.change(w.ours, token, func(ctx context.Context) { w.report(w.ours.Destroy(ctx)) })
	}
	v := w.visit("ann")
	w.change(w.ours, v.token, func(ctx context.Context) { destroy(v.token); w.ours.Put(ctx, "n", 1) })
	if w.stored(v.token, "user") != "ann" {
		w.Error("scs itself does not bring it back any more")
	}

	v = w.visit("ann")
	update := func(tx *wsframework.SessionTx) error { destroy(v.token); tx.Put("n", 1); return nil }
	if err := v.socket.Session().Update(w.Context(), update); !errors.Is(err, wsframework.ErrSessionEnded) {
		w.Errorf("Update: %v", err)
	}
	v.wantClose(ended, wsframework.ErrSessionEnded)
	if w.stored(v.token, "user") != nil || w.stored(v.token, "n") != nil {
		w.Error("it is back")
	}

	v = w.visit("ann")
	w.change(w.elsewhere, v.token, func(ctx context.Context) { w.report(w.elsewhere.Destroy(ctx)) })
	if err := v.socket.Session().Update(w.Context(), update); !errors.Is(err, wsframework.ErrSessionEnded) {
		w.Errorf("Update of one that has ended elsewhere: %v", err)
	}
	v.wantClose(ended, wsframework.ErrSessionEnded)
	if err := v.socket.Session().Reload(w.Context()); !errors.Is(err, wsframework.ErrSessionEnded) {
		w.Errorf("Reload: %v", err)
	}
}

func losesNoUpdate(w *world) {
	v := w.visit("ann")
	plain := func(ctx context.Context) { w.ours.Put(ctx, "n", w.ours.GetInt(ctx, "n")+1) }
	w.change(w.ours, v.token, func(ctx context.Context) { w.change(w.ours, v.token, plain); plain(ctx) })
	if got := w.stored(v.token, "n"); got != 1 {
		w.Errorf("scs itself does not lose updates any more: %v", got)
	}

	const goroutines, each = 8, 10
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range each {
				w.report(v.socket.Session().Update(w.Context(), func(tx *wsframework.SessionTx) error {
					n, _ := wsframework.SessionValue[int](tx, "n")
					tx.Put("n", n+1)
					return nil
				}))
			}
		})
	}
	all.Wait()
	if got := w.stored(v.token, "n"); got != 1+goroutines*each {
		w.Errorf("%v of %d", got, 1+goroutines*each)
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

func outlivesTheStore(w *world) {
	w.settings.SessionCheckGrace = 4 * w.tick
	v := w.visit("ann")
	w.away.goAway(errAway)
	for range cap(w.away.refused) {
		<-w.away.refused
	}
	w.away.goAway(nil)
	w.must(v.socket.Session().Reload(w.Context())) // it is open
	if !v.socket.IsOpen() {
		w.Fatal("it is closed because the store was away")
	}
	w.away.goAway(errAway)
	if took := v.wantClose(wsframework.CloseTryAgainLater, wsframework.ErrSessionUnchecked); took < 2*w.tick {
		w.Errorf("closed after %v", took)
	}
}
