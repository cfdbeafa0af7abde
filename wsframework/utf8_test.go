package wsframework

import (
	"testing"
	"unicode/utf8"
)

// texts has valid text and every kind of mistake: stray continuations, overlong forms, surrogates,
// beyond U+10FFFF, cut short, octets that are never used.
var texts = []string{
	"", "a", "hello", "é", "再见", "😀", "a😀b再c", "\u0080\u07FF\u0800\uD7FF\uE000\uFFFF\U00010000\U0010FFFF",
	"\x80", "a\x80", "\xBF\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
	"\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF",
	"\xC3", "\xE5\x86", "\xF0\x9F\x98", "\xF0\x9F", "\xC3a", "\xE5\x86a", "\xF0\x9F\x98a", "\xC3\xC3\xA9",
	"再\xE5\x86", "再\xE5\x86\xFF见", "\xF0\x9F\x98\x80\x80",
}

// viable is the slow oracle: text can still become valid if some of the tails that exist completes it.
func viable(p string) bool {
	if utf8.ValidString(p) {
		return true
	}
	tails := []string{""}
	for range 3 {
		var longer []string
		for _, tail := range tails {
			for _, b := range []byte{0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF} {
				t := tail + string([]byte{b})
				if utf8.ValidString(p + t) {
					return true
				}
				longer = append(longer, t)
			}
		}
		tails = longer
	}
	return false
}

// viables tells for each beginning of text whether it is viable.
func viables(text string) []bool {
	answers := make([]bool, len(text)+1)
	for i := range answers {
		answers[i] = viable(text[:i])
	}
	return answers
}

// checkPieces gives text to a check in pieces that end at the given places. ok is viables(text).
func checkPieces(t *testing.T, text string, ok []bool, ends ...int) {
	t.Helper()
	var u utf8Check
	begin := 0
	for _, end := range append(ends, len(text)) {
		if got, want := u.write([]byte(text[begin:end])), ok[end]; got != want {
			t.Fatalf("%q in pieces %v: after %q it says %v, want %v", text, ends, text[:end], got, want)
		} else if !got {
			return
		}
		begin = end
	}
	if got, want := u.complete(), utf8.ValidString(text); got != want {
		t.Fatalf("%q in pieces %v: complete %v, want %v", text, ends, got, want)
	}
}

func TestUTF8CheckInAllPieces(t *testing.T) {
	for _, a := range texts {
		for _, b := range texts {
			text := a + b
			ok := viables(text)
			for i := range len(text) + 1 {
				for j := i; j <= len(text); j++ {
					checkPieces(t, text, ok, i, j)
				}
			}
		}
	}
}

// Octet by octet, it fails at the first one that no valid text has in its place.
func TestUTF8CheckFailsAtOnce(t *testing.T) {
	for _, text := range texts {
		var ends []int
		for i := range len(text) {
			ends = append(ends, i)
		}
		checkPieces(t, text, viables(text), ends...)
	}
}

func FuzzUTF8Check(f *testing.F) {
	for i, text := range texts {
		f.Add([]byte(text), uint8(i%3), uint8(i%5))
	}
	f.Fuzz(func(t *testing.T, data []byte, i, j uint8) {
		text := string(data)
		ok := viables(text)
		a := int(i) % (len(text) + 1)
		b := a + int(j)%(len(text)-a+1)
		checkPieces(t, text, ok, a, b)
		var ends []int
		for k := range min(len(text), 64) {
			ends = append(ends, k)
		}
		checkPieces(t, text, ok, ends...)
	})
}
