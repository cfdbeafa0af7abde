//go:build linux && !386 && !race

package wsframework

import (
	"syscall"
	"unsafe"
)

// The system calls of the raw path. RawSyscall does not tell the scheduler: these calls never wait, and
// telling costs more than it brings where thousands are made in a row. The socket's own calls cost less
// than read and write, which first find out what kind of file they have. (386 has none of them: it takes the plain path.)

const rawFlags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL

func readSocket(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM,
		fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), rawFlags, 0, 0)
	return int(n), errno
}

// maxIovecs bounds one system call; a longer queue takes several.
const maxIovecs = 16

func writeSocket(fd uintptr, bufs [][]byte) (int, syscall.Errno) {
	if len(bufs) == 1 {
		b := bufs[0]
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO,
			fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), rawFlags, 0, 0)
		return int(n), errno
	}
	var iov [maxIovecs]syscall.Iovec
	count := 0
	for _, b := range bufs[:min(len(bufs), maxIovecs)] {
		if len(b) > 0 {
			iov[count].Base = &b[0]
			iov[count].SetLen(len(b))
			count++
		}
	}
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&iov[0])), uintptr(count))
	return int(n), errno
}
