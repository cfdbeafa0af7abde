package doctor

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadFrame(t *testing.T) {
	tests := []struct {
		name, bytes string
		op          opcode
		payload     string
		err         string // "" if there is none
	}{
		{"ping", "\x89\x02hi", opPing, "hi", ""},
		{"text", "\x81\x02hi", opText, "", ""},
		{"fragment", "\x00\x02hi", opContinuation, "", ""},
		{"16 bits", "\x82\x7e\x00\x80" + strings.Repeat("x", 128), opBinary, "", ""},
		{"64 bits", "\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x01x", opBinary, "", ""},
		{"compressed", "\xc1\x02hi", opText, "", "RSV1"},
		{"reserved bit", "\xa1\x02hi", opText, "", "reserved"},
		{"unknown", "\x83\x00", 3, "", "unknown opcode 3"},
		{"unknown control", "\x8b\x00", 11, "", "unknown opcode 11"},
		{"masked", "\x81\x82abcdhi", opText, "", "masked"},
		{"fragmented ping", "\x09\x00", opPing, "", "fragmented"},
		{"long ping", "\x89\x7e\x00\x80", opPing, "", "too long"},
		{"beyond 63 bits", "\x82\x7f\xff\x00\x00\x00\x00\x00\x00\x00", opBinary, "", "63 bits"},
		{"half a frame", "\x89\x02h", opPing, "", "EOF"},
		{"nothing", "", 0, "", "EOF"},
	}
	for _, tt := range tests {
		f, err := readFrame(strings.NewReader(tt.bytes))
		switch {
		case tt.err == "" && (err != nil || f.op != tt.op || string(f.payload) != tt.payload):
			t.Errorf("%s: %+v, %v", tt.name, f, err)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
		}
	}
}

func TestClosed(t *testing.T) {
	for payload, want := range map[string]string{
		"":                 "closed without a code",
		"\x03":             "closed without a code",
		"\x03\xe9":         "closed with 1001",
		"\x03\xe8bye":      `closed with 1000 "bye"`,
		"\x03\xe8\x1b[31m": `closed with 1000 "\x1b[31m"`, // a terminal does not see it
	} {
		if got := (frame{op: opClose, payload: []byte(payload)}).closed().Error(); got != want {
			t.Errorf("%q: %s, want %s", payload, got, want)
		}
	}
}

// FuzzReadFrame tests that whatever a server sends is either a frame or an error with a name.
func FuzzReadFrame(f *testing.F) {
	for _, seed := range []string{"\x89\x02hi", "\x81\x7e\x00\x80", "\xc1\x02hi", "\x82\x7f\xff\x00\x00\x00\x00\x00\x00\x00", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		got, err := readFrame(r)
		var broken violation
		switch {
		case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		case err != nil:
			t.Fatalf("error %v", err)
		case got.op.control() && len(got.payload) > 125:
			t.Fatalf("a control frame of %d bytes", len(got.payload))
		case r.Len() == len(data):
			t.Fatal("a frame of nothing")
		}
	})
}
