package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gotornado/gotornado/wsframework"
)

// A closeMeaning explains a close code.
type closeMeaning struct {
	name string // as RFC 6455 and the registry have it
	hint string // what to do; "" if there is nothing
}

var closeMeanings = map[int]closeMeaning{
	wsframework.CloseNormal:             {"normal closure", ""},
	wsframework.CloseGoingAway:          {"going away", "the server shuts down or restarts: connect again later"},
	wsframework.CloseProtocolError:      {"protocol error", ""},
	wsframework.CloseUnsupportedData:    {"unsupported data", "the server does not take this type of message: text or binary"},
	1004:                                {"reserved", ""},
	wsframework.CloseNoStatus:           {"no status received", ""},
	wsframework.CloseAbnormal:           {"abnormal closure", "there was no close frame: the server crashed, or the network or a proxy cut the connection"},
	wsframework.CloseInvalidPayload:     {"invalid frame payload data", "text has to be valid UTF-8"},
	wsframework.ClosePolicyViolation:    {"policy violation", ""},
	wsframework.CloseMessageTooBig:      {"message too big", "send smaller messages, or raise the limit of the side that closed"},
	wsframework.CloseMandatoryExtension: {"mandatory extension", ""},
	wsframework.CloseInternalError:      {"internal error", "the server's log tells more"},
	wsframework.CloseServiceRestart:     {"service restart", "connect again in a moment"},
	wsframework.CloseTryAgainLater:      {"try again later", "the server is overloaded"},
	wsframework.CloseBadGateway:         {"bad gateway", "a proxy could not reach the server"},
	wsframework.CloseTLSHandshake:       {"TLS handshake", "the certificate was refused"},
	wsframework.CloseSessionEnded:       {"session ended", "log in again"},
	wsframework.CloseNoUser:             {"no user", "the session's user is logged out: log in again"},
}

// explainCode says what a close code means: its name, and what to do.
func explainCode(code int) closeMeaning {
	if meaning, known := closeMeanings[code]; known {
		return meaning
	}
	switch {
	case code >= 3000 && code <= 3999:
		return closeMeaning{name: "a registered code of a library or framework"}
	case code >= 4000 && code <= 4999:
		return closeMeaning{name: "a code of the application's own"}
	}
	return closeMeaning{name: "a code that has no meaning"}
}

// explainClose says how a connection ended: who closed, the code and its meaning, the reason, what to do.
func explainClose(end *wsframework.CloseError) string {
	who := "closed"
	if end.Remote {
		who = "closed by the server"
	}
	meaning := explainCode(end.Code)
	text := fmt.Sprintf("%s: %d %s", who, end.Code, meaning.name)
	if end.Reason != "" {
		text += fmt.Sprintf(" (%s)", printable(end.Reason))
	}
	switch hint := meaning.hint; {
	case errors.Is(end.Err, wsframework.ErrPingTimeout):
		text += ": the server did not answer a ping in time"
	case errors.Is(end.Err, wsframework.ErrWriteTimeout):
		text += ": the server took nothing for too long"
	case end.Err != nil && end.Code != wsframework.CloseAbnormal:
		text += ": " + strings.TrimPrefix(end.Err.Error(), "wsframework: ")
	case hint != "" && hint != end.Reason:
		text += ": " + hint
	}
	return text
}

// endOf turns the end of a connection into what is to be said of it, and the command's error: nil for an end
// that was asked for, or a normal one.
func endOf(err error) (said string, failure error) {
	var end *wsframework.CloseError
	if !errors.As(err, &end) {
		return "", &ExitError{Code: exitAbnormal, Err: err}
	}
	said = explainClose(end)
	normal := end.Code == wsframework.CloseNormal || end.Code == wsframework.CloseNoStatus
	if end.Err == nil && (normal || !end.Remote && end.Code != wsframework.CloseAbnormal) {
		return said, nil
	}
	return "", &ExitError{Code: exitAbnormal, Err: errors.New(said)}
}
