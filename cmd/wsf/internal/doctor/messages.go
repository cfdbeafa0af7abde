package doctor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// brief rounds a duration for people, in ASCII.
func brief(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 2, 64) + "ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// pings are payloads of all kinds of lengths (RFC 6455, 5.5.2).
var pings = []string{"", "wsf doctor", strings.Repeat("wsf doctor ", 12)[:125]}

// checkPing measures the way to the server and back. A ping does not get to the application, so it can be
// sent to any. The fastest counts: what holds frames back holds back each.
func checkPing(ctx context.Context, p *probe) finding {
	w, err := p.connect(ctx)
	if err != nil {
		return notAgain(err)
	}
	defer w.leave()
	if err := w.send(opPong, true, nil); err != nil { // that nobody asked for: legal (RFC 6455, 5.5.3)
		return problem("cut without a close frame", toPassClose...)
	}
	var fastest time.Duration
	for i, payload := range pings {
		began := time.Now()
		if err = w.send(opPing, true, []byte(payload)); err == nil {
			err = w.awaitPong([]byte(payload))
		}
		if err != nil {
			return problem(fmt.Sprintf("no pong for a ping of %d bytes: %s", len(payload), w.howEnded(err)),
				append([]string{"The server answers pings by itself, so something on the way holds frames back or drops them:"}, toPassAtOnce...)...)
		}
		if took := time.Since(began); i == 0 || took < fastest {
			fastest = took
		}
	}
	if fastest > p.slow {
		return warning(fmt.Sprintf("pong after %s, where the handshake took %s: something holds frames back", brief(fastest), brief(p.first.took)), toPassAtOnce...)
	}
	return ok("pong after " + brief(fastest))
}

// firstSize is the first size beyond the message itself; each next is four times the last.
const firstSize = 1 << 10

// checkSize sends the message of --send, longer and longer by spaces at its end, which most applications do not mind.
func checkSize(ctx context.Context, p *probe) finding {
	if p.send == "" {
		return skipped("--send gives a message that does no harm in this application")
	}
	w, err := p.connect(ctx)
	if err != nil {
		return notAgain(err)
	}
	defer w.leave()
	passed := 0
	for _, size := range sizes(len(p.send), p.max) {
		text := []byte(p.send + strings.Repeat(" ", size-len(p.send)))
		if err := p.deliver(w, text, len(text)); err != nil {
			return p.tooLong(w, err, passed, size)
		}
		passed = size
	}
	return ok("messages of up to " + bytesOf(passed) + " pass")
}

// sizes are those to try: the message's own, and up to limit.
func sizes(own, limit int) []int {
	list := []int{own}
	for size := firstSize; size < limit; size *= 4 {
		if size > own {
			list = append(list, size)
		}
	}
	if limit > own {
		list = append(list, limit)
	}
	return list
}

// deliver sends a text in fragments and then a ping, whose pong says that the text has arrived. It reads
// meanwhile, because a server that refuses does not wait for the end.
func (p *probe) deliver(w *wire, text []byte, fragment int) error {
	mark := fmt.Appendf(nil, "behind %d bytes", len(text))
	sent := make(chan error, 1)
	go func() {
		op := opText
		for rest := text; ; op = opContinuation {
			n := min(fragment, len(rest))
			if err := w.send(op, n == len(rest), rest[:n]); err != nil {
				sent <- err
				return
			}
			if rest = rest[n:]; len(rest) == 0 {
				break
			}
		}
		sent <- w.send(opPing, true, mark)
	}()
	err := w.awaitPong(mark)
	if err != nil {
		w.Close()
	}
	if failed := <-sent; err == nil {
		err = failed
	}
	return err
}

// tooLong explains why a message did not pass, behind one that did.
func (p *probe) tooLong(w *wire, err error, passed, size int) finding {
	seen := fmt.Sprintf("a message of %s: %s", bytesOf(size), w.howEnded(err))
	if passed > 0 {
		seen = fmt.Sprintf("messages of up to %s pass; one of %s: %s", bytesOf(passed), bytesOf(size), w.howEnded(err))
	}
	var closed *closedError
	var broken violation
	switch {
	case errors.As(err, &closed) && closed.code == 1009 && !p.maxAsked:
		return ok(seen + " (Settings.MaxMessageSize)")
	case errors.As(err, &closed) && closed.code == 1009:
		return warning(seen, "wsframework: Settings.MaxMessageSize")
	case errors.As(err, &closed):
		return warning(seen, "Is that what the application does with this message? Choose one that does no harm (--send).")
	case errors.As(err, &broken):
		return problem(seen, toLeaveExtensions...)
	case wasCut(err):
		return problem(seen, toPassWhole...)
	}
	return problem(seen, "Something holds long messages back, or the server reads slowly; --timeout gives it longer.")
}

// fragmentSize is small enough for many of them, and common.
const fragmentSize = 16 << 10

func checkFragments(ctx context.Context, p *probe) finding {
	if p.size == 0 {
		return skipped("--size sends one message of so many bytes, in fragments")
	}
	w, err := p.connect(ctx)
	if err != nil {
		return notAgain(err)
	}
	defer w.leave()
	text := []byte(p.send + strings.Repeat(" ", max(0, p.size-len(p.send))))
	if err := p.deliver(w, text, fragmentSize); err != nil {
		return p.tooLong(w, err, 0, len(text))
	}
	return ok(fmt.Sprintf("a message of %s in fragments of %s passes", bytesOf(len(text)), bytesOf(fragmentSize)))
}

// ourCode is what a browser sends when the page is left. That the server's answer has it, too, tells that
// the answer is the server's.
const ourCode = 1001

// checkClose makes the closing handshake (RFC 6455, 7.1).
func checkClose(ctx context.Context, p *probe) finding {
	w, err := p.connect(ctx)
	if err != nil {
		return notAgain(err)
	}
	defer w.Close()
	if err := w.sendClose(ourCode); err != nil {
		return problem("cut without a close frame", toPassClose...)
	}
	var answer *closedError
	err = w.await(time.Now().Add(w.timeout), func(f frame) bool {
		if f.op == opClose {
			answer = f.closed()
		}
		return f.op == opClose
	})
	if err != nil {
		return problem("our close frame was not answered: "+w.howEnded(err), toPassClose...)
	}
	if _, err := w.next(time.Now().Add(w.timeout)); !wasCut(err) {
		return warning("the close frame is answered, but the TCP connection stays open",
			"The server ends it first (RFC 6455, 7.1.1); look for a proxy that keeps it.")
	}
	if answer.code != ourCode {
		return warning(fmt.Sprintf("%d is answered with %s", ourCode, answer),
			"Servers send the code back that they got (RFC 6455, 5.5.1); it may come from a proxy, or from an application that was closing by itself.")
	}
	return ok(fmt.Sprintf("%d is answered with %d, and the connection ended", ourCode, answer.code))
}
