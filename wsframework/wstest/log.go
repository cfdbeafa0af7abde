package wstest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// A Log keeps what an application logs. When the test fails, its output shows it.
type Log struct {
	t testing.TB

	mu   sync.Mutex // protects the following
	text bytes.Buffer
}

// NewLog returns an empty log.
func NewLog(t testing.TB) *Log {
	l := &Log{t: t}
	t.Cleanup(func() {
		if text := l.String(); t.Failed() && text != "" {
			t.Logf("the log:\n%s", text)
		}
	})
	return l
}

// Logger returns a logger for Settings.Logger or Settings.AccessLogger that writes here, one line for each
// record of at least a level: slog.LevelWarn leaves out of an access log what went well.
func (l *Log) Logger(level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: level}))
}

// Write appends to the log. Log is an [io.Writer] so that other loggers can write here, too.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Forget empties the log.
func (l *Log) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// ExpectContains fails the test if a part is not there.
func (l *Log) ExpectContains(part string) {
	l.t.Helper()
	if text := l.String(); !strings.Contains(text, part) {
		l.t.Fatalf("wstest: the log lacks %q:\n%s", part, text)
	}
}

// ExpectLine fails the test unless the log is one line, which has all of the parts. Where there are lines of
// before, Forget them first.
func (l *Log) ExpectLine(parts ...string) {
	l.t.Helper()
	text := l.String()
	if strings.Count(text, "\n") != 1 {
		l.t.Fatalf("wstest: want one line in the log with %q, but it has:\n%s", parts, text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			l.t.Fatalf("wstest: the log's line lacks %q:\n%s", part, text)
		}
	}
}

// ExpectNothing fails the test if something has been logged.
func (l *Log) ExpectNothing() {
	l.t.Helper()
	if text := l.String(); text != "" {
		l.t.Fatalf("wstest: want nothing in the log, but it has:\n%s", text)
	}
}
