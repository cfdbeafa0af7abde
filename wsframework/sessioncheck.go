package wsframework

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
)

// sessionChecks ask the store, once in Settings.SessionCheckInterval, for each session that has sockets. The
// sessions are spread over the slots of a wheel, so that the store's load is even. There is one timer, which
// runs while there are sessions, and a few goroutines while there is something to ask.
type sessionChecks struct {
	slots   [checkSlots][]*sessionRecord
	hand    int // the slot whose turn was last
	next    int // the slot that gets the next session
	timer   *time.Timer
	turnAt  time.Time // when the timer is to fire
	began   time.Time // of the clock for sessionRecord.good
	due     []*sessionRecord
	workers int
	down    bool // the store did not answer last time
}

const (
	checkSlots   = 64
	checkWorkers = 8 // so many sessions are asked for at a time

	checkTimeout = 10 * time.Second // for a store that heeds contexts
)

func (r *sessionRegistry) scheduleLocked(record *sessionRecord) {
	ch, interval := &r.checks, r.app.settings.SessionCheckInterval
	if interval <= 0 {
		return
	}
	if ch.began.IsZero() {
		ch.began = time.Now()
		ch.next = rand.IntN(checkSlots) // nodes that start together need not ask together
	}
	record.good = time.Since(ch.began)
	record.slot = int32(ch.next)
	record.index = int32(len(ch.slots[ch.next]))
	ch.slots[ch.next] = append(ch.slots[ch.next], record)
	ch.next = (ch.next + 1) % checkSlots
	if len(r.records) == 1 {
		ch.turnAt = time.Now()
		r.setTimerLocked()
	}
}

// setTimerLocked keeps to the schedule, as a session is to be asked for within the interval.
func (r *sessionRegistry) setTimerLocked() {
	ch, step := &r.checks, r.app.settings.SessionCheckInterval/checkSlots
	ch.turnAt = ch.turnAt.Add(step)
	wait := time.Until(ch.turnAt)
	if wait < -step { // the machine was asleep
		ch.turnAt, wait = time.Now(), 0
	}
	if ch.timer == nil {
		ch.timer = time.AfterFunc(wait, r.turn)
	} else {
		ch.timer.Reset(wait)
	}
}

func (r *sessionRegistry) unscheduleLocked(record *sessionRecord) {
	if r.app.settings.SessionCheckInterval <= 0 {
		return
	}
	slot := r.checks.slots[record.slot]
	last := len(slot) - 1
	slot[record.index] = slot[last]
	slot[record.index].index = record.index
	slot[last] = nil
	r.checks.slots[record.slot] = slot[:last]
	if len(r.records) == 0 {
		r.checks.timer.Stop()
		r.checks.slots = [checkSlots][]*sessionRecord{} // give back what a crowd has left
	}
}

// turn is called by the timer: the sessions of the next slot are due.
func (r *sessionRegistry) turn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) == 0 {
		return
	}
	ch := &r.checks
	ch.hand = (ch.hand + 1) % checkSlots
	for _, record := range ch.slots[ch.hand] {
		if !record.queued { // where the store takes long
			record.queued = true
			ch.due = append(ch.due, record)
		}
	}
	for ch.workers < min(checkWorkers, len(ch.due)) {
		ch.workers++
		go r.work()
	}
	r.setTimerLocked()
}

// work asks for what is due.
func (r *sessionRegistry) work() {
	for record := r.nextDue(); record != nil; record = r.nextDue() {
		if conns := record.conns(); len(conns) > 0 {
			r.check(record, conns)
		}
	}
}

func (r *sessionRegistry) nextDue() *sessionRecord {
	r.mu.Lock()
	defer r.mu.Unlock()
	ch := &r.checks
	if len(ch.due) == 0 {
		ch.due = nil
		ch.workers--
		return nil
	}
	record := ch.due[0]
	ch.due[0] = nil
	ch.due = ch.due[1:]
	record.queued = false
	return record
}

// check asks the store for one session.
func (r *sessionRegistry) check(record *sessionRecord, conns []*conn) {
	active := false
	for _, c := range conns {
		active = c.standing.active.Swap(false) || active
	}
	found, err := r.ask(record.name, active)
	switch {
	case err != nil:
		if active {
			conns[0].standing.active.Store(true) // for the next time
		}
		r.checkFailed(record, conns, err)
	case !found:
		r.checkSucceeded(record)
		r.app.sessionEnded(record.name)
	default:
		r.checkSucceeded(record)
	}
}

// ask finds a session, shows it to its sockets, and moves its idle time-out if it is active.
func (r *sessionRegistry) ask(key string, active bool) (found bool, err error) {
	settings := &r.app.settings
	manager := settings.Sessions
	var expiry func([]byte) (time.Time, error)
	if idle := manager.IdleTimeout; idle > 0 && active && !settings.NoSessionKeepAlive {
		expiry = func(data []byte) (time.Time, error) {
			deadline, _, err := manager.Codec.Decode(data)
			if end := time.Now().Add(idle); end.Before(deadline) {
				deadline = end
			}
			return deadline.UTC(), err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	err = contain("the session store", func() (err error) {
		found, err = r.app.store.Load().look(ctx, key, expiry, func(data []byte) { r.saw(newSessionID(key), data, nil) })
		return err
	})
	return found, err
}

func (r *sessionRegistry) checkSucceeded(record *sessionRecord) {
	r.mu.Lock()
	record.good = time.Since(r.checks.began)
	was := r.checks.down
	r.checks.down = false
	r.mu.Unlock()
	if was {
		r.app.logger.Info("wsframework: the session store answers again")
	}
}

// checkFailed lets the sockets be for as long as Settings.SessionCheckGrace allows.
func (r *sessionRegistry) checkFailed(record *sessionRecord, conns []*conn, err error) {
	grace := r.app.settings.SessionCheckGrace
	r.mu.Lock()
	over := grace > 0 && time.Since(r.checks.began)-record.good > grace
	was := r.checks.down
	r.checks.down = true
	r.mu.Unlock()
	if !was {
		r.app.logger.Warn("wsframework: the session store does not answer; sockets stay open meanwhile",
			"cause", withoutSecrets(err, record.name), "setting", "SessionCheckGrace", "grace", grace)
	}
	if !over {
		return
	}
	for _, c := range conns {
		c.revoke(&CloseError{Code: CloseTryAgainLater, Reason: "the session can't be checked", Err: ErrSessionUnchecked})
	}
}

// withoutSecrets removes a token, or its key in the store, from a store's error.
func withoutSecrets(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[session]")
		}
	}
	if text == err.Error() {
		return err
	}
	return &redactedError{text, err}
}

// A redactedError shows another text than the error that it stands for.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

// Is finds what the error wraps without giving it out.
func (e *redactedError) Is(target error) bool { return errors.Is(e.err, target) }
