package wsframework

import (
	"compress/flate"
	"io"
	"sync"
)

// An inflater inflates a message while it arrives. It is what its compress/flate reader reads from, byte
// by byte, so it waits for no more than the next octet of data needs. That reader gives what it has
// inflated in pieces, which end where its window is full, at a final block, and at an empty one without
// compression, which is what a sender ends a flush with; text is checked as it comes.
//
// It takes about 45 KiB. Connections have one from a pool while they read a compressed message.
type inflater struct {
	flate flateReader
	from  *joiner
	in    []byte // of the payload, or of deflateTail
	at    int    // in that
	tail  bool   // in is deflateTail
	err   error  // the joiner's

	out  [4096]byte // the last bytes inflated, so that a small message is allocated once
	n    int
	data []byte // what came before them
	text utf8Check
}

type flateReader interface {
	io.Reader
	flate.Resetter
}

var inflaters = sync.Pool{New: func() any {
	i := new(inflater)
	i.flate = flate.NewReader(i).(flateReader)
	return i
}}

// deflateTail goes behind the payload: what its sender has removed from its last block (RFC 7692, 7.2.2),
// and a final block, by which compress/flate knows the end.
var deflateTail = []byte("\x00\x00\xff\xff\x01\x00\x00\xff\xff")

const removedTail = 4

// errDeflate says that what has come is not deflate data, or that it ends within a block.
var errDeflate = &protocolError{CloseInvalidPayload, "compressed data is corrupt"}

// inflate inflates the message of j that begins with in, which is unmasked.
//
// It may be several deflate streams, as any block may be a final one (RFC 7692, 7.2.1 and 7.2.3.4). The
// next begins at the next octet, and may refer to those before it.
func inflate(j *joiner, in []byte, isText bool) ([]byte, error) {
	i := inflaters.Get().(*inflater)
	defer i.put()
	i.from, i.in, i.data = j, in, []byte{}
	limit, remembered := j.gate.c.route.maxMessage, 0
	for {
		if err := i.stream(isText, limit); err != nil {
			return nil, err
		}
		whole, err := i.whole()
		if err != nil {
			return nil, err
		}
		if whole {
			break
		}
		i.flush(limit)
		j.window.add(i.data[remembered:])
		remembered = len(i.data)
	}
	if !i.text.complete() {
		return nil, errNotUTF8
	}
	i.flush(len(i.data) + i.n)
	if j.takeover {
		j.window.add(i.data[remembered:])
	} else {
		j.window = nil
	}
	return i.data[:len(i.data):len(i.data)], nil
}

// put gives i back, without what belongs to the connection.
func (i *inflater) put() {
	i.from, i.in, i.at, i.tail, i.err = nil, nil, 0, false, nil
	i.n, i.data, i.text = 0, nil, utf8Check{}
	inflaters.Put(i)
}

// stream inflates a deflate stream up to its final block.
func (i *inflater) stream(isText bool, limit int) error {
	i.flate.Reset(i, i.from.window)
	for {
		n, err := i.flate.Read(i.out[i.n:])
		if i.err != nil {
			return i.err
		}
		if isText && !i.text.write(i.out[i.n:i.n+n]) {
			return errNotUTF8
		}
		i.n += n
		switch {
		case limit > 0 && len(i.data)+i.n > limit:
			return tooBig(limit)
		case err == io.EOF:
			return nil
		case err != nil:
			return errDeflate
		case i.n == len(i.out):
			i.flush(limit)
		}
	}
}

// flush moves what is inflated to the message, for which it allocates no more than most without need.
func (i *inflater) flush(most int) {
	i.data = append(grow(i.data, i.n, most), i.out[:i.n]...)
	i.n = 0
}

// whole reports, behind a final block, whether the message ends here, and fails if it has ended within a
// block: that has read the tail as its own.
func (i *inflater) whole() (bool, error) {
	if i.at == len(i.in) && !i.tail {
		if err := i.fill(); err != nil {
			return false, err
		}
	}
	if !i.tail {
		return false, nil
	}
	switch i.at {
	case 0, removedTail, len(deflateTail): // a final block as its sender made it, without its end, or ours
		return true, nil
	}
	return false, errDeflate
}

func (i *inflater) fill() error {
	if i.tail {
		return io.ErrUnexpectedEOF
	}
	p, err := i.from.next()
	if err != nil {
		i.err = err
		return err
	}
	if i.in, i.at = p, 0; p == nil {
		i.in, i.tail = deflateTail, true
	}
	return nil
}

// ReadByte and Read are for compress/flate.
func (i *inflater) ReadByte() (byte, error) {
	if i.at == len(i.in) {
		if err := i.fill(); err != nil {
			return 0, err
		}
	}
	b := i.in[i.at]
	i.at++
	return b, nil
}

func (i *inflater) Read(p []byte) (int, error) {
	if i.at == len(i.in) {
		if err := i.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, i.in[i.at:])
	i.at += n
	return n, nil
}

// A window is what deflate data may refer to: the last 32 KiB before it (RFC 1951, 2). Its memory grows
// up to that.
type window []byte

const windowSize = 32 << 10

func (w *window) add(p []byte) {
	p = p[max(0, len(p)-windowSize):]
	if over := len(*w) + len(p) - windowSize; over > 0 {
		*w = (*w)[:copy(*w, (*w)[over:])]
	}
	*w = append(grow(*w, len(p), windowSize), p...)
}
