package load

import (
	"fmt"
	"slices"
	"time"
)

// Echo has each connection send some messages at once, and again when it has got all of them back.
type Echo struct {
	Connections int
	Outstanding int // messages that a connection sends at once
	Size        int // of a message
	Binary      bool
}

// think is how long a connection waits before it sends again. A server may handle one connection until
// nothing more waits there: if the load answered at once, or message by message, it would never get to
// the others.
const think = 50 * time.Microsecond

// Run measures echoes.
func (s Echo) Run(t Target, w Window) (Result, error) {
	p := newPayload(s.Size, s.Binary)
	f, err := newFleet(t, "/echo", p)
	if err != nil {
		return Result{}, err
	}
	defer f.close()
	if err := f.dialAll(s.Connections); err != nil {
		return Result{}, err
	}
	r := newEchoRun(f, p, s.Outstanding)
	for _, c := range f.conns {
		r.thinking.push(c.id, 0)
	}
	return r.measure(w)
}

type echoRun struct {
	fleet       *fleet
	meter       meter
	batch       *batch
	outstanding int
	flows       []flow // of each connection
	thinking    queue
}

// A flow is the messages of one connection.
type flow struct {
	sent, received uint32
	counted        uint32          // those received before the measuring window
	sentAt         []time.Duration // of the messages under way, by number modulo how many there may be
}

func newEchoRun(f *fleet, p payload, outstanding int) *echoRun {
	r := &echoRun{
		fleet:       f,
		meter:       meter{target: f.target},
		batch:       newBatch(outstanding, p, f.target.Compress),
		outstanding: outstanding,
		flows:       make([]flow, len(f.conns)),
	}
	for i := range r.flows {
		r.flows[i].sentAt = make([]time.Duration, outstanding)
	}
	f.onMessage = r.receive
	return r
}

func (r *echoRun) measure(w Window) (Result, error) {
	if err := r.run(w.WarmUp); err != nil {
		return Result{}, err
	}
	for i := range r.flows {
		r.flows[i].counted = r.flows[i].received
	}
	if err := r.meter.start(); err != nil {
		return Result{}, err
	}
	if err := r.run(w.Measure); err != nil {
		return Result{}, err
	}
	result, err := r.meter.stop()
	if err != nil {
		return Result{}, err
	}
	result.Fairness = r.fairness()
	return result, r.drain()
}

// run keeps messages under way for a time.
func (r *echoRun) run(d time.Duration) error {
	for end := now() + d; r.fleet.time < end; {
		if err := r.fleet.sweep(); err != nil {
			return err
		}
		if err := r.sendDue(); err != nil {
			return err
		}
		if err := r.fleet.checkStall(); err != nil {
			return err
		}
	}
	return nil
}

// sendDue sends for the connections that have thought long enough.
func (r *echoRun) sendDue() error {
	for {
		id, due := r.thinking.pop(r.fleet.time)
		if !due {
			return nil
		}
		if err := r.send(id); err != nil {
			return err
		}
	}
}

// send fills up what a connection may have under way.
func (r *echoRun) send(id int) error {
	w := &r.flows[id]
	n, at := 0, now()
	for ; w.sent-w.received < uint32(r.outstanding); n++ {
		r.batch.setHead(n, head{uint32(id), w.sent})
		w.sentAt[w.sent%uint32(r.outstanding)] = at
		w.sent++
	}
	if err := r.fleet.conns[id].send(r.batch.first(n)); err != nil {
		return fmt.Errorf("connection %d: %w", id, err)
	}
	return nil
}

func (r *echoRun) receive(c *conn, h head) error {
	w := &r.flows[c.id]
	if err := w.receive(c.id, h); err != nil {
		return err
	}
	r.meter.add(r.fleet.time - w.sentAt[h.seq%uint32(r.outstanding)])
	if w.received == w.sent {
		r.thinking.push(c.id, r.fleet.time+think)
	}
	return nil
}

// receive checks that the right message comes back.
func (w *flow) receive(id int, h head) error {
	if want := (head{uint32(id), w.received}); h != want || w.received == w.sent {
		return fmt.Errorf("message %d of connection %d came where message %d of connection %d was due, of %d sent",
			h.seq, h.sender, want.seq, want.sender, w.sent)
	}
	w.received++
	return nil
}

// drain waits for all that is still under way.
func (r *echoRun) drain() error {
	missing := func(w flow) bool { return w.received < w.sent }
	for r.fleet.expect(); slices.ContainsFunc(r.flows, missing); {
		if err := r.fleet.sweep(); err != nil {
			return err
		}
		if err := r.fleet.checkStall(); err != nil {
			return err
		}
	}
	return nil
}

func (r *echoRun) fairness() float64 {
	fewest, most := ^uint32(0), uint32(0)
	for _, w := range r.flows {
		n := w.received - w.counted
		fewest, most = min(fewest, n), max(most, n)
	}
	if most == 0 {
		return 0
	}
	return float64(fewest) / float64(most)
}
