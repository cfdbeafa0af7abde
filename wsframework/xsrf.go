package wsframework

import (
	"crypto/subtle"
	"fmt"
	"html/template"
	"net/http"
	"time"
)

// XSRFToken returns the token that requests of this visitor have to bring along when Settings.XSRFCookies is
// set, and adds the cookie to the answer if the visitor has none yet. The text differs from call to call, so
// that it can't be guessed from the size of compressed pages; all of them are good. Use it for pages whose
// scripts can't read the cookie.
//
// A new cookie lasts 30 days for a current user and until the browser is closed for others, unless
// Settings.XSRFCookieOptions say otherwise. When it is too late for one, the error is that of SetCookie: on a
// socket, call it in Prepare. As Tornado's xsrf_token.
func (h *requestSide) XSRFToken() (string, error) {
	x := h.x.Load()
	if x == nil {
		return "", ErrNotOpen
	}
	if token, ok := parseXSRFToken(h.Cookie(x.app.settings.XSRFCookieOptions.Name)); ok {
		return token.String(), nil
	}
	lasts := h.CurrentUser() != nil // asked now, since that may need the lock
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.xsrf == nil {
		token := newXSRFToken()
		cookie := x.app.settings.XSRFCookieOptions
		cookie.Value = token.String()
		cookie.Secure = cookie.Secure || h.Scheme() == "https"
		if lasts && cookie.MaxAge == 0 && cookie.Expires.IsZero() {
			cookie.MaxAge = int(signedCookieLife / time.Second)
		}
		if err := h.SetCookie(&cookie); err != nil {
			return "", err
		}
		x.xsrf = &token
	}
	return x.xsrf.String(), nil
}

// XSRFFormHTML returns the field with the token for a form that is posted:
//
//	<input type="hidden" name="_xsrf" value="…"/>
//
// In templates it is {{xsrf_form_html}}. Its errors are those of XSRFToken. As Tornado's xsrf_form_html.
func (h *requestSide) XSRFFormHTML() (template.HTML, error) {
	token, err := h.XSRFToken()
	if err != nil {
		return "", err
	}
	return template.HTML(`<input type="hidden" name="_xsrf" value="` + token + `"/>`), nil // which has nothing to escape
}

// CheckXSRFCookie refuses a request with 403 unless its argument _xsrf, or header X-XSRFToken or
// X-CSRFToken, has the token of the visitor's cookie.
func (h *RequestHandler) CheckXSRFCookie() error {
	x := h.x.Load()
	if x == nil {
		return ErrNotOpen
	}
	sent := h.Argument("_xsrf")
	for _, name := range []string{"X-Xsrftoken", "X-Csrftoken"} {
		if sent == "" {
			sent = x.request.Header.Get(name)
		}
	}
	cookie := x.app.settings.XSRFCookieOptions.Name
	want, known := parseXSRFToken(h.Cookie(cookie))
	token, readable := parseXSRFToken(sent)
	problem := ""
	switch {
	case sent == "":
		problem = fmt.Sprintf("The argument _xsrf is missing: put {{xsrf_form_html}} into the form, or send the cookie %s as the header X-XSRFToken.", cookie)
	case !readable:
		problem = fmt.Sprintf("The argument _xsrf is malformed: send it as {{xsrf_form_html}} writes it, or the cookie %s as it is.", cookie)
	case !known:
		problem = fmt.Sprintf("The cookie %s is missing or malformed: allow cookies, load the page again and send it from there.", cookie)
	case subtle.ConstantTimeCompare(token.secret, want.secret) != 1:
		problem = fmt.Sprintf("The argument _xsrf does not belong to the cookie %s: load the page again and send it from there.", cookie)
	default:
		return nil
	}
	return refuse(http.StatusForbidden, problem, "Settings.XSRFCookies")
}

// CheckXSRFCookie lets 404 and 405 tell what is wrong.
func (*errorPage) CheckXSRFCookie() error { return nil }

// needsXSRFCheck reports whether a request may change something.
func needsXSRFCheck(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// checkXSRFOptions checks Settings.XSRFCookieOptions.
func checkXSRFOptions(cookie http.Cookie) error {
	if cookie.MaxAge < 0 {
		return fmt.Errorf("wsframework: Settings.XSRFCookieOptions: MaxAge %d deletes the cookie; 0 keeps it until the browser is closed", cookie.MaxAge)
	}
	if err := cookie.Valid(); err != nil {
		return fmt.Errorf("wsframework: Settings.XSRFCookieOptions: %w", err)
	}
	return nil
}
