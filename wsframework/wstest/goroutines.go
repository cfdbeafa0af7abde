package wstest

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// Main runs the tests of a package, and fails if they leave a goroutine behind:
//
//	func TestMain(m *testing.M) { os.Exit(wstest.Main(m)) }
func Main(m *testing.M) (code int) {
	before := goroutines()
	code = m.Run()
	if left := leftSince(before); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "wstest: the tests have left goroutines behind:\n\n%s\n", left)
		code = 1
	}
	return code
}

// CheckGoroutines fails a test in whose end goroutines are left that were not there when it was called. Call it
// first, so that all other cleaning up is done by then, and not in tests that run parallel to others.
func CheckGoroutines(t testing.TB) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		if left := leftSince(before); left != "" {
			t.Errorf("wstest: the test has left goroutines behind:\n\n%s", left)
		}
	})
}

// patienceForGoroutines is real time: goroutines that are about to end need a moment.
const patienceForGoroutines = 5 * time.Second

// leftSince waits until no goroutine is left that was not there before, or returns the stacks of those.
func leftSince(before map[string]string) string {
	if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		transport.CloseIdleConnections()
	}
	for deadline := time.Now().Add(patienceForGoroutines); ; time.Sleep(5 * time.Millisecond) {
		var left []string
		for id, stack := range goroutines() {
			if before[id] == "" && !harmless(stack) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			slices.Sort(left)
			return strings.Join(left, "\n\n")
		}
	}
}

// harmless reports whether a goroutine is one that nobody can end, or one of the testing package's.
func harmless(stack string) bool {
	for _, part := range []string{
		"created by testing.", "created by testing/synctest.", "created by os/signal.", "created by runtime.",
		"os/signal.signal_recv", "scs/v2/memstore.(*MemStore).startCleanup", "wstest.goroutines(",
	} {
		if strings.Contains(stack, part) {
			return true
		}
	}
	return false
}

// goroutines returns the stacks of all goroutines, by their names: "goroutine 7".
func goroutines() map[string]string {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	stacks := make(map[string]string)
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		name, _, _ := strings.Cut(stack, " [")
		stacks[name] = stack
	}
	return stacks
}

// inHandlers returns the stacks of the goroutines that run a handler's code.
func inHandlers() string {
	var in []string
	for _, stack := range goroutines() {
		if strings.Contains(stack, "wsframework.(*conn).invoke") || strings.Contains(stack, "wsframework.(*conn).callGo") {
			in = append(in, stack)
		}
	}
	slices.Sort(in)
	return strings.Join(in, "\n\n")
}
