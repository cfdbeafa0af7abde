package main

import (
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

func TestProblemWith(t *testing.T) {
	for _, test := range []struct {
		kind  wsframework.MessageType
		text  string
		taken bool
	}{
		{wsframework.TextMessage, "hello", true},
		{wsframework.TextMessage, "{}", true},
		{wsframework.TextMessage, strings.Repeat("明", maxCharacters), true},
		{wsframework.TextMessage, strings.Repeat("明", maxCharacters+1), false},
		{wsframework.TextMessage, "", false},
		{wsframework.TextMessage, " \r\n\u00a0\u3000", false},
		{wsframework.BinaryMessage, "hello", false},
	} {
		problem := problemWith(wsframework.Message{Type: test.kind, Data: []byte(test.text)})
		if (problem == "") != test.taken {
			t.Errorf("%v %.20q: %q", test.kind, test.text, problem)
		}
	}
}
