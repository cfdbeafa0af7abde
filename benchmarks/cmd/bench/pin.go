package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

// processors returns one processor for the server and another for the load: the first and the last of
// those that this process may use, as neighbours may share a core.
func processors() (server, load int, err error) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return 0, 0, fmt.Errorf("sched_getaffinity: %w", err)
	}
	server, load = -1, -1
	for cpu := range len(allowed) * 64 {
		if allowed.IsSet(cpu) {
			if server < 0 {
				server = cpu
			}
			load = cpu
		}
	}
	if server == load {
		return 0, 0, errors.New("the server and the load need a processor each; there is only one")
	}
	return server, load, nil
}

// settleOn prepares this process for being the load: it stays on one processor, in one thread at a time,
// and does not collect garbage unless told to.
func settleOn(cpu int) error {
	var only unix.CPUSet
	only.Set(cpu)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err == nil {
			err = unix.SchedSetaffinity(id, &only)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("binding the load to processor %d: %w", cpu, err)
		}
	}
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(2 << 30)
	return nil
}
