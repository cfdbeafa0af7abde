package testtool

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
)

// Start runs a program that says where it is in its first line, behind a text, and returns that. stop ends it, as a
// signal does, and waits for that; the end of the test does so, too.
func Start(t testing.TB, says string, run func(ctx context.Context, out io.Writer) error) (addr string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, in)
		in.CloseWithError(fmt.Errorf("ended: %v", err))
		ended <- err
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("the program ended with %v", err)
			}
		})
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr, found := strings.CutPrefix(strings.TrimSpace(line), says)
	if !found {
		t.Fatalf("it says %q", line)
	}
	return addr, stop
}
