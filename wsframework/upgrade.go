package wsframework

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// ServeHTTP answers one request: with 101 and a connection that lives on, or with a refusal.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := newConn(rt, r)
	if !rt.app.begin(c) {
		w.Header().Set("Connection", "close")
		refuseHandshake(w, c, refuse(http.StatusServiceUnavailable, "The server is shutting down; try again in a moment.", "Application.Shutdown"))
		return
	}
	header := w.Header()
	c.header.Store(&header)
	accepted := false
	defer func() { // also when a middleware panics
		if !accepted {
			c.header.Store(nil)
			c.exchange.end(context.Canceled)
			c.expireNever()
			c.stepDown()
			rt.app.forget(c)
		}
	}()
	err := rt.prepare(c, w, r)
	if err == nil {
		err = rt.accept(c, w, r)
	}
	if err != nil {
		refuseHandshake(w, c, err)
		return
	}
	accepted = true
	rt.app.open(c)
}

// prepare does everything up to the answer, in the order that the package documentation gives.
func (rt *route) prepare(c *conn, w http.ResponseWriter, r *http.Request) error {
	if err := checkRequest(w, r); err != nil {
		return err
	}
	if err := c.contain("factory", func() error { return rt.newHandler(c) }); err != nil {
		return err
	}
	if err := c.checkOrigin(r); err != nil {
		return err
	}
	if err := checkArguments(c.query()); err != nil {
		return err
	}
	data, err := c.loadSession(r)
	if err != nil {
		return err
	}
	if err := c.contain("Prepare", c.handler.Prepare); err != nil {
		return err
	}
	user, err := c.currentUser()
	if err != nil {
		return err
	}
	if rt.authenticated && user == nil {
		return refuse(http.StatusUnauthorized, "Log in first.", "Authenticated, GetCurrentUser")
	}
	if err := c.selectSubprotocol(r); err != nil {
		return err
	}
	if err := c.setUser(user); err != nil {
		return err
	}
	return c.saveSession(w, data)
}

// checkRequest makes the checks of RFC 6455, 4.2.1, with the status codes that Tornado uses.
func checkRequest(w http.ResponseWriter, r *http.Request) error {
	bad := func(message string) error {
		return refuse(http.StatusBadRequest, message, "RFC 6455, 4.2.1")
	}
	keys, versions := r.Header["Sec-Websocket-Key"], r.Header["Sec-Websocket-Version"]
	switch {
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		return refuse(http.StatusMethodNotAllowed, "A WebSocket is opened with GET.", "RFC 6455, 4.2.1")
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor > 1:
		return bad("A WebSocket is opened over HTTP/1.1, not " + r.Proto + ".")
	case !hasToken(r.Header["Upgrade"], "websocket"):
		return bad(`This is a WebSocket endpoint: send the header "Upgrade: websocket".`)
	case !hasToken(r.Header["Connection"], "upgrade"):
		return bad(`Send the header "Connection: Upgrade"; a proxy on the way may have removed it.`)
	case len(versions) > 1:
		return bad("Send one header Sec-WebSocket-Version.")
	case len(versions) == 0 || versions[0] != "13":
		header := w.Header()
		header.Set("Sec-WebSocket-Version", "13")
		header.Set("Connection", "Upgrade")
		header.Set("Upgrade", "websocket") // RFC 9110, 15.5.22
		return refuse(http.StatusUpgradeRequired, "Only version 13 of the WebSocket protocol is spoken here.", "RFC 6455, 4.2.1")
	case len(keys) != 1 || !validKey(keys[0]):
		return bad("Send one header Sec-WebSocket-Key with 16 bytes in base64.")
	case r.ContentLength > 0 || len(r.TransferEncoding) > 0:
		return bad("A WebSocket is opened by a request without a body.")
	case !listsTokens(r.Header["Sec-Websocket-Protocol"]):
		return bad("Send a list of tokens in the header Sec-WebSocket-Protocol.")
	}
	if extensions := r.Header["Sec-Websocket-Extensions"]; extensions != nil {
		if _, ok := parseExtensions(extensions); !ok {
			return bad("The header Sec-WebSocket-Extensions is malformed (RFC 6455, 9.1).")
		}
	}
	return nil
}

func validKey(key string) bool {
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key))
	return err == nil && len(decoded) == 16
}

// hasToken looks for a token in a header that lists some (RFC 9110, 5.6.1).
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// listsTokens reports whether the elements of a list, but for empty ones, are tokens (RFC 9110, 5.6).
func listsTokens(values []string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" && !isToken(part) {
				return false
			}
		}
	}
	return true
}

func (c *conn) checkOrigin(r *http.Request) error {
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		return nil
	}
	allowed := false
	err := c.contain("CheckOrigin", func() error {
		allowed = len(origins) == 1 && c.handler.CheckOrigin(origins[0])
		return nil
	})
	if err == nil && !allowed {
		r := refuse(http.StatusForbidden, "Pages of this origin may not open this WebSocket; the server's setting AllowedOrigins decides.", "Settings.AllowedOrigins, CheckOrigin")
		r.Err = fmt.Errorf("origin %q on host %q", origins, c.request.Host)
		return r
	}
	return err
}

func (c *conn) selectSubprotocol(r *http.Request) error {
	var offered []string
	for _, value := range r.Header["Sec-Websocket-Protocol"] {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				offered = append(offered, part)
			}
		}
	}
	err := c.contain("SelectSubprotocol", func() error {
		c.subproto = c.handler.SelectSubprotocol(offered)
		return nil
	})
	if err != nil || c.subproto == "" {
		return err
	}
	for _, o := range offered {
		if o == c.subproto {
			return nil
		}
	}
	return fmt.Errorf("SelectSubprotocol returned %q, which the client did not offer: %q", c.subproto, offered)
}

// refuseHandshake answers with an error and logs it.
func refuseHandshake(w http.ResponseWriter, c *conn, err error) {
	status, message, _ := explain(err)
	c.logAnswer("wsframework: handshake refused", status, 0, err)
	var late *answered
	if !errors.As(err, &late) {
		http.Error(w, message, status)
	}
}
