package wsframework

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

var errNoCookieSecrets = errors.New("wsframework: there is no secret to sign cookies with: " +
	"set Settings.CookieSecrets to map[int][]byte{0: secret}, with 32 random bytes")

const (
	signedCookieLife   = 30 * 24 * time.Hour
	signedCookieMaxAge = 31 * 24 * time.Hour

	maxCookie = 4096 // bytes of name and value that every browser keeps (RFC 6265, 6.1)
)

// SetSignedCookie adds a cookie to the answer that can be read by whoever has it, but neither changed nor
// made up: see [Settings.CookieSecrets]. The value may hold any bytes. The signature covers the name and the
// time, too.
//
// The cookie lasts 30 days and has the path "/", HttpOnly, SameSite=Lax and, when the request came by https,
// Secure. Attributes stand in for all of these but the path: without MaxAge and Expires the cookie is gone
// when the browser is closed. Their Name and Value do not count.
//
// The errors are those of SetCookie; besides, there may be no secret, or more to sign than a browser keeps in
// a cookie. As Tornado's set_signed_cookie, set_secure_cookie before 6.3.
func (h *requestSide) SetSignedCookie(name, value string, attributes ...http.Cookie) error {
	x := h.x.Load()
	switch {
	case x == nil:
		return ErrNotOpen
	case len(x.app.keyring.keys) == 0:
		return errNoCookieSecrets
	}
	cookie := http.Cookie{
		MaxAge:   int(signedCookieLife / time.Second),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
		Secure:   h.Scheme() == "https",
	}
	if len(attributes) > 0 {
		cookie = attributes[0]
	}
	cookie.Name, cookie.Value = name, x.app.keyring.sign(name, value, time.Now())
	if size := len(cookie.Name) + len(cookie.Value); size > maxCookie {
		return fmt.Errorf("wsframework: the cookie %q has %d bytes when it is signed, and browsers drop what is longer than %d; keep less in it, or use the session",
			name, size, maxCookie)
	}
	return h.SetCookie(&cookie)
}

// GetSignedCookie returns the value of a signed cookie of the request, and whether there is one that was
// signed with one of Settings.CookieSecrets, for this name and no longer ago than maxAge, which is 31 days by
// default. What SetSignedCookie adds comes with the next request. As Tornado's get_signed_cookie,
// get_secure_cookie before 6.3.
//
// A copied cookie is as good as the first one until it is too old: a logout takes it from the browser only. A
// session can be ended (Session.Destroy).
func (h *requestSide) GetSignedCookie(name string, maxAge ...time.Duration) (value string, ok bool) {
	x := h.x.Load()
	if x == nil {
		return "", false
	}
	if len(x.app.keyring.keys) == 0 {
		h.Logger().Warn("wsframework: a signed cookie was asked for, but no secret is set", "cookie", name, "setting", "Settings.CookieSecrets")
		return "", false
	}
	limit := signedCookieMaxAge
	if len(maxAge) > 0 {
		limit = maxAge[0]
	}
	return x.app.keyring.verify(name, h.Cookie(name), limit, time.Now())
}

// GetSignedCookieKeyVersion returns the version of the key that a signed cookie of the request says it was
// signed with, which only GetSignedCookie checks, and whether it says so: to sign those of an old key again.
// Version 1 of the format names no key. As Tornado's get_signed_cookie_key_version.
func (h *requestSide) GetSignedCookieKeyVersion(name string) (version int, ok bool) {
	v, ok := parseSignedValue(h.Cookie(name))
	return int(v.key), ok && v.key == int64(int(v.key))
}
