package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const maxHistory = 1000 // lines

// A history is the lines that were typed, the oldest first. Its file may be "": then it lasts as long as the
// program.
type history struct {
	file  string
	lines []string
}

// historyFile returns where the history is kept: in the folder for state of the XDG base directories, or
// what the system has in its place.
func historyFile() (string, error) {
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "wsf", "client_history"), nil
	}
	if runtime.GOOS == "windows" {
		state, err := os.UserCacheDir() // %LocalAppData%
		return filepath.Join(state, "wsf", "client_history"), err
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state", "wsf", "client_history"), err
}

// openHistory reads the history and drops what is too old. Only the user may read the file.
func openHistory(file string) (*history, error) {
	h := &history{file: file}
	if file == "" {
		return h, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return h.forgetful(err)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	} else if err != nil {
		return h.forgetful(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			h.lines = append(h.lines, line)
		}
	}
	if extra := len(h.lines) - maxHistory; extra > 0 {
		h.lines = h.lines[extra:]
		if err := h.rewrite(); err != nil {
			return h.forgetful(err)
		}
	}
	return h, nil
}

// forgetful makes the history one without a file.
func (h *history) forgetful(err error) (*history, error) {
	h.file = ""
	return h, fmt.Errorf("the history is not kept: %w", err)
}

// rewrite replaces the file at once, so that another client never reads half of it.
func (h *history) rewrite() error {
	next, err := os.CreateTemp(filepath.Dir(h.file), "client_history-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = next.WriteString(strings.Join(h.lines, "\n") + "\n")
	if err = errors.Join(err, next.Close()); err == nil {
		err = os.Rename(next.Name(), h.file)
	}
	if err != nil {
		os.Remove(next.Name())
	}
	return err
}

// add keeps a line, unless it is the same as the last one or begins with a space, as what is secret may.
func (h *history) add(line string) error {
	if line == "" || strings.HasPrefix(line, " ") || strings.ContainsAny(line, "\r\n") ||
		len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return nil
	}
	h.lines = append(h.lines, line)
	if h.file == "" {
		return nil
	}
	f, err := os.OpenFile(h.file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	chmod := f.Chmod(0o600) // one that was there before may have had another mode
	if runtime.GOOS == "windows" {
		chmod = nil // which has no such modes
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(chmod, err, f.Close())
}
