package wsframework

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// A clientHandshake lets coder's Dial make and check a handshake and takes the connection from under it:
// it is the http.RoundTripper that coder sends its request through. As with the server's side, the
// connection is then this package's own.
type clientHandshake struct {
	http.RoundTripper
	conn     net.Conn // what the request went through; nil if that can't be known
	body     *lentBody
	response *http.Response
	answer   []string // its Sec-WebSocket-Extensions
	deflate  deflateTerms
}

// connectDefault is ConnectOptions.ConnectTimeout's.
const connectDefault = 20 * time.Second

func (o *ConnectOptions) handshake(ctx context.Context, address string) (*clientHandshake, error) {
	target, header, err := o.request(address)
	if err != nil {
		return nil, err
	}
	timeout := o.ConnectTimeout
	setDefault(&timeout, connectDefault)
	within := ctx
	if timeout > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	client, release, err := o.httpClient()
	if err != nil {
		return nil, err
	}
	defer release()
	h := &clientHandshake{RoundTripper: client.Transport}
	client.Transport = h
	dial := &websocket.DialOptions{
		HTTPClient:   client,
		HTTPHeader:   header,
		Host:         header.Get("Host"),
		Subprotocols: o.Subprotocols,
	}
	if o.Compression != nil {
		header.Set("Sec-Websocket-Extensions", o.Compression.offers())
	}
	ws, response, err := websocket.Dial(within, target.String(), dial)
	if response == nil {
		if err == nil {
			err = errors.New("no answer")
		} else if within.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("no answer within %v (ConnectOptions.ConnectTimeout): %w", timeout, within.Err())
		}
		return nil, connectFailed(target, err)
	}
	if h.response = response; h.answer != nil {
		response.Header["Sec-Websocket-Extensions"] = h.answer
	}
	if err == nil {
		if err = h.check(o); err == nil {
			h.body.lent = false
			ws.CloseNow()
			return h, nil
		}
		ws.CloseNow()
	}
	refused := &HandshakeError{Status: response.StatusCode, Header: response.Header}
	if response.StatusCode == http.StatusSwitchingProtocols {
		refused.Err = err
	} else if response.Body != nil {
		refused.Body, _ = io.ReadAll(response.Body) // coder has read a KiB
	}
	return nil, refused
}

// errConnectOptions begins the errors that no server is asked about.
var errConnectOptions = errors.New("wsframework: Connect was given a wrong URL or options")

// ownHeaders are those that the handshake needs for itself, with what to use in their place.
var ownHeaders = []struct{ name, instead string }{
	{"Connection", ""},
	{"Upgrade", ""},
	{"Sec-Websocket-Key", ""},
	{"Sec-Websocket-Version", ""},
	{"Sec-Websocket-Protocol", "; use Subprotocols"},
	{"Sec-Websocket-Extensions", "; use Compression"},
}

// request checks what Connect was given.
func (o *ConnectOptions) request(address string) (*url.URL, http.Header, error) {
	target, err := url.Parse(address)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the URL is malformed: %w", errConnectOptions, errors.Unwrap(err))
	}
	if !slices.Contains([]string{"ws", "wss", "http", "https"}, target.Scheme) || target.Host == "" {
		return nil, nil, fmt.Errorf("%w: %q is no URL of a WebSocket; write ws://host/path or wss://host/path", errConnectOptions, nameOf(target))
	}
	header := make(http.Header)
	for name, values := range o.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	for _, own := range ownHeaders {
		if _, taken := header[own.name]; taken {
			return nil, nil, fmt.Errorf("%w: Header has a %s, which the handshake itself sets%s", errConnectOptions, own.name, own.instead)
		}
	}
	cookies := &http.Request{Header: header.Clone()}
	for _, cookie := range o.Cookies {
		cookies.AddCookie(cookie)
	}
	return target, cookies.Header, nil
}

// httpClient returns a client that may be changed, and what to do when the handshake is over.
func (o *ConnectOptions) httpClient() (client *http.Client, release func(), err error) {
	if o.HTTPClient != nil && o.TLS != nil {
		return nil, nil, fmt.Errorf("%w: there are both TLS and HTTPClient; set TLSClientConfig in the client's Transport", errConnectOptions)
	}
	client, release = new(http.Client), func() {}
	if o.HTTPClient != nil {
		*client = *o.HTTPClient
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	if o.TLS != nil {
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: o.TLS.Clone()}
		client.Transport, release = own, own.CloseIdleConnections
	}
	return client, release, nil
}

// RoundTrip remembers what the answer came through.
func (h *clientHandshake) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, ok := h.RoundTripper.(*http.Transport); ok {
		trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { h.conn = got.Conn }}
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), trace))
	}
	response, err := h.RoundTripper.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		return response, err
	}
	if both, ok := response.Body.(io.ReadWriteCloser); ok {
		h.body = &lentBody{ReadWriteCloser: both, lent: true}
		response.Body = h.body
	}
	h.answer = response.Header["Sec-Websocket-Extensions"] // check reads it; coder is to see none
	delete(response.Header, "Sec-Websocket-Extensions")
	return response, nil
}

// check checks what coder does not: case, that there is one answer to each question, and the extensions
// (RFC 6455, 4.1).
func (h *clientHandshake) check(o *ConnectOptions) (err error) {
	header := h.response.Header
	if values := header["Upgrade"]; len(values) != 1 || !strings.EqualFold(values[0], "websocket") {
		return fmt.Errorf("its Upgrade is %.100q", values)
	}
	if values := header["Sec-Websocket-Accept"]; len(values) != 1 {
		return fmt.Errorf("it has %d headers Sec-WebSocket-Accept", len(values))
	}
	if h.deflate, err = acceptedDeflate(h.answer, o.Compression != nil); err != nil {
		return err
	}
	answers := header["Sec-Websocket-Protocol"]
	if len(answers) > 1 {
		return fmt.Errorf("it has %d headers Sec-WebSocket-Protocol", len(answers))
	}
	if len(answers) == 1 && !slices.Contains(o.Subprotocols, answers[0]) {
		return fmt.Errorf("it chose the subprotocol %.100q, which was not offered", answers[0])
	}
	return nil
}

// nameOf is a URL as it may be shown: without what may be secret.
func nameOf(target *url.URL) string {
	return (&url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path}).String()
}

// connectFailed leaves the whole URL, query and all, out of an error of net/http.
func connectFailed(target *url.URL, err error) error {
	var verbose *url.Error
	if errors.As(err, &verbose) {
		err = verbose.Err
	}
	return fmt.Errorf("wsframework: connect to %s: %w", nameOf(target), err)
}
