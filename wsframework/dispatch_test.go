package wsframework_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

type said struct {
	Type string `json:"type"`
	Text string `json:"text"`
	Who  struct {
		Age int `json:"age"`
	} `json:"who"`
}

// A talker notes what it is told.
type talker struct {
	heard []string
	fail  error
}

func (h *talker) onChat(in said) error {
	h.heard = append(h.heard, fmt.Sprintf("chat %q %q %d", in.Type, in.Text, in.Who.Age))
	return h.fail
}

func (h *talker) onRaw(in map[string]json.RawMessage) error {
	h.heard = append(h.heard, fmt.Sprintf("raw %d", len(in)))
	return h.fail
}

func (h *talker) onPointer(in *said) error {
	h.heard = append(h.heard, "pointer "+in.Text)
	return h.fail
}

func talk() *wsframework.Dispatcher[*talker] {
	return wsframework.NewDispatcher("type",
		wsframework.On("chat", (*talker).onChat),
		wsframework.On("raw", (*talker).onRaw),
		wsframework.On("pointer", (*talker).onPointer),
	)
}

func textMessage(data string) wsframework.Message {
	return wsframework.Message{Type: wsframework.TextMessage, Data: []byte(data)}
}

func TestDispatch(t *testing.T) {
	long := strings.Repeat("长", 100)
	for _, tt := range []struct {
		message string
		heard   string
		code    int
		reason  string
	}{
		{`{"type":"chat","text":"hello"}`, `chat "chat" "hello" 0`, 0, ""},
		{` {"text":"hello", "more":[{"type":"raw"}], "who":{"age":3,"type":"x"}, "type":"chat"} `, `chat "chat" "hello" 3`, 0, ""},
		{`{"type":"raw","a":1,"b":null}`, "raw 3", 0, ""},
		{`{"type":"pointer","text":"p"}`, "pointer p", 0, ""},
		{`{"type":"chat"}`, `chat "chat" "" 0`, 0, ""},
		// Both readings of the message agree: on names and escapes, in any case, and on the last one.
		{`{"\u0074ype":"\u0063hat","text":"x"}`, `chat "chat" "x" 0`, 0, ""},
		{`{"TYPE":"chat","Text":"x"}`, `chat "chat" "x" 0`, 0, ""},
		{`{"type":"raw","type":"chat"}`, `chat "chat" "" 0`, 0, ""},
		{`{"type":"chat","Type":"raw"}`, "raw 2", 0, ""},
		{`{"type":"chat","type":null}`, `chat "chat" "" 0`, 0, ""},

		{`{"type":"shout"}`, "", 1008, `unknown type "shout"`},
		{`{"type":"Chat"}`, "", 1008, `unknown type "Chat"`},
		{`{"type":"a\u0000\n"}`, "", 1008, `unknown type "a\x00\n"`},
		{`{"type":"` + long + `"}`, "", 1008, `unknown type "` + strings.Repeat("长", 36)},

		{``, "", 1007, `not a JSON object with a text in the field "type"`},
		{`{"type":"chat"`, "", 1007, `not a JSON object with a text in the field "type"`},
		{`{"type":"chat"} {}`, "", 1007, `not a JSON object with a text in the field "type"`},
		{`["type","chat"]`, "", 1007, `not a JSON object with a text in the field "type"`},
		{`"chat"`, "", 1007, `not a JSON object with a text in the field "type"`},
		{`{"type":1}`, "", 1007, `not a JSON object with a text in the field "type"`},
		{`{"type":{"type":"chat"}}`, "", 1007, `not a JSON object with a text in the field "type"`},
		{`{"type":["chat"],"type":"chat"}`, "", 1007, `not a JSON object with a text in the field "type"`},
		{strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), "", 1007, `not a JSON object with a text in the field "type"`},
		{`{}`, "", 1007, `the message has no "type"`},
		{`null`, "", 1007, `the message has no "type"`},
		{`{"type":null}`, "", 1007, `the message has no "type"`},
		{`{"type":""}`, "", 1007, `the message has no "type"`},
		{`{"kind":"chat"}`, "", 1007, `the message has no "type"`},
		{`{"type":"chat","text":5}`, "", 1007, `malformed message with type "chat": the field "text" can't be a number`},
		{`{"type":"chat","who":{"age":"old"}}`, "", 1007, `malformed message with type "chat": the field "who.age" can't be a string`},
	} {
		name := tt.message[:min(len(tt.message), 60)]
		h := new(talker)
		err := talk().Dispatch(h, textMessage(tt.message))
		if heard := strings.Join(h.heard, ", "); heard != tt.heard {
			t.Errorf("%s: heard %s, want %s", name, heard, tt.heard)
		}
		if tt.code == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var closing *wsframework.CloseError
		if !errors.As(err, &closing) || closing.Code != tt.code || closing.Reason != tt.reason {
			t.Errorf("%s: %v, want %d %s", name, err, tt.code, tt.reason)
		}
		if strings.Contains(closing.Reason, "said") {
			t.Errorf("the reason names our type: %s", closing.Reason)
		}
	}
}

