package wsframework

import (
	"crypto/tls"
	"net/http"
	"time"
)

// ConnectOptions say how Connect connects, and configure the connection. A nil pointer and the zero value
// are a good client: in every field 0 means the default, and a negative value turns a limit or a time-out
// off. Connect only reads them, so that many connections can share them.
type ConnectOptions struct {
	// Header is sent with the handshake: Origin or Authorization, say. A Host in it is sent in place of
	// the URL's. What the handshake itself needs (Upgrade, Sec-WebSocket-Key and the like) is refused.
	// Tornado: an HTTPRequest's headers.
	Header http.Header

	// Cookies are sent with the handshake, as those of HTTPClient's Jar are.
	Cookies []*http.Cookie

	// Subprotocols are offered to the server, the one liked best first. Tornado: subprotocols.
	Subprotocols []string

	// TLS is for wss and https URLs. Default: the system's roots. Tornado: an HTTPRequest's ssl_options.
	TLS *tls.Config

	// HTTPClient makes the handshake with its Transport and its Jar. The Transport has to return writable
	// bodies with status 101, as http.Transport does, and has a TLS configuration of its own. Default: a
	// client without cookies that uses the proxy of the environment (HTTPS_PROXY and so on, see
	// http.ProxyFromEnvironment). Redirects are never followed, as browsers do it.
	HTTPClient *http.Client

	// ConnectTimeout bounds the handshake, from the look-up of the name to the answer. Default: 20 s, as
	// Tornado's connect_timeout.
	ConnectTimeout time.Duration

	// Compression offers permessage-deflate (RFC 7692) to the server. Without ContextTakeover we do not take
	// our context over and ask the server not to either. Default: nil, off. Tornado: compression_options.
	Compression *CompressionOptions

	// MaxMessageSize bounds one message of the server, in bytes; a longer one closes with 1009. Default:
	// 10 MiB, as Tornado's max_message_size.
	MaxMessageSize int

	// MaxPendingIn bounds, in bytes, what is read ahead of ReadMessage; beyond it reading stops until
	// ReadMessage has caught up. Default: 1 MiB. Tornado: one message.
	MaxPendingIn int

	// MaxPendingOut bounds, in bytes, what waits to be sent. A message that finds nothing waiting is always
	// accepted. Default: 4 MiB. Tornado: no bound.
	MaxPendingOut int

	// SlowConsumer says what happens to a message that exceeds MaxPendingOut. Default: CloseSlow.
	SlowConsumer SlowConsumerPolicy

	// WriteTimeout ends a connection whose server takes not a byte for so long, or up to a quarter longer,
	// with code 1006. Default: 30 s. Tornado: none.
	WriteTimeout time.Duration

	// CloseTimeout is how long the server may take to answer a close frame. Default: 5 s, as Tornado.
	CloseTimeout time.Duration

	// PingInterval is the time between keep-alive pings. Default: 25 s, because proxies cut connections
	// that are silent for a minute or half. Tornado's ping_interval is off by default.
	PingInterval time.Duration

	// PingTimeout ends a connection, with code 1006, whose server has sent nothing for so long after a
	// ping. Where it is longer than PingInterval, pings come that far apart. Default: 20 s. Tornado's
	// ping_timeout is three intervals, or 30 s if those are shorter.
	PingTimeout time.Duration
}

// settings returns what a connection needs to know of the options.
func (o *ConnectOptions) settings() Settings {
	return Settings{
		MaxMessageSize: o.MaxMessageSize,
		MaxPendingIn:   o.MaxPendingIn,
		MaxPendingOut:  o.MaxPendingOut,
		SlowConsumer:   o.SlowConsumer,
		WriteTimeout:   o.WriteTimeout,
		CloseTimeout:   o.CloseTimeout,
		PingInterval:   o.PingInterval,
		PingTimeout:    o.PingTimeout,
	}.withDefaults()
}
