package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// checkCookies looks at those that came with the answers so far.
func checkCookies(_ context.Context, p *probe) finding {
	if !p.encrypted() {
		return skipped("the URL is not encrypted")
	}
	var names, wrong []string
	for _, cookie := range p.cookies {
		name := fmt.Sprintf("%.60q", cookie.Name)
		if cookie.MaxAge < 0 || slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
		if missing := missingIn(cookie); len(missing) > 0 {
			wrong = append(wrong, name+" lacks "+strings.Join(missing, ", "))
		}
	}
	switch {
	case len(names) == 0:
		return ok("none are set")
	case len(wrong) == 0:
		return ok("Secure, HttpOnly and SameSite: " + strings.Join(names, ", "))
	}
	return warning(strings.Join(wrong, "; "),
		"scs: sessions.Cookie.Secure = true (HttpOnly and SameSite are its defaults).",
		"wsframework: a cookie is Secure by itself where Settings.TrustedProxies names the proxy and that sets X-Forwarded-Proto:",
		"nginx: proxy_set_header X-Forwarded-Proto $scheme; or proxy_cookie_flags ~ secure httponly samesite=lax;")
}

// missingIn lists what a cookie should have. One against forged requests is read by scripts, so it need not be HttpOnly.
func missingIn(cookie *http.Cookie) (missing []string) {
	if !cookie.Secure {
		missing = append(missing, "Secure")
	}
	if lower := strings.ToLower(cookie.Name); !cookie.HttpOnly && !strings.Contains(lower, "xsrf") && !strings.Contains(lower, "csrf") {
		missing = append(missing, "HttpOnly")
	}
	if cookie.SameSite == 0 {
		missing = append(missing, "SameSite")
	}
	return missing
}
