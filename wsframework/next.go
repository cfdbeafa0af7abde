package wsframework

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// localPath returns next, and true, if it leads to a page of this site in every browser, else "/": a
// login page must not send people, with its good name, to where a link of somebody else says.
//
// Browsers (WHATWG URL, 4.4) drop tabs, line ends and what surrounds a URL, and read a backslash as a
// slash, so `/\t/evil.example` and `/\evil.example` lead away as //evil.example does. An empty segment
// further inside is refused as well: with dots before it, it comes to the front.
func localPath(next string) (string, bool) {
	path, _, _ := strings.Cut(next, "#")
	path, _, _ = strings.Cut(path, "?")
	if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.Contains(next, `\`) ||
		strings.ContainsFunc(next, unicode.IsControl) || next != strings.TrimSpace(next) || !utf8.ValidString(next) {
		return "/", false
	}
	if u, err := url.Parse(next); err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return "/", false
	}
	return next, true
}

// loginURL returns where to log in, with the page that was asked for as its argument next: its path, or
// all of its URL, with this scheme, if one logs in on another host. As Tornado's authenticated.
func loginURL(login, scheme string, r *http.Request) string {
	next := r.RequestURI // of the whole site, whatever a router has cut off
	if !strings.HasPrefix(next, "/") {
		next = r.URL.RequestURI()
	}
	u, err := url.Parse(login)
	if err != nil {
		return login
	}
	if u.Host != "" {
		next = scheme + "://" + r.Host + next
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "next=" + url.QueryEscape(next)
	return u.String()
}
