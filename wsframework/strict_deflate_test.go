package wsframework_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

// RFC 7692, 6 and 7.2: compressed messages. TestInflating has more of them, by their blocks.

func TestStrictDeflate(t *testing.T) {
	const flush = "\x00\x00\xff\xff"
	var rows []strictRow
	add := func(name, offer string, code int, want string, frames ...strictFrame) {
		rows = append(rows, strictRow{name: fmt.Sprintf("%s, %s", name, offer), offer: offer, frames: frames, want: want, code: code})
	}
	for _, offer := range []string{deflateTakeover, deflateAlone} {
		// Messages of all sizes, each by itself, in fragments, and beside one that is not compressed.
		for _, n := range []int{0, 1, 5, 125, 126, 1000, 32_767, 32_768, 32_769, 65_536, strictLimit} {
			message := strings.Repeat("0123456789", n/10+1)[:n]
			data := z(message)
			half := len(data) / 2
			add(fmt.Sprint("message of ", n), offer, done, "|"+message, fr(zText, data))
			add(fmt.Sprint("binary of ", n), offer, done, "#"+message, fr(zBinary, data))
			add(fmt.Sprint("fragments of ", n), offer, done, "|"+message, fr(zTextPart, data[:half]), fr(part, ""), fr(last, data[half:]))
			add(fmt.Sprint("an empty last fragment behind ", n), offer, done, "|"+message, fr(zTextPart, data), fr(last, ""))
			add(fmt.Sprint("plain and compressed of ", n), offer, done, "|"+message+"|"+message, fr(wstest.TextFrame, message), fr(zText, data))
			add(fmt.Sprint("not removed tail behind ", n), offer, done, "|"+message, fr(zText, data+flush+"\x00"))
		}
		add("nothing", offer, done, "||a", fr(zText, ""), fr(zText, z("a")))
		add("one octet over the limit", offer, 1009, "", fr(zText, z(strings.Repeat("x", strictLimit+1))))
		add("a bomb", offer, 1009, "", fr(zBinary, z(strings.Repeat("x", 16<<20))))
		add("a bomb in a message that goes on", offer, 1009, "", fr(zBinPart, z(strings.Repeat("x", 1<<20))))
		add("a bomb in fragments", offer, 1009, "", fr(zBinPart, z(strings.Repeat("x", 60_000))+flush), fr(last, z(strings.Repeat("x", 60_000))))
		add("announced too long", offer, 1009, "", strictFrame{first: zBinary, missing: 2 * strictLimit})
		add("growing messages", offer, done, "|a|aa|aaaa|aaaaaaaa", fr(zText, z("a")), fr(zText, z("aa")), fr(zText, z("aaaa")), fr(zText, z("aaaaaaaa")))

		// What is no deflate data, or not all of it.
		hello := z("hello hello hello")
		for i := 1; i < len(hello)-1; i++ {
			add(fmt.Sprintf("%d octets of a message", i), offer, 1007, "|a", fr(zText, z("a")), fr(zText, hello[:i]), fr(zText, z("b")))
		}
		for name, data := range map[string]string{
			"reserved block type": "\x06", "length that does not match": "\x00\x05\x00\x00\x00hello\x00", "no block": "\xff\xff\xff",
			"reference to nothing": behind("hello hello", "hello hello"), "too many codes": "\xfc\xff\xff\xff\xff",
		} {
			add(name, offer, 1007, "", fr(zText, data))
			add(name+" in a message that goes on", offer, 1007, "", fr(zTextPart, data+strings.Repeat("\xff", 10)))
			add(name+" behind a good block", offer, 1007, "", fr(zText, storedBlock(0, "good")+data))
		}

		// RSV1 belongs on the first frame of a message.
		add("RSV1 on the last fragment only", offer, 1002, "", fr(0x01, "a"), fr(0xC0, z("b")))
		add("RSV1 on all fragments", offer, 1002, "", fr(zTextPart, hello[:2]), fr(0xC0, hello[2:]))
		add("RSV1 on a continuation of nothing", offer, 1002, "", fr(0xC0, z("b")))
		add("ping between fragments", offer, done, "|hello hello hello", fr(zTextPart, hello[:2]), fr(wstest.PongFrame, ""), fr(last, hello[2:]))
		add("new message between fragments", offer, 1002, "", fr(zTextPart, hello[:2]), fr(zText, hello))
	}

	// A peer that has not given up its context may refer to the message before, through what is not
	// compressed, and 32 KiB back; one that has may not.
	history := strings.Repeat("a history that is worth a reference. ", 10)
	again := behind(history, history)
	plain := strings.Repeat("p", 1000)
	far := history + strings.Repeat("x", 32_768-len(history))
	add("reference to the message before", deflateTakeover, done, "|"+history+"|"+history, fr(zText, z(history)), fr(zText, again))
	add("reference through a plain one", deflateTakeover, done, "|"+history+"|"+plain+"|"+history, fr(zText, z(history)), fr(wstest.TextFrame, plain), fr(zText, again))
	add("reference through an empty one", deflateTakeover, done, "|"+history+"||"+history, fr(zText, z(history)), fr(zText, "\x00"), fr(zText, again))
	add("reference as far as may be", deflateTakeover, done, "|"+far+"|"+history, fr(zText, z(far)), fr(zText, behind(far, history)))
	add("reference in fragments", deflateTakeover, done, "|"+history+"|"+history, fr(zText, z(history)), fr(zTextPart, again[:2]), fr(last, again[2:]))
	add("reference to a plain one", deflateTakeover, 1007, "|"+history, fr(wstest.TextFrame, history), fr(zText, again))
	add("reference to the message before", deflateAlone, 1007, "|"+history, fr(zText, z(history)), fr(zText, again))
	testStrict(t, rows)
}
