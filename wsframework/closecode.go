package wsframework

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Close codes: RFC 6455, 7.4.1, and the registry it created. Applications use 4000 to 4999 for their
// own.
const (
	CloseNormal             = 1000 // the purpose of the connection is fulfilled
	CloseGoingAway          = 1001 // the server shuts down, or the page was left
	CloseProtocolError      = 1002
	CloseUnsupportedData    = 1003
	CloseNoStatus           = 1005 // never sent: the close frame had no code
	CloseAbnormal           = 1006 // never sent: there was no close frame
	CloseInvalidPayload     = 1007 // text that is not UTF-8
	ClosePolicyViolation    = 1008 // also: the peer reads too slowly
	CloseMessageTooBig      = 1009
	CloseMandatoryExtension = 1010
	CloseInternalError      = 1011 // a callback failed
	CloseServiceRestart     = 1012
	CloseTryAgainLater      = 1013
	CloseBadGateway         = 1014
	CloseTLSHandshake       = 1015 // never sent

	// CloseSessionEnded is this framework's code for a connection whose session has ended. See
	// Settings.SessionEndedCode.
	CloseSessionEnded = 4401

	// CloseNoUser is this framework's code for a connection whose session lives on without its user. See
	// Settings.NoUserCode.
	CloseNoUser = 4403
)

// maxReason is what a close frame has room for behind its code (RFC 6455, 5.5).
const maxReason = maxControl - 2

// A CloseError says how a connection is to be closed, or was.
//
// Returned from a callback, it closes the connection with its code and reason and is not logged as a
// failure. As context.Cause of [BaseHandler.Context] it tells how the connection ended: Err then holds
// what made it end, nil for a close that somebody asked for.
type CloseError struct {
	Code   int    // CloseAbnormal where no close frame was meant to be sent
	Reason string // at most 123 bytes
	Remote bool   // the peer closed
	Err    error  // ErrPingTimeout, ErrPeerGone, a callback's error and so on
}

func (e *CloseError) Error() string {
	if e == nil {
		return "a nil *CloseError"
	}
	text := fmt.Sprintf("wsframework: closed with %d", e.Code)
	if e.Remote {
		text = fmt.Sprintf("wsframework: closed by the peer with %d", e.Code)
	}
	if e.Reason != "" {
		text += fmt.Sprintf(" (%s)", e.Reason)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is makes a CloseError an [ErrClosed] as well.
func (e *CloseError) Is(target error) bool { return e != nil && target == ErrClosed }

// Unwrap returns Err.
func (e *CloseError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// sendable reports whether a close frame may carry the code (RFC 6455, 7.4).
func sendable(code int) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
		return true
	}
	return false
}

// resolveClose turns the arguments of Close into what goes out and what CloseCode tells afterwards.
// The error is for a code that may not be sent; 1011 goes out in its place.
func resolveClose(code int, reason string) (int, string, error) {
	reason = cutReason(reason)
	switch {
	case code == 0 && reason == "":
		return CloseNoStatus, "", nil
	case code == 0:
		return CloseNormal, reason, nil
	case !sendable(code):
		return CloseInternalError, "", fmt.Errorf(
			"wsframework: close code %d may not be sent (RFC 6455, 7.4); use 1000 to 1003, 1007 to 1014 or 3000 to 4999; closed with 1011 instead", code)
	}
	return code, reason, nil
}

// cutReason makes a reason fit for a close frame: valid UTF-8, cut at a character.
func cutReason(reason string) string {
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) <= maxReason {
		return reason
	}
	end := maxReason
	for !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end]
}

// closePayload encodes the body of a close frame; code CloseNoStatus means an empty one.
func closePayload(code int, reason string) []byte {
	if code == CloseNoStatus {
		return nil
	}
	payload := make([]byte, 2, 2+len(reason))
	binary.BigEndian.PutUint16(payload, uint16(code))
	return append(payload, reason...)
}

// parseClosePayload decodes the body of a peer's close frame (RFC 6455, 5.5.1, 7.4).
func parseClosePayload(payload []byte) (code int, reason string, violation *protocolError) {
	switch {
	case len(payload) == 0:
		return CloseNoStatus, "", nil
	case len(payload) == 1:
		return 0, "", &protocolError{CloseProtocolError, "close frame with half a code"}
	}
	code = int(binary.BigEndian.Uint16(payload))
	if !sendable(code) {
		return 0, "", &protocolError{CloseProtocolError, fmt.Sprintf("close frame with code %d", code)}
	}
	if !utf8.Valid(payload[2:]) {
		return 0, "", &protocolError{CloseInvalidPayload, "close reason is not UTF-8"}
	}
	return code, string(payload[2:]), nil
}
