package wsframework

import (
	"iter"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A serial is the one line in which an application runs all its callbacks if Settings.Serial is set. The
// turn is handed on in the order in which it was asked for.
//
// Who waits for the turn is, to its connection, a callback that takes long: the watch finds a reader in
// its place. Nothing that the framework itself needs is ever held meanwhile, nor is the turn ever asked
// for under a lock.
//
// All methods may be called from any goroutine.
type serial struct {
	number uint64        // see spell
	slow   time.Duration // Settings.SlowCallback
	logger *slog.Logger

	mu      sync.Mutex // protects the following
	taken   bool
	waiting []chan struct{} // closed to hand the turn over

	current turn // owned by who has the turn
}

// A turn is what is known of the callback that runs.
type turn struct {
	x        *exchange // nil if it is the application's own
	callback string
	began    time.Time
}

// serials counts those that were made, so that each has a number.
var serials atomic.Uint64

func newSerial(settings *Settings) *serial {
	if !settings.Serial {
		return nil
	}
	return &serial{number: serials.Add(1), slow: settings.SlowCallback, logger: settings.Logger}
}

// inTurn calls f in the application's line, if it has one, and else just so. In the midst of a turn of
// that line it calls f at once.
func (app *Application) inTurn(callback string, f func()) {
	if app.serial == nil {
		f()
		return
	}
	app.serial.do(nil, callback, f)
}

// contain is contain in the application's line.
func (x *exchange) contain(hook string, f func() error) (err error) {
	if x.app.serial == nil {
		return contain(hook, f)
	}
	x.app.serial.do(x, hook, func() { err = contain(hook, f) })
	return err
}

// invokeInTurn is invoke in the application's line.
func (c *conn) invokeInTurn(t task) (err error) {
	s := c.app.serial
	s.take()
	s.run(&c.exchange, t.kind.String(), func() {
		if t.kind != taskMessage || !c.discard.Load() { // somebody may have closed it meanwhile
			err = c.invoke(t)
		}
	})
	return err
}

// do calls f in a turn, or in that which the calling goroutine has.
func (s *serial) do(x *exchange, callback string, f func()) {
	if !s.tryTake() {
		if s.held() {
			f()
			return
		}
		s.take()
	}
	s.run(x, callback, f)
}

// tryTake takes the turn if nobody has it.
func (s *serial) tryTake() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	free := !s.taken
	s.taken = true
	return free
}

// take waits for the turn. It is not for a goroutine that may have it.
func (s *serial) take() {
	s.mu.Lock()
	if !s.taken {
		s.taken = true
		s.mu.Unlock()
		return
	}
	mine := make(chan struct{})
	s.waiting = append(s.waiting, mine)
	s.mu.Unlock()
	<-mine
}

// give hands the turn to who has waited longest.
func (s *serial) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.taken, s.waiting = false, nil
		return
	}
	next := s.waiting[0]
	s.waiting[0] = nil
	s.waiting = s.waiting[1:]
	close(next)
}

// run calls f, and gives up the turn, which the caller has, however f ends.
func (s *serial) run(x *exchange, callback string, f func()) {
	s.begin(turn{x: x, callback: callback})
	defer s.end()
	spell(s.number, f)
}

func (s *serial) begin(t turn) {
	t.began = time.Now()
	s.current = t
}

// end gives up the turn and sees whether it took long.
func (s *serial) end() {
	t := s.current
	took := time.Since(t.began)
	s.current = turn{}
	s.give()
	if s.slow <= 0 || took <= s.slow {
		return
	}
	attrs := []any{"callback", t.callback, "duration", took}
	if t.x != nil {
		attrs = append(t.x.logAttrs(), attrs...)
	}
	s.logger.Warn("wsframework: a callback took long, and all others waited", attrs...)
}

// aside calls f, which waits for something, and lets others have the turn meanwhile, if it is the caller's.
func (s *serial) aside(f func() error) error {
	if !s.held() {
		return f()
	}
	t := s.current
	s.end()
	defer func() {
		s.take()
		s.begin(t)
	}()
	return f()
}

// aside calls f, which waits for the network, and lets others have the turn meanwhile.
func (app *Application) aside(f func() error) error {
	if app.serial == nil {
		return f()
	}
	return app.serial.aside(f)
}

// held reports whether the turn is the calling goroutine's. Only its stack can tell: user code is called
// without a context. It must not be the turn of another application that a handler of this one is used in.
func (s *serial) held() bool {
	number := uint64(0)
	for name := range callers() {
		switch _, name, _ := strings.Cut(name, "/wsframework."); name {
		case "spell0":
			number <<= 1
		case "spell1":
			number = number<<1 | 1
		case "(*serial).run":
			if number == s.number {
				return true
			}
			number = 0
		}
	}
	return false
}

// spell calls f under frames that spell a number on the stack, its lowest bit first, for held to read.
// It costs a turn nothing to speak of, and no table of goroutines is needed.
func spell(number uint64, f func()) {
	switch {
	case number == 0:
		f()
	case number&1 == 0:
		spell0(number>>1, f)
	default:
		spell1(number>>1, f)
	}
}

func spell0(rest uint64, f func()) { spell(rest, f) }
func spell1(rest uint64, f func()) { spell(rest, f) }

// callers returns the names of the functions on the stack, the innermost first.
func callers() iter.Seq[string] {
	pcs := make([]uintptr, 128)
	n := runtime.Callers(3, pcs)
	for n == len(pcs) {
		pcs = make([]uintptr, 4*n)
		n = runtime.Callers(3, pcs)
	}
	frames := runtime.CallersFrames(pcs[:n])
	return func(yield func(string) bool) {
		for {
			frame, more := frames.Next()
			if !yield(frame.Function) || !more {
				return
			}
		}
	}
}
