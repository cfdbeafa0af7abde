package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// Idle opens connections, members of a group, and leaves them alone.
type Idle struct {
	Connections int
	Settle      time.Duration // how long the memory must have stayed the same
}

const (
	// firstFew are open before the measuring begins, so that what a server sets up once does not count.
	firstFew = 20
	// spareFiles are open beside the connections.
	spareFiles = 200
)

// Run measures the growth of memory per connection. At the end a broadcast must reach everyone.
func (s Idle) Run(t Target, _ Window) (Result, error) {
	p := newPayload(headSize, false)
	f, err := newFleet(t, "/broadcast", p)
	if err != nil {
		return Result{}, err
	}
	defer f.close()
	if err := f.dialAll(firstFew); err != nil {
		return Result{}, err
	}
	before, err := f.settledMemory(s.Settle)
	if err != nil {
		return Result{}, err
	}
	m := meter{target: t}
	if err := m.start(); err != nil {
		return Result{}, err
	}
	if err := f.dialAll(s.Connections); err != nil {
		return Result{}, err
	}
	m.count = s.Connections
	result, err := m.stop()
	if err != nil {
		return Result{}, err
	}
	after, err := f.settledMemory(s.Settle)
	if err != nil {
		return Result{}, err
	}
	result.Memory = after - before
	return result, newBroadcastRun(f, p, 1).assemble()
}

// Allowed returns how many of n connections a process may have, as far as its limit of open files goes. It
// raises the limit, also for the servers, where that is permitted.
func Allowed(n int) int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return n
	}
	if want := uint64(n + spareFiles); limit.Cur < want {
		raised := unix.Rlimit{Cur: want, Max: max(limit.Max, want)}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	return int(min(uint64(n), max(limit.Cur, spareFiles)-spareFiles))
}

// settledMemory returns the server's memory once it has stayed the same, but for 0.2 %, for a time.
func (f *fleet) settledMemory(settle time.Duration) (int64, error) {
	var memory int64
	until := now() + 5*settle
	for since := now(); now()-since < settle && now() < until; {
		current, err := f.target.Memory()
		if err != nil {
			return 0, err
		}
		if change := current - memory; max(change, -change) > memory/500 {
			memory, since = current, now()
		}
		time.Sleep(settle / 5)
		if err := f.sweep(); err != nil { // answers pings
			return 0, err
		}
	}
	return memory, nil
}
