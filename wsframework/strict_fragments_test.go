package wsframework_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

// RFC 6455, 5.4: messages in fragments.

// fragmented cuts a message into n fragments, of which those in the set empty have no payload.
func fragmented(op byte, message string, n int, empty uint) (frames []strictFrame) {
	rest, full := message, 0
	for i := range n {
		if empty>>i&1 == 0 {
			full++
		}
	}
	for i := range n {
		payload := ""
		if empty>>i&1 == 0 {
			size := len(rest) / full
			payload, rest, full = rest[:size], rest[size:], full-1
		}
		first := byte(0)
		if i == 0 {
			first = op
		}
		if i == n-1 {
			first |= 0x80
		}
		frames = append(frames, fr(first, payload))
	}
	return frames
}

func TestStrictFragments(t *testing.T) {
	var rows []strictRow
	for n := 1; n <= 5; n++ {
		for empty := range uint(1 << n) {
			message := "every octet of 再见 counts"
			if empty == 1<<n-1 {
				message = ""
			}
			frames := fragmented(0x01, message, n, empty)
			rows = append(rows, strictRow{name: fmt.Sprintf("%d fragments, empty are %b", n, empty), frames: frames, want: "|" + message, code: done})
			if n > 3 {
				continue
			}
			var between []strictFrame
			pongs := ""
			for i, f := range frames {
				pongs += fmt.Sprint("|", i)
				between = append(between, f, fr(wstest.PongFrame, ""), fr(wstest.PingFrame, fmt.Sprint(i)))
			}
			rows = append(rows, strictRow{name: fmt.Sprintf("%d fragments with pings, empty are %b", n, empty),
				frames: between, want: "|" + message, pongs: pongs, code: done})
			rows = append(rows, strictRow{name: fmt.Sprintf("%d binary fragments, empty are %b", n, empty),
				frames: append(fragmented(0x02, message, n, empty), fr(wstest.TextFrame, "next")), want: "#" + message + "|next", code: done})
		}
	}
	many := fragmented(0x01, strings.Repeat("x", 200), 400, 0xAAAA)
	rows = append(rows, strictRow{name: "400 fragments", frames: many, want: "|" + strings.Repeat("x", 200), code: done})

	a, b, end := fr(0x01, "a"), fr(0x00, "b"), fr(0x80, "c")
	for name, frames := range map[string][]strictFrame{
		"continuation at first":                       {b},
		"last continuation at first":                  {end},
		"continuation behind a message":               {fr(wstest.TextFrame, "a"), b},
		"last continuation behind a message":          {fr(wstest.TextFrame, "a"), end},
		"continuation behind a fragmented message":    {a, end, b},
		"last behind a fragmented message":            {a, b, end, end},
		"text behind a fragment":                      {a, fr(wstest.TextFrame, "x")},
		"binary behind a fragment":                    {a, fr(wstest.BinaryFrame, "x")},
		"text that goes on behind a fragment":         {a, a},
		"binary that goes on behind a fragment":       {a, fr(0x02, "x")},
		"text behind a continuation":                  {a, b, fr(wstest.TextFrame, "x"), end},
		"text behind an empty fragment":               {fr(0x01, ""), fr(wstest.TextFrame, "x")},
		"an empty text behind a fragment":             {a, fr(wstest.TextFrame, "")},
		"text behind a fragment and a ping":           {a, fr(wstest.PongFrame, ""), fr(wstest.TextFrame, "x")},
		"binary behind a binary fragment":             {fr(0x02, "x"), fr(wstest.BinaryFrame, "x")},
		"continuation behind a ping":                  {fr(wstest.PongFrame, ""), end},
		"a compressed message where none may be":      {fr(0xC1, "x")},
		"a compressed continuation where none may be": {a, fr(0xC0, "x")},
	} {
		want := ""
		if strings.HasSuffix(name, "behind a message") {
			want = "|a"
		} else if name == "continuation behind a fragmented message" {
			want = "|ac"
		} else if name == "last behind a fragmented message" {
			want = "|abc"
		}
		rows = append(rows,
			strictRow{name: name, frames: frames, want: want, code: 1002},
			strictRow{name: name + ", and good ones behind", frames: append(frames[:len(frames):len(frames)], end, fr(wstest.TextFrame, "x"), fr(wstest.PingFrame, "x")), want: want, code: 1002},
		)
	}
	testStrict(t, rows)
}
