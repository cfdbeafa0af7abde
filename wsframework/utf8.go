package wsframework

import "unicode/utf8"

// A utf8Check validates text that arrives in pieces, and fails at the first octet that no valid text
// can have in its place (RFC 6455, 8.1).
type utf8Check struct {
	carry [utf8.UTFMax]byte // the beginning of a character whose rest has not arrived
	n     int
}

// write reports whether the text so far can still become valid.
func (u *utf8Check) write(p []byte) bool {
	for u.n > 0 && len(p) > 0 {
		u.carry[u.n] = p[0]
		u.n++
		p = p[1:]
		if utf8.FullRune(u.carry[:u.n]) {
			if !utf8.Valid(u.carry[:u.n]) {
				return false
			}
			u.n = 0
		}
	}
	// Only the last character can be incomplete: find where it begins.
	end := len(p)
	for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
		if utf8.RuneStart(p[len(p)-i]) {
			if !utf8.FullRune(p[len(p)-i:]) {
				end = len(p) - i
			}
			break
		}
	}
	if !utf8.Valid(p[:end]) {
		return false
	}
	u.n += copy(u.carry[u.n:], p[end:])
	return true
}

// complete reports whether the text ends with a whole character.
func (u *utf8Check) complete() bool { return u.n == 0 }
