package wsframework_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

// RFC 6455, 5.5 and 7.4: control frames, and closing.

func TestStrictControlFrames(t *testing.T) {
	var rows []strictRow
	for _, n := range []int{0, 1, 2, 124, 125} {
		data := strings.Repeat("\xff", n) // need not be text
		rows = append(rows,
			strictRow{name: fmt.Sprint("ping of ", n), frames: []strictFrame{fr(wstest.PingFrame, data)}, pongs: "|" + data, code: done},
			strictRow{name: fmt.Sprint("ping between messages of ", n), frames: []strictFrame{fr(wstest.TextFrame, "a"), fr(wstest.PingFrame, data), fr(wstest.TextFrame, "b")}, want: "|a|b", pongs: "|" + data, code: done},
			strictRow{name: fmt.Sprint("ping between fragments of ", n), frames: []strictFrame{fr(0x01, "a"), fr(wstest.PingFrame, data), fr(0x80, "b")}, want: "|ab", pongs: "|" + data, code: done},
			strictRow{name: fmt.Sprint("pong of ", n), frames: []strictFrame{fr(wstest.PongFrame, data), fr(wstest.TextFrame, "a")}, want: "|a", code: done},
			strictRow{name: fmt.Sprint("pong between fragments of ", n), frames: []strictFrame{fr(0x02, "a"), fr(wstest.PongFrame, data), fr(0x80, "b")}, want: "#ab", code: done},
		)
	}
	for _, first := range []byte{wstest.CloseFrame, wstest.PingFrame, wstest.PongFrame} {
		kind := kindOf(first)
		for _, n := range []int{126, 127, 1000, 65_536} {
			rows = append(rows,
				strictRow{name: fmt.Sprintf("%s of %d", kind, n), frames: []strictFrame{fr(wstest.TextFrame, "a"), fr(first, strings.Repeat("x", n)), fr(wstest.TextFrame, "b")}, want: "|a", code: 1002},
				strictRow{name: fmt.Sprintf("%s of %d, two octets of it", kind, n), frames: []strictFrame{{first: first, missing: uint64(n), truncate: 2}}, code: 1002},
			)
		}
		for _, form := range []byte{126, 127} {
			rows = append(rows, strictRow{name: fmt.Sprintf("%s of 2 in form %d", kind, form), frames: []strictFrame{{first: first, payload: "\x03\xe8", form: form}}, code: 1002})
		}
		rows = append(rows,
			strictRow{name: kind + " without FIN", frames: []strictFrame{fr(first&^0x80, "")}, code: 1002},
			strictRow{name: kind + " without FIN, continued", frames: []strictFrame{fr(first&^0x80, "\x03"), fr(0x80, "\xe8")}, code: 1002},
			strictRow{name: kind + " without FIN between fragments", frames: []strictFrame{fr(0x01, "a"), fr(first&^0x80, ""), fr(0x80, "b")}, code: 1002},
		)
	}
	many := strictRow{name: "125 pings", code: done}
	for i := range 125 {
		many.frames = append(many.frames, fr(wstest.PingFrame, fmt.Sprint(i)))
		many.pongs += fmt.Sprint("|", i)
	}
	rows = append(rows, many,
		strictRow{name: "pings all over", frames: []strictFrame{fr(wstest.PingFrame, "1"), fr(0x01, "a"), fr(wstest.PingFrame, "2"), fr(0x00, ""), fr(wstest.PingFrame, "3"), fr(0x80, "b"), fr(wstest.PingFrame, "4")}, want: "|ab", pongs: "|1|2|3|4", code: done},
		strictRow{name: "a ping and a violation", frames: []strictFrame{fr(wstest.PingFrame, "1"), fr(0x83, "")}, pongs: "|1", code: 1002},
		strictRow{name: "a violation and a ping", frames: []strictFrame{fr(0x83, ""), fr(wstest.PingFrame, "1")}, code: 1002},
	)
	testStrict(t, rows)
}

