package load

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
)

// A payload is what all messages of a run carry. The first headSize bytes differ: they say in
// hexadecimal digits, so that the whole is text, who sent the message and which of its messages it is.
type payload struct {
	text   []byte
	binary bool
}

const headSize = 16

// newPayload makes a payload that looks like JSON.
func newPayload(size int, binary bool) payload {
	var text strings.Builder
	text.WriteString(strings.Repeat("0", headSize))
	for i := 0; text.Len() < size; i++ {
		fmt.Fprintf(&text, `{"id":%d,"user":"user-%d","text":"message number %d, after %d others"},`, i*7919, i%13, i, i*i)
	}
	return payload{text: []byte(text.String()[:size]), binary: binary}
}

func (p payload) opcode() byte {
	if p.binary {
		return opcodeBinary
	}
	return opcodeText
}

// deflated returns the payload compressed as RFC 7692, 7.2.1 has it, and where in it the head is. The
// head is in a stored block of its own, so that it can be replaced without compressing anew.
func (p payload) deflated() (data []byte, headAt int) {
	var out bytes.Buffer
	out.Write([]byte{0, headSize, 0, ^byte(headSize), 0xff}) // RFC 1951, 3.2.4
	headAt = out.Len()
	out.Write(p.text[:headSize])
	w, err := flate.NewWriter(&out, flate.DefaultCompression)
	if err != nil {
		panic(err)
	}
	w.Write(p.text[headSize:]) // a bytes.Buffer takes everything
	w.Flush()
	return bytes.TrimSuffix(out.Bytes(), []byte(deflateTail)), headAt
}

// deflateTail is what a sender cuts off and a receiver puts back (RFC 7692, 7.2.1).
const deflateTail = "\x00\x00\xff\xff"

// A head identifies a message.
type head struct {
	sender, seq uint32
}

const digits = "0123456789abcdef"

func (h head) put(dst []byte) {
	_ = dst[headSize-1]
	for i := range 8 {
		dst[i] = digits[h.sender>>(28-4*i)&15]
		dst[8+i] = digits[h.seq>>(28-4*i)&15]
	}
}

// nibbles has the value of each hexadecimal digit, and 0xff for all other bytes.
var nibbles = func() (table [256]byte) {
	for i := range table {
		table[i] = byte(strings.IndexByte(digits, byte(i)))
	}
	return table
}()

func parseHead(src []byte) (h head, ok bool) {
	_ = src[headSize-1]
	var bad byte
	for i := range 8 {
		a, b := nibbles[src[i]], nibbles[src[8+i]]
		bad |= a | b
		h.sender = h.sender<<4 | uint32(a)
		h.seq = h.seq<<4 | uint32(b)
	}
	return h, bad <= 15
}
