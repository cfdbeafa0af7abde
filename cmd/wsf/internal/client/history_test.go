package client

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestHistory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "wsf", "history")
	h, err := openHistory(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{"one", "one", "", " secret", "zwei 二", "two\nlines", "one"} {
		if err := h.add(typed); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"one", "zwei 二", "one"}
	if !slices.Equal(h.lines, want) {
		t.Errorf("%q, want %q", h.lines, want)
	}
	again, err := openHistory(file)
	if err != nil || !slices.Equal(again.lines, want) {
		t.Errorf("from the file: %q, error %v; want %q", again.lines, err, want)
	}
	wantPrivate(t, file)
}

// wantPrivate checks that nobody else may read a file.
func wantPrivate(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the mode of %s is %o", file, mode)
	}
}

// The file does not grow for ever, and one that others could read is theirs no longer.
func TestHistoryLong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	var text strings.Builder
	for i := range maxHistory + 10 {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := openHistory(file)
	if err != nil || len(h.lines) != maxHistory || h.lines[0] != "line 10" {
		t.Fatalf("%d lines, error %v", len(h.lines), err)
	}
	wantPrivate(t, file)
	again, err := openHistory(file)
	if err != nil || !slices.Equal(again.lines, h.lines) {
		t.Errorf("%d lines, error %v", len(again.lines), err)
	}
	others, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
	if err != nil || len(others) != 1 {
		t.Errorf("files %q, error %v", others, err)
	}
	os.Chmod(file, 0o644)
	if err := again.add("more"); err != nil {
		t.Fatal(err)
	}
	wantPrivate(t, file)
}

// A folder that can't be written costs the file, and nothing else.
func TestHistoryUnwritable(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := openHistory(filepath.Join(blocked, "history"))
	if err == nil || !strings.Contains(err.Error(), "the history is not kept") {
		t.Fatalf("error %v", err)
	}
	if err := h.add("one"); err != nil || len(h.lines) != 1 {
		t.Errorf("%q, error %v", h.lines, err)
	}
}

func TestHistoryFile(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	if got, err := historyFile(); err != nil || got != filepath.Join(state, "wsf", "client_history") {
		t.Errorf("%s, error %v", got, err)
	}
	t.Setenv("XDG_STATE_HOME", "relative") // which the standard says to ignore
	if got, err := historyFile(); err != nil || strings.Contains(got, "relative") {
		t.Errorf("%s, error %v", got, err)
	}
}
