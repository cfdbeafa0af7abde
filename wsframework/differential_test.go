package wsframework

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// The same bytes of a client go through our reading and through a plain server of coder's. Both have to
// deliver the same messages, answer the same pings and close with the same code, except where a listed
// difference applies. That is decided by a third, slow reader, which also says what we have to do then.

var differences = map[string]string{
	"text is not UTF-8":                         "RFC 6455, 8.1: 1007 at the first wrong octet; coder does not look",
	"a close reason is not UTF-8":               "RFC 6455, 5.5.1: 1007; coder does not look",
	"a frame is not masked":                     "RFC 6455, 5.1: 1002; coder leaves without a close frame",
	"a length is not in its shortest form":      "RFC 6455, 5.2: 1002; coder takes it, or leaves if the top bit is set",
	"a header is refused before it is whole":    "RFC 6455, 5.2: 1002 after two bytes; coder waits for the rest",
	"a message is announced too long":           "RFC 6455, 10.4: 1009 at the header; coder looks at the order first, and limits what it has read and inflated",
	"a compressed message fails past its limit": "RFC 6455, 10.4: 1009; coder may notice the failure first",
	"compressed data is corrupt":                "RFC 7692, 7.2.2: 1007; coder leaves without a close frame",
	"compressed data ends within a block":       "RFC 7692, 7.2.1: 1007; coder delivers what there is",
	"a final block is not the end":              "RFC 7692, 7.2.1: the next block counts, too; coder drops it, or takes it for the next message's",
	"the stream ends within a message":          "RFC 6455, 5.4: the message is dropped; coder may deliver what there is",
}

// A setup is what a connection has agreed on.
type setup struct {
	extensions string
	limit      int
}

const deflating, again = "permessage-deflate", "permessage-deflate; client_no_context_takeover"
const none, anything = 0, -1 // among close codes: no close frame, and whatever comes

var setups = []setup{{"", 70000}, {deflating, 70000}, {again, 70000}, {"", 200}, {deflating, 200}, {again, 200}}

// termsOf returns what a server has answered.
func termsOf(extensions string) (t deflateTerms) {
	if answer, _ := parseExtensions([]string{extensions}); len(answer) > 0 {
		t, _ = answer[0].deflate(false)
	}
	return t
}

// A wire brings the input in pieces of a length, 0 being one piece, and notes what is sent. It is a
// transport for our side, and both ends of a handshake for coder's.
type wire struct {
	memory
	net.Conn
	http.ResponseWriter
	in          []byte
	read, piece int
	events      []string
}

func (w *wire) Read(p []byte) (n int, err error) {
	end := len(w.in)
	if w.piece > 0 {
		end = min(end, (w.read/w.piece+1)*w.piece)
	}
	if n = copy(p, w.in[w.read:end]); n == 0 {
		err = io.EOF
	}
	w.read += n
	return n, err
}

// Write takes whole frames. A close frame's reason is everybody's own.
func (w *wire) Write(p []byte) (int, error) {
	for b := p; len(b) > 0; {
		first, header, payload := splitFrame(b)
		if first == 0x88 {
			w.events = append(w.events, fmt.Sprint("close ", binary.BigEndian.Uint16(append(bytes.Clone(payload), 0, 0))))
		} else {
			w.events = append(w.events, event(int(first), payload))
		}
		b = b[header+len(payload):]
	}
	return len(p), nil
}

// event names a frame that leaves or, by its opcode, a message that is delivered.
func event(first int, payload []byte) string { return fmt.Sprintf("%x %s", first, payload) }

func (w *wire) fill(in *inbuf) error {
	in.rest() // as while waiting
	n, err := w.Read(in.space())
	in.w += n
	return err
}

func (w *wire) tryWrite(bufs [][]byte) (int, error) { return w.Write(bytes.Join(bufs, nil)) }
func (w *wire) Close() error                        { return nil }

func (w *wire) readByUs(s setup) []string {
	c, _ := newHot(NewApplication(Settings{MaxMessageSize: s.limit, AccessLogger: silent}), nil)
	c.deflate, c.tr, c.out.tr = termsOf(s.extensions), w, w
	for m, err := c.in.next(); err == nil || err == errQuiet; m, err = c.in.next() {
		if err == nil {
			w.events = append(w.events, event(int(m.Type), m.Data))
		}
	}
	c.readingEnded()
	return w.events
}

func (w *wire) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w, bufio.NewReadWriter(bufio.NewReader(w), bufio.NewWriter(w)), nil
}

