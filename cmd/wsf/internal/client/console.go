package client

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync"
)

// An event is what a person does at a console.
type event struct {
	kind eventKind
	line string
}

type eventKind int

const (
	eventLine      eventKind = iota // a line was entered
	eventEnd                        // Ctrl-D: no more lines
	eventInterrupt                  // Ctrl-C
)

// A console is where a person types and reads. Its methods may be called from any goroutine.
type console interface {
	// Events is never closed; after eventEnd only interrupts come.
	Events() <-chan event
	// Print shows lines without touching the one that is being typed.
	Print(lines string)
	// Close gives the terminal back as it was.
	Close() error
}

// A plainConsole is a terminal that can only write line after line.
type plainConsole struct {
	out    io.Writer
	mu     sync.Mutex // for out
	events chan event
}

func newPlainConsole(in io.Reader, out io.Writer) *plainConsole {
	c := &plainConsole{out: out, events: make(chan event)}
	go c.read(in)
	return c
}

// read ends with the input, or the program.
func (c *plainConsole) read(in io.Reader) {
	lines := bufio.NewReader(in)
	for {
		text, err := lines.ReadString('\n')
		if err == nil || text != "" {
			c.events <- event{kind: eventLine, line: strings.TrimRight(text, "\r\n")}
		}
		if err != nil {
			c.events <- event{kind: eventEnd}
			return
		}
	}
}

func (c *plainConsole) Events() <-chan event { return c.events }

func (c *plainConsole) Print(lines string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(c.out, lines)
}

func (c *plainConsole) Close() error { return nil }
