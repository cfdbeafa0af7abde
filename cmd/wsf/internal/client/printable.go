package client

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable shows what a server sent without letting it steer the terminal: control characters, and those
// that turn the text around them, are written as Go writes them. Lines and tabs stay.
func printable(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, steers) {
		return text
	}
	var safe strings.Builder
	for _, c := range strings.ToValidUTF8(text, "\uFFFD") {
		if steers(c) {
			quoted := strconv.QuoteRuneToASCII(c)
			safe.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		safe.WriteRune(c)
	}
	return safe.String()
}

func steers(c rune) bool {
	return c != '\n' && c != '\t' && (unicode.IsControl(c) || unicode.In(c, unicode.Bidi_Control, unicode.Zl, unicode.Zp))
}

// hexDump shows bytes as hexdump -C does.
func hexDump(data []byte) string { return strings.TrimSuffix(hex.Dump(data), "\n") }
