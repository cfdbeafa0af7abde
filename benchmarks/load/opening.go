package load

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The key is RFC 6455's own example (1.3), and so is the answer that it must get.
const (
	handshakeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	handshakeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// request returns the opening handshake (RFC 6455, 4.1). The offer of compression keeps no context
// between messages in either direction.
func request(t Target, path string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, t.Addr)
	b.WriteString("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n")
	b.WriteString("Sec-WebSocket-Key: " + handshakeKey + "\r\n")
	if t.Compress {
		b.WriteString("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// checkResponse checks the header of the server's answer. It returns whether the server compresses its
// messages with those before them in mind, although it was asked not to.
func checkResponse(header []byte, compress bool) (takeover bool, err error) {
	status, fields, _ := bytes.Cut(header, []byte("\r\n"))
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 101")) {
		return false, fmt.Errorf("the handshake was answered with %q", status)
	}
	accepted, compressed := false, false
	for line := range bytes.SplitSeq(fields, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Sec-WebSocket-Accept")):
			accepted = string(value) == handshakeAccept
		case bytes.EqualFold(name, []byte("Sec-WebSocket-Extensions")):
			compressed = bytes.HasPrefix(value, []byte("permessage-deflate"))
			takeover = !bytes.Contains(value, []byte("server_no_context_takeover"))
		}
	}
	switch {
	case !accepted:
		return false, errors.New("the handshake's answer has no right Sec-WebSocket-Accept (RFC 6455, 4.2.2)")
	case compressed != compress:
		return false, fmt.Errorf("agreed on compression: %t; it must be %t", compressed, compress)
	}
	return takeover, nil
}
