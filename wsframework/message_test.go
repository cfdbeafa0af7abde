package wsframework_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

type (
	color   string
	point   struct{ X, Y int }
	oddBits []byte
	// failure is a string that is an error, too.
	failure string
)

func (f failure) Error() string { return string(f) }

func TestWriteMessage(t *testing.T) {
	bad := "half a 再: \xE5\x86"
	tests := []struct {
		name    string
		message any
		first   byte // of the frame; 0: refused
		payload string
		fails   string
	}{
		{"string", "hello", wstest.TextFrame, "hello", ""},
		{"empty string", "", wstest.TextFrame, "", ""},
		{"Chinese", "再见😀", wstest.TextFrame, "再见😀", ""},
		{"with a zero", "a\x00b", wstest.TextFrame, "a\x00b", ""},
		{"string type", color("red"), wstest.TextFrame, "red", ""},
		{"bytes", []byte{0, 1, 0xFF}, wstest.BinaryFrame, "\x00\x01\xFF", ""},
		{"no bytes", []byte{}, wstest.BinaryFrame, "", ""},
		{"nil bytes", []byte(nil), wstest.BinaryFrame, "", ""},
		{"raw JSON", json.RawMessage(`{"a": 1}`), wstest.TextFrame, `{"a": 1}`, ""},
		{"text message", wsframework.Message{Type: wsframework.TextMessage, Data: []byte("hi")}, wstest.TextFrame, "hi", ""},
		{"binary message", wsframework.Message{Type: wsframework.BinaryMessage, Data: []byte{0xFF}}, wstest.BinaryFrame, "\xFF", ""},
		{"empty message", wsframework.Message{Type: wsframework.TextMessage}, wstest.TextFrame, "", ""},
		{"message pointer", &wsframework.Message{Type: wsframework.TextMessage, Data: []byte("hi")}, wstest.TextFrame, "hi", ""},
		{"struct", point{1, 2}, wstest.TextFrame, `{"X":1,"Y":2}`, ""},
		{"struct pointer", &point{1, 2}, wstest.TextFrame, `{"X":1,"Y":2}`, ""},
		{"map", map[string]any{"b": nil, "a": []int{1}}, wstest.TextFrame, `{"a":[1],"b":null}`, ""},
		{"slice", []string{"a", "b"}, wstest.TextFrame, `["a","b"]`, ""},
		{"number", 42, wstest.TextFrame, "42", ""},
		{"bool", true, wstest.TextFrame, "true", ""},
		{"bytes type", oddBits("ab"), wstest.TextFrame, `"YWI="`, ""},
		{"nil pointer", (*point)(nil), wstest.TextFrame, "null", ""},
		{"nil", nil, 0, "", "nil is not a message"},
		{"nil message", (*wsframework.Message)(nil), 0, "", "nil is not a message"},
		{"error", errors.New("secret"), 0, "", "an error is not a message"},
		{"string that is an error", failure("secret"), 0, "", "an error is not a message"},
		{"func", func() {}, 0, "", "no JSON form"},
		{"channel", make(chan int), 0, "", "no JSON form"},
		{"not a number", math.NaN(), 0, "", "no JSON form"},
		{"string, not UTF-8", bad, 0, "", "not valid UTF-8"},
		{"string type, not UTF-8", color(bad), 0, "", "not valid UTF-8"},
		{"raw JSON, not UTF-8", json.RawMessage(bad), 0, "", "not valid UTF-8"},
		{"message, not UTF-8", wsframework.Message{Type: wsframework.TextMessage, Data: []byte(bad)}, 0, "", "not valid UTF-8"},
		{"message without a type", wsframework.Message{Data: []byte("hi")}, 0, "", "a message of type 0"},
		{"message pointer without a type", &wsframework.Message{Data: []byte("hi")}, 0, "", "a message of type 0"},
		{"message of type ping", wsframework.Message{Type: 9}, 0, "", "a message of type 9"},
	}
	everywhere(t, func(t *testing.T, n network) {
		s, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) { p.open = func() error { return p.Join("g") } })
		p.expect(t, "open")
		cl.Ping("joined")
		cl.ExpectPong("joined")
		ways := map[string]func(any) error{
			"WriteMessage":  p.WriteMessage,
			"Broadcast":     func(m any) error { return p.Broadcast("g", m) },
			"app.Broadcast": func(m any) error { return s.app.Broadcast(t.Context(), "g", m) },
		}
		for _, tt := range tests {
			for way, write := range ways {
				err := write(tt.message)
				if tt.first != 0 {
					if err != nil {
						t.Fatalf("%s of %s: %v", way, tt.name, err)
					}
					cl.ExpectFrame(tt.first, tt.payload)
				} else if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("%s of %s: error %v, want %q", way, tt.name, err, tt.fails)
				}
			}
		}
		if err := p.WriteMessage(bad); !errors.Is(err, wsframework.ErrInvalidUTF8) {
			t.Errorf("WriteMessage: %v", err)
		}
		if err := p.WriteText(bad); !errors.Is(err, wsframework.ErrInvalidUTF8) {
			t.Errorf("WriteText: %v", err)
		}
		if err := p.WriteJSON(func() {}); err == nil || !strings.Contains(err.Error(), "no JSON form") {
			t.Errorf("WriteJSON: %v", err)
		}
		if err := p.WriteMessage(fmt.Errorf("wrapped: %w", errFailing)); !errors.Is(err, errFailing) {
			t.Errorf("the error given is not in the error returned: %v", err)
		}
		p.WriteText("text")
		p.WriteBinary([]byte("text"))
		p.WriteJSON("text")
		p.WriteJSON(nil)
		p.WriteJSON(json.RawMessage(`[ 1 ]`))
		cl.Expect("text")
		cl.ExpectFrame(wstest.BinaryFrame, "text")
		cl.Expect(`"text"`)
		cl.Expect("null")
		cl.Expect("[1]") // encoding/json makes it compact
	})
}

