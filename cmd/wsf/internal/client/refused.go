package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/gotornado/gotornado/wsframework"
)

// explainConnect turns an error of Connect into one that says what to do.
func (o *options) explainConnect(err error) error {
	var refused *wsframework.HandshakeError
	if errors.As(err, &refused) {
		return &ExitError{Code: exitRefused, Err: errors.New(explainRefused(refused, o.login != nil))}
	}
	return o.explainNetwork(o.address, err)
}

// explainRefused says why the server refused a handshake: the status, what the body says, what to do.
func explainRefused(refused *wsframework.HandshakeError, loggedIn bool) string {
	if refused.Err != nil {
		return fmt.Sprintf("the server's answer is no handshake of a WebSocket: %v", refused.Err)
	}
	text := fmt.Sprintf("the server refused the connection: %d %s", refused.Status, http.StatusText(refused.Status))
	said := bodyText(refused.Header.Get("Content-Type"), refused.Body)
	if said != "" && said != http.StatusText(refused.Status) {
		text += ": " + said
	}
	if hint := refusedHint(refused, loggedIn); hint != "" {
		text += "\n" + hint
	}
	return text
}

// refusedHint says what to do about a refused handshake.
func refusedHint(refused *wsframework.HandshakeError, loggedIn bool) string {
	location := refused.Header.Get("Location")
	switch status := refused.Status; {
	case status >= 300 && status < 400 && strings.Contains(strings.ToLower(location), "login"):
		return fmt.Sprintf("It leads to %s: log in with --login %s --form name=value.", printable(location), printable(location))
	case status >= 300 && status < 400 && location != "":
		return fmt.Sprintf("Redirects are not followed: connect to %s instead.", printable(location))
	case status == http.StatusUnauthorized && loggedIn:
		return "The login was accepted, but is not enough for this socket."
	case status == http.StatusUnauthorized:
		return "Log in with --login URL --form name=value, or bring credentials: --user, --cookie, --header 'Authorization: …'."
	case status == http.StatusForbidden:
		return "Perhaps the server wants a login (--login URL --form name=value) or another origin (--origin https://its.own.pages)."
	case status == http.StatusNotFound:
		return "No socket is at this path: compare the URL with the server's routes."
	case status == http.StatusMethodNotAllowed, status == http.StatusUpgradeRequired, status >= 200 && status < 300:
		return "This is a page or an API, no socket, or a proxy does not pass Upgrade on: check the path and the proxy's configuration."
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		if after := refused.Header.Get("Retry-After"); after != "" {
			return fmt.Sprintf("Try again later (Retry-After: %s).", printable(after))
		}
		return "Try again later."
	case status == http.StatusBadGateway, status == http.StatusGatewayTimeout:
		return "A proxy answers, but does not reach the server behind it."
	}
	return ""
}

// explainNetwork turns an error of the network into one that says what to do.
func (o *options) explainNetwork(address *url.URL, err error) error {
	var (
		verbose   *url.Error
		noHost    *net.DNSError
		untrusted *tls.CertificateVerificationError
		noTLS     tls.RecordHeaderError
		timeout   net.Error
		what      string
	)
	if errors.As(err, &verbose) {
		err = verbose.Err // without the whole URL, query and all
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return exitf(exitTimeout, "no answer from %s within %v (--timeout)", address.Host, o.timeout)
	case errors.Is(err, context.Canceled):
		return exitf(exitRefused, "interrupted while connecting to %s", address.Host)
	case errors.Is(err, syscall.ECONNREFUSED):
		what = "nothing listens there: is the server running, and is this its port?"
	case errors.As(err, &noHost) && noHost.IsNotFound:
		what = fmt.Sprintf("there is no host %q", noHost.Name)
	case isUntrusted(err) || errors.As(err, &untrusted):
		what = fmt.Sprintf("%v\nFor a server of your own under test, --insecure takes any certificate.", err)
	case errors.As(err, &noTLS), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		what = fmt.Sprintf("the server speaks no TLS: write %s://", strings.TrimSuffix(address.Scheme, "s"))
	case strings.Contains(err.Error(), "malformed HTTP"):
		what = fmt.Sprintf("the answer is not HTTP; if the server speaks TLS, write %ss://", address.Scheme)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		what = fmt.Sprintf("the server hung up without an answer; if it speaks TLS, write wss:// or https:// (%v)", err)
	default:
		what = strings.TrimPrefix(err.Error(), "wsframework: ")
	}
	return exitf(exitRefused, "can't connect to %s: %s", address.Host, what)
}

func isUntrusted(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}
