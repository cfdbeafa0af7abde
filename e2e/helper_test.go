// Package e2e runs the framework and its chat with what other people make: a browser, WebSocket clients,
// routers and session middleware.
package e2e

import (
	"testing"
	"time"
)

// patience is how long a test waits for something that is bound to happen, on a busy machine, too.
const patience = 30 * time.Second

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
