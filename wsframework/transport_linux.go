package wsframework

import (
	"io"
	"os"
	"syscall"
	"unsafe"
)

// rawTransport reads and writes a TCP or Unix socket with non-blocking system calls: it waits for input
// without holding a buffer, and it writes without a goroutine switch.
type rawTransport struct {
	plainTransport
	raw syscall.RawConn

	// Reading: what onReadable works on, and what it found.
	readFn  func(fd uintptr) bool
	in      *inbuf // nil: read into p
	p       []byte
	readN   int
	readErr error

	// Writing.
	writeFn  func(fd uintptr)
	bufs     [][]byte
	writeN   int
	writeErr error
}

// maxIovecs bounds one system call; a longer queue takes several.
const maxIovecs = 16

func newRawTransport(plain plainTransport) transport {
	sc, ok := plain.c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	t := &rawTransport{plainTransport: plain, raw: raw}
	t.readFn, t.writeFn = t.onReadable, t.onWritable
	return t
}

func (t *rawTransport) fill(in *inbuf) error {
	t.in = in
	_, err := t.wait()
	t.in = nil
	return err
}

func (t *rawTransport) read(p []byte) (int, error) {
	t.p = p
	n, err := t.wait()
	t.p = nil
	return n, err
}

func (t *rawTransport) wait() (int, error) {
	if err := t.raw.Read(t.readFn); err != nil {
		return 0, err
	}
	return t.readN, t.readErr
}

// onReadable is called first without knowing whether there is input, then each time some has come.
func (t *rawTransport) onReadable(fd uintptr) bool {
	p := t.p
	if t.in != nil {
		p = t.in.space()
	}
	var n int
	var errno syscall.Errno
	for {
		var r uintptr
		r, _, errno = syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		if n = int(r); errno != syscall.EINTR {
			break
		}
	}
	switch {
	case errno == syscall.EAGAIN:
		if t.in != nil {
			t.in.rest()
		}
		return false
	case errno != 0:
		t.readN, t.readErr = 0, os.NewSyscallError("read", errno)
	case n == 0:
		t.readN, t.readErr = 0, io.EOF
	default:
		t.readN, t.readErr = n, nil
		if t.in != nil {
			t.in.w += n
		}
	}
	return true
}

func (t *rawTransport) canTry() bool { return true }

func (t *rawTransport) tryWrite(bufs [][]byte) (int, error) {
	t.bufs, t.writeN, t.writeErr = bufs, 0, nil
	err := t.raw.Control(t.writeFn)
	t.bufs = nil
	if err != nil {
		return 0, err
	}
	return t.writeN, t.writeErr
}

// onWritable does one write system call. RawSyscall does not tell the scheduler: the call never waits,
// and telling costs more than it on a machine where thousands are made in a row.
func (t *rawTransport) onWritable(fd uintptr) {
	var iov [maxIovecs]syscall.Iovec
	n := 0
	for _, b := range t.bufs[:min(len(t.bufs), maxIovecs)] {
		if len(b) > 0 {
			iov[n].Base = &b[0]
			iov[n].SetLen(len(b))
			n++
		}
	}
	for {
		var r uintptr
		var errno syscall.Errno
		if n == 1 {
			r, _, errno = syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(iov[0].Base)), uintptr(iov[0].Len))
		} else {
			r, _, errno = syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&iov[0])), uintptr(n))
		}
		switch errno {
		case 0:
			t.writeN = int(r)
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			t.writeErr = os.NewSyscallError("write", errno)
		}
		return
	}
}
