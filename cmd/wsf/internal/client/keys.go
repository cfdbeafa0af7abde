package client

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A keyName is what a key does. Text is the keys that have a character.
type keyName int

const (
	keyNone keyName = iota
	keyText
	keyEnter
	keyInterrupt // Ctrl-C
	keyEnd       // of input, or delete: Ctrl-D
	keyLeft
	keyRight
	keyWordLeft
	keyWordRight
	keyLineStart
	keyLineEnd
	keyUp
	keyDown
	keyBackspace
	keyDelete
	keyKillWord
	keyKillLeft
	keyKillRight
	keyClear // Ctrl-L
)

// A key is one that was pressed.
type key struct {
	name keyName
	text string
}

// controlKeys are those with one byte, as in readline's Emacs mode.
var controlKeys = map[byte]keyName{
	'\r': keyEnter, '\n': keyEnter,
	0x01: keyLineStart, 0x02: keyLeft, 0x03: keyInterrupt, 0x04: keyEnd, 0x05: keyLineEnd, 0x06: keyRight,
	0x08: keyBackspace, 0x0b: keyKillRight, 0x0c: keyClear, 0x0e: keyDown, 0x10: keyUp,
	0x15: keyKillLeft, 0x17: keyKillWord, 0x7f: keyBackspace,
}

// sequenceKeys are those that terminals send as ESC [ … or ESC O …; modifiers are in between.
var sequenceKeys = map[string]keyName{
	"A": keyUp, "B": keyDown, "C": keyRight, "D": keyLeft, "H": keyLineStart, "F": keyLineEnd,
	"1~": keyLineStart, "7~": keyLineStart, "4~": keyLineEnd, "8~": keyLineEnd, "3~": keyDelete,
	"1;5C": keyWordRight, "1;5D": keyWordLeft, "1;3C": keyWordRight, "1;3D": keyWordLeft,
}

// altKeys are those pressed with Alt, which sends ESC before them.
var altKeys = map[byte]keyName{'b': keyWordLeft, 'f': keyWordRight, 0x7f: keyKillWord}

const escape = 0x1b

// A keyReader finds the keys in what a terminal sends, whichever way it is cut in pieces.
type keyReader struct{ pending []byte }

// feed takes more bytes and returns the keys that are complete.
func (r *keyReader) feed(more []byte) (keys []key) {
	r.pending = append(r.pending, more...)
	for len(r.pending) > 0 {
		k, n := firstKey(r.pending)
		if n == 0 {
			break
		}
		r.pending = r.pending[n:]
		if k.name != keyNone {
			keys = append(keys, k)
		}
	}
	return keys
}

// firstKey returns the first key and how many bytes it takes: 0 if it is not complete.
func firstKey(p []byte) (key, int) {
	switch {
	case p[0] == escape:
		return escapedKey(p)
	case controlKeys[p[0]] != keyNone:
		return key{name: controlKeys[p[0]]}, 1
	case !utf8.FullRune(p):
		return key{}, 0
	}
	n := 0
	var text strings.Builder
	for n < len(p) && utf8.FullRune(p[n:]) {
		c, size := utf8.DecodeRune(p[n:])
		if c != '\t' && unicode.IsControl(c) {
			if n == 0 {
				return key{}, size // a key that does nothing here
			}
			break
		}
		n += size
		text.WriteRune(c) // which makes U+FFFD of what is not UTF-8
	}
	return key{name: keyText, text: text.String()}, n
}

func escapedKey(p []byte) (key, int) {
	if len(p) < 2 {
		return key{}, 0
	}
	switch p[1] {
	case '[', 'O':
		for n := 2; n < len(p); n++ {
			if p[n] >= 0x40 && p[n] <= 0x7e { // ECMA-48, 5.4: the final byte
				return key{name: sequenceKeys[string(p[2:n+1])]}, n + 1
			}
		}
		return key{}, 0
	case escape:
		return key{}, 1
	}
	return key{name: altKeys[p[1]]}, 2
}
