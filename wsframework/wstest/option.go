package wstest

import (
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gotornado/gotornado/internal/testvisit"
)

// An Option is something about a visitor, his request or his connection.
type Option func(*options)

type options struct {
	header    http.Header
	cookies   []*http.Cookie
	user      any
	hasUser   bool
	session   []sessionValue
	network   network
	via       func() (net.Conn, error)
	within    time.Duration
	noPongs   bool
	noWait    bool
	visit     *testvisit.Visit // of the request that is sent; nil with Via
	frames    bool
	protocols []string
}

type sessionValue struct {
	key   string
	value any
}

// patience is the default of Within.
const patience = 10 * time.Second

func newOptions(list []Option) *options {
	o := &options{header: make(http.Header), within: patience}
	for _, option := range list {
		option(o)
	}
	return o
}

// User says who the visitor is: what CurrentUser returns, on sockets and pages, whatever GetCurrentUser would
// find; nil is nobody. Where the way to a user is to be tested, too, use Session, Cookie or Header, or let a
// Browser log in.
func User(user any) Option {
	return func(o *options) { o.user, o.hasUser = user, true }
}

// Session puts a value into the visitor's session, which is made in the application's own Settings.Sessions
// before the request, and which a Browser keeps. With the key "user" it is what GetCurrentUser finds by default.
func Session(key string, value any) Option {
	return func(o *options) { o.session = append(o.session, sessionValue{key, value}) }
}

// Cookie adds a cookie, which a Browser keeps.
func Cookie(name, value string) Option {
	return func(o *options) { o.cookies = append(o.cookies, &http.Cookie{Name: name, Value: value}) }
}

// Header adds a header to the request; several of one name are sent in several lines. "Host" replaces the host,
// which is example.com, and "" as the value of one of the handshake's own headers leaves that out.
func Header(name, value string) Option {
	return func(o *options) { o.header.Add(name, value) }
}

// Origin says which page opens the socket, as browsers do: "https://example.com". A Browser says it by itself.
// Default: none, as programs that are no browsers.
func Origin(origin string) Option { return Header("Origin", origin) }

// Subprotocols are those that the client offers, the best one first (RFC 6455, 1.9).
func Subprotocols(names ...string) Option {
	return func(o *options) { o.protocols = append(o.protocols, names...) }
}

// Within says how long to wait for what a test expects. Default: 10 s.
func Within(d time.Duration) Option { return func(o *options) { o.within = d } }

// NoWait lets Dial return when the handshake is answered, while Open may still run.
func NoWait() Option { return func(o *options) { o.noWait = true } }

// NoPongs leaves the server's pings unanswered, as a peer does whose network is gone.
func NoPongs() Option { return func(o *options) { o.noPongs = true } }

// Frames lets a test play the peer frame by frame: the client then reads only what the test asks for, and
// answers neither pings, except those that an expectation passes over, nor a close frame. See
// [Client.ReadFrame].
func Frames() Option { return func(o *options) { o.frames = true } }

// TCP serves on a port of 127.0.0.1, in place of memory: for what depends on a real network.
func TCP() Option { return func(o *options) { o.network = overTCP } }

// TLS is TCP with TLS, by a certificate that nobody has signed.
func TLS() Option { return func(o *options) { o.network = overTLS } }

// Via opens the connection by a function: to a program that runs already, or through a proxy of the test's own.
// The server is then the test's affair, and the handler may be nil; User does not work, and Dial does not wait
// for Open.
func Via(dial func() (net.Conn, error)) Option { return func(o *options) { o.via = dial } }

// site is where requests seem to go to.
func (o *options) site() *url.URL {
	site := &url.URL{Scheme: "http", Host: "example.com"}
	if o.network == overTLS {
		site.Scheme = "https"
	}
	return site
}
