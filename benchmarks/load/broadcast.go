package load

import (
	"errors"
	"fmt"
	"time"
)

// Broadcast has the members of a group send to it in turn, the next when everyone has everything.
type Broadcast struct {
	Members int
	Burst   int // messages that are sent at once
	Size    int // of a message
}

// Run measures deliveries.
func (s Broadcast) Run(t Target, w Window) (Result, error) {
	p := newPayload(s.Size, false)
	f, err := newFleet(t, "/broadcast", p)
	if err != nil {
		return Result{}, err
	}
	defer f.close()
	if err := f.dialAll(s.Members); err != nil {
		return Result{}, err
	}
	r := newBroadcastRun(f, p, s.Burst)
	if err := r.assemble(); err != nil {
		return Result{}, err
	}
	return r.measure(w)
}

type broadcastRun struct {
	fleet    *fleet
	meter    meter
	batch    *batch
	burst    int
	sender   int
	seq      uint32   // of the next message
	expected []uint32 // which message each member gets next
	missing  int      // deliveries that are still to come
	sentAt   time.Duration
}

func newBroadcastRun(f *fleet, p payload, burst int) *broadcastRun {
	return &broadcastRun{
		fleet:    f,
		meter:    meter{target: f.target},
		batch:    newBatch(burst, p, f.target.Compress),
		burst:    burst,
		expected: make([]uint32, len(f.conns)),
	}
}

// patience is how long everyone must have been silent before someone who got no message yet is taken for
// one who has not joined yet.
const patience = 300 * time.Millisecond

// assemble sends until a message has reached everyone: a server may accept a connection before it has
// joined the group.
func (r *broadcastRun) assemble() error {
	absent := len(r.fleet.conns)
	r.fleet.onMessage = func(c *conn, h head) error {
		if r.expected[c.id] == 0 {
			absent--
		}
		r.expected[c.id] = h.seq + 1
		if h.seq+1 == r.seq {
			r.missing--
		}
		return nil
	}
	for until := now() + 2*stall; absent > 0; {
		if now() > until {
			return fmt.Errorf("%d of %d members never joined the group", absent, len(r.fleet.conns))
		}
		if err := r.send(1); err != nil {
			return err
		}
		r.missing = len(r.fleet.conns)
		for r.fleet.expect(); absent > 0 && r.fleet.time-r.fleet.heard < patience; {
			if err := r.fleet.sweep(); err != nil {
				return err
			}
		}
	}
	if err := r.await(); err != nil {
		return err
	}
	r.fleet.onMessage = r.receive
	return nil
}

// await waits for the deliveries that are missing.
func (r *broadcastRun) await() error {
	for r.fleet.expect(); r.missing > 0; {
		if err := r.fleet.sweep(); err != nil {
			return err
		}
		if err := r.fleet.checkStall(); err != nil {
			return fmt.Errorf("%d deliveries are missing: %w", r.missing, err)
		}
	}
	return nil
}

func (r *broadcastRun) measure(w Window) (Result, error) {
	if err := r.run(w.WarmUp); err != nil {
		return Result{}, err
	}
	if err := r.meter.start(); err != nil {
		return Result{}, err
	}
	if err := r.run(w.Measure); err != nil {
		return Result{}, err
	}
	return r.meter.stop()
}

// run sends whole rounds for a time.
func (r *broadcastRun) run(d time.Duration) error {
	for end := now() + d; r.fleet.time < end; {
		r.sender = (r.sender + 1) % len(r.fleet.conns)
		if err := r.round(); err != nil {
			return err
		}
	}
	return nil
}

// round sends a burst and waits until all members have it.
func (r *broadcastRun) round() error {
	if err := r.send(r.burst); err != nil {
		return err
	}
	r.missing = r.burst * len(r.fleet.conns)
	return r.await()
}

func (r *broadcastRun) send(n int) error {
	for i := range n {
		r.batch.setHead(i, head{uint32(r.sender), r.seq})
		r.seq++
	}
	r.sentAt = now()
	return r.fleet.conns[r.sender].send(r.batch.first(n))
}

var errSurplus = errors.New("a member got more messages than were sent")

func (r *broadcastRun) receive(c *conn, h head) error {
	want := head{uint32(r.sender), r.expected[c.id]}
	switch {
	case want.seq == r.seq:
		return errSurplus
	case h != want:
		return fmt.Errorf("message %d from %d came where message %d from %d was due", h.seq, h.sender, want.seq, want.sender)
	}
	r.expected[c.id]++
	r.missing--
	r.meter.add(r.fleet.time - r.sentAt)
	return nil
}
