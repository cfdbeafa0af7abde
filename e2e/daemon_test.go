package e2e

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startDaemon runs a server until the test ends, and returns when it says that it is ready.
func startDaemon(t *testing.T, daemon *exec.Cmd, ready string) {
	t.Helper()
	output, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	daemon.Stdout, daemon.Stderr = stderr, stderr
	err = daemon.Start()
	stderr.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		overdue := time.AfterFunc(patience, func() { daemon.Process.Kill() })
		defer overdue.Stop()
		daemon.Process.Signal(os.Interrupt)
		if err := daemon.Wait(); err != nil {
			t.Errorf("%s ended with: %v", daemon.Path, err)
		}
	})
	isReady := make(chan error, 1)
	go func() {
		defer output.Close()
		isReady <- waitForLine(output, ready)
		io.Copy(io.Discard, output)
	}()
	if err := receive(t, isReady); err != nil {
		t.Fatalf("%s does not start: %v", daemon.Path, err)
	}
}

// waitForLine reads until a line has a text in it. If none has, the error is what was read.
func waitForLine(r io.Reader, text string) error {
	var seen strings.Builder
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if strings.Contains(lines.Text(), text) {
			return nil
		}
		seen.WriteString(lines.Text() + "\n")
	}
	return errors.New(seen.String())
}

// unprivileged returns a folder, and how to run a program as the user that it belongs to: PostgreSQL refuses
// to run as root.
func unprivileged(t *testing.T) (dir string, attr *syscall.SysProcAttr) {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e") // for only its own user may enter t.TempDir's parent
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if os.Getuid() != 0 {
		return dir, nil
	}
	owner, err := user.Lookup("postgres") // Debian's package makes him
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(owner.Uid, 10, 32)
	gid, _ := strconv.ParseUint(owner.Gid, 10, 32)
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return dir, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}
