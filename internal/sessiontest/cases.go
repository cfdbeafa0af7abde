package sessiontest

import (
	"context"
	"sync"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

const ended = wsframework.CloseSessionEnded

func endsAtOnce(w *world) {
	w.settings.SessionCheckInterval = time.Hour // so that no look-up helps
	s := w.serve()
	bystander := s.visit("ann")
	for _, end := range []struct {
		path  string
		lives bool // under another token
	}{
		{"/page/logout", false},
		{"/page/renew", true},
		{"/plain?do=logout", false},
		{"/plain?do=renew", true},
		{"/beside?do=logout", false},
		{"/beside?do=renew", true},
	} {
		v := s.visit("ann")
		v2 := v.another()
		v.get(end.path)
		v.wantClose(ended, wsframework.ErrSessionEnded, atOnce)
		v2.wantClose(ended, wsframework.ErrSessionEnded, atOnce)
		w.wantGone(v.token)
		if end.lives && w.stored(v.cookie(), "user") != "ann" {
			w.Errorf("after %s it is gone", end.path)
		}
	}
	v := s.visit("ann")
	w.destroy(w.ours, v.token) // by no handler at all
	v.wantClose(ended, wsframework.ErrSessionEnded, atOnce)
	bystander.wantOpen()
}

func endsElsewhere(w *world) {
	s := w.serve()
	bystander := s.visit("ann")
	for _, end := range []func(context.Context) error{w.elsewhere.Destroy, w.elsewhere.RenewToken} {
		v := s.visit("ann")
		w.change(w.elsewhere, v.token, func(ctx context.Context) { w.report(end(ctx)) })
		v.wantClose(ended, wsframework.ErrSessionEnded, w.tick+slack)
	}
	if w.store.Destroy != nil {
		v := s.visit("ann")
		w.store.Destroy(w.T, v.token, w.hashed)
		v.wantClose(ended, wsframework.ErrSessionEnded, w.tick+slack)
		w.wantGone(v.token)
	}
	bystander.wantOpen()
}

func expires(w *world) {
	w.ours.Lifetime = 6 * w.tick
	v := w.visit("ann")
	v.wantClose(ended, wsframework.ErrSessionEnded, 7*w.tick+slack)
	v.wantAge(6 * w.tick)
	w.wantGone(v.token)
}

func idles(w *world) {
	w.ours.IdleTimeout = 6 * w.tick
	v := w.visit("ann")
	v.wantClose(ended, wsframework.ErrSessionEnded, 7*w.tick+slack)
	v.wantAge(6 * w.tick)
	w.wantGone(v.token)
}

// wantAge checks that the session has lived so long, give or take what the store rounds.
func (v *visitor) wantAge(least time.Duration) {
	v.w.Helper()
	if age := time.Since(v.began); age < least-time.Millisecond {
		v.w.Errorf("it ended after %v, want %v", age, least)
	}
}

func isKeptAlive(w *world) {
	w.ours.IdleTimeout, w.ours.Lifetime = 10*w.tick, 20*w.tick
	v := w.visit("ann")
	speaking, stop := context.WithCancel(w.Context())
	var speaker sync.WaitGroup
	defer speaker.Wait()
	defer stop()
	speaker.Go(func() {
		for ticker := time.NewTicker(w.tick / 2); speaking.Err() == nil; {
			select {
			case <-ticker.C:
				v.Conn().Write(wstest.EncodeFrame(wstest.TextFrame, []byte("here"))) // until it is closed
			case <-speaking.Done():
				ticker.Stop()
			}
		}
	})
	v.wantClose(ended, wsframework.ErrSessionEnded, 21*w.tick+slack)
	v.wantAge(20 * w.tick)
	w.wantGone(v.token)
}

func losesItsUser(w *world) {
	v := w.visit("ann")
	w.change(w.elsewhere, v.token, func(ctx context.Context) { w.elsewhere.Remove(ctx, "user") })
	v.wantClose(wsframework.CloseNoUser, wsframework.ErrNoUser, w.tick+slack)

	w.settings.SessionCheckInterval = time.Hour
	v = w.visit("ann")
	w.change(w.ours, v.token, func(ctx context.Context) { w.ours.Remove(ctx, "user") })
	v.wantClose(wsframework.CloseNoUser, wsframework.ErrNoUser, atOnce)
}

func outlivesTheStore(w *world) {
	w.settings.SessionCheckGrace = time.Hour
	v := w.visit("ann")
	w.away.goAway(errAway)
	for range cap(w.away.refused) {
		<-w.away.refused
	}
	v.wantOpen()
	w.away.goAway(nil)
	w.must(v.socket.Session().Reload(w.Context()))

	w.settings.SessionCheckGrace = 4 * w.tick
	v = w.visit("ann")
	w.away.goAway(errAway)
	v.wantClose(wsframework.CloseTryAgainLater, wsframework.ErrSessionUnchecked, 5*w.tick+slack)
	v.wantAge(4 * w.tick)
}

func reachesUsers(w *world) {
	s := w.serve()
	phone, laptop, other := s.visit("ann"), s.visit("ann"), s.visit("ben")
	tab := laptop.another()
	w.must(s.app.SendUser(w.Context(), "ann", "hello"))
	for _, v := range []*visitor{phone, laptop, tab} {
		v.Expect("hello")
	}
	w.must(s.app.CloseSession(w.Context(), laptop.token, 4000, "this device"))
	laptop.wantClose(4000, nil, atOnce)
	tab.wantClose(4000, nil, atOnce)
	phone.wantOpen()

	tab = laptop.another() // for closing ends no session
	w.must(s.app.CloseUser(w.Context(), "ann", 4001, "all devices"))
	phone.wantClose(4001, nil, atOnce)
	tab.wantClose(4001, nil, atOnce)
	other.wantOpen()
}
