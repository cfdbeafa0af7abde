package wsframework

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCloseErrorTexts(t *testing.T) {
	tests := []struct {
		err  CloseError
		want string
	}{
		{CloseError{Code: 1000}, "wsframework: closed with 1000"},
		{CloseError{Code: 4000, Reason: "bye"}, "wsframework: closed with 4000 (bye)"},
		{CloseError{Code: 1005, Remote: true}, "wsframework: closed by the peer with 1005"},
		{CloseError{Code: 4000, Reason: "bye", Remote: true}, "wsframework: closed by the peer with 4000 (bye)"},
		{CloseError{Code: 1011, Err: errors.New("it failed")}, "wsframework: closed with 1011: it failed"},
		{CloseError{Code: 1008, Reason: "slow", Err: errors.New("it failed")}, "wsframework: closed with 1008 (slow): it failed"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	wrapped := fmt.Errorf("outer: %w", &CloseError{Code: 1006, Err: ErrPingTimeout})
	var ce *CloseError
	if !errors.As(wrapped, &ce) || ce.Code != 1006 || !errors.Is(wrapped, ErrPingTimeout) {
		t.Errorf("%v does not unwrap", wrapped)
	}
}

func TestErrorTexts(t *testing.T) {
	inner := errors.New("inner")
	refusal := &HTTPError{Status: 403, Message: "Members only.", Err: inner}
	for err, want := range map[error]string{
		refusal:                  "HTTP 403: Members only. (inner)",
		&HTTPError{Status: 404}:  "HTTP 404: Not Found",
		&HTTPError{Status: 200}:  "HTTP 500: Internal Server Error",
		&HTTPError{}:             "HTTP 500: Internal Server Error",
		&HTTPError{Status: 1000}: "HTTP 500: Internal Server Error",
		&PanicError{Callback: "Open", Value: "kaboom"}: "wsframework: Open panicked: kaboom",
		&protocolError{1002, "no mask"}:                "wsframework: the peer broke the protocol: no mask",
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
	if !errors.Is(refusal, inner) || !errors.Is(&PanicError{Value: inner}, inner) || errors.Is(&PanicError{Value: 5}, inner) {
		t.Error("an error does not unwrap")
	}
}

// What may be sent, over all codes there are (RFC 6455, 7.4).
func TestSendable(t *testing.T) {
	for code := -1; code <= 1<<16; code++ {
		want := code >= 1000 && code <= 4999
		switch {
		case code == 1004, code == 1005, code == 1006, code >= 1015 && code <= 2999:
			want = false
		}
		if sendable(code) != want {
			t.Errorf("sendable(%d) = %v", code, !want)
		}
	}
}

func checkReason(t *testing.T, reason string) {
	t.Helper()
	cut := cutReason(reason)
	whole := strings.ToValidUTF8(reason, "\uFFFD")
	switch {
	case len(cut) > 123:
		t.Fatalf("%q becomes %d bytes", reason, len(cut))
	case !utf8.ValidString(cut):
		t.Fatalf("%q becomes %q", reason, cut)
	case !strings.HasPrefix(whole, cut):
		t.Fatalf("%q becomes %q", reason, cut)
	case len(cut) < len(whole) && len(cut) < 123-3:
		t.Fatalf("%q becomes %q: cut too short", reason, cut)
	case len(whole) <= 123 && cut != whole:
		t.Fatalf("%q becomes %q for no reason", reason, cut)
	}
}

func TestCutReason(t *testing.T) {
	for n := range 130 {
		for _, s := range []string{"", "é", "再", "😀", "\xff", "\xF0\x9F"} {
			checkReason(t, strings.Repeat("x", n)+s)
			checkReason(t, s+strings.Repeat("x", n))
			checkReason(t, strings.Repeat(s, n))
		}
	}
}

func FuzzCutReason(f *testing.F) {
	f.Add("bye")
	f.Add(strings.Repeat("再", 50))
	f.Add(strings.Repeat("x", 122) + "😀")
	f.Add("\xff\xfe")
	f.Fuzz(func(t *testing.T, reason string) { checkReason(t, reason) })
}

func TestParseClosePayload(t *testing.T) {
	tests := []struct {
		payload   string
		code      int
		reason    string
		violation int
	}{
		{"", 1005, "", 0},
		{"\x03", 0, "", 1002},
		{"\x03\xE8", 1000, "", 0},
		{"\x03\xE8bye", 1000, "bye", 0},
		{"\x0F\xA0再见", 4000, "再见", 0},
		{"\x0F\xA0" + strings.Repeat("x", 123), 4000, strings.Repeat("x", 123), 0},
		{"\x03\xE8\xff", 0, "", 1007},
		{"\x03\xE8\xE5\x86", 0, "", 1007},
		{"\x00\x00", 0, "", 1002},
		{"\x03\xE7", 0, "", 1002}, // 999
		{"\x03\xEC", 0, "", 1002}, // 1004
		{"\x03\xED", 0, "", 1002}, // 1005
		{"\x03\xEE", 0, "", 1002}, // 1006
		{"\x03\xF7", 0, "", 1002}, // 1015
		{"\x0B\xB7", 0, "", 1002}, // 2999
		{"\x13\x87", 4999, "", 0},
		{"\x13\x88", 0, "", 1002}, // 5000
		{"\xFF\xFF", 0, "", 1002},
	}
	for _, tt := range tests {
		code, reason, violation := parseClosePayload([]byte(tt.payload))
		if code != tt.code || reason != tt.reason {
			t.Errorf("% x: %d %q, want %d %q", tt.payload, code, reason, tt.code, tt.reason)
		}
		if got := violation; tt.violation == 0 && got != nil || tt.violation != 0 && (got == nil || got.code != tt.violation) {
			t.Errorf("% x: violation %v, want %d", tt.payload, got, tt.violation)
		}
	}
}

func FuzzParseClosePayload(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{3})
	f.Add([]byte("\x03\xE8bye"))
	f.Add([]byte("\x03\xE8\xff"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		code, reason, violation := parseClosePayload(payload)
		if violation != nil {
			// The answer to a violation must not be one itself.
			if !sendable(violation.code) || cutReason(violation.reason) != violation.reason {
				t.Fatalf("% x: violation %+v", payload, violation)
			}
			return
		}
		if !utf8.ValidString(reason) || code != CloseNoStatus && int(binary.BigEndian.Uint16(payload)) != code {
			t.Fatalf("% x: %d %q", payload, code, reason)
		}
		if again := closePayload(code, reason); !bytes.Equal(again, payload) {
			t.Fatalf("% x is encoded again as % x", payload, again)
		}
	})
}
