package wstest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Clients are many clients of one handler.
type Clients []*Client

// Crowd opens n sockets, the options of each by a function, which may be nil:
//
//	room := wstest.Crowd(t, app, "/rooms/tea", 100, func(i int) []wstest.Option {
//		return []wstest.Option{wstest.User(fmt.Sprint("user", i))}
//	})
func Crowd(t testing.TB, handler http.Handler, path string, n int, of func(i int) []Option) Clients {
	t.Helper()
	clients := make(Clients, n)
	for i := range clients {
		var list []Option
		if of != nil {
			list = of(i)
		}
		clients[i] = Dial(t, handler, path, list...)
	}
	return clients
}

// Expect waits until each of them has got a text message, as its next one.
func (cs Clients) Expect(text string) {
	for _, c := range cs {
		c.t.Helper()
		c.Expect(text)
	}
}

// ExpectSame waits until each of them has got n text messages, the same ones in the same order, and returns
// them: what a broadcast promises to members that have all been there from the beginning.
func (cs Clients) ExpectSame(n int) []string {
	var first []string
	for i, c := range cs {
		c.t.Helper()
		got := make([]string, n)
		for j := range got {
			got[j] = c.Receive().String()
		}
		if i == 0 {
			first = got
			continue
		}
		for j := range got {
			if got[j] != first[j] {
				c.t.Fatalf("wstest: message %d differs: client 0 got %s, client %d got %s (- client 0, + client %d)\n%s",
					j, quote([]byte(first[j])), i, quote([]byte(got[j])), i, excerpt(diffLines(first, got)))
			}
		}
	}
	return first
}

// ExpectNothing fails the test if something arrives at one of them within a time.
func (cs Clients) ExpectNothing(within time.Duration) {
	deadline := time.Now().Add(within)
	for _, c := range cs {
		c.t.Helper()
		c.ExpectNothing(time.Until(deadline))
	}
}

// Close closes all of them in good order.
func (cs Clients) Close(code int, reason string) {
	for _, c := range cs {
		c.t.Helper()
		c.Close(code, reason)
	}
}

// excerpt keeps a long text readable.
func excerpt(text string) string {
	lines := strings.Split(text, "\n")
	if len(lines) <= 40 {
		return text
	}
	return strings.Join(lines[:40], "\n") + fmt.Sprintf("\n… (%d more lines)", len(lines)-40)
}
