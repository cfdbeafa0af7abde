package wsframework

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// A Dispatcher passes JSON messages to the method that their type names, decoded into that method's own
// type.
//
//	var commands = wsframework.NewDispatcher("type",
//		wsframework.On("chat", (*Room).OnChat), // func (h *Room) OnChat(in Chat) error
//		wsframework.On("typing", (*Room).OnTyping),
//	)
//
//	func (h *Room) OnMessage(m wsframework.Message) error { return commands.Dispatch(h, m) }
//
// A message is a JSON object in a text message. It is read as encoding/json reads it: fields that the
// type has not are ignored, a field's name matches in any case, and of those that are there more than once
// the last one counts, for the choice of the method as for what the method sees. The whole object is
// decoded, the field that names the type included.
//
// A Dispatcher may be used from any goroutine. Set its fields before it is used.
type Dispatcher[H any] struct {
	// Unknown is called for a message of a type that has no case. Default: a *CloseError with code 1008
	// whose reason names the type.
	Unknown func(h H, name string, m Message) error

	// Malformed is called for a message that can't be decoded. The error is what Dispatch returns by
	// default: a *CloseError that wraps the error of encoding/json, with code 1003 for a binary message
	// (RFC 6455, 7.4.1) and 1007 for one that is no JSON object, that has no type (a text that is not
	// empty), or whose fields do not fit into the method's type.
	Malformed func(h H, m Message, err error) error

	field    string
	envelope reflect.Type // a struct with the one field
	cases    map[string]Case[H]
}

// A Case is one type of message and the method for it. On makes it.
type Case[H any] struct {
	name string
	call func(d *Dispatcher[H], h H, m Message) error
}

// On has messages of a type decoded into a T and passed to a method, usually a method expression:
// (*Room).OnChat. It panics if the name is empty or the method is nil.
func On[H, T any](name string, method func(h H, in T) error) Case[H] {
	if name == "" || method == nil {
		panic(fmt.Errorf("wsframework: On(%q) needs a name and a method", name))
	}
	return Case[H]{name, func(d *Dispatcher[H], h H, m Message) error {
		var in T
		if err := m.JSON(&in); err != nil {
			return d.malformed(h, m, misfit(d.field, name, err), err)
		}
		return method(h, in)
	}}
}

// NewDispatcher makes a dispatcher for messages whose type stands in a field. It panics if two cases have
// one name, and if the field's name is empty or has a character that a tag of encoding/json can't have.
func NewDispatcher[H any](field string, cases ...Case[H]) *Dispatcher[H] {
	d := &Dispatcher[H]{field: field, envelope: envelopeType(field), cases: make(map[string]Case[H], len(cases))}
	for _, c := range cases {
		if c.name == "" {
			panic(errors.New("wsframework: a case of NewDispatcher has no name; make it with On"))
		}
		if _, taken := d.cases[c.name]; taken {
			panic(fmt.Errorf("wsframework: NewDispatcher has two cases for %q; a type has one method", c.name))
		}
		d.cases[c.name] = c
	}
	return d
}

// Dispatch decodes a message and calls the method for its type on h. Its error is the method's, or says
// what is wrong with the message; OnMessage returns it.
func (d *Dispatcher[H]) Dispatch(h H, m Message) error {
	if !m.IsText() {
		return d.refuse(h, m, &CloseError{Code: CloseUnsupportedData, Reason: "send JSON as text"})
	}
	envelope := reflect.New(d.envelope)
	if err := json.Unmarshal(m.Data, envelope.Interface()); err != nil {
		return d.malformed(h, m, "not a JSON object with a text in the field "+quote(d.field), err)
	}
	name := envelope.Elem().Field(0).String()
	if name == "" {
		return d.malformed(h, m, "the message has no "+quote(d.field), nil)
	}
	if c, ok := d.cases[name]; ok {
		return c.call(d, h, m)
	}
	if d.Unknown != nil {
		return d.Unknown(h, name, m)
	}
	return &CloseError{Code: ClosePolicyViolation, Reason: cutReason("unknown " + d.field + " " + quote(name))}
}

func (d *Dispatcher[H]) malformed(h H, m Message, reason string, err error) error {
	return d.refuse(h, m, &CloseError{Code: CloseInvalidPayload, Reason: cutReason(reason), Err: err})
}

func (d *Dispatcher[H]) refuse(h H, m Message, err *CloseError) error {
	if d.Malformed != nil {
		return d.Malformed(h, m, err)
	}
	return err
}

// misfit is the reason for an object that does not fit into its method's type. It names no type of ours.
func misfit(field, name string, err error) string {
	reason := "malformed message with " + field + " " + quote(name)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		reason += ": the field " + quote(wrong.Field) + " can't be a " + wrong.Value
	}
	return reason
}

// quote makes a peer's text fit for a reason.
func quote(text string) string { return fmt.Sprintf("%.40q", text) }

// envelopeType makes the type struct { F string `json:"field,"` }, so that encoding/json itself finds the
// field, by the rules by which it will fill the method's type.
func envelopeType(field string) reflect.Type {
	t := reflect.StructOf([]reflect.StructField{{
		Name: "F", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(fmt.Sprintf("json:%q", field+",")),
	}})
	// A name that the package does not take is ignored, and the field is called F.
	empty, _ := json.Marshal(reflect.Zero(t).Interface())
	name, _ := json.Marshal(field)
	if field == "" || string(empty) != "{"+string(name)+`:""}` {
		panic(fmt.Errorf("wsframework: NewDispatcher can't look for a field %q; name it with letters, digits and _ - . $ @ : /", field))
	}
	return t
}
