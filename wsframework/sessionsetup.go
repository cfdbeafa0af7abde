package wsframework

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"

	"github.com/alexedwards/scs/v2"
)

// setUpSessions finds mistakes in the settings of sessions, and has their store watched.
func (app *Application) setUpSessions() error {
	s := &app.settings
	app.sessions.app, app.sessions.seed = app, maphash.MakeSeed()
	for setting, code := range map[string]int{"SessionEndedCode": s.SessionEndedCode, "NoUserCode": s.NoUserCode} {
		if !sendable(code) {
			return fmt.Errorf("wsframework: Settings.%s: close code %d may not be sent (RFC 6455, 7.4); use one from 4000 to 4999", setting, code)
		}
	}
	if s.Sessions == nil {
		return nil
	}
	if err := checkManager(s.Sessions); err != nil {
		return err
	}
	app.watchStore()
	return nil
}

// checkManager finds what would fail, or let nobody stay logged in, later.
func checkManager(manager *scs.SessionManager) error {
	cookie := http.Cookie{Name: manager.Cookie.Name, Domain: manager.Cookie.Domain, Path: manager.Cookie.Path, Secure: manager.Cookie.Secure,
		Partitioned: manager.Cookie.Partitioned}
	switch {
	case manager.Store == nil:
		return errors.New("wsframework: Settings.Sessions has no Store; make it with scs.New")
	case manager.Codec == nil:
		return errors.New("wsframework: Settings.Sessions has no Codec; make it with scs.New")
	case manager.Lifetime <= 0:
		return errors.New("wsframework: Settings.Sessions has no Lifetime, so each session would end at once; scs.New sets 24 hours")
	}
	if err := cookie.Valid(); err != nil {
		return fmt.Errorf("wsframework: the session cookie of Settings.Sessions can't be sent: %w", err)
	}
	// One that scs.New has not made has the zero key in contexts, and takes another such manager's sessions for
	// its own.
	nobodys, err := (&scs.SessionManager{}).Load(context.Background(), "")
	if err != nil {
		return err
	}
	probe := &probeContext{Context: nobodys}
	if loaded, err := manager.Load(probe, ""); err == nil && loaded == context.Context(probe) {
		return errors.New("wsframework: Settings.Sessions can't be told from other session managers; make it with scs.New")
	}
	return nil
}

// watchStore sees that the store of the sessions is watched. A program may assign it until it serves.
func (app *Application) watchStore() {
	manager := app.settings.Sessions
	if manager == nil || manager.Store == nil {
		return
	}
	if watchedStoreOf(manager.Store) == nil {
		manager.Store = WatchStore(manager.Store)
	}
	app.watchedStore()
}

// watchedStore returns the store of the sessions, and learns of what happens in it from then on.
func (app *Application) watchedStore() (*watchedStore, error) {
	manager := app.settings.Sessions
	if manager == nil {
		return nil, errors.New("wsframework: there are no sessions; set Settings.Sessions")
	}
	w := watchedStoreOf(manager.Store)
	if w == nil {
		return nil, errors.New("wsframework: the Store of Settings.Sessions was replaced after the application had begun to serve; " +
			"assign it before, or assign what WatchStore returns")
	}
	if old := app.store.Swap(w); old != w {
		if old != nil {
			old.unwatch(app)
		}
		w.watch(app)
	}
	return w, nil
}

// unwatchStore lets the store forget the application.
func (app *Application) unwatchStore() {
	if w := app.store.Load(); w != nil {
		w.unwatch(app)
	}
}

// sessionKey returns the key that a session has in its store. Only scs knows how it makes one of a token, so
// it is asked to load the session, and the call ends before the store itself.
func (app *Application) sessionKey(token string) (string, error) {
	if _, err := app.watchedStore(); err != nil {
		return "", err
	}
	call := storeCall{keyOnly: true}
	if _, err := app.settings.Sessions.Load(call.in(context.Background()), token); err != nil {
		return "", err
	}
	return call.key, nil
}