func TestDispatchBinary(t *testing.T) {
	h := new(talker)
	m := wsframework.Message{Type: wsframework.BinaryMessage, Data: []byte(`{"type":"chat"}`)}
	var closing *wsframework.CloseError
	if err := talk().Dispatch(h, m); !errors.As(err, &closing) || closing.Code != 1003 || h.heard != nil {
		t.Errorf("%v, heard %v", err, h.heard)
	}
}

func TestDispatchReturnsTheMethodsError(t *testing.T) {
	for _, name := range []string{"chat", "raw", "pointer"} {
		h := &talker{fail: errFailing}
		if err := talk().Dispatch(h, textMessage(`{"type":"`+name+`"}`)); err != errFailing || len(h.heard) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDispatcherHooks(t *testing.T) {
	d := talk()
	d.Unknown = func(h *talker, name string, m wsframework.Message) error {
		h.heard = append(h.heard, "unknown "+name+" "+m.String())
		return nil
	}
	d.Malformed = func(h *talker, m wsframework.Message, err error) error {
		var closing *wsframework.CloseError
		var syntax *json.SyntaxError
		var wrong *json.UnmarshalTypeError
		h.heard = append(h.heard, fmt.Sprint("malformed ", m, " ", errors.As(err, &closing), " ",
			errors.As(err, &syntax), " ", errors.As(err, &wrong)))
		return err
	}
	for message, want := range map[string]string{
		`{"type":"x"}`:            `unknown x {"type":"x"}`,
		`{}`:                      `malformed {} true false false`,
		`{`:                       `malformed { true true false`,
		`{"type":2}`:              `malformed {"type":2} true false true`,
		`{"type":"chat","who":1}`: `malformed {"type":"chat","who":1} true false true`,
	} {
		h := new(talker)
		err := d.Dispatch(h, textMessage(message))
		if (err == nil) != strings.HasPrefix(want, "unknown") || len(h.heard) != 1 || h.heard[0] != want {
			t.Errorf("%s: %v, heard %v", message, err, h.heard)
		}
	}
}

// Names that encoding/json takes in a tag can be the type's field, all others are refused.
func TestDispatcherFields(t *testing.T) {
	for _, field := range []string{"type", "t", "F", "f", "@type", "$type", "event.name", "-", "a-b", "类型", "a b", "a/b", "a<b>&c", "omitempty"} {
		d := wsframework.NewDispatcher(field, wsframework.On("raw", (*talker).onRaw))
		object, _ := json.Marshal(map[string]string{field: "raw"})
		h := new(talker)
		if err := d.Dispatch(h, textMessage(string(object))); err != nil || len(h.heard) != 1 {
			t.Errorf("%q: %v", field, err)
		}
	}
	for _, field := range []string{"", ",", "a,b", "a,omitempty", "a,string", `a"b`, `a\b`, "a\nb", "a'b", "\xff"} {
		wantPanic(t, fmt.Sprintf("field %q", field), func() {
			wsframework.NewDispatcher(field, wsframework.On("raw", (*talker).onRaw))
		})
	}
}

func TestDispatcherCases(t *testing.T) {
	wantPanic(t, `two cases for "b"`, func() {
		wsframework.NewDispatcher("type", wsframework.On("a", (*talker).onRaw), wsframework.On("b", (*talker).onRaw), wsframework.On("b", (*talker).onChat))
	})
	wantPanic(t, `On("")`, func() { wsframework.On("", (*talker).onRaw) })
	wantPanic(t, `On("a")`, func() { wsframework.On[*talker, said]("a", nil) })
	wantPanic(t, "make it with On", func() { wsframework.NewDispatcher("type", wsframework.Case[*talker]{}) })
}

func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "wsframework: ") {
			t.Errorf("panic %v, want %q", err, want)
		}
	}()
	f()
}

