package client

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

const prompt = "> "

// A terminal is a console with a line editor. The line takes one row and moves sideways when it is longer, so
// that what is printed above it never has to guess how the terminal broke it.
type terminal struct {
	out     io.Writer
	columns func() int
	events  chan event
	restore func() error

	mu      sync.Mutex // protects the following, and out
	line    line
	history *history
	recent  int    // the line of the history that is shown; len(history.lines) is none
	typed   string // what was there before the history was looked at
	closed  bool
}

// openTerminal takes the terminal that in and out are.
func openTerminal(in, out *os.File, h *history) (*terminal, error) {
	if err := enableSequences(out); err != nil {
		return nil, err
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	t := newTerminal(out, h, func() int {
		width, _, err := term.GetSize(int(out.Fd()))
		if err != nil || width <= 0 {
			return 80
		}
		return width
	})
	t.restore = func() error { return term.Restore(int(in.Fd()), before) }
	t.Print("")
	go t.read(in)
	return t, nil
}

func newTerminal(out io.Writer, h *history, columns func() int) *terminal {
	return &terminal{
		out: out, columns: columns, history: h, recent: len(h.lines),
		events: make(chan event), restore: func() error { return nil },
	}
}

func (t *terminal) Events() <-chan event { return t.events }

// read ends with the terminal, or the program.
func (t *terminal) read(in io.Reader) {
	var keys keyReader
	buffer := make([]byte, 1024)
	for {
		n, err := in.Read(buffer)
		for _, k := range keys.feed(buffer[:n]) {
			if happened, ok := t.press(k); ok {
				t.events <- happened
			}
		}
		if err != nil {
			t.events <- event{kind: eventEnd}
			return
		}
	}
}

// press does what a key says, and returns what the program has to know of it.
func (t *terminal) press(k key) (happened event, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return event{}, false
	}
	switch {
	case k.name == keyInterrupt:
		return event{kind: eventInterrupt}, true
	case k.name == keyEnd && len(t.line.characters) == 0:
		return event{kind: eventEnd}, true
	case k.name == keyEnter:
		return event{kind: eventLine, line: t.enter()}, true
	case k.name == keyUp:
		t.recall(t.recent - 1)
	case k.name == keyDown:
		t.recall(t.recent + 1)
	case k.name == keyClear:
		io.WriteString(t.out, "\x1b[H\x1b[2J")
	default:
		t.line.edit(k)
	}
	io.WriteString(t.out, t.drawn())
	return event{}, false
}

// enter leaves the whole line on the screen and begins a new one.
func (t *terminal) enter() string {
	entered := t.line.String()
	t.history.add(entered) // a history that can't be written is no reason to stop
	t.line = line{}
	t.recent, t.typed = len(t.history.lines), ""
	io.WriteString(t.out, "\r\x1b[K"+prompt+entered+"\r\n"+t.drawn())
	return entered
}

// recall shows a line of the history, or what was typed before.
func (t *terminal) recall(at int) {
	if at < 0 || at > len(t.history.lines) || at == t.recent {
		return
	}
	if t.recent == len(t.history.lines) {
		t.typed = t.line.String()
	}
	t.recent = at
	if at == len(t.history.lines) {
		t.line.set(t.typed)
		return
	}
	t.line.set(t.history.lines[at])
}

func (t *terminal) Print(lines string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	above := ""
	if lines != "" {
		above = "\r\x1b[K" + strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n"
	}
	if !t.closed {
		above += t.drawn()
	}
	io.WriteString(t.out, above)
}

// drawn is what draws the line again where it is.
func (t *terminal) drawn() string {
	shown, cursor := t.line.window(max(t.columns()-len(prompt), 2))
	text := "\r\x1b[K" + prompt + shown + "\r"
	return text + fmt.Sprintf("\x1b[%dC", len(prompt)+cursor)
}

func (t *terminal) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	io.WriteString(t.out, "\r\x1b[K")
	return t.restore()
}
