package wsframework_test

import (
	"errors"
	"io"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// Whatever a server sends, the client comes to an end, with a code that fits, and what it sends is masked.
func FuzzClientInput(f *testing.F) {
	for _, frames := range []string{
		serverFrame(wstest.TextFrame, "hello") + serverFrame(wstest.CloseFrame, closeBody(1000, "bye")),
		serverFrame(0x01, "明") + serverFrame(wstest.PingFrame, "a") + serverFrame(0x80, "白"),
		serverFrame(0xC1, "\xf2\x48\xcd\xc9\xc9\x07\x00") + serverFrame(0xC1, "\xf2\x00\x11\x00\x00"),
		string(wstest.EncodeFrame(wstest.TextFrame, []byte("masked"))),
		serverFrame(wstest.CloseFrame, "a"), serverFrame(wstest.TextFrame, "\xff"), "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "\x81\x7e\x00", "",
	} {
		f.Add([]byte(frames), false)
		f.Add([]byte(frames), true)
	}
	pipe := networks[0]
	f.Fuzz(func(t *testing.T, frames []byte, deflated bool) {
		s := pipe.rawServe(t, func(p *rawPeer) {
			header := []string{"Sec-WebSocket-Extensions: permessage-deflate"}
			if !deflated {
				header = nil
			}
			read := make(chan struct{})
			p.write(p.answer(header...))
			go func() {
				defer close(read)
				for {
					first, _, err := p.read()
					if err != nil {
						if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
							t.Errorf("the server reads: %v", err)
						}
						return
					}
					if first != wstest.PongFrame && first != wstest.CloseFrame {
						t.Errorf("the client sent frame %x", first)
					}
				}
			}()
			p.c.Write(frames)
			p.c.Close()
			<-read
		})
		options := s.dialer()
		options.CloseTimeout = time.Millisecond
		options.MaxMessageSize = 1 << 16
		if deflated {
			options.Compression = &wsframework.CompressionOptions{}
		}
		c := s.client(options)
		for {
			m, err := c.ReadMessage(t.Context())
			if err != nil {
				break
			}
			if len(m.Data) > 1<<16 || m.IsText() && !utf8.Valid(m.Data) {
				t.Errorf("got %v of %d bytes %.40q", m.Type, len(m.Data), m.Data)
			}
		}
		switch code := c.CloseCode(); {
		case code == 1002, code >= 1005 && code <= 1007, code == 1009:
		case code >= 1000 && code <= 1014 && code != 1004, code >= 3000 && code <= 4999: // what the server sent
			var end *wsframework.CloseError
			if _, err := c.ReadMessage(t.Context()); !errors.As(err, &end) || !end.Remote {
				t.Errorf("ended with %v", err)
			}
		default:
			t.Errorf("ended with code %d", code)
		}
	})
}
