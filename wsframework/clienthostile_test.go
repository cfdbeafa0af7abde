package wsframework_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// What a server does wrong, the client answers as a server answers a client.
func TestClientAgainstHostileServer(t *testing.T) {
	tests := []struct {
		name, frames string
		code         int
		reason       string
	}{
		{"masked frame", string(wstest.EncodeFrame(wstest.TextFrame, []byte("a"))), 1002, "frame of a server is masked"},
		{"masked ping", string(wstest.EncodeFrame(wstest.PingFrame, nil)), 1002, "frame of a server is masked"},
		{"RSV1 without compression", serverFrame(0xC1, "a"), 1002, "reserved bit set"},
		{"RSV2", serverFrame(0xA1, "a"), 1002, "reserved bit set"},
		{"RSV3 on a ping", serverFrame(0x99, ""), 1002, "reserved bit set"},
		{"unknown data frame", serverFrame(0x83, "a"), 1002, "unknown opcode 3"},
		{"unknown control frame", serverFrame(0x8F, "a"), 1002, "unknown opcode 15"},
		{"fragmented ping", serverFrame(0x09, "a"), 1002, "fragmented control frame"},
		{"ping of 126 bytes", serverFrame(wstest.PingFrame, strings.Repeat("a", 126)), 1002, "control frame of more than 125 bytes"},
		{"close with one byte", serverFrame(wstest.CloseFrame, "a"), 1002, "close frame with half a code"},
		{"close with 1005", serverFrame(wstest.CloseFrame, closeBody(1005, "")), 1002, "close frame with code 1005"},
		{"close with 999", serverFrame(wstest.CloseFrame, closeBody(999, "")), 1002, "close frame with code 999"},
		{"close reason in Latin 1", serverFrame(wstest.CloseFrame, closeBody(1000, "\xe4")), 1007, "close reason is not UTF-8"},
		{"text in Latin 1", serverFrame(wstest.TextFrame, "\xe4"), 1007, "text is not UTF-8"},
		{"text that ends within a character", serverFrame(wstest.TextFrame, "\xe6\x98"), 1007, "text is not UTF-8"},
		{"text that can't become UTF-8", "\x81\x05\xff", 1007, ""},
		{"fragmented text in Latin 1", serverFrame(0x01, "a") + serverFrame(0x80, "\xe4"), 1007, "text is not UTF-8"},
		{"too big", "\x82\x7e\x04\x01", 1009, "message of more than 1024 bytes"},
		{"too big in fragments", serverFrame(0x02, strings.Repeat("a", 1024)) + serverFrame(0x80, "a"), 1009, "message of more than 1024 bytes"},
		{"too big to address", "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 1009, ""},
		{"length with 63 bits", "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 1002, "length not in its shortest form"},
		{"length not the shortest", "\x82\x7e\x00\x05hello", 1002, "length not in its shortest form"},
		{"continuation of nothing", serverFrame(0x80, "a"), 1002, "continuation of no message"},
		{"message within a message", serverFrame(0x01, "a") + serverFrame(wstest.TextFrame, "b"), 1002, "new message within a fragmented one"},
	}
	everywhere(t, func(t *testing.T, n network) {
		for _, test := range tests {
			closes := make(chan []string, 1)
			s := n.rawServe(t, func(p *rawPeer) {
				p.accept(serverFrame(wstest.TextFrame, "before") + test.frames)
				first, data, err := p.read()
				if err != nil || first != wstest.CloseFrame {
					t.Errorf("%s: the client sent frame %x %q (%v)", test.name, first, data, err)
				}
				// The client may be gone by now.
				io.WriteString(p.c, serverFrame(wstest.TextFrame, "too late")+serverFrame(wstest.CloseFrame, data[:min(2, len(data))]))
				closes <- append(p.drain(), data)
			})
			options := s.dialer()
			options.MaxMessageSize = 1024
			options.CloseTimeout = 50 * time.Millisecond // where the answer is lost in a frame that never ends
			c, err := wsframework.Connect(t.Context(), "ws://example.com/", options)
			if err != nil {
				t.Fatal(err)
			}
			<-c.Context().Done()
			wantMessage(t, c, wsframework.TextMessage, "before")
			cause := wantEnd(t, c, test.code, c.CloseReason())
			if cause.Remote || cause.Code != test.code || test.reason != "" && cause.Reason != test.reason {
				t.Errorf("%s: closed with %v, want %d (%s)", test.name, cause, test.code, test.reason)
			}
			got := receive(t, closes)
			if len(got) != 1 || !strings.HasPrefix(got[0], closeBody(test.code, "")) {
				t.Errorf("%s: the server got the closes %q, want one with %d", test.name, got, test.code)
			}
		}
	})
}

// What is unusual, but right.
func TestClientAgainstUnusualServer(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s := n.rawServe(t, func(p *rawPeer) {
			p.accept(serverFrame(wstest.PongFrame, "unsolicited") + // in one packet with the answer
				serverFrame(wstest.PingFrame, "1") +
				serverFrame(wstest.TextFrame, "") +
				serverFrame(0x01, "明\xe7") + serverFrame(wstest.PingFrame, "2") + serverFrame(0x00, "\x99") + serverFrame(0x80, "\xbd") +
				serverFrame(wstest.BinaryFrame, strings.Repeat("b", 70_000)))
			first, data, err := p.read()
			for err == nil && first == wstest.PongFrame && data == "1" { // pongs do not pile up
				first, data, err = p.read()
			}
			if err != nil || first != wstest.PongFrame || data != "2" {
				t.Errorf("got frame %x %q (%v), want the pong 2", first, data, err)
			}
			p.write(serverFrame(wstest.CloseFrame, closeBody(4000, "再见")))
			p.expect(wstest.CloseFrame, closeBody(4000, ""))
			if _, _, err := p.read(); err == nil {
				t.Error("something came behind the close frame")
			}
		})
		c := s.client(s.dialer())
		wantMessage(t, c, wsframework.TextMessage, "")
		wantMessage(t, c, wsframework.TextMessage, "明白"[:3]+"\xe7\x99\xbd")
		<-c.Context().Done() // what came before the close is still there
		wantMessage(t, c, wsframework.BinaryMessage, strings.Repeat("b", 70_000))
		if cause := wantEnd(t, c, 4000, "再见"); !cause.Remote || cause.Err != nil {
			t.Errorf("the cause is %v", cause)
		}
		if c.LastPong().IsZero() {
			t.Error("the pong was not noted")
		}
	})
}

