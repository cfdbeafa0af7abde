package client

import (
	"errors"
	"io"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

func TestEnd(t *testing.T) {
	const normal, abnormal = exitNormal, exitAbnormal
	for _, test := range []struct {
		end  wsframework.CloseError
		want string
		code int
	}{
		{wsframework.CloseError{Code: 1000, Remote: true}, "closed by the server: 1000 normal closure", normal},
		{wsframework.CloseError{Code: 1000}, "closed: 1000 normal closure", normal},
		{wsframework.CloseError{Code: 1005, Remote: true}, "closed by the server: 1005 no status received", normal},
		{wsframework.CloseError{Code: 4000, Reason: "bye"}, "closed: 4000 a code of the application's own (bye)", normal},
		{wsframework.CloseError{Code: 1001, Reason: "restart", Remote: true},
			"closed by the server: 1001 going away (restart): the server shuts down or restarts: connect again later", abnormal},
		{wsframework.CloseError{Code: 1002, Err: errors.New("wsframework: a masked frame")}, "closed: 1002 protocol error: a masked frame", abnormal},
		{wsframework.CloseError{Code: 1003, Remote: true},
			"closed by the server: 1003 unsupported data: the server does not take this type of message: text or binary", abnormal},
		{wsframework.CloseError{Code: 1006, Err: wsframework.ErrPeerGone},
			"closed: 1006 abnormal closure: there was no close frame: the server crashed, or the network or a proxy cut the connection", abnormal},
		{wsframework.CloseError{Code: 1006, Err: io.ErrUnexpectedEOF},
			"closed: 1006 abnormal closure: there was no close frame: the server crashed, or the network or a proxy cut the connection", abnormal},
		{wsframework.CloseError{Code: 1006, Err: wsframework.ErrPingTimeout},
			"closed: 1006 abnormal closure: the server did not answer a ping in time", abnormal},
		{wsframework.CloseError{Code: 1006, Err: wsframework.ErrWriteTimeout},
			"closed: 1006 abnormal closure: the server took nothing for too long", abnormal},
		{wsframework.CloseError{Code: 1007, Remote: true}, "closed by the server: 1007 invalid frame payload data: text has to be valid UTF-8", abnormal},
		{wsframework.CloseError{Code: 1008, Remote: true}, "closed by the server: 1008 policy violation", abnormal},
		{wsframework.CloseError{Code: 1009, Remote: true},
			"closed by the server: 1009 message too big: send smaller messages, or raise the limit of the side that closed", abnormal},
		{wsframework.CloseError{Code: 1010, Remote: true}, "closed by the server: 1010 mandatory extension", abnormal},
		{wsframework.CloseError{Code: 1011, Remote: true}, "closed by the server: 1011 internal error: the server's log tells more", abnormal},
		{wsframework.CloseError{Code: 1012, Remote: true}, "closed by the server: 1012 service restart: connect again in a moment", abnormal},
		{wsframework.CloseError{Code: 1013, Remote: true}, "closed by the server: 1013 try again later: the server is overloaded", abnormal},
		{wsframework.CloseError{Code: 1014, Remote: true}, "closed by the server: 1014 bad gateway: a proxy could not reach the server", abnormal},
		{wsframework.CloseError{Code: 3000, Remote: true}, "closed by the server: 3000 a registered code of a library or framework", abnormal},
		{wsframework.CloseError{Code: 4401, Reason: "the session has ended", Remote: true},
			"closed by the server: 4401 session ended (the session has ended): log in again", abnormal},
		{wsframework.CloseError{Code: 4403, Remote: true}, "closed by the server: 4403 no user: the session's user is logged out: log in again", abnormal},
		{wsframework.CloseError{Code: 4999, Reason: "\x1b[2J", Remote: true}, `closed by the server: 4999 a code of the application's own (\x1b[2J)`, abnormal},
	} {
		said, failure := endOf(&test.end)
		code := exitNormal
		if failure != nil {
			said, code = failure.Error(), codeOf(failure)
		}
		if said != test.want || code != test.code {
			t.Errorf("%+v:\n%q, exit code %d, want\n%q, %d", test.end, said, code, test.want, test.code)
		}
	}
}

// What is no end of a connection is a failure as well.
func TestEndOther(t *testing.T) {
	if _, failure := endOf(io.EOF); codeOf(failure) != exitAbnormal {
		t.Error(failure)
	}
}

func TestCodeWithoutMeaning(t *testing.T) {
	if got := explainCode(2999).name; got != "a code that has no meaning" {
		t.Error(got)
	}
}
