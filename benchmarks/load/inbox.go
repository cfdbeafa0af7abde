package load

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// An inbox holds as little as possible of a message that is still arriving.
type inbox struct {
	head   [headSize]byte
	have   int    // bytes of the message that have been seen
	packed []byte // what has come of a compressed one

	takeover bool   // compressed messages refer to those before them
	window   []byte // what they may refer to
}

// A verifier holds messages against what must be in them.
type verifier struct {
	payload  payload
	compress bool // messages must arrive compressed
	inflater inflater
}

var errContent = errors.New("a message came with another content than it was sent with")

// take adds a piece of a message to the inbox. When that is the last, it returns the message's head.
func (v *verifier) take(m *inbox, p piece) (h head, complete bool, err error) {
	if p.compressed != v.compress {
		return head{}, false, fmt.Errorf("compressed: %t; it must be %t", p.compressed, v.compress)
	}
	if p.compressed {
		if m.packed = append(m.packed, p.data...); !p.last {
			return head{}, false, nil
		}
		m.packed = append(m.packed, inflateTail...)
		text, err := v.inflater.inflate(m.packed, m.window)
		m.packed = m.packed[:0]
		if err != nil {
			return head{}, false, fmt.Errorf("a compressed message: %w", err)
		}
		if m.takeover {
			m.window = append(m.window, text...)
			m.window = append(m.window[:0], m.window[max(0, len(m.window)-windowSize):]...)
		}
		p.data = text
	}
	if err := v.compare(m, p); err != nil || !p.last {
		return head{}, false, err
	}
	if m.have != len(v.payload.text) {
		return head{}, false, fmt.Errorf("a message of %d bytes came with %d", len(v.payload.text), m.have)
	}
	m.have = 0
	h, ok := parseHead(m.head[:])
	if !ok {
		return head{}, false, errContent
	}
	return h, true, nil
}

func (v *verifier) compare(m *inbox, p piece) error {
	data := p.data
	if p.opcode != v.payload.opcode() || m.have+len(data) > len(v.payload.text) {
		return errContent
	}
	if m.have < headSize {
		n := copy(m.head[m.have:], data)
		m.have += n
		data = data[n:]
	}
	if !bytes.Equal(data, v.payload.text[m.have:m.have+len(data)]) {
		return errContent
	}
	m.have += len(data)
	return nil
}

// inflateTail is what the sender has cut off (RFC 7692, 7.2.2), and an empty final block so that the
// reader sees an end.
const inflateTail = deflateTail + "\x01\x00\x00\xff\xff"

// windowSize is how far a compressed message may refer back (RFC 1951, 2).
const windowSize = 32 << 10

// An inflater decompresses messages. Those of a broadcast are often the same for all receivers, so that
// it remembers the last.
type inflater struct {
	reader io.Reader
	packed []byte
	text   []byte
}

// inflate returns the text of a message with its tail. It is valid until the next call.
func (f *inflater) inflate(packed, window []byte) ([]byte, error) {
	if len(window) == 0 && f.text != nil && bytes.Equal(packed, f.packed) {
		return f.text, nil
	}
	src := bytes.NewReader(packed)
	if f.reader == nil {
		f.reader = flate.NewReader(src)
	}
	if err := f.reader.(flate.Resetter).Reset(src, window); err != nil {
		return nil, err
	}
	text := bytes.NewBuffer(f.text[:0])
	f.text = nil
	if _, err := text.ReadFrom(f.reader); err != nil {
		return nil, err
	}
	f.packed, f.text = append(f.packed[:0], packed...), text.Bytes()
	if len(window) > 0 {
		f.packed = nil // the same bytes may mean something else to another receiver
	}
	return f.text, nil
}
