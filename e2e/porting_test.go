package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/internal/testtool"
)

const portingGuide = "../docs/porting.md"

// A portedRow is a line of the guide's tables of names.
type portedRow struct {
	line    int
	tornado []string // in full: tornado.web.RequestHandler.render; "….*" for all members
	here    []string // "Application.Every", "http.ServeMux"; none: there is no counterpart
	example []string // Python, and the lines of Go
	why     string   // what stands there in place of an example
	setting bool     // these tables have no examples
}

var (
	nameHeading = regexp.MustCompile("^### `(tornado\\.[\\w.]+)`")
	nameOfRow   = regexp.MustCompile("`([\\w.]+(?:\\.\\*)?)`")
	nameOfText  = regexp.MustCompile("`([A-Z]\\w+\\.[A-Z]\\w+)`")
	codeSpan    = regexp.MustCompile("^`([^`]+)`$")
)

// readPortingGuide reads the tables below headings that are names of Tornado.
func readPortingGuide(t *testing.T) (rows []portedRow) {
	t.Helper()
	guide, err := os.ReadFile(portingGuide)
	if err != nil {
		t.Fatal(err)
	}
	heading, number := "", 0
	for line := range strings.Lines(string(guide)) {
		number++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			heading = ""
			if match := nameHeading.FindStringSubmatch(line); match != nil {
				heading = match[1]
			}
		}
		if heading == "" || !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 3 {
			t.Errorf("%s:%d: the row has %d cells, want 3", portingGuide, number, len(cells))
			continue
		}
		row := portedRow{line: number, setting: strings.HasSuffix(heading, ".settings") || strings.HasPrefix(heading, "tornado.httpserver.")}
		for _, name := range nameOfRow.FindAllStringSubmatch(cells[0], -1) {
			row.tornado = append(row.tornado, heading+"."+name[1])
		}
		if strings.TrimSpace(cells[1]) != "none" {
			for _, name := range nameOfRow.FindAllStringSubmatch(cells[1], -1) {
				row.here = append(row.here, name[1])
			}
		}
		last := strings.TrimSpace(cells[2])
		for _, part := range strings.Split(last, "<br>") {
			if code := codeSpan.FindStringSubmatch(part); code != nil {
				row.example = append(row.example, code[1])
			} else {
				row.why = last
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// Each row has a counterpart with an example, or says why there is none.
func TestPortingGuideSaysEnough(t *testing.T) {
	rows := readPortingGuide(t)
	if len(rows) < 150 {
		t.Errorf("only %d rows were found", len(rows))
	}
	for _, row := range rows {
		switch {
		case len(row.tornado) == 0:
			t.Errorf("%s:%d: no name of Tornado", portingGuide, row.line)
		case len(row.here) == 0 && row.why == "":
			t.Errorf("%s:%d: neither a counterpart nor why there is none", portingGuide, row.line)
		case len(row.here) > 0 && !row.setting && (row.why != "" || len(row.example) < 2):
			t.Errorf("%s:%d: no example in Python and Go", portingGuide, row.line)
		}
	}
}

// The tables leave out no public name of the Tornado that is installed, and what they show of it is Python.
func TestPortingGuideKnowsTornado(t *testing.T) {
	python := testtool.Need(t, "python3-tornado", findPython("tornado"))
	known := make(map[string]bool)
	var lines []string
	for _, row := range readPortingGuide(t) {
		for _, name := range row.tornado {
			known[name] = true
		}
		if len(row.example) > 0 {
			lines = append(lines, row.example[0])
		}
	}
	names := strings.Fields(tornadoNames(t, python, nil))
	if len(names) < 300 {
		t.Errorf("Tornado has only %d names", len(names))
	}
	for _, name := range names {
		if owner := name[:strings.LastIndexByte(name, '.')]; !known[name] && !known[owner+".*"] {
			t.Errorf("%s does not tell of %s", portingGuide, name)
		}
	}
	if wrong := tornadoNames(t, python, lines, "check"); wrong != "" {
		t.Errorf("this is no Python:\n%s", wrong)
	}
}

// tornadoNames runs testdata/tornado_names.py.
func tornadoNames(t *testing.T, python string, in any, args ...string) string {
	t.Helper()
	input, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	script := exec.CommandContext(t.Context(), python, append([]string{"testdata/tornado_names.py"}, args...)...)
	script.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	script.Stdin = bytes.NewReader(input)
	var complaints bytes.Buffer
	script.Stderr = &complaints
	output, err := script.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &complaints)
	}
	return string(output)
}

// What the guide names on this side is there, and the examples of its tables compile.
func TestPortingGuideKnowsGo(t *testing.T) {
	check := newGoChecker(t)
	guide, err := os.ReadFile(portingGuide)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range nameOfText.FindAllStringSubmatch(string(guide), -1) {
		if err := check.name(name[1]); err != nil {
			t.Errorf("%s: %v", portingGuide, err)
		}
	}
	for _, row := range readPortingGuide(t) {
		for _, name := range row.here {
			if err := check.name(name); err != nil {
				t.Errorf("%s:%d: %v", portingGuide, row.line, err)
			}
		}
		if len(row.example) > 1 {
			for _, err := range check.example(row.example[1:]) {
				t.Errorf("%s:%d: %v in\n%s", portingGuide, row.line, err, strings.Join(row.example[1:], "\n"))
			}
		}
	}
}

// framework is the package whose names need no qualifier.
const framework = "github.com/gotornado/gotornado/wsframework"

// portingImports are what examples may use, by their names there.
var portingImports = map[string]string{
	"wsframework": framework,
	"context":     "context",
	"errors":      "errors",
	"flag":        "flag",
	"fmt":         "fmt",
	"html":        "html",
	"http":        "net/http",
	"io":          "io",
	"json":        "encoding/json",
	"slices":      "slices",
	"slog":        "log/slog",
	"strings":     "strings",
	"template":    "html/template",
	"time":        "time",
	"tls":         "crypto/tls",
	"url":         "net/url",
	"utf8":        "unicode/utf8",
}

// A goChecker looks names up and compiles examples.
type goChecker struct {
	fset     *token.FileSet
	importer types.Importer
}

// newGoChecker lets the go command say where the compiled packages are.
func newGoChecker(t *testing.T) *goChecker {
	t.Helper()
	args := []string{"list", "-deps", "-export", "-f", "{{.ImportPath}}={{.Export}}"}
	list := exec.CommandContext(t.Context(), "go", slices.AppendSeq(args, maps.Values(portingImports))...)
	var complaints bytes.Buffer
	list.Stderr = &complaints
	output, err := list.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &complaints)
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(output)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[name] = file
	}
	fset := token.NewFileSet()
	return &goChecker{fset, importer.ForCompiler(fset, "gc", func(name string) (io.ReadCloser, error) {
		if files[name] == "" {
			return nil, fmt.Errorf("package %s is not compiled", name)
		}
		return os.Open(files[name])
	})}
}

