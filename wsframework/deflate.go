package wsframework

import (
	"bytes"
	"compress/flate"
	"sync"
)

// CompressionOptions turn on permessage-deflate (RFC 7692) for peers that offer it. The zero value is
// a good choice. They are what Tornado's get_compression_options returns.
//
// A peer may compress with its earlier messages in mind unless it gives that up when it connects; then
// up to 32 KiB per connection are kept of what it sent compressed. A message's limit is that of its
// inflated length. Compressed data that is corrupt, or that ends within a block, closes with 1007.
// While a message is inflated it takes 45 KiB more, and while one is compressed up to 1.2 MiB, which
// connections share.
//
// A server or client that asks for a window smaller than deflate's 32 KiB (server_max_window_bits, client_max_window_bits)
// gets messages that are compressed in pieces of that size, each by itself, at level 1 and without
// ContextTakeover.
type CompressionOptions struct {
	// Level is the level of compress/flate, 1 (fast) to 9 (small). Default: 1. Tornado: 6.
	Level int

	// Threshold is the length in bytes below which a message goes out uncompressed. Default: 256;
	// negative: every message is compressed. Tornado: none.
	Threshold int

	// ContextTakeover compresses each message with those before it in mind, which makes small similar
	// messages much smaller, for about 800 KiB of memory per connection. Without it (the default; in
	// Tornado it is on) a broadcast is compressed once for all its receivers.
	ContextTakeover bool
}

const defaultThreshold = 256

// A deflater compresses what one connection sends. A nil one compresses nothing.
type deflater struct {
	level     int
	threshold int
	takeover  bool
	window    int           // bytes that a message may refer back
	writer    *flate.Writer // with takeover: the connection's own, used by its flusher
	out       bytes.Buffer
}

// newDeflater makes the deflater of a connection that may or may not take its context over. A smaller
// window than compress/flate's is kept by compressing pieces of its size, each by itself and at the level
// that begins anew at the least cost.
func newDeflater(options *CompressionOptions, takeover bool, window int) *deflater {
	d := &deflater{level: options.Level, threshold: options.Threshold, takeover: takeover, window: window}
	if d.level < 1 || d.level > 9 || d.window < windowSize {
		d.level = flate.BestSpeed
	}
	if d.threshold == 0 {
		d.threshold = defaultThreshold
	}
	return d
}

// independent reports whether a message of n bytes is to be compressed by itself, before it is queued.
func (d *deflater) independent(n int) bool {
	return d != nil && !d.takeover && n >= d.threshold && n > 0
}

// dependent reports whether messages are compressed in the order in which they leave.
func (d *deflater) dependent() bool { return d != nil && d.takeover }

// compress returns the payload of a compressed message, which no other message is needed to read.
func (d *deflater) compress(payload []byte) []byte {
	var out bytes.Buffer
	pool := &deflateWriters[d.level]
	w, _ := pool.Get().(*flate.Writer)
	if w == nil {
		w, _ = flate.NewWriter(nil, d.level) // fails for a wrong level only
	}
	for {
		piece := payload
		if d.window < windowSize {
			piece = payload[:min(len(payload), d.window)]
		}
		w.Reset(&out)
		w.Write(piece) // to memory: can't fail
		w.Flush()
		if payload = payload[len(piece):]; len(payload) == 0 {
			break
		}
	}
	pool.Put(w)
	return trimTail(out.Bytes())
}

var deflateWriters [10]sync.Pool // by level

// compressNext returns the payload of the next message of a stream that takes its context over. The
// bytes are valid until the next call.
func (d *deflater) compressNext(payload []byte) []byte {
	d.out.Reset()
	if d.writer == nil {
		d.writer, _ = flate.NewWriter(&d.out, d.level)
	}
	d.writer.Write(payload)
	d.writer.Flush()
	return trimTail(d.out.Bytes())
}

// trimTail removes the empty block that a flush ends with (RFC 7692, 7.2.1).
func trimTail(b []byte) []byte { return b[:len(b)-4] }

// compressCur compresses the data frames of cur, which leave now and can't be dropped any more. It
// returns by how many bytes that makes them longer.
func (o *outbound) compressCur() (delta int) {
	for i, s := range o.cur {
		if s.control {
			continue
		}
		out := make([]byte, 0, len(s.b))
		for b := s.b; len(b) > 0; {
			first, header, payload := splitFrame(b)
			if len(payload) >= o.deflate.threshold && len(payload) > 0 {
				out = appendFrame(out, first|rsv1Bit, o.deflate.compressNext(payload))
			} else {
				out = append(out, b[:header+len(payload)]...)
			}
			b = b[header+len(payload):]
		}
		delta += len(out) - len(s.b)
		size := s.size
		s.free()
		o.cur[i] = segment{b: out, size: size}
	}
	return delta
}

// A sharedFrame is a message for many connections: encoded once, and compressed once for all that
// compress it alike.
type sharedFrame struct {
	op      opcode
	payload []byte
	plain   []byte

	mu       sync.Mutex             // protects the following
	deflated map[deflateKind][]byte // whole frames; made when first needed
}

// A deflateKind is what makes two deflaters compress a message alike.
type deflateKind struct{ level, window int }

// newSharedFrame copies payload.
func newSharedFrame(op opcode, payload []byte) *sharedFrame {
	plain := appendFrame(make([]byte, 0, frameSize(len(payload))), byte(op), payload)
	return &sharedFrame{op: op, plain: plain, payload: plain[len(plain)-len(payload):]}
}

// bytesFor returns the frame as a connection sends it. The bytes are shared: nobody writes to them.
func (f *sharedFrame) bytesFor(d *deflater) []byte {
	if !d.independent(len(f.payload)) {
		return f.plain
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := deflateKind{d.level, d.window}
	if f.deflated[kind] == nil {
		if f.deflated == nil {
			f.deflated = make(map[deflateKind][]byte, 1)
		}
		payload := d.compress(f.payload)
		f.deflated[kind] = appendFrame(make([]byte, 0, frameSize(len(payload))), byte(f.op)|rsv1Bit, payload)
	}
	return f.deflated[kind]
}
