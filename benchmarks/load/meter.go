package load

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// A meter takes what passes between its start and its stop.
type meter struct {
	target  Target
	cpu     time.Duration
	own     time.Duration
	at      time.Duration
	count   int
	latency histogram
}

func (m *meter) start() error {
	var err error
	if m.cpu, err = m.target.CPU(); err != nil {
		return err
	}
	if m.own, err = ownCPU(); err != nil {
		return err
	}
	m.at, m.count = now(), 0
	m.latency.reset()
	return nil
}

func (m *meter) add(latency time.Duration) {
	m.count++
	m.latency.add(latency)
}

// ErrNothing says that there is nothing to measure.
var ErrNothing = errors.New("no message came back while it was measured: the server stands still, or the machine is too busy")

func (m *meter) stop() (Result, error) {
	elapsed := now() - m.at
	own, err := ownCPU()
	if err != nil {
		return Result{}, err
	}
	cpu, err := m.target.CPU()
	if err == nil && m.count == 0 {
		err = ErrNothing
	}
	return Result{
		Count:   m.count,
		Elapsed: elapsed,
		CPU:     cpu - m.cpu,
		LoadCPU: own - m.own,
		P50:     m.latency.quantile(0.50),
		P99:     m.latency.quantile(0.99),
	}, err
}

// ownCPU returns the processor time that this process has used.
func ownCPU() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("the clock of this process: %w", err)
	}
	return time.Duration(t.Nano()), nil
}