func (w *wire) readByCoder(s setup) (events []string) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}, "Sec-Websocket-Extensions": {s.extensions}}
	w.ResponseWriter = httptest.NewRecorder()
	c, _ := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
	defer func() {
		recover() // behind a close frame within a compressed message coder panics
		c.CloseNow()
		events = w.events
	}()
	c.SetReadLimit(int64(s.limit))
	for {
		kind, data, err := c.Read(context.Background())
		if err != nil {
			return
		}
		w.events = append(w.events, event(int(kind), data))
	}
}

// compare runs one input and returns the difference that applies, and whether it was one.
func compare(t *testing.T, s setup, in []byte, piece int) (point string, differs bool) {
	r := &reference{setup: s, in: in}
	for r.frame() && r.message() {
	}
	ours, coders := (&wire{in: in, piece: piece}).readByUs(s), (&wire{in: in, piece: piece}).readByCoder(s)
	n, wrong := len(r.events), ""
	right := len(ours) >= n && slices.Equal(ours[:n], r.events) && slices.ContainsFunc(r.codes, func(code int) bool {
		return code == anything || code == none && len(ours) == n || len(ours) == n+1 && ours[n] == fmt.Sprint("close ", code)
	})
	switch differs = !slices.Equal(ours, coders); {
	case differs && differences[r.point] == "":
		wrong = "the events differ, and no listed difference applies"
	case !right:
		wrong = "our events are not what they have to be"
	case len(coders) < r.before || !slices.Equal(ours[:r.before], coders[:r.before]):
		wrong = "the events differ before the listed difference"
	}
	if wrong != "" {
		t.Errorf("%s\ninput    %x\nsetup    %q, pieces of %d\nours     %.300q\ncoder's  %.300q\nexpected %.300q and then %d, with %q after %d events",
			wrong, in, s, piece, ours, coders, r.events, r.codes, r.point, r.before)
	}
	return r.point, differs
}

func FuzzAgainstCoder(f *testing.F) {
	for i, stream := range clientStreams() {
		f.Add(stream, uint8(i), uint16(len(stream)/(1+i%20)))
	}
	f.Fuzz(func(t *testing.T, in []byte, setup uint8, piece uint16) {
		compare(t, setups[int(setup)%len(setups)], in, int(piece))
	})
}

func TestAgainstCoder(t *testing.T) {
	applied, made := make(map[string]int), make(map[string]bool)
	for _, stream := range clientStreams() {
		for _, s := range setups {
			for _, piece := range []int{0, 1, 7, 5000} {
				if piece < len(stream)/100 && piece > 0 || piece > len(stream) || s.limit < 1000 && len(stream) < s.limit {
					continue // nothing new
				}
				point, differs := compare(t, s, stream, piece)
				applied[point]++
				made[point] = made[point] || differs
			}
		}
	}
	listed := 0
	for point := range differences {
		if listed += applied[point]; !made[point] {
			t.Errorf("%q made no difference", point)
		}
	}
	if alike := applied[""]; alike < 2*listed {
		t.Errorf("%d runs were alike, too few for %d where a listed difference applied", alike, listed)
	}
}

