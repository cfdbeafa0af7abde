package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// members serves probes that join the groups of their query ("?join=a,b"), and connects clients.
type members struct {
	*server
	probes chan *probe
}

func newMembers(t *testing.T, n network, configure func(*probe)) *members {
	m := &members{probes: make(chan *probe, 1000)}
	m.server = n.probes(t, wsframework.Settings{}, func(p *probe) {
		p.open = func() error {
			for group := range strings.SplitSeq(p.Argument("join"), ",") {
				if group == "" {
					continue
				}
				if err := p.Join(group); err != nil {
					return err
				}
			}
			m.probes <- p
			return nil
		}
		configure(p)
	})
	return m
}

func (m *members) join(groups string) (*wstest.Client, *probe) {
	m.t.Helper()
	cl := m.open("/ws?join=" + groups)
	return cl, receive(m.t, m.probes)
}

// expectNothing makes sure that no message is on its way to the client.
func expectNothing(t *testing.T, cl *wstest.Client) {
	t.Helper()
	cl.Ping("nothing?")
	cl.ExpectPong("nothing?")
}

func sorted(names []string) string {
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestGroups(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		m := newMembers(t, n, func(*probe) {})
		a, ap := m.join("red,blue")
		b, bp := m.join("red")
		c, cp := m.join("")
		if got := sorted(ap.Groups()); got != "blue red" || len(cp.Groups()) != 0 {
			t.Errorf("groups %q, %q", got, cp.Groups())
		}
		for i, tt := range []struct {
			send func(text string) error
			to   []*wstest.Client
		}{
			{func(text string) error { return ap.Broadcast("red", text) }, []*wstest.Client{a, b}},
			{func(text string) error { return ap.BroadcastOthers("red", text) }, []*wstest.Client{b}},
			{func(text string) error { return bp.BroadcastOthers("red", text) }, []*wstest.Client{a}},
			{func(text string) error { return bp.Broadcast("blue", text) }, []*wstest.Client{a}}, // from who is no member
			{func(text string) error { return cp.BroadcastOthers("red", text) }, []*wstest.Client{a, b}},
			{func(text string) error { return ap.BroadcastOthers("blue", text) }, nil},
			{func(text string) error { return m.app.Broadcast(t.Context(), "red", text) }, []*wstest.Client{a, b}},
			{func(text string) error { return ap.Broadcast("green", text) }, nil}, // there is none
			{func(text string) error { return m.app.Broadcast(t.Context(), "green", text) }, nil},
			{func(text string) error { return ap.Broadcast("", text) }, nil},
		} {
			text := fmt.Sprint("message ", i)
			if err := tt.send(text); err != nil {
				t.Errorf("%s: %v", text, err)
			}
			for _, cl := range tt.to {
				cl.Expect(text)
			}
			for _, cl := range []*wstest.Client{a, b, c} {
				expectNothing(t, cl)
			}
		}

		// Joining twice is joining once, and so is leaving.
		for range 2 {
			if err := bp.Join("red"); err != nil {
				t.Error(err)
			}
		}
		ap.Broadcast("red", "once")
		a.Expect("once")
		b.Expect("once")
		expectNothing(t, b)
		for range 2 {
			if err := bp.Leave("red"); err != nil {
				t.Error(err)
			}
		}
		if err := bp.Leave("never joined"); err != nil {
			t.Error(err)
		}
		ap.Broadcast("red", "left")
		a.Expect("left")
		expectNothing(t, b)
		if err := bp.Join("red"); err != nil || sorted(bp.Groups()) != "red" {
			t.Errorf("joining again: %v, %q", err, bp.Groups())
		}
		bp.Broadcast("red", "back")
		a.Expect("back")
		b.Expect("back")

		// Errors are about the message or the caller.
		cancelled, cancel := context.WithCancelCause(t.Context())
		cancel(errFailing)
		if err := m.app.Broadcast(cancelled, "red", "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		for _, err := range []error{
			m.app.Broadcast(t.Context(), "red", nil), ap.Broadcast("red", nil), ap.BroadcastOthers("red", nil), ap.Broadcast("no group", nil),
		} {
			if err == nil {
				t.Error("nil is broadcast")
			}
		}
		expectNothing(t, a)
	})
}

