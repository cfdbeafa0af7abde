package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestCommandLines(t *testing.T) {
	full, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	for _, path := range []string{filepath.Join(full, "notes.txt"), file} {
		if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	named := filepath.Join(filepath.Dir(full), "full")
	if err := os.Rename(full, named); err != nil {
		t.Fatal(err)
	}
	free := filepath.Join(t.TempDir(), "app")

	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"", 0, "Available Commands:"},
		{"-help", 0, "wsf new myapp"},
		{"new -h", 0, "-no-pages"},
		{"new -help", 0, "where sessions are kept"},
		{"dance", 2, `unknown command "dance"`},
		{"new", 2, "the name is missing: wsf new myapp"},
		{"new a b", 2, "give the program one name"},
		{"new " + free + " -dance", 2, "unknown flag: -dance"},
		{"new " + free + " -store disk", 2, `there is no store "disk"; -store is memory, redis, postgres or sqlite`},
		{"new " + free + " --store=disk", 2, `there is no store "disk"`},
		{"new " + free + " -module Ä", 2, "give another one with -module"},
		{"new " + free + " -module net/http2", 2, "begins as a package of Go itself"},
		{"new " + free + " -replace " + full, 2, "is no checkout of the framework"},
		{"new My", 2, `"My" can't be the name of a program`},
		{"new fmt", 2, "-module example.com/fmt"},
		{"new " + named, 1, "is not empty: it has notes.txt"},
		{"new " + file, 1, "is there already, and is no folder"},
		{"new " + filepath.Join(free, "deep", "app"), 1, "there is no folder"},
		{"handler", 2, "give the handler one name"},
		{"handler Echo -kind dance", 2, `there is no kind "dance"`},
		{"handler Echo -dir " + named, 1, "there is no Go program in"},
		{"routes a b", 2, "give one folder"},
		{"routes " + free, 1, "no such file or directory"},
	} {
		code, out, errOut := tryWSF(t, strings.Fields(test.args)...)
		if code != test.code || !strings.Contains(out+errOut, test.want) {
			t.Errorf("wsf %s: exit code %d, want %d with %q\n%s%s", test.args, code, test.code, test.want, out, errOut)
		}
		if (code == 0) != (errOut == "") || strings.Contains(errOut, "goroutine") || (code == 2) != strings.Contains(errOut, "See wsf") {
			t.Errorf("wsf %s says, with exit code %d:\n%s", test.args, code, errOut)
		}
	}
	if _, err := os.Lstat(free); err == nil {
		t.Error("a folder was made")
	}
}

// Without the modules nothing is left behind, unless that was asked for.
func TestWithoutModules(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("GOMODCACHE", filepath.Join(cache, "mod"))
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOPROXY", "off")
	parent := t.TempDir()
	app := filepath.Join(parent, "app")

	code, _, errOut := tryWSF(t, "new", app)
	if code != 1 || !strings.Contains(errOut, "go mod tidy failed, so nothing was made; without a network use -offline:") {
		t.Errorf("exit code %d\n%s", code, errOut)
	}
	wantEmpty(t, parent)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var said strings.Builder
	if code := run(ctx, []string{"new", app, "-offline"}, strings.NewReader(""), io.Discard, &said); code != 1 || !strings.Contains(said.String(), "stopped") {
		t.Errorf("exit code %d\n%s", code, &said)
	}
	wantEmpty(t, parent)

	if err := os.Mkdir(app, 0o755); err != nil { // an empty folder is not in the way
		t.Fatal(err)
	}
	if out := wsf(t, "new", app, "-offline", "-module", "example.com/team/app"); !strings.Contains(out, "  go mod tidy ") {
		t.Errorf("it says\n%s", out)
	}
	if mod, err := os.ReadFile(filepath.Join(app, "go.mod")); err != nil || !strings.HasPrefix(string(mod), "module example.com/team/app\n") {
		t.Errorf("go.mod is (%v)\n%s", err, mod)
	}
}

func wantEmpty(t *testing.T, folder string) {
	t.Helper()
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("there is %v (%v)", entries, err)
	}
}

// A project in somebody's workspace has to be made known there.
func TestInWorkspace(t *testing.T) {
	t.Setenv("GOWORK", "")
	parent := t.TempDir()
	if err := os.WriteFile(filepath.Join(parent, "go.work"), []byte("go 1.25.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := wsf(t, "new", filepath.Join(parent, "app")); !strings.Contains(out, "  go work use . ") {
		t.Errorf("it says\n%s", out)
	}
}

// Without a name it asks, on any terminal.
func TestQuestions(t *testing.T) {
	program := filepath.Join(t.TempDir(), "wsf")
	execute(t, ".", true, "go", "build", "-o", program, ".")
	for _, test := range []struct {
		term string
		say  [][2]string // wait for, then type
	}{
		{"dumb", [][2]string{{"What is the program called?", "app\r"}, {"Where are sessions kept?", "2\r"}, {"With pages and a login?", "n\r"}}},
		{"xterm-256color", [][2]string{{"What is the program called?", "app\r"}, {"Where are sessions kept?", "\x1b[B\r"}, {"ith pages and a login?", "n"}}},
	} {
		t.Run(test.term, func(t *testing.T) {
			cmd := exec.Command(program, "new")
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "TERM="+test.term, "NO_COLOR=1")
			terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close()
			overdue := time.AfterFunc(patience, func() { cmd.Process.Kill() })
			defer overdue.Stop()
			var seen strings.Builder
			buffer := make([]byte, 4096)
			for _, step := range test.say {
				for !strings.Contains(seen.String(), step[0]) {
					n, err := terminal.Read(buffer)
					if err != nil {
						t.Fatalf("it says %q: %v", seen.String(), err)
					}
					seen.Write(buffer[:n])
				}
				if _, err := io.WriteString(terminal, step[1]); err != nil {
					t.Fatal(err)
				}
			}
			rest, _ := io.ReadAll(terminal) // ends with an error when the program does
			seen.Write(rest)
			if err := cmd.Wait(); err != nil {
				t.Fatalf("it ends with %v and says %q", err, seen.String())
			}
			text, err := os.ReadFile(filepath.Join(cmd.Dir, "app", "sessions.go"))
			if err != nil || !strings.Contains(string(text), "modernc.org/sqlite") {
				t.Errorf("sessions.go is (%v)\n%s", err, text)
			}
			if _, err := os.Stat(filepath.Join(cmd.Dir, "app", "pages.go")); err == nil {
				t.Error("there are pages")
			}
			if test.term == "dumb" && strings.Contains(seen.String(), "\x1b") {
				t.Errorf("a dumb terminal gets escape sequences: %q", seen.String())
			}
		})
	}
}
