package wsframework_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// stuck opens a connection whose peer does not read: "one" has begun to leave and waits in the pipe.
func stuck(t *testing.T, n network, settings wsframework.Settings, options ...wstest.Option) (*probe, *wstest.Client) {
	t.Helper()
	settings.PingInterval = -1
	_, p, cl := oneWith(t, n, settings, options...)
	p.expect(t, "open")
	if err := p.WriteText("one"); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second)
	return p, cl
}

func TestFlushBesidePongs(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		p, cl := stuck(t, n, wsframework.Settings{})
		p.WriteText("two")
		cl.Ping(strings.Repeat("a", 100))
		p.expect(t, "ping "+strings.Repeat("a", 100))
		flushed := make(chan error, 1)
		go func() { flushed <- p.Flush(context.Background()) }()
		<-time.After(time.Second)
		cl.Ping("b") // takes the place of the first, and is shorter
		p.expect(t, "ping b")
		cl.Expect("one")
		cl.ExpectPong("b") // overtakes
		<-time.After(time.Second)
		select {
		case err := <-flushed:
			t.Errorf("Flush returned %v before the peer had read", err)
		default:
		}
		cl.Expect("two")
		if err := receive(t, flushed); err != nil {
			t.Error(err)
		}
	})
}

func TestFlushWithContextTakeover(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		p, cl := stuck(t, n, wsframework.Settings{Compression: &wsframework.CompressionOptions{ContextTakeover: true}}, offering(deflateOffer))
		p.WriteText("short")
		flushed := make(chan error, 1)
		go func() { flushed <- p.Flush(context.Background()) }()
		<-time.After(time.Second)
		p.WriteText(strings.Repeat("z", 20000)) // shrinks when it leaves
		cl.Expect("one")
		cl.Expect("short")
		cl.ReadFrame()
		if err := receive(t, flushed); err != nil {
			t.Error(err)
		}
	})
}

func TestFlushWhileMessagesAreDropped(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		p, cl := stuck(t, n, wsframework.Settings{MaxPendingOut: 100, SlowConsumer: wsframework.DropOldest})
		p.WriteText("two")
		flushed := make(chan error, 1)
		go func() { flushed <- p.Flush(context.Background()) }()
		<-time.After(time.Second)
		if err := p.WriteText(strings.Repeat("x", 80)); err != nil {
			t.Error(err)
		}
		if err := p.WriteText(strings.Repeat("y", 80)); !errors.Is(err, wsframework.ErrSlowConsumer) {
			t.Errorf("a message in the place of older ones: %v", err)
		}
		if err := p.WriteText(strings.Repeat("z", 200)); !errors.Is(err, wsframework.ErrSlowConsumer) {
			t.Errorf("a message that never fits: %v", err)
		}
		cl.Expect("one")
		cl.Expect(strings.Repeat("y", 80)) // which the one that never fits did not push out
		if err := receive(t, flushed); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseCodeIsThatOfTheFirstFrameOnTheWire(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		p, cl := stuck(t, n, wsframework.Settings{})
		p.Close(4000, "ours") // waits behind "one"
		if p.CloseCode() != 4000 {
			t.Errorf("code %d after Close", p.CloseCode())
		}
		cl.WriteClose(4001, "theirs")
		p.expect(t, "close 4001 theirs")
		cl.Expect("one")
		expectClose(t, cl, 4000, "ours")
		cl.ExpectEnd()
	})
}

// A peer that takes its data steadily is alive, however long that keeps a ping from reaching it, and
// however large the message.
func TestPeerThatReadsSlowlyIsAlive(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		_, p, cl := oneWith(t, n, wsframework.Settings{WriteTimeout: time.Second, MaxPendingOut: -1})
		p.expect(t, "open")
		p.WriteBinary(make([]byte, 8<<20))
		b := make([]byte, 4096)
		for total := 0; total < 8<<20; { // in 80 seconds
			n, err := cl.Conn().Read(b)
			if err != nil {
				t.Fatalf("cut after %d bytes: %v", total, err)
			}
			total += n
			<-time.After(40 * time.Millisecond)
		}
	})
}

// On TLS as well the write time-out is about a peer that takes nothing, not about a message that takes
// long: a TLS connection does not survive a write that timed out.
func TestWriteTimeoutIsAboutProgress(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := oneWith(t, n, wsframework.Settings{WriteTimeout: time.Second, MaxPendingOut: -1})
		p.expect(t, "open")
		const size = 24 << 20
		p.WriteBinary(make([]byte, size))
		b := make([]byte, 64<<10)
		total := 0
		for total < size {
			n, err := cl.Conn().Read(b)
			if err != nil {
				t.Fatalf("cut after %d bytes: %v", total, err)
			}
			if total/(4<<20) != (total+n)/(4<<20) {
				<-time.After(250 * time.Millisecond) // 24 MiB take longer than the time-out
			}
			total += n
		}
	})
}