func TestGroupsOnClose(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		m := newMembers(t, n, func(p *probe) {
			p.close = func() {
				if got := sorted(p.Groups()); got != "blue red" {
					t.Errorf("groups in OnClose: %q", got)
				}
				for _, err := range []error{p.Join("red"), p.Leave("red")} {
					if !errors.Is(err, wsframework.ErrClosed) {
						t.Errorf("in OnClose: %v", err)
					}
				}
				if err := p.Broadcast("red", "I have left"); err != nil {
					t.Error(err)
				}
				if err := p.BroadcastOthers("blue", "really"); err != nil {
					t.Error(err)
				}
			}
		})
		a, ap := m.join("red,blue")
		b, bp := m.join("blue,red")
		a.WriteClose(1000, "")
		expectClose(t, a, 1000, "")
		a.ExpectEnd() // and no message
		<-ap.done
		b.Expect("I have left")
		b.Expect("really")
		if got := sorted(ap.Groups()); got != "blue red" {
			t.Errorf("groups after the close: %q", got)
		}
		// Once it begins to close, a connection is no member, although its OnClose is still to come.
		bp.Close(4000, "bye")
		if err := bp.Join("late"); !errors.Is(err, wsframework.ErrClosed) {
			t.Errorf("Join while it closes: %v", err)
		}
		m.app.Broadcast(t.Context(), "red", "to nobody")
		shake(t, b, 4000, "bye")
		<-bp.done
	})
}

func TestConnections(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		m := newMembers(t, n, func(*probe) {})
		count := func() (n int) {
			for range m.app.Connections() {
				n++
			}
			return n
		}
		if count() != 0 {
			t.Error("connections from nowhere")
		}
		var all []*probe
		var clients []*wstest.Client
		for i := range 5 {
			cl, p := m.join("")
			all, clients = append(all, p), append(clients, cl)
			if count() != i+1 {
				t.Errorf("%d connections, want %d", count(), i+1)
			}
		}
		seen := make(map[wsframework.Handler]bool)
		ids := make(map[string]bool)
		for h := range m.app.Connections() {
			seen[h] = true
			ids[h.(*probe).ID()] = true
		}
		for _, p := range all {
			if !seen[p] || !ids[p.ID()] || p.Application() != m.app {
				t.Error("a connection is missing")
			}
		}
		if len(ids) != 5 {
			t.Errorf("%d different IDs", len(ids))
		}
		for range m.app.Connections() {
			break // is possible
		}
		all[0].Close(1000, "")
		if count() != 4 {
			t.Errorf("%d connections beside one that closes", count())
		}
		shake(t, clients[0], 1000, "")
		clients[1].Conn().Close()
		<-all[1].done
		if count() != 3 {
			t.Errorf("%d connections", count())
		}
	})
}

// All members of a group see one order, whoever broadcasts, also while members come and go.
func TestOneOrderForAll(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		const readers, writers, each = 6, 8, 60
		m := newMembers(t, n, func(p *probe) {
			p.message = func(msg wsframework.Message) error { return p.Broadcast("g", msg) }
		})
		var clients []*wstest.Client
		var probes []*probe
		for range readers {
			cl, p := m.join("g")
			clients, probes = append(clients, cl), append(probes, p)
		}
		var working sync.WaitGroup
		for w := range writers {
			working.Go(func() {
				for i := range each {
					text := fmt.Sprintf("%d %d", w, i)
					if i%10 == 9 {
						text += strings.Repeat(" ", 5000)
					}
					var err error
					switch w % 3 {
					case 0:
						err = m.app.Broadcast(t.Context(), "g", text)
					case 1:
						err = probes[w%readers].Broadcast("g", text)
					case 2: // from a callback, in bursts
						_, err = clients[w%readers].Conn().Write(wstest.EncodeFrame(0x81, []byte(text)))
					}
					if err != nil {
						t.Errorf("broadcast: %v", err)
					}
				}
			})
		}
		working.Go(func() { // somebody else comes and goes
			for range each {
				probes[0].Join("other")
				probes[0].Broadcast("other", "other")
				probes[0].Leave("other")
			}
		})
		orders := make([][]string, readers)
		for r, cl := range clients {
			working.Go(func() {
				for len(orders[r]) < writers*each {
					_, payload, err := cl.ReadFrame()
					if err != nil {
						t.Errorf("reading: %v", err)
						return
					}
					if text := strings.TrimRight(string(payload), " "); text != "other" {
						orders[r] = append(orders[r], text)
					}
				}
			})
		}
		working.Wait()
		next := make([]int, writers)
		for _, text := range orders[0] {
			var w, i int
			fmt.Sscanf(text, "%d %d", &w, &i)
			if w >= writers || next[w] != i {
				t.Fatalf("%q came, and not message %d of its writer", text, next[w])
			}
			next[w]++
		}
		for r := range orders {
			if !slices.Equal(orders[r], orders[0]) {
				t.Errorf("reader %d sees another order than reader 0", r)
			}
		}
	})
}

