package wstest

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A tap is a connection from which reading can be stopped.
type tap struct {
	conn net.Conn
	r    io.Reader // what the handshake has read ahead, then conn

	mu      sync.Mutex    // protects the following
	closed  chan struct{} // closed, in its turn, when reading goes on; nil while it does
	reading chan struct{} // closed when the reading that is under way has ended; nil if none is
}

// turn opens or closes the tap. When it returns, nothing is read any more.
func (t *tap) turn(open bool) {
	t.mu.Lock()
	reading := t.reading
	switch {
	case open && t.closed != nil:
		t.conn.SetReadDeadline(time.Time{})
		close(t.closed)
		t.closed = nil
	case !open && t.closed == nil:
		t.closed = make(chan struct{})
		t.conn.SetReadDeadline(time.Unix(1, 0)) // interrupts the reading
	}
	t.mu.Unlock()
	if !open && reading != nil {
		<-reading
	}
}

func (t *tap) Read(p []byte) (int, error) {
	for {
		t.mu.Lock()
		closed, reading := t.closed, make(chan struct{})
		if closed == nil {
			t.reading = reading
		}
		t.mu.Unlock()
		if closed != nil {
			<-closed
			continue
		}
		n, err := t.r.Read(p)
		t.mu.Lock()
		t.reading = nil
		t.mu.Unlock()
		close(reading)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
}
