package wsframework

import (
	"net/http"

	"github.com/gotornado/gotornado/internal/testvisit"
)

// askToLogIn says where a request without a current user leads, or refuses it.
func (app *Application) askToLogIn(r *http.Request) (to string, err error) {
	login := app.settings.LoginURL
	if login == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "", refuse(http.StatusForbidden, "Log in first.", "Authenticated, GetCurrentUser, Settings.LoginURL")
	}
	return loginURL(login, app.proxies.scheme(r), r), nil
}

// requireUser is Authenticated for a plain handler, which has no GetCurrentUser: the user is that of
// Settings.CurrentUser or the session.
func (app *Application) requireUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := app.userOf(r)
		if err == nil && isNil(user) {
			var to string
			if to, err = app.askToLogIn(r); err == nil {
				http.Redirect(w, r, to, http.StatusFound)
				return
			}
		}
		if err != nil {
			refusePlain(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// userOf returns who sends a request in whose context the session is.
func (app *Application) userOf(r *http.Request) (user any, err error) {
	if user, named := testvisit.UserOf(r.Context()); named {
		return user, nil
	}
	switch s := &app.settings; {
	case s.CurrentUser != nil:
		app.inTurn("CurrentUser", func() { // plain handlers run beside the line, but this is shared with pages
			err = contain("CurrentUser", func() (err error) {
				user, err = s.CurrentUser(r)
				return err
			})
		})
		return user, err
	case s.Sessions != nil:
		return s.Sessions.Get(r.Context(), "user"), nil
	}
	return nil, nil
}