// What a handler writes to its own peer, or to another's, before and after a broadcast arrives in that
// order, in a burst, too.
func TestOwnWritesAroundABroadcast(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		var other atomic.Pointer[probe]
		m := newMembers(t, n, func(p *probe) {
			p.message = func(msg wsframework.Message) error {
				pad := strings.Repeat("x", []int{0, 300, 6000}[len(msg.Data)%3])
				p.WriteText("before " + msg.String() + pad)
				p.Broadcast("g", "broadcast "+msg.String()+pad)
				p.WriteText("after " + msg.String() + pad)
				other.Load().WriteText("told " + msg.String())
				p.BroadcastOthers("g", "others "+msg.String())
				return nil
			}
		})
		a, _ := m.join("g")
		b, bp := m.join("g")
		other.Store(bp)
		var burst []byte
		const rounds = 200
		for i := range rounds {
			burst = append(burst, wstest.EncodeFrame(wstest.TextFrame, []byte(fmt.Sprint(i)))...)
		}
		go a.Conn().Write(burst)
		reading := make(chan struct{})
		go func() {
			defer close(reading)
			for i := range rounds {
				for _, want := range []string{"broadcast ", "told ", "others "} {
					if _, payload, _ := b.ReadFrame(); !strings.HasPrefix(string(payload), want+fmt.Sprint(i)) {
						t.Errorf("the other got %.20q, want %s%d", payload, want, i)
						return
					}
				}
			}
		}()
		for i := range rounds {
			for _, want := range []string{"before ", "broadcast ", "after "} {
				_, payload, err := a.ReadFrame()
				if err != nil || !strings.HasPrefix(string(payload), want+fmt.Sprint(i)) {
					t.Fatalf("got %.20q, %v, want %s%d", payload, err, want, i)
				}
			}
		}
		<-reading
	})
}

// A slow member is closed, and neither the others nor the caller feel it.
func TestBroadcastToASlowMember(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		m := newMembers(t, n, func(*probe) {})
		_, slow := m.join("g") // reads nothing
		fast, fastProbe := m.join("g")
		text := strings.Repeat("x", 1<<20)
		for rounds := 0; slow.IsOpen(); rounds++ {
			if rounds > 100 { // MiB: neither sockets nor queue hold that much
				t.Fatal("the slow member is still open")
			}
			if err := fastProbe.Broadcast("g", text); err != nil {
				t.Fatal(err)
			}
			fast.Expect(text)
		}
		<-slow.Context().Done()
		var cause *wsframework.CloseError
		if !errors.As(context.Cause(slow.Context()), &cause) || cause.Code != 1008 || !errors.Is(cause, wsframework.ErrSlowConsumer) {
			t.Errorf("cause %v", cause)
		}
		if !fastProbe.IsOpen() || slow.IsOpen() {
			t.Error("the wrong one is closed")
		}
	})
}

// Groups cost nothing once they are empty: the names of rooms come from users.
func TestEmptyGroupsDisappear(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		m := newMembers(t, n, func(*probe) {})
		_, p := m.join("")
		cl, _ := m.join("stays")
		before := heap()
		for i := range 20000 {
			name := fmt.Sprintf("%0100d", i)
			p.Join(name)
			p.Leave(name)
		}
		if grown := heap() - before; grown > 1<<20 {
			t.Errorf("20000 groups that are empty keep %d bytes", grown)
		}
		m.app.Broadcast(t.Context(), "stays", "still there")
		cl.Expect("still there")
	})
}
