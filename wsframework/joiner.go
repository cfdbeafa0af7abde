package wsframework

// A joiner reads the messages that are fragmented or compressed. Most connections never need one, so it
// is made when the first such message comes.
//
// It is not coder's reader, which takes compressed data that is cut short for a whole message, loses what
// stands behind a final block, and keeps some of that for the next message.
type joiner struct {
	gate     *gate
	takeover bool // the peer's messages may refer to those before them (RFC 7692, 7.1.1.2)
	window   window

	// The message at hand.
	reading  bool
	deflated bool
	fin      bool // its last frame has begun
	key      uint32
	size     int64 // the payload of its frames so far
}

func newJoiner(g *gate) *joiner {
	takeover := !g.c.deflate.clientNoTakeover
	if g.c.isClient {
		takeover = !g.c.deflate.serverNoTakeover
	}
	return &joiner{gate: g, takeover: takeover}
}

// message reads the message of which h is the first header. Its memory follows what has arrived and what
// that inflates to.
func (j *joiner) message(h header) ([]byte, error) {
	j.reading, j.deflated, j.size = true, h.compressed(), 0
	defer func() { j.reading = false }()
	j.begin(h)
	isText := h.op() == opText
	if !j.deflated {
		return j.plain(isText)
	}
	p, err := j.next() // before an inflater is taken
	if err != nil {
		return nil, err
	}
	if p == nil { // some peers deflate an empty message to nothing
		return []byte{}, nil
	}
	return inflate(j, p, isText)
}

func (j *joiner) begin(h header) {
	j.fin, j.key, j.gate.left = h.fin(), h.key, h.length
	j.size += h.length
}

// masked returns the next bytes of the message, still masked with j.key, or nil at its end. They are
// valid until the next call. Control frames between its fragments are handled on the way.
func (j *joiner) masked() ([]byte, error) {
	g := j.gate
	for g.left == 0 {
		if j.fin {
			return nil, nil
		}
		h, err := g.header(false)
		if err != nil {
			return nil, err
		}
		if !h.op().isControl() {
			j.begin(h)
		} else if err := g.control(h); err != nil {
			return nil, err
		}
	}
	for g.in.buffered() == 0 {
		g.in.large = g.left > pageSize
		if err := g.fill(); err != nil {
			return nil, err
		}
	}
	p := g.in.bytes()
	p = p[:min(int64(len(p)), g.left)]
	g.in.consume(len(p))
	g.left -= int64(len(p))
	return p, nil
}

// next is masked without the mask.
func (j *joiner) next() ([]byte, error) {
	p, err := j.masked()
	j.key = unmask(p, p, j.key)
	return p, err
}

func (j *joiner) plain(isText bool) ([]byte, error) {
	data, text := []byte{}, utf8Check{}
	for {
		p, err := j.masked()
		if err != nil {
			return nil, err
		}
		if p == nil {
			break
		}
		most := j.gate.c.route.maxMessage
		if j.fin {
			most = int(j.size)
		}
		n := len(data)
		data = grow(data, len(p), most)[:n+len(p)]
		j.key = unmask(data[n:], p, j.key)
		if isText && !text.write(data[n:]) {
			return nil, errNotUTF8
		}
	}
	if !text.complete() {
		return nil, errNotUTF8
	}
	return data[:len(data):len(data)], nil
}

// grow returns data with room for n more bytes: at least twice the room that it had, but no more than
// most unless they need it.
func grow(data []byte, n, most int) []byte {
	need := len(data) + n
	if need <= cap(data) {
		return data
	}
	room := max(2*cap(data), need)
	if most > 0 {
		room = min(room, max(most, need))
	}
	grown := make([]byte, len(data), room)
	copy(grown, data)
	return grown
}