var errFailing = errors.New("failing")

func TestMessage(t *testing.T) {
	m := wsframework.Message{Type: wsframework.TextMessage, Data: []byte(`{"X":1,"Y":2}`)}
	if !m.IsText() || m.IsBinary() || m.String() != `{"X":1,"Y":2}` || fmt.Sprint(m) != m.String() {
		t.Errorf("message %v: text %v, binary %v", m, m.IsText(), m.IsBinary())
	}
	var got point
	if err := m.JSON(&got); err != nil || got != (point{1, 2}) {
		t.Errorf("JSON: %v, %v", got, err)
	}
	m = wsframework.Message{Type: wsframework.BinaryMessage, Data: []byte("{")}
	if m.IsText() || !m.IsBinary() || m.JSON(&got) == nil {
		t.Errorf("message %v: text %v, binary %v", m, m.IsText(), m.IsBinary())
	}
	for kind, want := range map[wsframework.MessageType]string{
		wsframework.TextMessage: "text", wsframework.BinaryMessage: "binary", 0: "MessageType(0)", 9: "MessageType(9)",
	} {
		if kind.String() != want {
			t.Errorf("%d is %q", int(kind), kind)
		}
	}
}

// The type and the data of what arrives, and that the data is the handler's for good.
func TestMessagesBelongToTheHandler(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		var kept []wsframework.Message
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.message = func(m wsframework.Message) error {
				kept = append(kept, m)
				_ = append(m.Data, "beyond its end"...)
				return nil
			}
		})
		var burst, want []byte
		var sizes []int
		for i := range 96 {
			size := []int{0, 1, 10, 125, 126, 1000, 5000, 70000}[i%8]
			data := bytes.Repeat([]byte{'a' + byte(i%26)}, size)
			first := byte(wstest.TextFrame)
			switch i % 3 {
			case 1:
				first = wstest.BinaryFrame
			case 2: // in two fragments
				burst = append(burst, wstest.EncodeFrame(wstest.BinaryFrame&^0x80, data[:size/2])...)
				data, first = data[size/2:], 0x80
			}
			burst = append(burst, wstest.EncodeFrame(first, data)...)
			want = append(want, bytes.Repeat([]byte{'a' + byte(i%26)}, size)...)
			sizes = append(sizes, size)
		}
		cl.WriteRaw(burst)
		cl.WriteClose(1000, "")
		expectClose(t, cl, 1000, "")
		<-p.done
		if len(kept) != len(sizes) {
			t.Fatalf("%d messages came, want %d", len(kept), len(sizes))
		}
		var got []byte
		for i, m := range kept {
			if m.IsText() != (i%3 == 0) || m.IsBinary() == m.IsText() || len(m.Data) != sizes[i] {
				t.Fatalf("message %d: %v of %d bytes, want %d", i, m.Type, len(m.Data), sizes[i])
			}
			got = append(got, m.Data...)
			clear(m.Data) // must not show in others
		}
		if !bytes.Equal(got, want) {
			t.Error("the data has changed")
		}
	})
}

