package wstest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// First bytes of frames that end their message: FIN and the opcode (RFC 6455, 5.2). Without FIN (0x80) more is
// to follow, in frames of opcode 0.
const (
	TextFrame   = 0x81
	BinaryFrame = 0x82
	CloseFrame  = 0x88
	PingFrame   = 0x89
	PongFrame   = 0x8A
)

// EncodeFrame encodes a client's frame: its first byte, the length in the shortest form, a mask, the payload.
func EncodeFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x12, 0xA4, 0x56, 0x7B}
	b = append(b, mask[:]...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

// closePayload encodes what a close frame says; 1005 says nothing (RFC 6455, 7.1.5).
func closePayload(code int, reason string) string {
	if code == 1005 {
		return ""
	}
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

// parseClose returns 1005 when nothing is said, and 0 for half a code, which is none (RFC 6455, 5.5.1).
func parseClose(payload []byte) (code int, reason string) {
	switch len(payload) {
	case 0:
		return 1005, ""
	case 1:
		return 0, ""
	}
	return int(binary.BigEndian.Uint16(payload)), string(payload[2:])
}

// A frameReader reads a server's frames. Nothing is lost of a frame when its connection's deadline passes.
type frameReader struct {
	r   io.Reader
	buf []byte // what has been read, but not returned
}

func (f *frameReader) next() (first byte, payload []byte, err error) {
	for {
		first, payload, n, err := parseFrame(f.buf)
		if err != nil {
			return 0, nil, err
		}
		if n > 0 {
			f.buf = f.buf[n:]
			return first, payload, nil
		}
		if len(f.buf) == cap(f.buf) { // a new one, because payloads that were returned stay
			f.buf = append(make([]byte, 0, max(4096, 2*len(f.buf))), f.buf...)
		}
		n, err = f.r.Read(f.buf[len(f.buf):cap(f.buf)])
		f.buf = f.buf[:len(f.buf)+n]
		if n == 0 && err != nil {
			return 0, nil, err
		}
	}
}

// parseFrame returns the first frame of b, and its length there: 0 if it is not whole yet.
func parseFrame(b []byte) (first byte, payload []byte, n int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	if b[1]&0x80 != 0 {
		return 0, nil, 0, errors.New("the server masks its frames (RFC 6455, 5.1)")
	}
	head, length := 2, uint64(b[1])
	if length == 126 {
		head = 4
	} else if length == 127 {
		head = 10
	}
	if len(b) < head {
		return 0, nil, 0, nil
	}
	switch head {
	case 4:
		length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 10:
		length = binary.BigEndian.Uint64(b[2:])
	}
	if uint64(len(b)-head) < length {
		return 0, nil, 0, nil
	}
	n = head + int(length)
	return b[0], b[head:n:n], n, nil
}

// describeFrame shows a frame: as text where it is text.
func describeFrame(first byte, payload []byte) string {
	switch first {
	case TextFrame:
		return "text " + quote(payload)
	case BinaryFrame:
		return "binary " + quote(payload)
	case PingFrame:
		return "ping " + quote(payload)
	case PongFrame:
		return "pong " + quote(payload)
	case CloseFrame:
		code, reason := parseClose(payload)
		return fmt.Sprintf("close %d %s", code, quote([]byte(reason)))
	}
	return fmt.Sprintf("frame %#02x %s", first, quote(payload))
}

const shownBytes = 300

// quote shows bytes: as text where they are text, and not all where they are many.
func quote(b []byte) string {
	rest := ""
	if len(b) > shownBytes {
		rest = fmt.Sprintf("… (%d bytes)", len(b))
		b = b[:shownBytes]
		for i := 0; i < utf8.UTFMax && rest != "" && !utf8.Valid(b); i++ {
			b = b[:len(b)-1] // the cut may be in a character
		}
	}
	switch s := string(b); {
	case !utf8.ValidString(s):
		return fmt.Sprintf("% x%s", b, rest)
	case strconv.CanBackquote(s) && strings.Contains(s, `"`):
		return "`" + s + "`" + rest
	default:
		return strconv.Quote(s) + rest
	}
}
