package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
)

// newSession stores a session of the given user and returns its token.
func newSession(t *testing.T, sessions *scs.SessionManager, user string) string {
	t.Helper()
	ctx, err := sessions.Load(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	sessions.Put(ctx, "user", user)
	token, _, err := sessions.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func userOf(t *testing.T, sessions *scs.SessionManager, token string) string {
	t.Helper()
	ctx, err := sessions.Load(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	return sessions.GetString(ctx, "user")
}

func TestSessionsSurviveRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new folder", "sessions.gob")

	sessions, store := newSessions()
	token := newSession(t, sessions, "ann")
	sessions.Lifetime = -time.Second
	expired := newSession(t, sessions, "bob")
	if err := saveSessions(file, store); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(content), token) {
		t.Error("the file holds a token that opens a session")
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	sessions, store = newSessions()
	if err := loadSessions(file, sessions); err != nil {
		t.Fatal(err)
	}
	if user := userOf(t, sessions, token); user != "ann" {
		t.Errorf("user %q after the restart, want ann", user)
	}
	if user := userOf(t, sessions, expired); user != "" {
		t.Errorf("user %q of an expired session", user)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}

	// The end of a session is the same as before, so that restarts don't prolong it.
	all, err := store.All()
	if err != nil || len(all) != 1 {
		t.Fatalf("%d sessions, %v; want 1", len(all), err)
	}
}

func TestLoadSessionsWithoutFile(t *testing.T) {
	sessions, _ := newSessions()
	if err := loadSessions(filepath.Join(t.TempDir(), "none"), sessions); err != nil {
		t.Error(err)
	}
}

// A broken file is reported and gone, so that the next start has no trouble with it.
func TestLoadBrokenSessions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.gob")
	if err := os.WriteFile(file, []byte("not gob"), 0o600); err != nil {
		t.Fatal(err)
	}
	sessions, _ := newSessions()
	if err := loadSessions(file, sessions); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("error %v, want one that says the file is broken", err)
	}
	if err := loadSessions(file, sessions); err != nil {
		t.Errorf("the second time: %v", err)
	}
}
