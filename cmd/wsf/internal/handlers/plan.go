package handlers

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/fatih/color"

	"github.com/gotornado/gotornado/cmd/wsf/internal/filetext"
)

//go:embed kinds
var sources embed.FS

// A plan is what adding a handler changes.
type plan struct {
	folder  string
	data    data
	changes []change
}

// A change is a file that is new, or has a new text.
type change struct {
	name     string // in the folder, with slashes
	old, new []byte // old is nil for a new file
}

// newPlan finds out what there is to do, and whether it can be done.
func newPlan(o options) (*plan, error) {
	d, err := newData(o)
	if err != nil {
		return nil, err
	}
	prog, err := load(o.folder)
	if err != nil {
		return nil, err
	}
	at, err := prog.find(o.folder, o.function)
	if err != nil {
		return nil, err
	}
	d.Package, d.Application, d.Framework = at.file.syntax.Name.Name, at.application, at.file.framework
	p := &plan{folder: o.folder, data: d}
	if where := prog.declaredAt(d.Type, d.File+".go"); where != "" {
		return nil, fmt.Errorf("%s is declared at %s already; choose another name", d.Type, where)
	}
	if err := p.addFiles(o); err != nil {
		return nil, err
	}
	where, ours := prog.registeredAt(d)
	switch {
	case where == "":
		text, err := insert(prog.fset, at, registration(o, d))
		if err != nil {
			return nil, err
		}
		p.changes = append(p.changes, change{at.file.name, at.file.text, text})
	case !ours:
		return nil, fmt.Errorf("the route %s is registered at %s already; choose another one with -route", d.Pattern, where)
	}
	return p, nil
}

// addFiles plans the files that are not there. One with another text is in the way.
func (p *plan) addFiles(o options) error {
	files := []struct{ source, target string }{
		{o.kind + ".go.tmpl", p.data.File + ".go"},
		{o.kind + "_test.go.tmpl", p.data.File + "_test.go"},
	}
	if p.hasPages() {
		files = append(files, []struct{ source, target string }{
			{"snippet.html.tmpl", "templates/" + p.data.File + ".html"},
			{"script.js.tmpl", "static/js/" + p.data.File + ".js"},
		}...)
	}
	for _, f := range files {
		text, err := render(f.source, p.data)
		if err != nil {
			return err
		}
		old, err := os.ReadFile(p.path(f.target))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			p.changes = append(p.changes, change{f.target, nil, text})
		case err != nil:
			return err
		case !bytes.Equal(old, text):
			return fmt.Errorf("%s is there already, with another text; it is not overwritten: choose another name, or move it away", p.path(f.target))
		}
	}
	return nil
}

// hasPages reports whether the program has templates, and the script that snippets import.
func (p *plan) hasPages() bool {
	for _, name := range []string{"templates", "static/js/reconnecting.js"} {
		if _, err := os.Stat(p.path(name)); err != nil {
			return false
		}
	}
	return true
}

func (p *plan) path(name string) string { return filepath.Join(p.folder, filepath.FromSlash(name)) }

// render makes a file's text. The marks are << and >>, because Go has [[ and templates of pages have {{.
func render(name string, d data) ([]byte, error) {
	return filetext.Make(sources, "kinds/"+name, "<<", ">>", d)
}

// registration is the statement that registers the route.
func registration(o options, d data) string {
	framework := d.Framework + "."
	if framework == ".." {
		framework = ""
	}
	factory := fmt.Sprintf("func() %sHandler { return new(%s) }", framework, d.Type)
	if o.kind == "stream" {
		factory = "new" + d.Name + "Handlers()"
	}
	if o.authenticated {
		factory += ", " + framework + "Authenticated()"
	}
	return fmt.Sprintf("%s.WebSocket(%q, %s)", d.Application, d.Pattern, factory)
}

// insert puts a statement behind another one, on a line of its own. Everything else stays as it is, octet by
// octet.
func insert(fset *token.FileSet, at *place, statement string) ([]byte, error) {
	text := at.file.text
	begin := fset.Position(at.after.Pos())
	end := fset.Position(at.after.End()).Offset
	newline := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		newline = "\r\n"
	}
	lineStart := bytes.LastIndexByte(text[:begin.Offset], '\n') + 1
	indent := text[lineStart:begin.Offset]
	insertion := "; " + statement
	if ended := endOfLine(fset, at, end); ended >= 0 && len(bytes.TrimSpace(indent)) == 0 {
		end, insertion = ended, newline+string(indent)+statement
	}
	result := append(append(append([]byte(nil), text[:end]...), insertion...), text[end:]...)
	if _, err := parser.ParseFile(token.NewFileSet(), at.file.name, result, parser.SkipObjectResolution); err != nil {
		return nil, fmt.Errorf("the route can't be put into %s by itself: add it yourself, behind line %d:\n  %s", at.file.name, begin.Line, statement)
	}
	return result, nil
}

// endOfLine returns the end of the line that a statement ends on, behind its comment; -1 if more code follows there.
func endOfLine(fset *token.FileSet, at *place, end int) int {
	text := at.file.text
	for _, group := range at.file.syntax.Comments {
		for _, comment := range group.List {
			from, to := fset.Position(comment.Pos()).Offset, fset.Position(comment.End()).Offset
			if from >= end && len(bytes.Trim(text[end:from], " \t;")) == 0 {
				end = to
			}
		}
	}
	rest, _, _ := bytes.Cut(text[end:], []byte("\n"))
	if len(bytes.Trim(rest, " \t\r;")) > 0 {
		return -1
	}
	return end + len(bytes.TrimRight(rest, "\r"))
}

// diff shows the changes.
func (p *plan) diff(w io.Writer) {
	for _, c := range p.changes {
		from := "a/" + c.name
		if c.old == nil {
			from = "/dev/null"
		}
		for line := range strings.Lines(udiff.Unified(from, "b/"+c.name, string(c.old), string(c.new))) {
			switch {
			case strings.HasPrefix(line, "+"):
				line = color.GreenString("%s", line)
			case strings.HasPrefix(line, "-"):
				line = color.RedString("%s", line)
			}
			io.WriteString(w, line)
		}
	}
}

// apply makes the changes: all of them or none.
func (p *plan) apply() (err error) {
	var undo []func()
	defer func() {
		if err != nil {
			for _, f := range undo {
				f()
			}
		}
	}()
	for _, c := range p.changes {
		path := p.path(c.name)
		if c.old != nil {
			if err := replaceFile(path, c.new); err != nil {
				return err
			}
			continue // the last one
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		undo = append(undo, func() { os.Remove(path) })
		_, err = file.Write(c.new)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile gives a file a new text in one step, and keeps its mode.
func replaceFile(path string, text []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(info.Mode()), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}
