package load

import (
	"fmt"
	"time"
)

// Flood has one connection send as much as the server answers, and a quiet one send a message every now
// and then. The result is that of the quiet one; the processor time includes both.
type Flood struct {
	Outstanding int // messages of the flood that are under way
	Size        int
	Every       time.Duration // between messages of the quiet connection
}

const (
	flooder = 0
	quiet   = 1
)

// Run measures the latency of the quiet connection, from the time at which a message was due to be sent.
func (s Flood) Run(t Target, w Window) (Result, error) {
	p := newPayload(s.Size, false)
	f, err := newFleet(t, "/echo", p)
	if err != nil {
		return Result{}, err
	}
	defer f.close()
	if err := f.dialAll(2); err != nil {
		return Result{}, err
	}
	r := &floodRun{echoRun: newEchoRun(f, p, s.Outstanding), every: s.Every}
	f.onMessage = r.receive
	if err := r.run(w.WarmUp); err != nil {
		return Result{}, err
	}
	if err := r.meter.start(); err != nil {
		return Result{}, err
	}
	r.answered = 0
	if err := r.run(w.Measure); err != nil {
		return Result{}, err
	}
	result, err := r.meter.stop()
	if err != nil {
		return Result{}, err
	}
	result.Count = r.answered
	return result, r.drain()
}

type floodRun struct {
	*echoRun
	every    time.Duration
	due      time.Duration // when the quiet connection sends next
	answered int
}

func (r *floodRun) run(d time.Duration) error {
	r.due = now() + r.every
	for end := now() + d; r.fleet.time < end; {
		if err := r.fleet.sweep(); err != nil {
			return err
		}
		if w := r.flows[flooder]; w.sent-w.received <= uint32(r.outstanding)/2 {
			if err := r.send(flooder); err != nil {
				return err
			}
		}
		for ; r.due <= now(); r.due += r.every {
			if err := r.sendQuietly(); err != nil {
				return err
			}
		}
		if err := r.fleet.checkStall(); err != nil {
			return err
		}
	}
	return nil
}

func (r *floodRun) sendQuietly() error {
	w := &r.flows[quiet]
	if int(w.sent-w.received) >= r.outstanding {
		return fmt.Errorf("the quiet connection has waited for %d answers", r.outstanding)
	}
	r.batch.setHead(0, head{quiet, w.sent})
	w.sentAt[w.sent%uint32(r.outstanding)] = r.due
	w.sent++
	return r.fleet.conns[quiet].send(r.batch.first(1))
}

func (r *floodRun) receive(c *conn, h head) error {
	w := &r.flows[c.id]
	if err := w.receive(c.id, h); err != nil {
		return err
	}
	r.answered++
	if c.id == quiet {
		r.meter.add(now() - w.sentAt[h.seq%uint32(r.outstanding)])
	}
	return nil
}
