//go:build unix

package client

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// patience is how long a test waits for what has to come.
const patience = 30 * time.Second

// built is where programs puts what it builds; "" before.
var built string

// programs builds the command and the chat once, as people run them, with the race detector if the tests
// have it.
var programs = sync.OnceValue(func() (err error) {
	if built, err = os.MkdirTemp("", "wsf-client-test"); err != nil {
		return err
	}
	args := []string{"build", "-o", built + string(filepath.Separator)}
	if raceEnabled() {
		args = append(args, "-race")
	}
	for _, source := range []string{"cmd/wsf", "examples/chat"} {
		build := exec.Command("go", append(args, "github.com/gotornado/gotornado/"+source)...)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
	}
	return nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

func program(t *testing.T, name string) string {
	t.Helper()
	if err := programs(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(built, name)
}

func raceEnabled() bool {
	info, _ := debug.ReadBuildInfo()
	for _, setting := range info.Settings {
		if setting.Key == "-race" && setting.Value == "true" {
			return true
		}
	}
	return false
}

// startChat runs the chat example and returns its URL.
func startChat(t *testing.T) string {
	t.Helper()
	chat := exec.Command(program(t, "chat"), "-addr", "127.0.0.1:0", "-sessions", "")
	out, err := chat.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := chat.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		chat.Process.Signal(os.Interrupt)
		chat.Wait()
	})
	said, err := bufio.NewReader(out).ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(said), "The chat is at ")
	if err != nil || !found {
		t.Fatalf("the chat says %q, error %v", said, err)
	}
	return url
}

// A screen is a terminal in which the command runs.
type screen struct {
	t      *testing.T
	cmd    *exec.Cmd
	keys   *os.File
	shown  chan []byte
	seen   bytes.Buffer // all of it
	unread []byte       // behind what was waited for
	before *term.State
	tty    *os.File
}

func startOn(t *testing.T, environment []string, args ...string) *screen {
	t.Helper()
	s := &screen{t: t, shown: make(chan []byte, 1000)}
	var err error
	if s.keys, s.tty, err = pty.Open(); err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(s.tty, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	if s.before, err = term.GetState(int(s.tty.Fd())); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(program(t, "wsf"), append([]string{"client"}, args...)...)
	s.cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "NO_COLOR="), environment...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.tty, s.tty, s.tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.shown)
		for {
			p := make([]byte, 4096)
			n, err := s.keys.Read(p)
			if n > 0 {
				s.shown <- p[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill() // if it is there still
		s.tty.Close()
		s.keys.Close()
	})
	return s
}

func (s *screen) press(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.keys, keys); err != nil {
		s.t.Fatal(err)
	}
}

// want waits for a text behind the one that was waited for before.
func (s *screen) want(text string) {
	s.t.Helper()
	late := time.After(patience)
	for {
		if at := bytes.Index(s.unread, []byte(text)); at >= 0 {
			s.unread = s.unread[at+len(text):]
			return
		}
		select {
		case p, ok := <-s.shown:
			if !ok {
				s.t.Fatalf("the terminal is closed without %q; it shows\n%q", text, s.seen.String())
			}
			s.seen.Write(p)
			s.unread = append(s.unread, p...)
		case <-late:
			s.t.Fatalf("no %q; it shows\n%q", text, s.seen.String())
		}
	}
}

// wantExit waits for the end of the command, which has to leave the terminal as it was.
func (s *screen) wantExit(code int) {
	s.t.Helper()
	ended := make(chan struct{})
	go func() {
		s.cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		s.t.Fatal("it does not end")
	}
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d; it shows\n%q", got, code, s.seen.String())
	}
	after, err := term.GetState(int(s.tty.Fd()))
	if err != nil || !reflect.DeepEqual(s.before, after) {
		s.t.Errorf("the terminal is not as it was: %v, %v, error %v", s.before, after, err)
	}
}

func TestOnTerminal(t *testing.T) {
	server, state := startChat(t), t.TempDir()
	s := startOn(t, []string{"XDG_STATE_HOME=" + state}, server+"/websocket", "--login", "/login", "--form", "name=ann")
	s.want("connected to ws://")
	s.want(`{"type":"joined","name":"ann","online":["ann"]}`)
	s.press("hello\r")
	s.want("\x1b[36m< \x1b[0mann-")
	s.want("-说:hello\r\n")
	s.press("\x1b[A\r")
	s.want("-说:hello\r\n")
	s.press("//slash\r")
	s.want("-说:/slash\r\n")

	// What somebody else says does not tear the line that is being typed.
	s.press("半句")
	s.want("> 半句")
	bob := runCommand(strings.NewReader("from bob\n"), "--expect", "2", server+"/websocket", "--login", "/login", "--form", "name=bob")
	if bob.code != 0 || !strings.Contains(bob.out, "-说:from bob\n") {
		t.Error(bob)
	}
	s.want("-说:from bob\r\n\r\x1b[K> 半句\r\x1b[6C")
	s.press("话\r")
	s.want("-说:半句话\r\n")

	s.press("/ping hi\r")
	s.want("* pong after ")
	s.press("/binary 00ff\r")
	s.want("Messages are text.")
	s.press("/nonsense\r")
	s.want("! there is no command /nonsense")
	s.press("/help\r")
	s.want("/close [code] [reason]")
	s.press("/close 4000 bye\r")
	s.want("closed: 4000 a code of the application's own (bye)")
	s.wantExit(exitNormal)

	file := filepath.Join(state, "wsf", "client_history")
	wantPrivate(t, file)
	kept, err := os.ReadFile(file)
	if want := "hello\n//slash\n半句话\n/ping hi\n/binary 00ff\n/nonsense\n/help\n/close 4000 bye\n"; err != nil || string(kept) != want {
		t.Errorf("the history has %q, error %v; want %q", kept, err, want)
	}
}

