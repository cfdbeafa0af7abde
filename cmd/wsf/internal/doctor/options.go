package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// options are what the command line says.
type options struct {
	target       *url.URL    // its scheme is http or https
	shown        string      // without what may be secret
	header       http.Header // to be sent along
	origin       string      // of the endpoint's own pages
	subprotocols []string
	roots        *x509.CertPool // nil: the system's
	insecure     bool

	timeout, slow, idle time.Duration

	send     string
	size     int
	max      int
	maxAsked bool
	httpPort int // -1: 80, if the target has 443
}

// ownHeaders are the handshake's.
var ownHeaders = []string{"Connection", "Upgrade", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions"}

// setTarget reads the URL. Without a scheme that of this machine is http, and of others https.
func (o *options) setTarget(address string) error {
	if !strings.Contains(address, "://") {
		scheme := "https://"
		host, _, _ := strings.Cut(address, "/")
		if u, err := url.Parse("//" + host); err == nil && isLocal(u.Hostname()) {
			scheme = "http://"
		}
		address = scheme + address
	}
	target, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("the URL is malformed: %w", errors.Unwrap(err))
	}
	switch target.Scheme {
	case "ws":
		target.Scheme = "http"
	case "wss":
		target.Scheme = "https"
	case "http", "https":
	default:
		return fmt.Errorf("%q is no scheme of a WebSocket; write https://host/path or wss://host/path", target.Scheme)
	}
	if target.Hostname() == "" {
		return errors.New("the URL has no host; write https://host/path")
	}
	if target.Fragment != "" {
		return errors.New("the URL of a WebSocket has no fragment (RFC 6455, 3); leave out what follows #")
	}
	if user := target.User; user != nil {
		password, _ := user.Password()
		r := http.Request{Header: o.header}
		r.SetBasicAuth(user.Username(), password)
		target.User = nil
	}
	o.target = target
	o.shown = (&url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path}).String()
	if o.origin == "" {
		o.origin = target.Scheme + "://" + strings.ToLower(target.Host)
	}
	return nil
}

func isLocal(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// setHeader reads what is to be sent along. An Origin is that of the site's own pages.
func (o *options) setHeader(lines, cookies []string) error {
	o.header = make(http.Header)
	for _, line := range lines {
		name, value, found := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			return fmt.Errorf(`-H: %.60q is no header; write -H "Name: value"`, line)
		case slices.Contains(ownHeaders, name):
			return fmt.Errorf("-H: the handshake itself sets %s; leave it out", name)
		case name == "Origin":
			o.origin = value
		case name == "Sec-Websocket-Protocol":
			for part := range strings.SplitSeq(value, ",") {
				o.subprotocols = append(o.subprotocols, strings.TrimSpace(part))
			}
		default:
			o.header.Add(name, value)
		}
	}
	for _, cookie := range cookies {
		if name, _, found := strings.Cut(cookie, "="); !found || !httpguts.ValidHeaderFieldName(name) ||
			!httpguts.ValidHeaderFieldValue(cookie) || strings.Contains(cookie, ";") {
			return errors.New("--cookie: write name=value, once for each cookie")
		}
	}
	if len(cookies) > 0 {
		all := append(o.header.Values("Cookie"), cookies...)
		o.header.Set("Cookie", strings.Join(all, "; "))
	}
	return nil
}

// setRoots adds the authorities in a file to the system's.
func (o *options) setRoots(file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("--ca: %w", err)
	}
	if o.roots, err = x509.SystemCertPool(); err != nil {
		o.roots = x509.NewCertPool()
	}
	if !o.roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("--ca: there is no certificate in %s; it has to be in PEM (-----BEGIN CERTIFICATE-----)", file)
	}
	return nil
}

// check finds what makes no sense.
func (o *options) check() error {
	switch {
	case o.timeout <= 0:
		return errors.New("--timeout: write a time above 0, as 10s")
	case o.slow <= 0:
		return errors.New("--slow: write a time above 0, as 500ms")
	case o.idle < 0:
		return errors.New("--idle: write a time, as 75s, or 0 to leave it out")
	case o.httpPort < -1 || o.httpPort > 65535:
		return errors.New("--http-port: write a port, or 0 to leave it out")
	}
	return nil
}
