package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gotornado/gotornado/wsframework"
)

const (
	// maxCharacters is what one message may hold; the page's field knows the same number.
	maxCharacters = 2000
	// maxMessageSize is above what maxCharacters can need, so that a text somewhat too long gets an
	// answer in words. Past it the connection closes with 1009.
	maxMessageSize = 64 << 10
)

// A notice is what a page gets beside the lines of the chat: a JSON object. It begins with "{" and a
// line never does, because names may not.
type notice struct {
	Type   string   `json:"type"` // joined, left or error
	Name   string   `json:"name,omitempty"`
	Online []string `json:"online,omitempty"` // joined and left: everyone, in order
	Text   string   `json:"text,omitempty"`   // error: what to change
}

// problemWith says in a sentence for people why a message is not passed on; "" if it is.
func problemWith(m wsframework.Message) string {
	switch n := utf8.RuneCount(m.Data); {
	case !m.IsText():
		return "Messages are text."
	case strings.TrimSpace(m.String()) == "":
		return "Write something first."
	case n > maxCharacters:
		return fmt.Sprintf("The message has %d characters; up to %d are possible.", n, maxCharacters)
	}
	return ""
}
