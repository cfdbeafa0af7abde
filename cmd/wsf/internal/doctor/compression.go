package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/gotornado/gotornado/wsframework"
)

// checkCompression offers permessage-deflate. The framework's client is as strict about the answer as
// browsers are, and closes in a proper way.
func checkCompression(ctx context.Context, p *probe) finding {
	client, release := p.httpClient()
	defer release()
	header := p.header.Clone()
	if origin := p.handshake().origin; origin != "" {
		header.Set("Origin", origin)
	} else {
		header.Del("Origin")
	}
	c, err := wsframework.Connect(ctx, p.target.String(), &wsframework.ConnectOptions{
		Header:         header,
		Subprotocols:   p.subprotocols,
		HTTPClient:     client,
		ConnectTimeout: p.timeout,
		CloseTimeout:   p.timeout,
		Compression:    &wsframework.CompressionOptions{},
	})
	if err != nil {
		return p.notCompressed(err)
	}
	terms := strings.Join(c.Header()["Sec-Websocket-Extensions"], ", ")
	c.Close(wsframework.CloseGoingAway, "")
	end, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	c.ReadMessage(end) // how it closes is another check's
	if terms == "" {
		return ok("off: permessage-deflate was offered, and not taken (Settings.Compression turns it on)")
	}
	return ok(fmt.Sprintf("on: %.120q", terms))
}

func (p *probe) notCompressed(err error) finding {
	var refused *wsframework.HandshakeError
	if !errors.As(err, &refused) {
		return problem("no answer to an offer of compression: "+whyNot(err), toLeaveExtensions...)
	}
	if refused.Err != nil {
		return problem("the answer to an offer of compression is illegal (RFC 7692, 7.1): "+refused.Err.Error(), toLeaveExtensions...)
	}
	return problem(fmt.Sprintf("an offer of compression is refused with %d %s", refused.Status, http.StatusText(refused.Status)),
		"A server that does not compress ignores the offer (RFC 7692, 5.1); turn compression off or on in it, and see.")
}

var toLeaveExtensions = []string{
	"The proxy has to pass Sec-WebSocket-Extensions on as it is, in both directions.",
	"nginx: take away proxy_set_header and add_header Sec-WebSocket-Extensions; Caddy: header_up and header_down likewise.",
}

// checkUnasked looks at a handshake that offered nothing: what compresses there is no end of the connection.
func checkUnasked(_ context.Context, p *probe) finding {
	a := p.first
	if p.noOrigin {
		return skipped("no browser's handshake succeeded")
	}
	if extensions := a.Header["Sec-Websocket-Extensions"]; len(extensions) > 0 {
		return problem(fmt.Sprintf("extensions that nobody offered: %.120q; browsers refuse that", extensions), toLeaveExtensions...)
	}
	for _, name := range []string{"Content-Encoding", "Transfer-Encoding"} {
		values := a.Header[name]
		if name == "Transfer-Encoding" {
			values = a.TransferEncoding
		}
		if len(values) > 0 {
			return problem(fmt.Sprintf("the 101 has %s: %.60q, as if a page followed", name, values),
				"nginx: gzip off; in the location of the endpoint. Caddy: encode with a matcher that leaves it out.")
		}
	}
	return ok("nothing is added to a handshake without extensions")
}

// httpClient goes where the other checks go.
func (p *probe) httpClient() (client *http.Client, release func()) {
	transport := &http.Transport{
		Proxy: func(*http.Request) (*url.URL, error) { return nil, nil },
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return p.dial(ctx, p.address, p.port())
		},
		TLSClientConfig: &tls.Config{RootCAs: p.roots, InsecureSkipVerify: p.insecure},
	}
	return &http.Client{Transport: transport}, transport.CloseIdleConnections
}
