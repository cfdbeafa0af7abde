package wsframework

import (
	"fmt"
	"strconv"
)

// deflateTerms are what the ends of a connection agree on for permessage-deflate (RFC 7692, 7.1), or what
// one of them proposes. The zero value means no compression.
type deflateTerms struct {
	on               bool
	serverNoTakeover bool  // server_no_context_takeover: each message of the server stands for itself
	clientNoTakeover bool  // client_no_context_takeover
	serverBits       uint8 // server_max_window_bits, 8 to 15; 0: not named
	clientBits       uint8 // client_max_window_bits likewise, and 15 where it has no value
}

const maxWindowBits = 15 // of deflate's 32 KiB (RFC 1951, 2)

// String is the terms as Sec-WebSocket-Extensions has them.
func (t deflateTerms) String() string {
	if !t.on {
		return ""
	}
	text := "permessage-deflate"
	if t.serverNoTakeover {
		text += "; server_no_context_takeover"
	}
	if t.clientNoTakeover {
		text += "; client_no_context_takeover"
	}
	if t.serverBits > 0 {
		text += "; server_max_window_bits=" + strconv.Itoa(int(t.serverBits))
	}
	if t.clientBits > 0 {
		text += "; client_max_window_bits=" + strconv.Itoa(int(t.clientBits))
	}
	return text
}

// chooseDeflate returns what a server with these options agrees to: the first of a client's offers that
// is legal, and none if none is (RFC 7692, 5.1).
//
// A client is never told to give up its context unless it has offered that, nor to use a smaller window:
// some clients do not listen, and what it costs us to keep 32 KiB is little.
func chooseDeflate(offers []extension, options *CompressionOptions) deflateTerms {
	if options == nil {
		return deflateTerms{}
	}
	for _, offer := range offers {
		t, ok := offer.deflate(true)
		if !ok {
			continue
		}
		if !options.ContextTakeover || t.serverWindow() < windowSize { // see deflater.window
			t.serverNoTakeover = true
		}
		t.clientBits = 0
		return t
	}
	return deflateTerms{}
}

// offers is what a client with these options proposes, the one that it likes best first. A smaller window
// for what it sends (client_max_window_bits) comes last: servers that have one by default would ask for it,
// and messages are larger for it, but there are some that take no client without.
func (o *CompressionOptions) offers() string {
	best := deflateTerms{on: true, serverNoTakeover: !o.ContextTakeover, clientNoTakeover: !o.ContextTakeover}.String()
	return best + ", " + best + "; client_max_window_bits"
}

// acceptedDeflate returns what a server has answered to a client that offered permessage-deflate, or did
// not (RFC 6455, 9.1; RFC 7692, 7.1). A server that takes its context over although it was offered not to
// is let: Tornado's does.
func acceptedDeflate(answer []string, offered bool) (deflateTerms, error) {
	accepted, ok := parseExtensions(answer)
	switch {
	case !ok:
		return deflateTerms{}, fmt.Errorf("its Sec-WebSocket-Extensions is malformed: %.100q", answer)
	case len(accepted) == 0:
		return deflateTerms{}, nil
	case len(accepted) > 1 || !offered:
		return deflateTerms{}, fmt.Errorf("it chose extensions that were not offered: %.100q", answer)
	}
	t, ok := accepted[0].deflate(false)
	if !ok {
		return deflateTerms{}, fmt.Errorf("it chose an extension, or a parameter of it, that was not offered: %.100q", answer)
	}
	return t, nil
}

// serverWindow returns how far back, in bytes, a server's message may refer, and clientWindow a client's.
func (t deflateTerms) serverWindow() int { return windowOf(t.serverBits) }
func (t deflateTerms) clientWindow() int { return windowOf(t.clientBits) }

func windowOf(bits uint8) int {
	if bits == 0 {
		return windowSize
	}
	return 1 << bits
}

// deflate reads the parameters of permessage-deflate, of an offer or an answer. It fails if any is
// unknown, comes twice or has a wrong value (RFC 7692, 7.1).
func (e extension) deflate(isOffer bool) (t deflateTerms, ok bool) {
	if e.name != "permessage-deflate" {
		return t, false
	}
	for _, p := range e.params {
		bits := p.windowBits()
		switch {
		case p.name == "server_no_context_takeover" && !t.serverNoTakeover && !p.hasValue:
			t.serverNoTakeover = true
		case p.name == "client_no_context_takeover" && !t.clientNoTakeover && !p.hasValue:
			t.clientNoTakeover = true
		case p.name == "server_max_window_bits" && t.serverBits == 0 && bits > 0:
			t.serverBits = bits
		case p.name == "client_max_window_bits" && t.clientBits == 0 && bits > 0:
			t.clientBits = bits
		case p.name == "client_max_window_bits" && t.clientBits == 0 && !p.hasValue && isOffer:
			t.clientBits = maxWindowBits
		default:
			return deflateTerms{}, false
		}
	}
	t.on = true
	return t, true
}

// windowBits returns a value of 8 to 15, or 0 if it is another, or has a zero in front.
func (p extensionParam) windowBits() uint8 {
	n, err := strconv.ParseUint(p.value, 10, 8)
	if err != nil || n < 8 || n > maxWindowBits || p.value[0] == '0' {
		return 0
	}
	return uint8(n)
}
