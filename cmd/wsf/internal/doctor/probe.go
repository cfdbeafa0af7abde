package doctor

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// A stage is how far one has got with the endpoint. What needs a later one is skipped.
type stage int

const (
	nowhere   stage = iota
	connected       // by TCP
	trusted         // by TLS, or there is none
	answering       // HTTP
	open            // a handshake has succeeded
)

// notThere says why a stage is not reached.
var notThere = map[stage]string{
	connected: "the server can't be reached",
	trusted:   "the certificate is not to be trusted; --insecure goes on all the same",
	answering: "there is no HTTP server",
	open:      "no handshake succeeded",
}

// A check looks at one thing. Checks run one after the other, and a later one may use what an earlier one
// has left in the probe.
type check struct {
	group, name string
	needs       stage
	run         func(context.Context, *probe) finding
}

// checks are in the order in which one depends on the other.
var checks = []check{
	{"reach", "dns", nowhere, checkDNS},
	{"reach", "tcp", nowhere, checkTCP},
	{"reach", "tls", connected, checkTLS},
	{"reach", "certificate", connected, checkCertificate},
	{"reach", "http", trusted, checkHTTP},
	{"reach", "plain", connected, checkPlain},
	{"handshake", "upgrade", answering, checkUpgrade},
	{"handshake", "version", answering, checkVersion},
	{"handshake", "method", answering, checkMethod},
	{"origin", "own", answering, checkOwnOrigin},
	{"origin", "foreign", answering, checkForeignOrigin},
	{"origin", "null", answering, checkNullOrigin},
	{"origin", "none", answering, checkNoOrigin},
	{"compression", "offered", open, checkCompression},
	{"compression", "unasked", open, checkUnasked},
	{"messages", "ping", open, checkPing},
	{"messages", "size", open, checkSize},
	{"messages", "fragments", open, checkFragments},
	{"messages", "close", open, checkClose},
	{"idle", "answering", open, checkIdleAnswering},
	{"idle", "silent", open, checkIdleSilent},
	{"cookies", "attributes", answering, checkCookies},
}

const nameWidth = len("certificate")

// A probe is an endpoint under examination, with what is known of it so far. One goroutine uses it.
type probe struct {
	*options
	stage   stage
	waiting func(why string) // is told of a long wait

	addresses []string // of the host
	address   string   // the one that answers; everything goes there
	tls       *tls.ConnectionState
	page      *answer // to a request without Upgrade
	first     *answer // to a browser's handshake
	noOrigin  bool    // handshakes succeed without an Origin only
	cookies   []*http.Cookie
	idling    *idling
}

func (p *probe) reach(s stage) { p.stage = max(p.stage, s) }

// run makes all checks and hands over each result when it is there.
func (p *probe) run(ctx context.Context, each func(result)) []result {
	results := make([]result, 0, len(checks))
	for _, c := range checks {
		began := time.Now()
		f := p.examine(ctx, c)
		took := time.Since(began)
		r := result{c.group, c.name, f.status, f.seen, f.change, float64(took.Microseconds()) / 1000}
		each(r)
		results = append(results, r)
	}
	return results
}

func (p *probe) examine(ctx context.Context, c check) finding {
	if c.needs > p.stage && ctx.Err() == nil {
		return skipped(notThere[p.stage+1])
	}
	if ctx.Err() == nil {
		if f := c.run(ctx, p); ctx.Err() == nil {
			return f
		}
	}
	return skipped("interrupted")
}

// port returns the target's, which may be its scheme's own.
func (p *probe) port() string {
	switch {
	case p.target.Port() != "":
		return p.target.Port()
	case p.encrypted():
		return "443"
	}
	return "80"
}

func (p *probe) encrypted() bool { return p.target.Scheme == "https" }

// dial opens a TCP connection.
func (p *probe) dial(ctx context.Context, address, port string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: p.timeout}
	return dialer.DialContext(ctx, "tcp", net.JoinHostPort(address, port))
}
