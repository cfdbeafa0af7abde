package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something that is bound to happen, on a busy machine, too.
const patience = 60 * time.Second

// wsf runs a command line that has to succeed, and returns what it says.
func wsf(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errOut := tryWSF(t, args...)
	if code != 0 || errOut != "" {
		t.Fatalf("wsf %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return out
}

func tryWSF(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// execute runs a program in a folder. It has to succeed and, if it is quiet, to say nothing.
func execute(t *testing.T, folder string, quiet bool, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	output, err := cmd.CombinedOutput()
	if err != nil || quiet && len(output) > 0 {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, output)
	}
}

// buildStaticcheck returns the linter that projects are checked with.
func buildStaticcheck(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "install", "honnef.co/go/tools/cmd/staticcheck@v0.8.2")
	cmd.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=-mod=mod")
	cmd.Dir = folder
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("staticcheck: %v\n%s", err, output)
	}
	return filepath.Join(folder, "staticcheck")
}

// check does to a project what its CI does.
func check(t *testing.T, folder, staticcheck string) {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	execute(t, folder, true, "gofmt", append([]string{"-l"}, sources...)...)
	execute(t, folder, true, "go", "vet", "./...")
	execute(t, folder, true, staticcheck, "./...")
	execute(t, folder, true, "go", "mod", "tidy", "-diff")
	execute(t, folder, false, "go", "test", "./...")
}

// A server is a project that runs.
type server struct {
	t    *testing.T
	url  string
	stop func()
}

// serve runs a program, at a port that is free, until stop or the test's end. Then it must end by itself.
func serve(t *testing.T, program, folder string, env ...string) *server {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Dir = folder
	cmd.Env = append(append(os.Environ(), "ADDR=127.0.0.1:0"), env...)
	log, err := startAndFind(t, cmd, "url=")
	if err != nil {
		t.Fatalf("the project does not serve: %v", err)
	}
	_, url, _ := strings.Cut(log, "url=")
	s := &server{t: t, url: strings.TrimSpace(url)}
	stopped := false
	s.stop = func() {
		t.Helper()
		if !stopped {
			stopped = true
			end(t, cmd, syscall.SIGTERM)
		}
	}
	t.Cleanup(s.stop)
	return s
}

// startAndFind starts a program and returns the first line of its output that has a text in it.
func startAndFind(t *testing.T, cmd *exec.Cmd, text string) (string, error) {
	t.Helper()
	output, input, err := os.Pipe()
	if err != nil {
		return "", err
	}
	cmd.Stdout, cmd.Stderr = input, input
	err = cmd.Start()
	input.Close()
	if err != nil {
		output.Close()
		return "", err
	}
	overdue := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer overdue.Stop()
	var seen strings.Builder
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		if strings.Contains(line, text) {
			go func() {
				io.Copy(io.Discard, lines)
				output.Close()
			}()
			return line, nil
		}
		seen.WriteString(line)
		if err != nil {
			output.Close()
			cmd.Process.Kill()
			cmd.Wait()
			return "", errors.New("it says:\n" + seen.String())
		}
	}
}

// end stops a program as a service manager does.
func end(t *testing.T, cmd *exec.Cmd, signal os.Signal) {
	t.Helper()
	overdue := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer overdue.Stop()
	if err := cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s ended with: %v", filepath.Base(cmd.Path), err)
	}
}
