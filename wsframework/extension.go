package wsframework

import "strings"

// An extension is an element of Sec-WebSocket-Extensions (RFC 6455, 9.1), an offer or an answer.
type extension struct {
	name   string
	params []extensionParam
}

type extensionParam struct {
	name, value string
	hasValue    bool
}

// parseExtensions reads the headers Sec-WebSocket-Extensions, which are one list. It fails if they are
// malformed, which fails the handshake (RFC 6455, 4.2.1 and 9.1).
func parseExtensions(headers []string) (list []extension, ok bool) {
	for _, header := range headers {
		for s := (scanner{header}); ; {
			name, found := s.token()
			if found {
				e := extension{name: name}
				if e.params, ok = s.params(); !ok {
					return nil, false
				}
				list = append(list, e)
			}
			if s.end() {
				break
			}
			if !s.next(',') { // else an element that is empty is none (RFC 9110, 5.6.1)
				return nil, false
			}
		}
	}
	return list, true
}

// A scanner takes a header's value apart (RFC 9110, 5.6).
type scanner struct{ rest string }

func (s *scanner) params() (params []extensionParam, ok bool) {
	for s.next(';') {
		var p extensionParam
		if p.name, ok = s.token(); !ok {
			return nil, false
		}
		if p.hasValue = s.next('='); p.hasValue {
			if p.value, ok = s.value(); !ok {
				return nil, false
			}
		}
		params = append(params, p)
	}
	return params, true
}

// value reads a token, also if it is in quotes.
func (s *scanner) value() (string, bool) {
	if !s.next('"') {
		return s.token()
	}
	var b strings.Builder
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String(), isToken(b.String())
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

func (s *scanner) token() (string, bool) {
	s.skipSpace()
	n := 0
	for n < len(s.rest) && isTokenByte(s.rest[n]) {
		n++
	}
	token := s.rest[:n]
	s.rest = s.rest[n:]
	return token, n > 0
}

// next consumes c if it comes next.
func (s *scanner) next(c byte) bool {
	s.skipSpace()
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) end() bool {
	s.skipSpace()
	return s.rest == ""
}

func (s *scanner) skipSpace() { s.rest = strings.TrimLeft(s.rest, " \t") }

// isToken reports whether s is a token (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isTokenByte(c byte) bool {
	return c > ' ' && c < 0x7F && strings.IndexByte(`()<>@,;:\"/[]?={}`, c) < 0
}