func TestStrictCloseFrames(t *testing.T) {
	var rows []strictRow
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4401, 4999} {
		for _, reason := range []string{"", "bye", "再见", strings.Repeat("x", 123)} {
			rows = append(rows, strictRow{name: fmt.Sprintf("close %d %.10q", code, reason), frames: []strictFrame{fr(wstest.TextFrame, "a"), fr(wstest.CloseFrame, closeBody(code, reason))}, want: "|a", code: code})
		}
	}
	for _, code := range []int{0, 1, 125, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2999, 5000, 5001, 9999, 65535} {
		for _, reason := range []string{"", "bye"} {
			rows = append(rows, strictRow{name: fmt.Sprintf("close %d %q", code, reason), frames: []strictFrame{fr(wstest.TextFrame, "a"), fr(wstest.CloseFrame, closeBody(code, reason))}, want: "|a", code: 1002})
		}
	}
	for i, reason := range []string{"\xff", "a\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "再\xe8", strings.Repeat("x", 122) + "\xe5"} {
		rows = append(rows, strictRow{name: fmt.Sprint("close with a reason that is not UTF-8, ", i), frames: []strictFrame{fr(wstest.CloseFrame, closeBody(1000, reason))}, code: 1007})
	}
	for _, octet := range []string{"\x00", "\x03", "\xff"} {
		rows = append(rows, strictRow{name: fmt.Sprintf("close with the octet %x", octet), frames: []strictFrame{fr(wstest.CloseFrame, octet)}, code: 1002})
	}
	bye := fr(wstest.CloseFrame, closeBody(1001, ""))
	rows = append(rows,
		strictRow{name: "close without a code", frames: []strictFrame{fr(wstest.CloseFrame, "")}, code: 1005},
		strictRow{name: "close without a code within a message", frames: []strictFrame{fr(0x01, "a"), fr(wstest.CloseFrame, "")}, code: 1005},
		strictRow{name: "close within a message", frames: []strictFrame{fr(0x01, "a"), bye, fr(0x80, "b")}, code: 1001},
		strictRow{name: "close within a message, before its last character is whole", frames: []strictFrame{fr(0x01, "\xe5"), bye}, code: 1001},
		strictRow{name: "close within a compressed message", offer: deflateTakeover, frames: []strictFrame{fr(0x41, "\x4a"), bye}, code: 1001},
		strictRow{name: "close with half a code within a message", frames: []strictFrame{fr(0x01, "a"), fr(wstest.CloseFrame, "\x03")}, code: 1002},
		strictRow{name: "message behind close", frames: []strictFrame{bye, fr(wstest.TextFrame, "late")}, code: 1001},
		strictRow{name: "ping behind close", frames: []strictFrame{bye, fr(wstest.PingFrame, "late")}, code: 1001},
		strictRow{name: "close behind close", frames: []strictFrame{bye, fr(wstest.CloseFrame, closeBody(1002, ""))}, code: 1001},
		strictRow{name: "nonsense behind close", frames: []strictFrame{bye, fr(0xff, "late")}, code: 1001},
		strictRow{name: "message behind a violation", frames: []strictFrame{fr(0x83, ""), fr(wstest.TextFrame, "late")}, code: 1002},
		strictRow{name: "close behind a violation", frames: []strictFrame{fr(0x83, ""), bye}, code: 1002},
	)
	testStrict(t, rows)
}

// A peer that leaves without a close frame: whatever was whole counts, and the end is 1006.
func TestStrictCuts(t *testing.T) {
	var rows []strictRow
	for _, offer := range []string{noOffer, deflateTakeover, deflateAlone} {
		bits := byte(0)
		hello := "hello"
		if offer != "" {
			bits, hello = 0x40, z("hello")
		}
		for i := range len(hello) + 2 {
			rows = append(rows, strictRow{name: fmt.Sprintf("in a message that lacks %d octets %s", i+1, offer), offer: offer, code: cut, want: "|hello",
				frames: []strictFrame{fr(wstest.TextFrame|bits, hello), {first: wstest.TextFrame | bits, payload: hello, lacks: i + 1}}})
		}
		rows = append(rows,
			strictRow{name: "between fragments " + offer, offer: offer, frames: []strictFrame{fr(0x01|bits, hello)}, code: cut},
			strictRow{name: "in a last fragment " + offer, offer: offer, frames: []strictFrame{fr(0x01|bits, ""), {first: 0x80, payload: hello, lacks: 3}}, code: cut},
		)
	}
	for i, whole := range []strictFrame{{first: wstest.BinaryFrame, missing: 65_000}, {first: 0x02, missing: 300}, fr(0x02, strings.Repeat("x", 65_000)), {first: wstest.BinaryFrame, payload: strings.Repeat("x", 65_000), missing: 1}, {first: wstest.PingFrame, missing: 3}, {first: wstest.CloseFrame, payload: "\x03", missing: 1}} {
		rows = append(rows, strictRow{name: fmt.Sprint("in frame ", i), frames: []strictFrame{whole}, code: cut})
	}
	rows = append(rows, strictRow{name: "at once", code: cut})
	testStrict(t, rows)
}
