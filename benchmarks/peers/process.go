package peers

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Options say how a server is to be run.
type Options struct {
	TLS      bool
	Compress bool
	CPU      int // it is bound to; negative for none
}

// A Process is a running server.
type Process struct {
	Addr   netip.AddrPort
	cmd    *exec.Cmd
	stderr *os.File
}

// Start starts the server and waits until it listens.
func (s *Server) Start(options Options) (*Process, error) {
	args := append(s.command[1:len(s.command):len(s.command)], "--addr", "127.0.0.1:0")
	if options.TLS {
		args = append(args, "--tls", s.workshop.pem)
	}
	if options.Compress {
		args = append(args, "--compress")
	}
	stderr, err := os.CreateTemp(s.workshop.dir, "stderr-")
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.CommandContext(s.workshop.ctx, s.command[0], args...), stderr: stderr}
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	p.cmd.Stderr = stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := p.cmd.StdoutPipe()
	if err == nil {
		err = startOn(options.CPU, p.cmd)
	}
	if err != nil {
		p.readStderr()
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		p.Addr, err = netip.ParseAddrPort(strings.TrimSpace(line))
	}
	if err != nil {
		return nil, fmt.Errorf("%s did not start: %w: %s", s.Name, err, p.Stop())
	}
	return p, nil
}

// startOn starts a command bound to one processor: it inherits that from the thread that starts it.
func startOn(cpu int, cmd *exec.Cmd) error {
	if cpu < 0 {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	var only unix.CPUSet
	only.Set(cpu)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return fmt.Errorf("binding to processor %d: %w", cpu, err)
	}
	defer unix.SchedSetaffinity(0, &before)
	return cmd.Start()
}

// Stop kills the server and returns what it has written to its standard error, at most the last 1000
// bytes.
func (p *Process) Stop() (stderr string) {
	p.cmd.Process.Kill()
	p.cmd.Wait() // killed
	return p.readStderr()
}

func (p *Process) readStderr() string {
	said, err := os.ReadFile(p.stderr.Name())
	if err := errors.Join(err, p.stderr.Close(), os.Remove(p.stderr.Name())); err != nil {
		return err.Error()
	}
	said = bytes.TrimSpace(said)
	return string(said[max(0, len(said)-1000):])
}

// CPU returns the processor time that all threads of the server have used, to the nanosecond: the clock
// that clock_getcpuclockid(3) names.
func (p *Process) CPU() (time.Duration, error) {
	const schedClock = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid)<<3|schedClock, &t); err != nil {
		return 0, fmt.Errorf("the server's clock: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

// Memory returns the server's resident memory in bytes.
func (p *Process) Memory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmRSS in /proc/PID/status")
}
