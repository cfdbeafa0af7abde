// Package load is the client side of the benchmark: thousands of connections in one goroutine on raw
// system calls. It never sleeps while it measures, because whoever wakes a sleeper pays for it, and that
// would be the server. It checks every message: its content, its order, and that none is missing.
package load

import (
	"net/netip"
	"time"
)

// A Target is a server under load.
type Target struct {
	Addr     netip.AddrPort
	TLS      bool
	Compress bool // offer permessage-deflate, and insist on it

	CPU    func() (time.Duration, error) // processor time that the server has used so far
	Memory func() (int64, error)         // its resident memory in bytes
}

// A Window says how long to measure.
type Window struct {
	WarmUp, Measure time.Duration
}

// A Result is what one run of one scenario has measured.
type Result struct {
	Count    int           // echoes, deliveries, handshakes or connections
	Elapsed  time.Duration // of the measuring window
	CPU      time.Duration // that the server used in it
	LoadCPU  time.Duration // that the load used in it: all of it, unless something else ran on its processor
	P50, P99 time.Duration // from sending to receiving
	Fairness float64       // messages of the connection that got fewest, by those of the one that got most
	Memory   int64         // growth of the server's resident memory in bytes
}

// Undisturbed returns the share of the time for which the load had its processor to itself.
func (r Result) Undisturbed() float64 { return float64(r.LoadCPU) / float64(max(r.Elapsed, 1)) }

// A Scenario is a kind of load.
type Scenario interface {
	Run(Target, Window) (Result, error)
}

// stall is how long a server may be silent while it owes something.
const stall = 10 * time.Second

// start is the zero of the load's clock.
var start = time.Now()

// now reads the monotonic clock, cheaper than time.Now.
func now() time.Duration { return time.Since(start) }
