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

// buildChat builds the example as people run it, with the race detector if the tests have it.
func buildChat(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "chat")
	args := []string{"build", "-o", program}
	if raceEnabled() {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "github.com/gotornado/gotornado/examples/chat")...)
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

// A chat is the example's program, which can be stopped and started again.
type chat struct {
	t       *testing.T
	program string
	addr    string
	file    string // of the sessions
	process *exec.Cmd
	log     bytes.Buffer // written by process until it has ended
}

// startChat runs the program until the test ends.
func startChat(t *testing.T, program string) *chat {
	t.Helper()
	c := &chat{t: t, program: program, addr: freeAddr(t), file: filepath.Join(t.TempDir(), "sessions.gob")}
	c.start()
	t.Cleanup(c.stop)
	return c
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

func (c *chat) url() string { return "http://" + c.addr }

func (c *chat) start() {
	c.t.Helper()
	c.log.Reset()
	c.process = exec.Command(c.program, "-addr", c.addr, "-sessions", c.file)
	c.process.Stderr = &c.log
	stdout, err := c.process.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.process.Start(); err != nil {
		c.t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if want := "The chat is at " + c.url() + "\n"; line != want {
		c.process.Process.Kill()
		c.process.Wait()
		c.t.Fatalf("the chat says %q (%v), want %q\n%s", line, err, want, &c.log)
	}
}

// stop ends the program as a service manager does. It must end by itself, soon, and without complaints:
// whatever pages do is no failure of the server.
func (c *chat) stop() {
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
		c.t.Errorf("the chat ended with: %v\n%s", err, &c.log)
	}
	for line := range strings.Lines(c.log.String()) {
		// A page whose session has ended may try once more; that is refused, and a line says so.
		if !strings.Contains(line, "status=401") {
			c.t.Errorf("the chat logged: %s", line)
		}
	}
}