// name looks up a name such as BaseHandler.WriteMessage, Settings.LoginURL, UserAs or http.Request.Cookies.
func (c *goChecker) name(name string) error {
	parts, importPath := strings.Split(name, "."), framework
	if !ast.IsExported(parts[0]) {
		if importPath = portingImports[parts[0]]; importPath == "" {
			return fmt.Errorf("%s: the test knows no package %q", name, parts[0])
		}
		parts = parts[1:]
	}
	pkg, err := c.importer.Import(importPath)
	if err != nil {
		return err
	}
	if len(parts) == 0 || len(parts) > 2 {
		return fmt.Errorf("%s is no name", name)
	}
	object := pkg.Scope().Lookup(parts[0])
	if object == nil || !object.Exported() {
		return fmt.Errorf("there is no %s in package %s", parts[0], pkg.Name())
	}
	if len(parts) == 2 {
		member, _, _ := types.LookupFieldOrMethod(object.Type(), true, pkg, parts[1])
		if member == nil || !member.Exported() {
			return fmt.Errorf("%s.%s has no %s", pkg.Name(), parts[0], parts[1])
		}
	}
	return nil
}

// exampleFrame is what the examples are read in: declarations as they are, the rest within a function.
const exampleFrame = `
type H struct { wsframework.BaseHandler; room string; pings int; seen time.Time }
type P struct { wsframework.RequestHandler; db *database; began time.Time }
type User struct { Name string }
type database struct{}
func (*database) release() {}
func newH() wsframework.Handler { return nil }
func newP() wsframework.Page { return nil }
`

const exampleFunction = `
func _(ctx context.Context, h *H, p *P, app *wsframework.Application, c *wsframework.ClientConn, m wsframework.Message,
	db *database, old http.Handler, handler slog.Handler, tick, work, stop func(), watch func(context.Context) error,
	name, text string, room, post, value any, err error) error {
%s
return nil
}
`

// example compiles the lines of Go of an example, and returns what is wrong with them.
func (c *goChecker) example(lines []string) (wrong []error) {
	var file strings.Builder
	file.WriteString("package example\n")
	for name, path := range portingImports {
		fmt.Fprintf(&file, "import %s %q\n", name, path)
	}
	file.WriteString(exampleFrame)
	code := strings.Join(lines, "\n")
	if strings.HasPrefix(code, "func ") || strings.HasPrefix(code, "type ") {
		file.WriteString(code)
	} else {
		fmt.Fprintf(&file, exampleFunction, code)
	}
	if !strings.Contains(code, ") OnMessage(") {
		file.WriteString("\nfunc (h *H) OnMessage(m wsframework.Message) error { return nil }\n")
	}
	if !strings.Contains(code, ") Get(") {
		file.WriteString("\nfunc (p *P) Get() error { return nil }\n")
	}
	parsed, err := parser.ParseFile(c.fset, "example.go", file.String(), parser.SkipObjectResolution)
	if err != nil {
		return []error{err}
	}
	config := types.Config{Importer: c.importer, Error: func(err error) {
		if e, ok := err.(types.Error); !ok || !e.Soft { // soft: a variable or an import is not used
			wrong = append(wrong, err)
		}
	}}
	config.Check("example", c.fset, []*ast.File{parsed}, nil)
	return wrong
}
