//go:build unix

package doctor_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestTerminal runs the program on a terminal against the chat example.
func TestTerminal(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	build(t, "../..", bin, ".")
	build(t, "../../../..", bin, "./examples/chat")
	address := startChat(t, filepath.Join(bin, "chat"))
	args := []string{"doctor", "--strict", "--slow=10s", "--idle=100ms", "--cookie", logIn(t, address), address + "/websocket"}

	tests := []struct {
		name        string
		environment []string
		want        []string
		dumb        bool
	}{
		{"colours", []string{"TERM=xterm", "LANG=C.UTF-8"}, []string{
			"\x1b[32m✓\x1b[0m  upgrade      101 after ", "\x1b[2m-\x1b[0m  tls, certificate  ", "... two connections are left alone"}, false},
		{"no colours", []string{"TERM=xterm", "LANG=C.UTF-8", "NO_COLOR=1"}, []string{"\n  ✓  upgrade      101 after "}, false},
		{"ASCII with colours", []string{"TERM=xterm", "LANG=C"}, []string{"\x1b[32mok  \x1b[0m  upgrade "}, false},
		{"dumb", []string{"TERM=dumb", "LANG=C.UTF-8"}, []string{"\n  ok    upgrade      101 after "}, true},
		{"no TERM", []string{"LANG=C.UTF-8"}, []string{"\n  ok    upgrade      101 after "}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, code := onTerminal(t, tt.environment, "", filepath.Join(bin, "wsf"), args...)
			for _, want := range append(tt.want, "0 problems, 0 warnings, ") {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
			if tt.dumb && strings.ContainsFunc(out, func(r rune) bool { return r > '~' || r == 0x1b }) {
				t.Errorf("a dumb terminal gets %q", out)
			}
			if code != 0 {
				t.Errorf("exit code %d:\n%s", code, out)
			}
		})
	}
	t.Run("Ctrl-C", func(t *testing.T) {
		out, code := onTerminal(t, []string{"TERM=dumb"}, "left alone", filepath.Join(bin, "wsf"),
			"doctor", "--idle=10m", "--cookie", logIn(t, address), address+"/websocket")
		if code != 1 || !strings.Contains(out, "answering, silent  interrupted") || !strings.Contains(out, "0 problems") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	t.Run("usage", func(t *testing.T) {
		out, code := onTerminal(t, []string{"TERM=dumb"}, "", filepath.Join(bin, "wsf"), "doctor")
		if code != 2 || !strings.HasPrefix(out, "wsf: give one URL") || strings.Contains(out, "goroutine") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
}

func build(t *testing.T, dir, into, what string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", into+string(filepath.Separator), what)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", what, err, out)
	}
}

// startChat runs the chat until the test ends, and returns its address.
func startChat(t *testing.T, program string) (address string) {
	t.Helper()
	cmd := exec.Command(program, "-addr", "127.0.0.1:0", "-sessions", "")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, address, found := strings.Cut(strings.TrimSpace(line), " at ")
	if !found {
		t.Fatalf("the chat says %q", line)
	}
	return address
}

// logIn returns the cookie of a session.
func logIn(t *testing.T, address string) string {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(address+"/login", url.Values{"name": {"ann"}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if len(response.Cookies()) != 1 {
		t.Fatalf("login: %s, cookies %v", response.Status, response.Cookies())
	}
	cookie := response.Cookies()[0]
	return cookie.Name + "=" + cookie.Value
}

// onTerminal runs a program on a terminal of its own, and presses Ctrl-C once a text is there. It returns
// what stood on the terminal.
func onTerminal(t *testing.T, environment []string, interruptAt, program string, args ...string) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(environment, "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir())
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	terminal.SetReadDeadline(time.Now().Add(patience)) // not all systems have it; the context ends the program
	p := make([]byte, 4096)
	for err == nil {
		var n int
		n, err = terminal.Read(p)
		out += string(p[:n])
		if interruptAt != "" && strings.Contains(out, interruptAt) {
			interruptAt = ""
			io.WriteString(terminal, "\x03")
		}
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EIO) { // Linux says EIO
		t.Fatalf("%v after:\n%s", err, out)
	}
	cmd.Wait()
	return strings.ReplaceAll(out, "\r\n", "\n"), cmd.ProcessState.ExitCode()
}
