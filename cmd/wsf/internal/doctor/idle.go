package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// usualCut is how long most proxies let a connection be silent, and usualSlack how precise that is seen.
const (
	usualCut   = 60 * time.Second
	usualSlack = 5 * time.Second
)

// idling is what became of two connections on which nobody said anything.
type idling struct {
	answering, silent observation // the first answers pings, the second does nothing at all
}

// An observation is what was seen of one connection; times are since its handshake.
type observation struct {
	pings  []time.Duration
	heard  time.Duration // when the last frame came
	lasted time.Duration
	ended  error // nil if it was open to the end
	failed error // there was no connection
}

// idleTwice holds both connections at the same time, and once for both checks.
func (p *probe) idleTwice(ctx context.Context) *idling {
	if p.idling == nil {
		p.waiting(fmt.Sprintf("two connections are left alone for %v (--idle 0 leaves that out)", p.idle))
		p.idling = new(idling)
		silent := make(chan observation, 1)
		w, err := p.connect(ctx)
		go func(w *wire, err error) { silent <- observe(w, err, p.idle, false) }(w, err)
		w, err = p.connect(ctx)
		p.idling.answering = observe(w, err, p.idle, true)
		p.idling.silent = <-silent
	}
	return p.idling
}

// observe reads until the time is over or the connection is.
func observe(w *wire, err error, idle time.Duration, answer bool) (o observation) {
	if err != nil {
		o.failed = err
		return o
	}
	defer w.Close()
	began := time.Now()
	for {
		f, err := w.next(began.Add(idle))
		o.lasted = time.Since(began)
		if err == nil && f.op == opClose {
			w.send(opClose, true, f.payload)
			err = f.closed()
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if answer {
				w.sendClose(1001)
			}
			return o
		}
		if err != nil {
			o.ended = err
			return o
		}
		if o.heard = o.lasted; f.op == opPing {
			o.pings = append(o.pings, o.lasted)
			if answer {
				w.send(opPong, true, f.payload) // if it fails, reading will, too
			}
		}
	}
}

func checkIdleAnswering(ctx context.Context, p *probe) finding {
	if p.idle == 0 {
		return skipped("--idle is 0")
	}
	return judgeAnswering(p.idleTwice(ctx).answering, p.idle)
}

func checkIdleSilent(ctx context.Context, p *probe) finding {
	if p.idle == 0 {
		return skipped("--idle is 0")
	}
	both := p.idleTwice(ctx)
	return judgeSilent(both.silent, both.answering, p.idle)
}

// interval is the time between the server's pings, 0 if there were none.
func (o observation) interval() time.Duration {
	switch n := len(o.pings); n {
	case 0:
		return 0
	case 1:
		return o.pings[0]
	default:
		return (o.pings[n-1] - o.pings[0]) / time.Duration(n-1)
	}
}

func (o observation) saysPings() string {
	switch len(o.pings) {
	case 0:
		return "the server sent no ping"
	case 1:
		return "the server pinged after " + brief(o.pings[0])
	}
	return "the server pings every " + brief(o.interval())
}

const toPing = "wsframework: Settings.PingInterval (25 s by default) below the shortest time-out of a proxy on the way, which often is 60 s."

// judgeAnswering is about a client that is quiet and well.
func judgeAnswering(o observation, idle time.Duration) finding {
	var closed *closedError
	var broken violation
	switch {
	case o.failed != nil:
		return notAgain(o.failed)
	case errors.As(o.ended, &broken):
		return problem("after "+brief(o.lasted)+": "+broken.Error(), toLeaveExtensions...)
	case errors.As(o.ended, &closed):
		return warning(fmt.Sprintf("after %s: %s; %s", brief(o.lasted), closed, o.saysPings()), toStayOpen(closed.code)...)
	case o.ended != nil:
		return o.judgeCut()
	case len(o.pings) == 0 && idle >= usualCut:
		return warning(fmt.Sprintf("open after %s, but %s: other proxies cut what is silent for a minute, and dead clients are not noticed", brief(idle), o.saysPings()), toPing)
	case o.interval() >= usualCut-usualSlack:
		return warning(fmt.Sprintf("open after %s; %s, which is too seldom for proxies that cut after a minute", brief(idle), o.saysPings()), toPing)
	}
	return ok(fmt.Sprintf("open after %s; %s", brief(idle), o.saysPings()))
}

// judgeCut is about a connection that somebody on the way ended.
func (o observation) judgeCut() finding {
	quiet := o.lasted - o.heard
	seen := fmt.Sprintf("cut without a close frame after %s", brief(o.lasted))
	switch {
	case len(o.pings) == 0:
		seen += fmt.Sprintf(", %s of them silent; %s", brief(quiet), o.saysPings())
	case o.interval() < quiet:
		seen += fmt.Sprintf(", %s after the last frame; %s", brief(quiet), o.saysPings())
	default:
		return problem(seen+fmt.Sprintf("; %s, so that it was not silent: something limits how long a connection lives", o.saysPings()),
			"Look at the proxy's limit for whole connections (Caddy: stream_timeout; Envoy: max_connection_duration, route timeout),",
			"and at reloads: nginx ends workers with worker_shutdown_timeout, Caddy with stream_close_delay.")
	}
	if quiet > usualCut-usualSlack && quiet < usualCut+usualSlack {
		seen += ". 60 s is the default of proxy_read_timeout"
	}
	return problem(seen, append([]string{toPing}, toLastIdle...)...)
}

// toStayOpen is about a server that closes in due form.
func toStayOpen(code int) []string {
	switch code {
	case 4401:
		return []string{"The session ended: give a cookie that is valid for longer; scs: sessions.Lifetime, IdleTimeout."}
	case 4403:
		return []string{"The session has no user any more: log in again."}
	case 1001, 1012:
		return []string{"The server was stopped or restarted; run this once more."}
	case 1011:
		return []string{"The application failed: look at its log."}
	}
	return []string{"The application ends quiet connections, if that is not meant look for its own time-out."}
}

// judgeSilent is about a client that is gone and did not say so.
func judgeSilent(o, other observation, idle time.Duration) finding {
	switch {
	case o.failed != nil:
		return notAgain(o.failed)
	case o.ended == nil && len(o.pings) >= 3:
		return warning(fmt.Sprintf("open after %s, although %d pings were not answered: dead clients are kept", brief(idle), len(o.pings)),
			"wsframework: Settings.PingTimeout (20 s by default), not negative.")
	case o.ended == nil && len(o.pings) > 0:
		return ok(fmt.Sprintf("open after %s and %s unanswered; a longer --idle tells more", brief(idle), count(len(o.pings), "ping")))
	case o.ended == nil:
		return ok(fmt.Sprintf("open after %s; %s", brief(idle), o.saysPings()))
	case len(o.pings) > 0:
		return ok(fmt.Sprintf("ended %s after a ping that was not answered (%s): dead clients are noticed",
			brief(o.lasted-o.pings[0]), howItEnded(o.ended)))
	case other.ended != nil:
		return skipped("ended as the other one did")
	}
	return warning(fmt.Sprintf("ended after %s without a ping (%s), unlike the one that answers", brief(o.lasted), howItEnded(o.ended)), toLastIdle...)
}

func howItEnded(err error) string {
	if wasCut(err) {
		return "cut without a close frame"
	}
	return err.Error()
}
