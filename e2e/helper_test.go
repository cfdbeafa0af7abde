// Package e2e runs the framework and its chat with what other people make: a browser, WebSocket clients,
// routers and session middleware.
package e2e

import (
	"os"
	"testing"
	"time"
)

// patience is how long a test waits for something that is bound to happen, on a busy machine, too.
const patience = 30 * time.Second

// need returns what find finds. If that is nothing, the test is skipped and says which Debian package
// to install; with CI=true it fails.
func need(t *testing.T, debian string, find func() string) string {
	t.Helper()
	found := find()
	switch {
	case found != "":
	case os.Getenv("CI") == "true":
		t.Fatalf("This test needs %s: make setup, or apt-get install %s", debian, debian)
	default:
		t.Skipf("This test needs %s: make setup, or apt-get install %s", debian, debian)
	}
	return found
}

// receive waits for a value.
func receive[T any](t *testing.T, ch <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-ch:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return value
}
