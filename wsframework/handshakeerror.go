package wsframework

import (
	"fmt"
	"net/http"
)

// A HandshakeError is what Connect returns when the server answered, but not with a connection: it refused
// (Status is not 101), or what it answered is no handshake that was asked for. As the HTTPError that
// Tornado's websocket_connect raises.
type HandshakeError struct {
	Status int         // of the answer
	Header http.Header // of the answer; Location, say, as redirects are not followed
	Body   []byte      // the first KiB of a refusal
	Err    error       // what is wrong with an answer of status 101
}

func (e *HandshakeError) Error() string {
	switch {
	case e == nil:
		return "a nil *HandshakeError"
	case e.Err != nil:
		return fmt.Sprintf("wsframework: the server's answer is no handshake that was asked for: %v", e.Err)
	}
	text := fmt.Sprintf("wsframework: the server refused the handshake with %d %s", e.Status, http.StatusText(e.Status))
	if location := e.Header.Get("Location"); location != "" {
		return text + fmt.Sprintf(": connect to %.200q in its place", location)
	}
	if len(e.Body) > 0 {
		return text + fmt.Sprintf(": %.200q", e.Body)
	}
	return text
}

// Unwrap returns Err.
func (e *HandshakeError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}
