package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// A dialogue is a program on a terminal and what it has said there.
type dialogue struct {
	t        *testing.T
	cmd      *exec.Cmd
	terminal *os.File
	screen   vt10x.Terminal // programs draw no more than what has changed there
	seen     strings.Builder
}

func begin(t *testing.T, cmd *exec.Cmd, size pty.Winsize) *dialogue {
	t.Helper()
	terminal, err := pty.StartWithSize(cmd, &size)
	if err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		overdue.Stop()
		terminal.Close()
	})
	return &dialogue{t: t, cmd: cmd, terminal: terminal, screen: vt10x.New(vt10x.WithSize(120, 40))}
}

// answer waits for a question, and types.
func (d *dialogue) answer(question, text string) {
	d.t.Helper()
	buffer := make([]byte, 4096)
	for !strings.Contains(d.screen.String(), question) {
		n, err := d.terminal.Read(buffer)
		if err != nil {
			d.t.Fatalf("it does not ask %q, but says %q: %v", question, d.seen.String(), err)
		}
		d.seen.Write(buffer[:n])
		d.screen.Write(buffer[:n])
	}
	if _, err := io.WriteString(d.terminal, text); err != nil {
		d.t.Fatal(err)
	}
}

// end waits for the end of the program.
func (d *dialogue) end() (code int, said string) {
	rest, _ := io.ReadAll(d.terminal) // ends with an error when the program does
	d.seen.Write(rest)
	d.cmd.Wait()
	return d.cmd.ProcessState.ExitCode(), d.seen.String()
}

var (
	ordinary = pty.Winsize{Rows: 40, Cols: 120}
	unknown  = pty.Winsize{} // as on serial lines
)

func buildWSF(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "wsf")
	execute(t, ".", true, "go", "build", "-o", program, ".")
	return program
}

// Without a name it asks, on any terminal.
func TestQuestions(t *testing.T) {
	program := buildWSF(t)
	lineByLine := [][2]string{{"What is the program called?", "app\r"}, {"Where are sessions kept?", "2\r"}, {"With pages and a login?", "n\r"}}
	for _, test := range []struct {
		name, term string
		size       pty.Winsize
		say        [][2]string // wait for, then type
	}{
		{"dumb", "dumb", ordinary, lineByLine},
		{"without a size", "xterm", unknown, lineByLine},
		{"xterm", "xterm-256color", ordinary,
			[][2]string{{"What is the program called?", "app\r"}, {"Where are sessions kept?", "\x1b[B\r"}, {"With pages and a login?", "n"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(program, "new")
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "TERM="+test.term, "NO_COLOR=1")
			d := begin(t, cmd, test.size)
			for _, step := range test.say {
				d.answer(step[0], step[1])
			}
			code, said := d.end()
			if code != 0 {
				t.Fatalf("it ends with %d and says %q", code, said)
			}
			text, err := os.ReadFile(filepath.Join(cmd.Dir, "app", "sessions.go"))
			if err != nil || !strings.Contains(string(text), "modernc.org/sqlite") {
				t.Errorf("sessions.go is (%v)\n%s", err, text)
			}
			if _, err := os.Stat(filepath.Join(cmd.Dir, "app", "pages.go")); err == nil {
				t.Error("there are pages")
			}
			if test.term == "dumb" && strings.Contains(said, "\x1b") {
				t.Errorf("a dumb terminal gets escape sequences: %q", said)
			}
		})
	}
}

// Ctrl-C ends it at once, wherever it is, and leaves nothing.
func TestCtrlC(t *testing.T) {
	program := buildWSF(t)
	slow := t.TempDir() // a go that says so when it is to tidy, and then takes its time
	script := "#!/bin/sh\ncase \"$*\" in *tidy*) echo tidying >/dev/tty; exec sleep 3600;; esac\nPATH=${PATH#*:} exec go \"$@\"\n"
	if err := os.WriteFile(filepath.Join(slow, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, term, args, after string
		size                    pty.Winsize
	}{
		{"dumb", "dumb", "new", "What is the program called?", ordinary},
		{"without a size", "xterm", "new", "What is the program called?", unknown},
		{"xterm", "xterm-256color", "new", "What is the program called?", ordinary},
		{"go mod tidy", "xterm", "new app", "tidying", ordinary},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(program, strings.Fields(test.args)...)
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "TERM="+test.term, "PATH="+slow+string(os.PathListSeparator)+os.Getenv("PATH"))
			d := begin(t, cmd, test.size)
			d.answer(test.after, "\x03")
			if code, said := d.end(); code != 1 || !strings.Contains(said, "stopped; nothing was made") || strings.Contains(said, "failed") {
				t.Errorf("it ends with %d and says %q", code, said)
			}
			wantEmpty(t, cmd.Dir)
		})
	}
}