// The handler of a socket dispatches, and the peer is told what it did wrong.
func TestDispatchOnASocket(t *testing.T) {
	commands := wsframework.NewDispatcher("type",
		wsframework.On("chat", func(p *probe, in said) error { return p.WriteText(in.Text) }))
	everywhere(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.message = func(m wsframework.Message) error { return commands.Dispatch(p, m) }
		})
		for _, tt := range []struct {
			first   byte
			message string
			code    int
			reason  string
		}{
			{wstest.TextFrame, `{"type":"shout"}`, 1008, `unknown type "shout"`},
			{wstest.TextFrame, `{"type":`, 1007, `not a JSON object with a text in the field "type"`},
			{wstest.BinaryFrame, `{"type":"chat"}`, 1003, "send JSON as text"},
		} {
			cl := s.connect()
			cl.Write(`{"type":"chat","text":"hello"}`)
			cl.Expect("hello")
			cl.WriteFrame(tt.first, tt.message)
			shake(t, cl, tt.code, tt.reason)
		}
		if log := s.log.String(); log != "" {
			t.Errorf("log %s", log)
		}
	})
}

// Whatever comes, a method sees the type that chose it, or nobody is called and the answer can be sent.
func FuzzDispatch(f *testing.F) {
	for _, seed := range []string{
		`{"type":"chat","text":"x"}`, `{"type":"raw","type":"chat"}`, `{"Type":"chat","type":null}`, `{"type":"zzz"}`,
		`{"type":5}`, `[]`, `{`, `{"type":"chat","who":{"age":1e99}}`, `{"\u0074\u0079pe":"chat"}`, `{"type":"\ud800"}`, `{"tYpe":"chat","who":3}`,
	} {
		f.Add([]byte(seed))
	}
	d := wsframework.NewDispatcher("type",
		wsframework.On("chat", (*talker).onChat), wsframework.On("raw", (*talker).onRaw))
	f.Fuzz(func(t *testing.T, data []byte) {
		h := new(talker)
		err := d.Dispatch(h, wsframework.Message{Type: wsframework.TextMessage, Data: data})
		var in said
		wrong := json.Unmarshal(data, &in)
		switch {
		case len(h.heard) == 1 && err == nil && strings.HasPrefix(h.heard[0], `chat "chat"`):
			if wrong != nil || in.Type != "chat" {
				t.Errorf("chat heard %q", data)
			}
		case len(h.heard) == 1 && err == nil && strings.HasPrefix(h.heard[0], "raw "):
			if in.Type != "raw" {
				t.Errorf("raw heard %q", data)
			}
		case len(h.heard) == 0:
			var closing *wsframework.CloseError
			if !errors.As(err, &closing) || closing.Code != 1007 && closing.Code != 1008 ||
				len(closing.Reason) > 123 || !utf8.ValidString(closing.Reason) {
				t.Errorf("%q: %v", data, err)
			}
			if wrong == nil && (in.Type == "chat" || in.Type == "raw") {
				t.Errorf("nobody heard %q: %v", data, err)
			}
		default:
			t.Errorf("%q: heard %v, error %v", data, h.heard, err)
		}
	})
}
