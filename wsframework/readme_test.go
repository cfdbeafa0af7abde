package wsframework_test

import (
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// README's table lists all settings, and its program is at most 30 lines of formatted Go that compile.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	settings := reflect.TypeFor[wsframework.Settings]()
	for i := range settings.NumField() {
		if name := settings.Field(i).Name; !strings.Contains(readme, "\n| `"+name+"` |") {
			t.Errorf("the table of settings lacks %s", name)
		}
	}
	_, program, _ := strings.Cut(readme, "```go\n")
	program, _, _ = strings.Cut(program, "```")
	if lines := strings.Count(program, "\n"); lines > 30 {
		t.Errorf("the program has %d lines", lines)
	}
	if formatted, err := format.Source([]byte(program)); err != nil || string(formatted) != program {
		t.Errorf("the program is not formatted: %v", err)
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	vet := exec.Command("go", "vet", file)
	vet.Dir = ".."
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("the program does not compile: %v\n%s", err, out)
	}
}
