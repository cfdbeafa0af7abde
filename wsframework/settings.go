package wsframework

import (
	"cmp"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// Settings configure an Application. The zero value is a good server: in every field 0 means the
// default, and a negative value turns a limit or a time-out off.
type Settings struct {
	// Sessions loads and keeps the sessions. Default: none, so that nobody has a session.
	Sessions *scs.SessionManager

	// SessionCheckInterval is how often the store is asked whether a session that has sockets is still there:
	// within so long the sockets of one are closed that has expired, or that another process has ended. What
	// ends in this process is noticed at once (see WatchStore). All sockets of a session together are one
	// look-up, and look-ups are spread over the interval. Default: 30 s. Negative: never.
	SessionCheckInterval time.Duration

	// SessionCheckGrace is how long sockets stay open while the store does not answer. Then they are closed with
	// 1013 (Try Again Later), up to SessionCheckInterval later. Default: 10 minutes. Negative: for ever.
	SessionCheckGrace time.Duration

	// NoSessionKeepAlive lets a session with an idle time-out (scs: IdleTimeout) expire while messages come
	// over its sockets. Default: false; a message counts as a request does, with up to SessionCheckInterval of
	// delay and at most one write in each. Pings and what the server sends do not count. An IdleTimeout should
	// be longer than two intervals.
	NoSessionKeepAlive bool

	// SessionEndedCode is the close code for sockets whose session has ended. Default: 4401, CloseSessionEnded.
	// NewApplication panics if it may not be sent (RFC 6455, 7.4).
	SessionEndedCode int

	// NoUserCode is the close code for sockets whose session lives on without the user it had. Default: 4403,
	// CloseNoUser. NewApplication panics if it may not be sent.
	NoUserCode int

	// UserID says what identifies a user for Application.CloseUser and SendUser: the key of his account, say.
	// It gets what GetCurrentUser returned, never nil; "" is a user who can't be named. Default: a string or
	// an integer is its own ID, everything else has none.
	UserID func(user any) string

	// CurrentUser finds out who sends a request, for handlers that do not override GetCurrentUser; nil
	// is nobody. Default: the session's "user". Tornado: get_current_user.
	CurrentUser func(r *http.Request) (any, error)

	// LoginURL is where Authenticated sends those who have yet to log in, with what they asked for in the
	// parameter "next". Default: none; they get 403. Tornado: login_url.
	LoginURL string

	// CookieSecrets are what SetSignedCookie signs cookies with, by their key version: one is
	// map[int][]byte{0: secret}. Take 32 random bytes and keep them secret: who knows them can log in as
	// anybody. Cookies of all of these keys are read, so to change a key add another one, and remove the old
	// one when its cookies have expired. NewApplication panics for fewer than 16 bytes, which Tornado takes.
	// Default: none.
	//
	// A Tornado with the same secrets reads our cookies, and we read its own. A plain cookie_secret is that of
	// version 0, and a dict has the versions itself.
	CookieSecrets map[int][]byte

	// CookieKeyVersion is the key version of the secret to sign with, one of CookieSecrets. Default: 0.
	// Tornado: key_version.
	CookieKeyVersion int

	// CookieMinVersion is the oldest version of the format of signed cookies that is read: 1, what Tornado
	// wrote before 3.2.1, with HMAC-SHA1 and the key of version 0; or 2, which is safer where nobody has such a
	// cookie any more. Default: 1, as Tornado's min_version.
	CookieMinVersion int

	// XSRFCookies makes pages refuse POST, PUT, PATCH and DELETE, and all but GET, HEAD and OPTIONS, with 403
	// unless the request brings along what the visitor's cookie has: a form in a field that {{xsrf_form_html}}
	// writes, a script in the header X-XSRFToken. It works in browsers that do not tell where a request comes
	// from, too; those that do are checked in any case. A page that others' programs call overrides
	// CheckXSRFCookie. Plain handlers (see Handle) are not checked: what reads their form is theirs to choose.
	// Default: off. Tornado: xsrf_cookies.
	XSRFCookies bool

	// XSRFCookieOptions are the name and attributes of that cookie; its Value does not count. Default: the name
	// "_xsrf", the path "/", SameSite=Lax, and Secure where the visitor comes by https; XSRFToken says how long
	// it lasts. With HttpOnly scripts can't read it. Tornado: xsrf_cookie_name and xsrf_cookie_kwargs.
	XSRFCookieOptions http.Cookie

	// Templates are what Render renders, by their names there ("admin/users.html"): an embed.FS, say, or
	// Dir("templates"). NewApplication panics if one of the *.html is malformed. Default: none. Tornado:
	// template_path.
	Templates fs.FS

	// TemplateFuncs are functions for templates, beside those that RenderString lists. Default: none.
	// Tornado: ui_methods.
	TemplateFuncs template.FuncMap

	// Static are files to serve under StaticPrefix: scripts, styles, images; favicon.ico and robots.txt are
	// served at the top, too. An embed.FS, say, or Dir("static"). Default: none. Tornado: static_path.
	Static fs.FS

	// StaticPrefix is where Static is served. Default: "/static/", as Tornado's static_url_prefix.
	StaticPrefix string

	// MaxBodySize bounds the body of a request to a page, in bytes, uploaded files included; a larger one is
	// answered with 413. Default: 10 MiB; Tornado's max_body_size of 100 MiB is more than most pages need.
	MaxBodySize int64

	// CompressResponse compresses the pages that browsers take compressed, with gzip, from 1 KiB on, unless
	// they are flushed in parts. A page that shows both a secret and what its visitor sent should not be
	// compressed: its length tells of the secret. Default: off, as Tornado's compress_response.
	CompressResponse bool

	// TrustedProxies lists the proxies in front of this server, which alone are believed who sends a request
	// (X-Forwarded-For, X-Real-Ip) and by which scheme (X-Forwarded-Proto, X-Scheme): addresses, networks
	// ("10.0.0.0/8"), or "unix" for those that come by a Unix socket. NewApplication panics if one is
	// malformed. Default: none. Tornado: xheaders and trusted_downstream.
	TrustedProxies []string

	// Debug is for development: error pages show the error and templates are read afresh for each request.
	// Default: off. Tornado: debug.
	Debug bool

	// Logger gets a line for each failed callback, for each request that failed by the server's fault (5xx),
	// and for what the framework warns of. Default: slog.Default(), looked up when the application is made.
	Logger *slog.Logger

	// AccessLogger gets a line for each request and for each socket that is closed: what was asked for, the
	// status or close code, the duration, bytes, the user and the remote address. The level is Info, Warn for
	// what the client did wrong (4xx) and Error for what the server did (5xx); slog.New(slog.DiscardHandler)
	// turns it off. Default: Logger. Tornado: log_function.
	AccessLogger *slog.Logger

	// AllowedOrigins lists the origins whose pages may open sockets, beside those of the request's own
	// host: "https://example.com", with a port if it is not the scheme's own, "https://*.example.com"
	// for all subdomains (but not example.com itself), or "*" for every origin. Requests without an
	// Origin header come from no browser and are not checked. NewApplication panics if one is
	// malformed. Tornado: check_origin.
	AllowedOrigins []string

	// MaxMessageSize bounds one message of a peer, in bytes; a longer one closes with 1009. Default:
	// 10 MiB, as Tornado's websocket_max_message_size.
	MaxMessageSize int

	// MaxPendingIn bounds, in bytes, what is read ahead of a handler that takes long; beyond it reading
	// stops until the handler has caught up. Default: 1 MiB. Tornado: one message.
	MaxPendingIn int

	// MaxPendingOut bounds, in bytes, what waits to be sent to one peer. A message that finds nothing
	// waiting is always accepted. Default: 4 MiB. Tornado: no bound.
	MaxPendingOut int

	// SlowConsumer says what happens to a message that exceeds MaxPendingOut. Default: CloseSlow.
	SlowConsumer SlowConsumerPolicy

	// WriteTimeout ends a connection whose peer takes not a byte for so long, or up to a quarter longer,
	// with code 1006. Default: 30 s. Tornado: none.
	WriteTimeout time.Duration

	// CloseTimeout is how long a peer may take to answer a close frame. Default: 5 s, as Tornado.
	CloseTimeout time.Duration

	// PingInterval is the time between keep-alive pings. Default: 25 s, because proxies cut connections
	// that are silent for a minute or half. Tornado's websocket_ping_interval is off by default.
	PingInterval time.Duration

	// PingTimeout ends a connection, with code 1006, that has sent nothing for so long after a ping.
	// Where it is longer than PingInterval, pings come that far apart. Default: 20 s. Tornado's
	// websocket_ping_timeout is three intervals, or 30 s if those are shorter.
	PingTimeout time.Duration

	// Compression turns permessage-deflate (RFC 7692) on for all routes. Default: nil, off, as
	// Tornado's get_compression_options.
	Compression *CompressionOptions

	// ReadHeaderTimeout bounds how long a client may take to send the header of a request to Serve and
	// Run. Default: 10 s.
	ReadHeaderTimeout time.Duration

	// IdleTimeout bounds how long Serve and Run keep an HTTP connection open on which no request comes. It
	// does not concern WebSockets. Default: 2 minutes.
	IdleTimeout time.Duration

	// ShutdownTimeout is how long Run lets connections finish when its context ends. Default: 10 s.
	ShutdownTimeout time.Duration

	// Serial runs everything that the application calls one at a time, in one line, as Tornado's loop
	// does: factories, the hooks of handshakes (Prepare, CheckOrigin, GetCurrentUser, SelectSubprotocol),
	// Open, OnMessage, OnPing, OnPong, OnClose, the ticks of Every and After, the methods of pages, and the
	// application's own callbacks. What handlers share, a map or a counter, then needs no lock. Default: false; only the
	// callbacks of one connection never overlap.
	//
	// Connections live on while they wait for their turn, and writing does not need one. Flush lets others
	// have the turn while it waits, as await does. Functions given to Go, plain handlers and goroutines of
	// your own run beside the line: Application.AddCallback takes them back into it. A callback that waits
	// for another one waits for ever.
	//
	// The price: one callback that takes long holds up all others (see SlowCallback), and no more than one
	// processor runs them. To grow out of it, keep what is shared in groups, a Set or behind a lock of its
	// own, turn Serial off and let go test -race find what was overlooked.
	Serial bool

	// SlowCallback is how long a callback may take before a warning names it; the waiting of its Flush does
	// not count. It works with Serial only. Default: 100 ms, as asyncio's slow_callback_duration.
	SlowCallback time.Duration
}

// A SlowConsumerPolicy says what happens when a message exceeds Settings.MaxPendingOut. In each case
// the caller of WriteMessage is told by ErrSlowConsumer. Only whole messages that have not begun to
// leave are ever dropped.
type SlowConsumerPolicy int

const (
	CloseSlow  SlowConsumerPolicy = iota // drop what waits and close the connection with 1008
	DropNewest                           // drop the message
	DropOldest                           // drop the messages that have waited longest
)

// withDefaults replaces 0 by the default, and negative values by 0, which means off from here on.
func (s Settings) withDefaults() Settings {
	setDefault(&s.MaxMessageSize, 10<<20)
	setDefault(&s.MaxPendingIn, 1<<20)
	setDefault(&s.MaxPendingOut, 4<<20)
	setDefault(&s.MaxBodySize, 10<<20)
	setDefault(&s.WriteTimeout, 30*time.Second)
	setDefault(&s.CloseTimeout, 5*time.Second)
	setDefault(&s.PingInterval, 25*time.Second)
	setDefault(&s.PingTimeout, 20*time.Second)
	setDefault(&s.ReadHeaderTimeout, 10*time.Second)
	setDefault(&s.IdleTimeout, 2*time.Minute)
	setDefault(&s.ShutdownTimeout, 10*time.Second)
	setDefault(&s.SlowCallback, 100*time.Millisecond)
	setDefault(&s.SessionCheckInterval, 30*time.Second)
	setDefault(&s.SessionCheckGrace, 10*time.Minute)
	s.SessionEndedCode = cmp.Or(s.SessionEndedCode, CloseSessionEnded)
	s.NoUserCode = cmp.Or(s.NoUserCode, CloseNoUser)
	if s.UserID == nil {
		s.UserID = defaultUserID
	}
	s.CookieMinVersion = cmp.Or(s.CookieMinVersion, 1)
	s.XSRFCookieOptions.Name = cmp.Or(s.XSRFCookieOptions.Name, "_xsrf")
	s.XSRFCookieOptions.SameSite = cmp.Or(s.XSRFCookieOptions.SameSite, http.SameSiteLaxMode)
	s.StaticPrefix = cmp.Or(s.StaticPrefix, "/static/")
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	if s.AccessLogger == nil {
		s.AccessLogger = s.Logger
	}
	return s
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	switch {
	case *field == 0:
		*field = value
	case *field < 0:
		*field = 0
	}
}
