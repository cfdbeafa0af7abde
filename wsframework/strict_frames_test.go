package wsframework_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

// RFC 6455, 5.1 and 5.2: masks, lengths, reserved bits and opcodes.

const noOffer, deflateTakeover, deflateAlone = "", "permessage-deflate", "permessage-deflate; client_no_context_takeover"

func kindOf(first byte) string {
	return map[byte]string{0x0: "continuation", 0x1: "text", 0x2: "binary", 0x8: "close", 0x9: "ping", 0xA: "pong"}[first&0xF]
}

func TestStrictLengths(t *testing.T) {
	var rows []strictRow
	for _, n := range []int{0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536, 65_537, strictLimit} {
		payload := strings.Repeat("x", n)
		rows = append(rows,
			strictRow{name: fmt.Sprint("text of ", n), frames: []strictFrame{fr(wstest.TextFrame, payload)}, want: "|" + payload, code: done},
			strictRow{name: fmt.Sprint("binary of ", n), frames: []strictFrame{fr(wstest.BinaryFrame, payload)}, want: "#" + payload, code: done},
			strictRow{name: fmt.Sprint("fragments of 0 and ", n), frames: []strictFrame{fr(0x01, ""), fr(0x80, payload)}, want: "|" + payload, code: done},
		)
		for form, least := range map[byte]int{126: 126, 127: 65_536} {
			if n >= least {
				continue
			}
			wrong := strictFrame{first: wstest.BinaryFrame, payload: payload, form: form}
			rows = append(rows, strictRow{name: fmt.Sprintf("%d in form %d", n, form), frames: []strictFrame{fr(wstest.TextFrame, "a"), wrong, fr(wstest.TextFrame, "b")}, want: "|a", code: 1002})
			wrong.first = 0x80
			rows = append(rows, strictRow{name: fmt.Sprintf("%d in form %d, continued", n, form), frames: []strictFrame{fr(0x01, "a"), wrong}, code: 1002})
		}
	}
	for _, first := range []byte{wstest.TextFrame, wstest.BinaryFrame, 0x01, 0x02} {
		for name, missing := range map[string]uint64{"one more than the limit": strictLimit + 1, "2^31": 1 << 31, "2^32": 1 << 32, "2^62": 1 << 62, "2^63-1": 1<<63 - 1} {
			rows = append(rows, strictRow{name: fmt.Sprintf("frame %x of %s", first, name), frames: []strictFrame{{first: first, missing: missing}}, code: 1009})
		}
		for name, missing := range map[string]uint64{"2^63": 1 << 63, "2^64-1": 1<<64 - 1} {
			rows = append(rows, strictRow{name: fmt.Sprintf("frame %x of %s", first, name), frames: []strictFrame{{first: first, missing: missing}}, code: 1002})
		}
	}
	rows = append(rows,
		strictRow{name: "one more than the limit in fragments", frames: []strictFrame{fr(0x02, strings.Repeat("x", strictLimit)), {first: 0x80, missing: 1}}, code: 1009},
		strictRow{name: "2^63-1 more than one", frames: []strictFrame{fr(0x02, "a"), {first: 0x80, missing: 1<<63 - 1}}, code: 1009},
		strictRow{name: "the limit in fragments", frames: []strictFrame{fr(0x02, strings.Repeat("x", strictLimit-1)), fr(0x00, ""), fr(0x80, "x")}, want: "#" + strings.Repeat("x", strictLimit), code: done},
	)
	testStrict(t, rows)
}

func TestStrictReserved(t *testing.T) {
	var rows []strictRow
	for _, offer := range []string{noOffer, deflateTakeover} {
		for rsv := byte(0x10); rsv <= 0x70; rsv += 0x10 {
			for _, first := range []byte{wstest.TextFrame, wstest.BinaryFrame, 0x01, 0x02, 0x80, 0x00, wstest.CloseFrame, wstest.PingFrame, wstest.PongFrame} {
				if offer != "" && rsv == 0x40 && (kindOf(first) == "text" || kindOf(first) == "binary") {
					continue // compressed
				}
				frames := []strictFrame{fr(wstest.TextFrame, "a"), fr(first|rsv, "")}
				if kindOf(first) == "continuation" {
					frames = []strictFrame{fr(wstest.TextFrame, "a"), fr(0x02, ""), fr(first|rsv, "")}
				}
				rows = append(rows, strictRow{name: fmt.Sprintf("%s %x with reserved bits %x %s", kindOf(first), first, rsv, offer), offer: offer, frames: frames, want: "|a", code: 1002})
			}
		}
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		for _, fin := range []byte{0x00, 0x80} {
			rows = append(rows,
				strictRow{name: fmt.Sprintf("opcode %x", fin|op), frames: []strictFrame{fr(wstest.TextFrame, "a"), fr(fin|op, "b")}, want: "|a", code: 1002},
				strictRow{name: fmt.Sprintf("opcode %x, its header only", fin|op), frames: []strictFrame{{first: fin | op, missing: 5, truncate: 2}}, code: 1002},
				strictRow{name: fmt.Sprintf("opcode %x between fragments", fin|op), frames: []strictFrame{fr(0x01, "a"), fr(fin|op, ""), fr(0x80, "b")}, code: 1002},
			)
		}
	}
	testStrict(t, rows)
}

func TestStrictMasks(t *testing.T) {
	var rows []strictRow
	for _, first := range []byte{wstest.TextFrame, wstest.BinaryFrame, 0x01, 0x02, wstest.CloseFrame, wstest.PingFrame, wstest.PongFrame} {
		for _, payload := range []string{"", "\x03\xe8", strings.Repeat("x", 100)} {
			wrong := strictFrame{first: first, payload: payload, unusual: true}
			rows = append(rows,
				strictRow{name: fmt.Sprintf("frame %x of %d", first, len(payload)), frames: []strictFrame{fr(wstest.TextFrame, "a"), wrong, fr(wstest.TextFrame, "b")}, want: "|a", code: 1002},
				strictRow{name: fmt.Sprintf("frame %x of %d, two octets of it", first, len(payload)), frames: []strictFrame{{first: first, payload: payload, unusual: true, truncate: 2}}, code: 1002},
			)
		}
	}
	for _, first := range []byte{0x00, 0x80} {
		rows = append(rows, strictRow{name: fmt.Sprintf("continuation %x", first), frames: []strictFrame{fr(0x01, "a"), {first: first, unusual: true}}, code: 1002})
	}
	testStrict(t, rows)
}
