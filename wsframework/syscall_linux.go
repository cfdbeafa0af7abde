//go:build linux && !race

package wsframework

import (
	"syscall"
	"unsafe"
)

// The system calls of the raw path. RawSyscall does not tell the scheduler: these calls never wait, and
// telling costs more than it brings where thousands are made in a row.

func readSocket(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

// maxIovecs bounds one system call; a longer queue takes several.
const maxIovecs = 16

func writeSocket(fd uintptr, bufs [][]byte) (int, syscall.Errno) {
	var iov [maxIovecs]syscall.Iovec
	count := 0
	for _, b := range bufs[:min(len(bufs), maxIovecs)] {
		if len(b) > 0 {
			iov[count].Base = &b[0]
			iov[count].SetLen(len(b))
			count++
		}
	}
	if count == 1 {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(iov[0].Base)), uintptr(iov[0].Len))
		return int(n), errno
	}
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&iov[0])), uintptr(count))
	return int(n), errno
}
