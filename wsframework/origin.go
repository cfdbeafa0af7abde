package wsframework

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// An origin is a parsed Origin header (RFC 6454, 7) or entry of Settings.AllowedOrigins.
type origin struct {
	scheme   string
	host     string // in lower case
	port     string
	wildcard bool // any subdomain of host
}

// An originList is Settings.AllowedOrigins, parsed.
type originList struct {
	all     bool
	origins []origin
}

// newOriginList panics for what can't be an origin, so that a typing error shows at start-up.
func newOriginList(patterns []string) originList {
	var list originList
	for _, pattern := range patterns {
		if pattern == "*" {
			list.all = true
			continue
		}
		scheme, rest, _ := strings.Cut(pattern, "://")
		host, wildcard := strings.CutPrefix(rest, "*.")
		o, ok := parseOrigin(scheme + "://" + host)
		if !ok || strings.Contains(host, "*") {
			panic(fmt.Errorf("wsframework: Settings.AllowedOrigins: %q is no origin; write https://example.com, https://*.example.com, with :port if needed, or *", pattern))
		}
		o.wildcard = wildcard
		list.origins = append(list.origins, o)
	}
	return list
}

// parseOrigin accepts a scheme, a host and perhaps a port, and nothing else. An origin is in ASCII
// (RFC 6454, 6.2): other letters could only look like a host, or fold to one.
func parseOrigin(s string) (origin, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") ||
		strings.Contains("."+u.Hostname(), "..") || strings.ContainsFunc(u.Host, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return origin{}, false
	}
	return origin{
		scheme: u.Scheme,
		host:   strings.ToLower(u.Hostname()),
		port:   portOr(u.Port(), u.Scheme),
	}, true
}

func portOr(port, scheme string) string {
	switch {
	case port != "":
		return port
	case scheme == "http":
		return "80"
	case scheme == "https":
		return "443"
	}
	return ""
}

// allow reports whether a page of the origin may open a socket on host, which is what the Host header
// names.
func (l originList) allow(host, header string) bool {
	if l.all {
		return true
	}
	o, ok := parseOrigin(header)
	if !ok {
		return false
	}
	return o.sameHost(host) || l.lists(o)
}

// lists reports whether an origin is among those that are named, "*" not counting.
func (l originList) lists(o origin) bool {
	return slices.ContainsFunc(l.origins, func(allowed origin) bool { return allowed.matches(o) })
}

// checkUnsafe refuses what changes something (POST and the like) on behalf of a page of another origin,
// unless that is listed.
func (l originList) checkUnsafe(r *http.Request) *refusal {
	if err := crossOrigin.Check(r); err != nil {
		if o, ok := parseOrigin(r.Header.Get("Origin")); !ok || !l.lists(o) {
			return refuse(http.StatusForbidden, "Pages of this origin may not send this; the server's setting AllowedOrigins decides.", "Settings.AllowedOrigins")
		}
	}
	return nil
}

// crossOrigin has no settings, and so no state.
var crossOrigin = http.NewCrossOriginProtection()

// sameHost compares with a Host header, which has no scheme: its default port is the origin's.
func (o origin) sameHost(header string) bool {
	host, port, err := net.SplitHostPort(header)
	if err != nil {
		host, port = strings.Trim(header, "[]"), ""
	}
	return strings.EqualFold(o.host, host) && o.port == portOr(port, o.scheme)
}

func (o origin) matches(other origin) bool {
	if o.scheme != other.scheme || o.port != other.port {
		return false
	}
	if o.wildcard {
		return strings.HasSuffix(other.host, "."+o.host)
	}
	return o.host == other.host
}
