package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
)

// buildExample builds an example as people run it, with the race detector if the tests have it.
func buildExample(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	args := []string{"build", "-o", program}
	if raceEnabled() {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "github.com/gotornado/gotornado/examples/"+name)...)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return program
}

func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, setting := range info.Settings {
		if setting.Key == "-race" {
			return setting.Value == "true"
		}
	}
	return false
}

// An example is one of the repository's programs, which can be stopped and started again.
type example struct {
	t       *testing.T
	program string
	addr    string
	args    []string
	process *exec.Cmd
	log     bytes.Buffer // written by process until it has ended
}

// startExample runs a program until the test ends.
func startExample(t *testing.T, program string, args ...string) *example {
	t.Helper()
	c := &example{t: t, program: program, addr: freeAddr(t), args: args}
	c.start()
	t.Cleanup(c.stop)
	return c
}

// startChat runs the chat, with sessions of its own.
func startChat(t *testing.T, program string) *example {
	t.Helper()
	return startExample(t, program, "-sessions", filepath.Join(t.TempDir(), "sessions.gob"))
}

// freeAddr finds a port below those that the system gives to clients: while the server is away, a page
// that tries to connect again must not be given the very port that it connects to.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if listener, err := net.Listen("tcp", addr); err == nil {
			listener.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (c *example) url() string { return "http://" + c.addr }

func (c *example) start() {
	c.t.Helper()
	c.log.Reset()
	c.process = exec.Command(c.program, append([]string{"-addr", c.addr}, c.args...)...)
	c.process.Stderr = &c.log
	stdout, err := c.process.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.process.Start(); err != nil {
		c.t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if want := fmt.Sprintf("The %s is at %s\n", filepath.Base(c.program), c.url()); line != want {
		c.process.Process.Kill()
		c.process.Wait()
		c.t.Fatalf("it says %q (%v), want %q\n%s", line, err, want, &c.log)
	}
}

// stop ends the program as a service manager does. It must end by itself, soon, and without complaints:
// whatever pages do is no failure of the server.
func (c *example) stop() {
	c.t.Helper()
	if c.process == nil {
		return
	}
	process := c.process
	c.process = nil
	overdue := time.AfterFunc(patience, func() { process.Process.Kill() })
	defer overdue.Stop()
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		c.t.Error(err)
	}
	if err := process.Wait(); err != nil {
		c.t.Errorf("it ended with: %v\n%s", err, &c.log)
	}
	for line := range strings.Lines(c.log.String()) {
		// What visitors do wrong is in the access log, and no failure of the server's.
		isAccess := strings.Contains(line, " wsframework: request ") || strings.Contains(line, " wsframework: socket closed ") ||
			strings.Contains(line, " wsframework: handshake refused ")
		if !isAccess || strings.Contains(line, " ERROR ") {
			c.t.Errorf("it logged: %s", line)
		}
	}
}
