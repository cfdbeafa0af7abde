package wsframework_test

import (
	"fmt"
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

// RFC 6455, 8.1, and RFC 3629: text is UTF-8, and the connection fails at the first octet by which it can't be.

var validTexts = []string{
	"\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\U00010000", "\U0001fffe", "\U0010ffff",
	"Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "再见", "👩\u200d👧", "\ufeffa",
}

// Each ends with the octet that can't be there.
var hopelessTexts = []string{
	"\x80", "\xbf", "a\x80", "\xc0", "\xc1", "\xf5", "\xf6", "\xf8", "\xfc", "\xfe", "\xff", // octets that never come, or never begin
	"\xc2a", "\xdf\xc2", "\xe1a", "\xe1\x80a", "\xe1\x80\xe1", "\xf1a", "\xf1\x80a", "\xf1\x80\x80a", "\xf1\x80\x80\xff", // cut short
	"\xe0\x80", "\xe0\x9f", "\xf0\x80", "\xf0\x8f", // longer than necessary
	"\xed\xa0", "\xed\xbf", "abc\xed\xae", // surrogates
	"\xf4\x90", "\xf4\xbf", // beyond U+10FFFF
	"再\x8d", "κόσμε\xed\xa0", "\u00b5\xc2\xb5\x80",
}

// Each ends within a character.
var halfTexts = []string{"\xc2", "\xe1", "\xe1\x80", "\xe0\xa0", "\xed\x9f", "\xf1", "\xf1\x80", "\xf1\x80\x80", "\xf0\x90", "\xf4\x8f", "\xf4\x8f\xbf", "再\xe8\xa7"}

func TestStrictText(t *testing.T) {
	var rows []strictRow
	for _, offer := range []string{noOffer, deflateTakeover} {
		bits := byte(0)
		data := func(s string) string { return s }  // of a message's end
		begun := func(s string) string { return s } // of what is not
		if offer != "" {
			bits = 0x40
			data = func(s string) string { return storedBlock(0, s) + "\x00" }
			begun = func(s string) string { return storedBlock(0, s) + storedBlock(0, "") } // flushed
		}
		add := func(name string, code int, want string, frames ...strictFrame) {
			rows = append(rows, strictRow{name: fmt.Sprintf("%s %s", name, offer), offer: offer, frames: frames, want: want, code: code})
		}
		whole, first := byte(wstest.TextFrame|bits), byte(0x01|bits)
		for _, s := range validTexts {
			add(fmt.Sprintf("%+q", s), done, "|"+s, fr(whole, data(s)))
			for i := 1; i < len(s) && i < 4; i++ {
				add(fmt.Sprintf("%+q parted behind %d", s, i), done, "|"+s, fr(first, begun(s[:i])), fr(0x00, ""), fr(0x80, data(s[i:])))
			}
		}
		for _, s := range append(hopelessTexts, halfTexts...) {
			add(fmt.Sprintf("%+q", s), 1007, "|before", fr(whole, data("before")), fr(whole, data(s)), fr(whole, data("behind")))
			add(fmt.Sprintf("%+q in a last fragment", s), 1007, "", fr(first, begun("a")), fr(0x80, data(s)))
			add(fmt.Sprintf("%+q as binary", s), done, "#"+s, fr(whole+1, data(s)))
		}
		for _, s := range hopelessTexts {
			n := len(s) - 1
			add(fmt.Sprintf("%+q in a message that goes on", s), 1007, "", fr(first, begun(s)))
			add(fmt.Sprintf("%+q, its last octet in the next fragment", s), 1007, "", fr(first, begun(s[:n])), fr(0x00, begun(s[n:])))
			if offer == "" { // what is compressed is seen at the end of a block
				add(fmt.Sprintf("%+q in a frame that goes on", s), 1007, "", strictFrame{first: whole, payload: s, missing: 1000})
				add(fmt.Sprintf("%+q in a last fragment that goes on", s), 1007, "", fr(first, s[:n]), strictFrame{first: 0x80, payload: s[n:], missing: 60_000})
			}
		}
		for _, s := range halfTexts {
			add(fmt.Sprintf("%+q and nothing in a last fragment", s), 1007, "", fr(first, begun(s)), fr(0x80, data("")))
			add(fmt.Sprintf("%+q and a message", s), 1002, "", fr(first, begun(s)), fr(wstest.TextFrame, "a"))
		}
	}
	testStrict(t, rows)
}