// Nothing keeps what it is given: here everything is overwritten as soon as the call has returned, with
// many writers, for all sizes, and while the peer reads nothing.
func TestArgumentsMayBeChangedAfterTheCall(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		const writers, each = 8, 40
		sizes := []int{10, 200, 1000, 4092, 4096, 5000, 70000, 300000}
		_, p, cl := one(t, n, wsframework.Settings{MaxPendingOut: -1}, func(p *probe) { p.open = func() error { return p.Join("g") } })
		p.expect(t, "open")
		cl.Ping("joined")
		cl.ExpectPong("joined")
		ways := []struct {
			name  string
			write func(data []byte) error
		}{
			{"WriteBinary", p.WriteBinary},
			{"WriteMessage of bytes", func(data []byte) error { return p.WriteMessage(data) }},
			{"WriteMessage of a message", func(data []byte) error {
				return p.WriteMessage(wsframework.Message{Type: wsframework.TextMessage, Data: data})
			}},
			{"WriteMessage of a message pointer", func(data []byte) error {
				m := &wsframework.Message{Type: wsframework.BinaryMessage, Data: data}
				defer func() { *m = wsframework.Message{} }()
				return p.WriteMessage(m)
			}},
			{"WriteMessage of raw JSON", func(data []byte) error { return p.WriteMessage(json.RawMessage(data)) }},
			{"Broadcast", func(data []byte) error { return p.Broadcast("g", data) }},
			{"app.Broadcast", func(data []byte) error { return p.Application().Broadcast(t.Context(), "g", data) }},
			{"Ping", func(data []byte) error { return p.Ping(data[:min(len(data), 125)]) }},
		}
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				fill := bytes.Repeat([]byte{'a' + byte(w)}, sizes[len(sizes)-1])
				rubbish := bytes.Repeat([]byte{'!'}, len(fill))
				buffer := make([]byte, len(fill))
				for i := range each {
					data := buffer[:sizes[(w+i)%len(sizes)]]
					copy(data, fill)
					way := ways[i%len(ways)]
					if err := way.write(data); err != nil {
						t.Errorf("%s: %v", way.name, err)
					}
					copy(data, rubbish)
				}
			})
		}
		writing.Wait() // only now the peer reads
		next := make([]int, writers)
		for range writers * each {
			_, payload, err := cl.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			w := int(payload[0]) - 'a'
			if w < 0 || w >= writers {
				t.Fatalf("a message of %d bytes begins with %q", len(payload), payload[0])
			}
			way := ways[next[w]%len(ways)].name
			size := sizes[(w+next[w])%len(sizes)]
			if way == "Ping" {
				size = min(size, 125)
			}
			if !bytes.Equal(payload, bytes.Repeat([]byte{'a' + byte(w)}, size)) {
				t.Fatalf("%s: %d bytes arrived changed, or %d are not what was sent", way, size, len(payload))
			}
			next[w]++
		}
	})
}

// The same for one message that no socket takes whole: what is left of it is kept, not the argument.
func TestLargeArgumentsMayBeChangedAfterTheCall(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		want := bytes.Repeat([]byte("0123456789ab"), 1<<20) // 12 MiB
		rubbish := bytes.Repeat([]byte{'!'}, len(want))
		for name, write := range map[string]func(*probe, []byte) error{
			"WriteBinary": func(p *probe, data []byte) error { return p.WriteBinary(data) },
			"Broadcast":   func(p *probe, data []byte) error { return p.Broadcast("g", data) },
		} {
			_, p, cl := one(t, n, wsframework.Settings{MaxPendingOut: -1}, func(p *probe) { p.open = func() error { return p.Join("g") } })
			cl.Ping("joined")
			cl.ExpectPong("joined")
			data := bytes.Clone(want)
			if err := write(p, data); err != nil {
				t.Fatal(err)
			}
			copy(data, rubbish)
			if _, payload, err := cl.ReadFrame(); err != nil || !bytes.Equal(payload, want) {
				t.Errorf("%s: %d bytes arrived changed, %v", name, len(payload), err)
			}
		}
	})
}
