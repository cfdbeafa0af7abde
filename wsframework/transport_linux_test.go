//go:build !386

package wsframework

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// socketPair connects two sockets of a network.
func socketPair(t *testing.T, network, address string) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if theirs, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

func TestRawTransport(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		t.Run(network, func(t *testing.T) {
			ours, theirs := socketPair(t, network, address)
			tr, ok := newTransport(ours).(*rawTransport)
			if !ok {
				t.Fatalf("the transport is %T", newTransport(ours))
			}

			// Waiting for input holds no page.
			in := inbuf{page: make([]byte, pageSize)}
			tr.in = &in
			tr.raw.Control(func(fd uintptr) {
				if tr.onReadable(fd) {
					t.Error("there is input")
				}
			})
			if in.page != nil {
				t.Error("an idle connection holds a page")
			}
			theirs.Write([]byte("hello"))
			if err := tr.fill(&in); err != nil || string(in.bytes()) != "hello" {
				t.Errorf("read %q, %v", in.bytes(), err)
			}

			// Writing takes what the kernel takes, and says how much.
			big := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
			n, err := tr.tryWrite([][]byte{nil, []byte("head"), big})
			if err != nil || n < 4 || n >= len(big) {
				t.Fatalf("wrote %d of %d bytes, %v", n, len(big), err)
			}
			for i := 0; i < 100; i++ { // until the kernel takes nothing
				m, err := tr.tryWrite([][]byte{big})
				if err != nil {
					t.Fatal(err)
				}
				if n += m; m == 0 {
					break
				}
			}
			if m, err := tr.write([][]byte{big}, 10*time.Millisecond, func() {}); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("writing to a peer that takes nothing: %d bytes, %v", m, err)
			}

			// Errors have names.
			theirs.Close()
			if err := tr.fill(&in); err == nil {
				t.Error("read from a closed peer")
			}
			var errno syscall.Errno
			if _, err := tr.tryWrite([][]byte{big}); !errors.As(err, &errno) {
				t.Errorf("writing to a closed peer: %v", err)
			}
			tr.close()
			if _, err := tr.tryWrite([][]byte{big}); !errors.Is(err, net.ErrClosed) {
				t.Errorf("writing to a closed socket: %v", err)
			}
			if err := tr.fill(&in); !errors.Is(err, net.ErrClosed) {
				t.Errorf("reading a closed socket: %v", err)
			}
		})
	}
}

// Whatever hides the socket takes the plain path: it may encrypt or count.
func TestWrappedConnectionsTakeThePlainPath(t *testing.T) {
	ours, _ := socketPair(t, "tcp", "127.0.0.1:0")
	embedded := struct{ *net.TCPConn }{ours.(*net.TCPConn)}
	if tr, ok := newTransport(embedded).(*plainTransport); !ok {
		t.Errorf("a wrapped connection has %T", tr)
	}
}
