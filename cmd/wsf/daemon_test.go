package main

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/gotornado/gotornado/internal/testtool"
)

// startStore starts what keeps a project's sessions, and returns the setting that says where it is. Both
// servers listen on a socket in a folder of their own: there is no port to be taken.
func startStore(t *testing.T, store string) string {
	t.Helper()
	switch store {
	case "redis":
		return "REDIS_URL=" + startRedis(t)
	case "postgres":
		return "DATABASE_URL=" + startPostgres(t)
	case "sqlite":
		return "SESSIONS_FILE=" + filepath.Join(t.TempDir(), "sessions.db")
	}
	return "SECURE_COOKIES=false"
}

func startRedis(t *testing.T) (url string) {
	t.Helper()
	program := testtool.Need(t, "redis-server", func() string { return testtool.FindProgram("redis-server") })
	folder := shortFolder(t)
	socket := filepath.Join(folder, "redis.sock")
	startDaemon(t, exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", folder),
		"accept connections")
	return "unix://" + socket
}

func startPostgres(t *testing.T) (url string) {
	t.Helper()
	initdb := testtool.Need(t, "postgresql", func() string { return testtool.FindPostgreSQL("initdb") })
	folder := shortFolder(t)
	attr := unprivileged(t, folder)
	data := filepath.Join(folder, "data")
	create := exec.Command(initdb, "-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	create.Dir, create.SysProcAttr = folder, attr
	if output, err := create.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, output)
	}
	daemon := exec.Command(testtool.FindPostgreSQL("postgres"), "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off")
	daemon.Dir, daemon.SysProcAttr = folder, attr
	startDaemon(t, daemon, "ready to accept connections")
	return "postgres:///postgres?user=app&host=" + folder
}

// startDaemon runs a server until the test ends, and returns when it says that it is ready.
func startDaemon(t *testing.T, daemon *exec.Cmd, ready string) {
	t.Helper()
	if _, err := startAndFind(t, daemon, ready); err != nil {
		t.Fatalf("%s does not start: %v", daemon.Path, err)
	}
	t.Cleanup(func() { end(t, daemon, os.Interrupt) })
}

// shortFolder returns a folder whose path is short enough for a socket in it, and that others may enter.
func shortFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "wsf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// unprivileged gives a folder to a user as whom a program can run: PostgreSQL refuses to run as root.
func unprivileged(t *testing.T, folder string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	owner, err := user.Lookup("postgres") // Debian's package makes him
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(owner.Uid, 10, 32)
	gid, _ := strconv.ParseUint(owner.Gid, 10, 32)
	if err := os.Chown(folder, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}
