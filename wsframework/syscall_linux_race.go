//go:build linux && !386 && race

package wsframework

import "syscall"

// Under the race detector the raw path uses the calls it knows, so that what one side does before it
// writes is ordered before what the other does after it has read, as with every net.Conn.

func readSocket(fd uintptr, p []byte) (int, syscall.Errno) {
	n, err := syscall.Read(int(fd), p)
	return max(n, 0), errnoOf(err)
}

func writeSocket(fd uintptr, bufs [][]byte) (written int, _ syscall.Errno) {
	for _, b := range bufs {
		n, err := syscall.Write(int(fd), b)
		written += max(n, 0)
		if err != nil && written == 0 {
			return 0, errnoOf(err)
		}
		if err != nil || n < len(b) {
			break
		}
	}
	return written, 0
}

func errnoOf(err error) syscall.Errno {
	errno, _ := err.(syscall.Errno)
	return errno
}
