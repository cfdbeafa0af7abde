package wsframework

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"
	"unsafe"
)

// A MessageType tells text from binary messages. The values are the opcodes of RFC 6455, 5.6.
type MessageType int

// The types of a message.
const (
	TextMessage   MessageType = 1
	BinaryMessage MessageType = 2
)

func (t MessageType) String() string {
	switch t {
	case TextMessage:
		return "text"
	case BinaryMessage:
		return "binary"
	}
	return fmt.Sprintf("MessageType(%d)", int(t))
}

// A Message is one message of a peer. Its Data belongs to the handler for good; that of a text
// message is valid UTF-8.
type Message struct {
	Type MessageType
	Data []byte
}

// String returns the data as a string, so that a Message prints as its text.
func (m Message) String() string { return string(m.Data) }

// IsText reports whether the peer sent text.
func (m Message) IsText() bool { return m.Type == TextMessage }

// IsBinary reports whether the peer sent bytes.
func (m Message) IsBinary() bool { return m.Type == BinaryMessage }

// JSON decodes the message into what v points to, as json.Unmarshal does.
func (m Message) JSON(v any) error { return json.Unmarshal(m.Data, v) }

var errNilMessage = errors.New("wsframework: nil is not a message; write an empty string, or json.RawMessage(\"null\")")

// encode finds the type and the bytes of what WriteMessage and Broadcast are given. The bytes may be
// the caller's own: they are read only, and before the call returns.
func encode(message any) (MessageType, []byte, error) {
	switch m := message.(type) {
	case string:
		return encodeText(m)
	case []byte:
		return BinaryMessage, m, nil
	case Message:
		return m.encode()
	case *Message:
		if m == nil {
			return 0, nil, errNilMessage
		}
		return m.encode()
	case json.RawMessage:
		return encodeText(bytesAsString(m))
	case nil:
		return 0, nil, errNilMessage
	case error:
		return 0, nil, fmt.Errorf("wsframework: an error is not a message; write its text if the peer may see it: %w", m)
	}
	if v := reflect.ValueOf(message); v.Kind() == reflect.String {
		return encodeText(v.String())
	}
	return encodeJSON(message)
}

func (m Message) encode() (MessageType, []byte, error) {
	switch m.Type {
	case TextMessage:
		return encodeText(bytesAsString(m.Data))
	case BinaryMessage:
		return BinaryMessage, m.Data, nil
	}
	return 0, nil, fmt.Errorf("wsframework: a message of type %d; set Type to TextMessage or BinaryMessage", int(m.Type))
}

func encodeText(text string) (MessageType, []byte, error) {
	if !utf8.ValidString(text) {
		return 0, nil, ErrInvalidUTF8
	}
	return TextMessage, stringAsBytes(text), nil
}

func encodeJSON(v any) (MessageType, []byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return 0, nil, fmt.Errorf("wsframework: the message has no JSON form: %w", err)
	}
	return TextMessage, data, nil
}

// stringAsBytes and bytesAsString look at the same memory: nothing downstream writes to a payload or
// keeps it, so that sending a string costs no copy of its own.
func stringAsBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
func bytesAsString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
