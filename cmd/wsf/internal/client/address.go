package client

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// parseAddress reads the URL of a socket as people write it: http and https are taken as ws and wss, and
// without a scheme a host that is this machine is ws.
func parseAddress(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		guess, err := url.Parse("ws://" + text)
		switch {
		case err != nil || text == "" || strings.HasPrefix(text, "/"):
			return nil, fmt.Errorf("%q is no URL of a WebSocket: write ws://host:port/path", text)
		case !isThisMachine(guess.Hostname()):
			return nil, fmt.Errorf("%q has no scheme: write wss://%s, or ws://%s if the server has no TLS", text, text, text)
		case guess.Hostname() == "":
			text = "localhost" + text
		}
		text = "ws://" + text
	}
	address, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the URL is malformed: %w", err.(*url.Error).Err)
	}
	switch address.Scheme {
	case "ws", "wss":
	case "http":
		address.Scheme = "ws"
	case "https":
		address.Scheme = "wss"
	default:
		return nil, fmt.Errorf("%q is no URL of a WebSocket: write ws:// or wss:// in place of %s://", text, address.Scheme)
	}
	switch {
	case address.Host == "":
		return nil, fmt.Errorf("%q names no host: write %s://host:port/path", text, address.Scheme)
	case address.Fragment != "": // RFC 6455, 3
		return nil, fmt.Errorf("the URL of a WebSocket has no fragment: leave #%s out, or write %%23 for the character", address.Fragment)
	}
	return address, nil
}

// isThisMachine reports whether a host is this machine for sure. No host, as in ":8000/path", is.
func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// pageAddress resolves the URL of a page, which may be a path only, against that of the socket.
func pageAddress(socket *url.URL, text string) (*url.URL, error) {
	base := *socket
	base.Scheme = "http" + strings.TrimPrefix(base.Scheme, "ws")
	base.User = nil
	if !strings.Contains(text, "://") && !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("%q is no URL of a page: write http://host/login, or /login for the socket's own host", text)
	}
	page, err := base.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the URL of the page is malformed: %w", err.(*url.Error).Err)
	}
	if page.Scheme != "http" && page.Scheme != "https" || page.Host == "" {
		return nil, fmt.Errorf("%q is no URL of a page: it begins with http:// or https://", text)
	}
	return page, nil
}