// A server that goes without a close frame.
func TestClientLosesServer(t *testing.T) {
	for name, frames := range map[string]string{
		"between messages":           serverFrame(wstest.TextFrame, "whole"),
		"within a header":            serverFrame(wstest.TextFrame, "whole") + "\x81",
		"within a payload":           serverFrame(wstest.TextFrame, "whole") + "\x81\x05ab",
		"within a close frame":       serverFrame(wstest.TextFrame, "whole") + "\x88\x02\x03",
		"between fragments":          serverFrame(wstest.TextFrame, "whole") + serverFrame(0x01, "ab"),
		"within a large message":     serverFrame(wstest.TextFrame, "whole") + serverFrame(wstest.TextFrame, strings.Repeat("a", 100_000))[:70_000],
		"right behind the handshake": "",
	} {
		everywhere(t, func(t *testing.T, n network) {
			s := n.rawServe(t, func(p *rawPeer) { p.accept(frames) })
			c := s.client(s.dialer())
			if frames != "" {
				wantMessage(t, c, wsframework.TextMessage, "whole")
			}
			cause := wantEnd(t, c, wsframework.CloseAbnormal, "")
			if cause.Remote || cause.Code != 1006 || !errors.Is(cause, wsframework.ErrPeerGone) {
				t.Errorf("%s: the cause is %v", name, cause)
			}
			if err := c.WriteText("a"); err != wsframework.ErrClosed {
				t.Errorf("%s: WriteText: %v", name, err)
			}
		})
	}
}
