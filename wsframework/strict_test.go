package wsframework_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// The protocol, row by row: what a peer sends on an open connection, octet by octet, and what comes of it.
// Each row is run on every network, whole and in single octets, against our server and, with the mask the
// other way round, against our client. The rows are in the files strict_*_test.go, by the RFC's sections.

// A strictRow is one peer.
type strictRow struct {
	name   string
	offer  string // compression, as permessage-deflate's parameters; "" for none
	frames []strictFrame
	want   string // the messages, each behind a | if it is text, and behind a # if it is binary
	code   int    // of our close frame; cut if the peer leaves without one, and there is none
	pongs  string // the payloads of its pings, each behind a |; of those that come at once the last is answered
}

// What a row's peer does last: where nothing is wrong it closes with done, or breaks off.
const (
	done = 1000
	cut  = 1006
)

// strictLimit is the MaxMessageSize of all rows.
const strictLimit = 66_000

// strictPatience is the time after which a ping tells that our side has nothing more to say.
const strictPatience = 5 * time.Second

// A strictFrame is a frame as it should be, or not quite.
type strictFrame struct {
	first    byte // FIN, RSV and opcode
	payload  string
	form     byte   // 126 or 127: the length's form, if it is not to be the shortest
	missing  uint64 // what the length promises beyond the payload
	unusual  bool   // masked where it should not be, and the other way round
	truncate int    // if not 0: how many octets of the frame are sent
	lacks    int    // how many octets are not, at its end
}

func fr(first byte, payload string) strictFrame { return strictFrame{first: first, payload: payload} }

func (f strictFrame) bytes(mask bool) []byte {
	mask = mask != f.unusual
	n := uint64(len(f.payload)) + f.missing
	form := f.form
	switch {
	case form > 0:
	case n <= 125:
		form = byte(n)
	case n <= 0xFFFF:
		form = 126
	default:
		form = 127
	}
	b := []byte{f.first, form}
	switch form {
	case 126:
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	case 127:
		b = binary.BigEndian.AppendUint64(b, n)
	}
	key := [4]byte{}
	if mask {
		b[1] |= 0x80
		key = [4]byte{0x12, 0xA4, 0x56, 0x7B}
		b = append(b, key[:]...)
	}
	for i := range len(f.payload) {
		b = append(b, f.payload[i]^key[i%4])
	}
	if f.truncate > 0 {
		b = b[:min(f.truncate, len(b))]
	}
	return b[:len(b)-f.lacks]
}

// input returns all that the row's peer sends, in pieces.
func (r strictRow) input(mask, octets bool) (pieces [][]byte) {
	var b []byte
	for _, f := range r.frames {
		b = append(b, f.bytes(mask)...)
	}
	if r.code == done {
		b = append(b, fr(wstest.CloseFrame, closeBody(done, "")).bytes(mask)...)
	}
	if !octets {
		return [][]byte{b}
	}
	const edge = 300 // the middle of a long input goes in larger pieces
	for i := 0; len(b) > 0; i++ {
		n := 1
		if len(b) > edge && i > edge {
			n = min(1000, len(b)-edge)
		}
		pieces = append(pieces, b[:n])
		b = b[n:]
	}
	return pieces
}

// deliver sends a row's input, and then breaks off if the row says so.
func (r strictRow) deliver(c net.Conn, mask, octets bool) {
	for _, piece := range r.input(mask, octets) {
		if _, err := c.Write(piece); err != nil {
			return // the other side has had enough
		}
	}
	if r.code == cut {
		if half, ok := c.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		} else {
			c.Close()
		}
	}
}

// An outcome is what a row's peer sees.
type outcome struct {
	pongs []string
	code  int
	wrong string // a frame that has no business here
}

// observe reads frames up to the end of the connection, which hangUp makes where our side would wait for
// an answer to its close frame.
func observe(read func() (byte, string, error), hangUp func() error) (o outcome) {
	o.code = cut
	for {
		first, payload, err := read()
		switch {
		case err != nil:
			return o
		case o.code != cut:
			o.wrong = fmt.Sprintf("frame %x behind the close frame", first)
		case first == wstest.PongFrame:
			o.pongs = append(o.pongs, payload)
		case first == wstest.CloseFrame && payload == "":
			o.code = wsframework.CloseNoStatus
		case first == wstest.CloseFrame && len(payload) > 1:
			o.code = int(binary.BigEndian.Uint16([]byte(payload)))
		default:
			o.wrong = fmt.Sprintf("frame %x %.40q", first, payload)
		}
		if o.code == 1002 || o.code == 1007 || o.code == 1009 {
			hangUp()
		}
	}
}

