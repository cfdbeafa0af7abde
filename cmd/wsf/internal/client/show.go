package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A style says how what comes is shown to people.
type style struct {
	colors bool
	times  bool // each line has a timestamp
	pretty bool // JSON is indented
	now    func() time.Time
}

// wantsColors reports whether the environment leaves colours on, for output that is a terminal.
func wantsColors() bool { return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" }

const (
	cyan  = "36"
	red   = "31"
	faint = "2"
)

func (s *style) paint(color, text string) string {
	if !s.colors {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// message shows a message of the server.
func (s *style) message(m wsframework.Message) string {
	if m.IsBinary() {
		about := fmt.Sprintf("binary, %d bytes", len(m.Data))
		if len(m.Data) > 0 {
			about += "\n" + hexDump(m.Data)
		}
		return s.stamp() + s.paint(cyan, "< ") + about
	}
	text := m.String()
	if s.pretty {
		var indented bytes.Buffer
		if json.Indent(&indented, m.Data, "", "  ") == nil {
			text = indented.String()
		}
	}
	return s.stamp() + s.paint(cyan, "< ") + printable(text)
}

// note shows what the client itself has to say.
func (s *style) note(format string, args ...any) string {
	return s.stamp() + s.paint(faint, "* "+fmt.Sprintf(format, args...))
}

// problem shows what went wrong with a line.
func (s *style) problem(err error) string {
	return s.stamp() + s.paint(red, "! "+strings.TrimPrefix(err.Error(), "wsframework: "))
}

func (s *style) stamp() string {
	if !s.times {
		return ""
	}
	return s.paint(faint, s.now().Format("15:04:05.000")) + " "
}

// A record is a message as a script reads it with --json.
type record struct {
	Type string    `json:"type"` // text or binary
	Time time.Time `json:"time"`
	Data any       `json:"data"` // a string; in base64 if binary
}

// recordOf writes a message as one line of JSON.
func recordOf(m wsframework.Message, at time.Time) ([]byte, error) {
	r := record{Type: m.Type.String(), Time: at, Data: m.Data} // bytes become base64
	if m.IsText() {
		r.Data = m.String()
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(r)
	return line.Bytes(), err
}