func TestOnTerminalKeys(t *testing.T) {
	url, state := newEcho(t), t.TempDir()
	for _, test := range []struct{ name, keys string }{
		{"Ctrl-D", "\x04"},
		{"Ctrl-C", "\x03"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startOn(t, []string{"XDG_STATE_HOME=" + state, "NO_COLOR=1"}, url, "--no-history", "--time", "--json",
				"--compression", "--subprotocol", "v1")
			s.want("subprotocol v1, compressed; /help lists")
			s.press(`{"a":1}` + "\r")
			s.want(" < {\r\n  \"a\": 1\r\n}\r\n")
			s.press("bytes\r")
			s.want("< binary, 3 bytes\r\n00000000  00 01 ff")
			s.press(test.keys)
			s.want("* closed: 1000 normal closure")
			s.wantExit(exitNormal)
			if strings.Contains(s.seen.String(), "\x1b[36m") {
				t.Errorf("colours in %q", s.seen.String())
			}
		})
	}
	if files, err := os.ReadDir(state); err != nil || len(files) > 0 {
		t.Errorf("with --no-history there are %v, error %v", files, err)
	}
}

func TestOnTerminalEnds(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run("by "+signal.String(), func(t *testing.T) {
			s := startOn(t, nil, newEcho(t), "--no-history")
			s.want("connected")
			s.press("there\r")
			s.want("< \x1b[0mthere")
			s.cmd.Process.Signal(signal)
			s.want("* closed: 1000 normal closure")
			s.wantExit(exitNormal)
		})
	}
	t.Run("by the server", func(t *testing.T) {
		s := startOn(t, nil, newEcho(t), "--no-history")
		s.press("session\r")
		s.want("wsf: closed by the server: 4401 session ended (the session has ended): log in again")
		s.wantExit(exitAbnormal)
	})
	t.Run("refused", func(t *testing.T) {
		s := startOn(t, nil, strings.Replace(newEcho(t), "/echo", "/nope", 1))
		s.want("404 Not Found")
		s.wantExit(exitRefused)
	})
	for name, end := range map[string]func(*screen){
		"Ctrl-C twice": func(s *screen) { s.press("\x03") },
		"a signal":     func(s *screen) { s.cmd.Process.Signal(os.Interrupt) },
		"SIGTERM":      func(s *screen) { s.cmd.Process.Signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			closing := make(chan struct{})
			url := newRaw(t, func(conn net.Conn) { // which does not answer a close
				io.ReadFull(conn, make([]byte, 8))
				close(closing)
				io.Copy(io.Discard, conn)
			})
			s := startOn(t, nil, url, "--no-history")
			s.want("connected")
			s.press("\x03")
			select {
			case <-closing:
			case <-time.After(patience):
				t.Fatal("no close came")
			}
			end(s)
			s.want("left without the server's answer")
			s.wantExit(exitAbnormal)
		})
	}
}

// Messages must not steer the terminal of somebody who only listens either.
func TestOnTerminalNoInput(t *testing.T) {
	url := newRaw(t, func(conn net.Conn) {
		io.WriteString(conn, "\x81\x05a\x1b[2J")
		io.ReadFull(conn, make([]byte, 8)) // the client's close
	})
	s := startOn(t, nil, url, "-n", "--expect", "1")
	s.want(`a\x1b[2J`)
	s.wantExit(exitNormal)
}

func TestOnDumbTerminal(t *testing.T) {
	server := startChat(t)
	s := startOn(t, []string{"TERM=dumb"}, server+"/websocket", "--login", "/login", "--form", "name=ann")
	s.want("* connected to ws://")
	s.want(`"joined"`)
	s.press("hello\n")
	s.want("< ann-")
	s.want("-说:hello\r\n")
	s.press("/ping\n")
	s.want("* pong after ")
	s.press("\x04") // which the terminal itself understands
	s.want("* closed: 1000 normal closure")
	s.wantExit(exitNormal)
	if strings.Contains(s.seen.String(), "\x1b") {
		t.Errorf("sequences in %q", s.seen.String())
	}
}