// clientStreams are streams with every kind of frame and mistake.
func clientStreams() (streams [][]byte) {
	frame := func(first byte, payload string) []byte {
		return append([]byte{first}, clientFrame(first, payload)[1:]...)
	}
	long := strings.Repeat("0123456789", 7001)
	next := slices.Concat(frame(0x81, "next"), frame(0x89, "p"), frame(0x88, "\x03\xe8"))
	add := func(frames ...[]byte) { streams = append(streams, append(slices.Concat(frames...), next...)) }

	// Frames, each by its first byte and its payload, or = and its bytes. Compressed, J\x04\x00 is "a".
	var b []byte
	for _, word := range strings.Fields(`
		81a 82\xff 81 8aq 89p / 01a 80b 81c / 01a 80b 81c 01a 80b 81c 89p 01a 80b 81c / 01a 89p 00b 8aq 00 80c /
		01\xe5\x86 89p 80\x8d 01 80 / 01\xf0\x90\x80\x80\xf0\x90\x80\x80 80x / 81a\xff / 81\xe5\x86 / 81\xed\xa0\x80 / 81\xf4\x90\x80\x80 / 01a\xe5 89p 80x /
		01a\xe5 89p 80 / 88 / 88\x03 / 88\x03\xe8\xff / 88\x03\xe8\xe5\x86 / 01a 88\x0b\xb8bye / 88\x00\x00 / 88\x03\xe7 /
		88\x03\xeb / 88\x03\xec / 88\x03\xee / 88\x03\xf6 / 88\x03\xf7 / 88\x0b\xb7 / 88\x13\x88 / c1 c1\x00 c1J\x04\x00 /
		41J 89p 00 80\x04\x00 81a / c1\xfa\x0f\x00 / c1\xda\x03\x00 / c1\xff\xff\xff / 41\xff\xff\xff 89p 80 / 41J\x04 81a /
		41J\x04 88\x03\xe8 / c1\xf3H\xcd\xc9\xc9\x07\x00 c1J\x04\x00 / c1\xf3H\xcd\xc9\xc9\x07\x00\x00 82b /
		41\xf3H\xcd\xc9\xc9\x07\x00 80\x00 / c1J\x04\x04 c1J\x04\x00 / c1\x01\x01\x00\xfe\xffa c1J\x04\x00 /
		c1\x01\x01\x00\xfe\xffa\x00\x01\x00\xfe\xffb\x00 c1J\x04\x00 / 41\x01\x01\x00\xfe\xffa 89p 00 80\x01\x01\x00\xfe\xffbJ\x04\x00 82b /
		41\x01\x01\x00\xfe\xffa 88\x03\xe8 / c1\xf3H\xcd / c1\x00\x05\x00\xfa\xffhel c1J\x04\x00 / c1\x01\x06\x00\xf9\xffhe / c1J\x04 c1\x01\x05\x05\x00\xfe\xfda /
		=\xc1\x88\x01\x02\x03\x04\xf2\x4a\xce\xcd\xc8\x05\x03\x04 =\xc1\x87\x01\x02\x03\x04\x01\x03\x03\xfa\xfe\x60\x03 / =\xc1\xab\x6f\x18\x5d\x3e\x6b\xd8 /
		=\x81\x01a / =\xA1\x01a / =\x91\x81----a / =\xA9\x80---- / =\x81\xFE\x00\x01----a / =\x89\xFE\x00\x01----a / =\x82\xFF\x80\x00\x00\x00\x00\x00\x00\x01----a /
		=\x81\xFF\x00\x00\x00\x00\x00\x00\x00\x01----a / =\x82\xFF\x00\x00\x00\x01\x00\x00\x00\x00----a /
		=\x80\xFF\x00\x00\x00\x01\x00\x00\x00\x00----a / 81a 01b 89p 80c 41J 89p 00 80\x04\x00 82d 83 /`) {
		if raw, ok := strings.CutPrefix(word, "="); ok {
			raw, _ = strconv.Unquote(`"` + raw + `"`)
			b = append(b, raw...)
		} else if f, err := strconv.Unquote(`"\x` + word + `"`); err == nil {
			b = append(b, frame(f[0], f[1:])...)
		} else {
			add(b)
			b = b[:0]
		}
	}
	for n, whole := 0, streams[len(streams)-1]; n < len(whole); n++ {
		streams = append(streams, whole[:n])
	}
	for first := range 256 {
		if first&0x30 == 0 {
			add(frame(byte(first), "\x03\xe8"))
			add(frame(0x01, "a"), frame(byte(first), "\x03\xe8"), frame(0x80, "b"))
		}
	}
	for _, n := range []int{0, 1, 125, 126, 127, 199, 200, 201, 65535, 65536, 70000, 70001} {
		add(frame(0x82, long[:n]))
		add(frame(0x01, long[:n/3]), frame(0x00, long[n/3:n/2]), frame(0x89, long[:min(n, 126)]), frame(0x80, long[n/2:n]))
		add(frame(0x81, long[:n]+"\xff"))
		add(frame(0xC2, string(newDeflater(&CompressionOptions{}, false, windowSize).compress([]byte(long[:n])))))
	}
	streams = append(streams, slices.Concat(frame(0x01, long[:150]), frame(0x00, long[:40]), []byte("\x80\xFE\x00\xA0----")))
	// Compressed messages that build on each other, that inflate to nothing or to the limit, and that end past it.
	stream := newDeflater(&CompressionOptions{}, true, windowSize)
	for _, message := range []string{"hello hello", "", "hello again", long[:4000], "hello", long[:190]} {
		b = append(b, frame(0xC1, string(stream.compressNext([]byte(message))))...)
	}
	add(b)
	add(frame(0xC2, strings.Repeat("\x00\x00\x00\xff\xff", 300)))
	add(frame(0xC2, "\x00\xc8\x00\x37\xff"+long[:200]+"\x00"))
	add(frame(0xC2, "\x01\xc9\x00\x36\xff"+long[:201]))
	return streams
}