// judge compares what a row wants with what its peer has seen, and with what our side was given.
func (r strictRow) judge(t *testing.T, where string, o outcome, messages string, code int) {
	t.Helper()
	if o.wrong != "" || o.code != r.code || code != r.code {
		t.Errorf("%s, %s: closed with %d, and our side saw %d, want %d %s", r.name, where, o.code, code, r.code, o.wrong)
	}
	if messages != r.want {
		t.Errorf("%s, %s: got %d bytes %.200q, want %d bytes %.200q", r.name, where, len(messages), messages, len(r.want), r.want)
	}
	want := strings.Split(r.pongs, "|")[1:]
	for _, got := range o.pongs {
		at := slices.Index(want, got)
		if at < 0 {
			t.Errorf("%s, %s: got the pong %.80q, want of %.200q", r.name, where, got, r.pongs)
		}
		want = want[at+1:]
	}
	if r.pongs != "" && (len(o.pongs) == 0 || o.pongs[len(o.pongs)-1] != r.last()) {
		t.Errorf("%s, %s: got the pongs %.80q, want the last of %.200q", r.name, where, o.pongs, r.pongs)
	}
}

// last is the last ping's payload.
func (r strictRow) last() string { return r.pongs[strings.LastIndex(r.pongs, "|")+1:] }

func mark(m wsframework.Message) string {
	if m.IsText() {
		return "|" + m.String()
	}
	return "#" + m.String()
}

// testStrict runs rows.
func testStrict(t *testing.T, rows []strictRow) {
	names := make(map[string]bool)
	for _, row := range rows {
		if names[row.name] {
			t.Errorf("two rows are called %s", row.name)
		}
		names[row.name] = true
	}
	everywhere(t, func(t *testing.T, n network) {
		strictServer(t, n, rows)
		strictClient(t, n, rows)
	})
}

func strictServer(t *testing.T, n network, rows []strictRow) {
	probes := make(chan *probe, 10)
	var messages strings.Builder // of one connection after the other
	s := n.probes(t, wsframework.Settings{
		MaxMessageSize: strictLimit, PingInterval: strictPatience, Compression: &wsframework.CompressionOptions{ContextTakeover: true},
	}, func(p *probe) {
		p.message = func(m wsframework.Message) error { messages.WriteString(mark(m)); return nil }
		p.open = func() error { probes <- p; return nil }
	})
	for _, row := range rows {
		for _, octets := range []bool{false, true} {
			var options []wstest.Option
			if row.offer != "" {
				options = append(options, offering(row.offer))
			}
			messages.Reset()
			cl := s.connect(options...)
			p := receive(t, probes)
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				row.deliver(cl.Conn(), true, octets)
			}()
			o := observe(func() (byte, string, error) {
				first, payload, err := cl.ReadFrame()
				return first, string(payload), err
			}, cl.Conn().Close)
			cl.Vanish()
			receive(t, p.done)
			<-sent
			row.judge(t, fmt.Sprintf("to the server, in octets %t", octets), o, messages.String(), p.closeCode)
		}
	}
}

func strictClient(t *testing.T, n network, rows []strictRow) {
	for _, row := range rows {
		for _, octets := range []bool{false, true} {
			seen := make(chan outcome, 1)
			s := n.rawServe(t, func(p *rawPeer) {
				var header []string
				if row.offer != "" {
					header = []string{"Sec-WebSocket-Extensions: " + strings.Replace(row.offer, "client_no", "server_no", 1)}
				}
				p.accept("", header...)
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					row.deliver(p.c, false, octets)
				}()
				seen <- observe(p.read, p.c.Close)
				p.c.Close()
				<-sent
			})
			options := s.dialer()
			options.MaxMessageSize, options.PingInterval = strictLimit, strictPatience
			if row.offer != "" {
				options.Compression = &wsframework.CompressionOptions{ContextTakeover: true}
			}
			c := s.client(options)
			var messages strings.Builder
			for {
				m, err := c.ReadMessage(context.Background())
				if err != nil {
					break
				}
				messages.WriteString(mark(m))
			}
			row.judge(t, fmt.Sprintf("to the client, in octets %t", octets), receive(t, seen), messages.String(), c.CloseCode())
		}
	}
}
