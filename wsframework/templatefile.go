package wsframework

import (
	"cmp"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"text/template/parse"
)

// A templateFile is one parsed file.
type templateFile struct {
	definitions map[string]*parse.Tree // what it defines, and under its own name what stands outside
	references  []templateReference    // what it includes and does not define itself
}

// A templateReference is a {{template "name"}}.
type templateReference struct {
	name  string
	place string    // file, line and column
	pos   parse.Pos // in the file
}

// parse finds all files of a page and puts them together.
func (s *templateSet) parse(name string) (*templatePage, error) {
	text, err := s.source(name)
	if err != nil {
		return nil, fmt.Errorf("wsframework: template: %w", err)
	}
	l := templateLoader{set: s, all: template.New(name).Funcs(s.funcs), seen: make(map[string]bool)}
	if err := l.load(name, text); err != nil {
		return nil, fmt.Errorf("wsframework: %w", err)
	}
	for _, missing := range l.missing {
		if l.all.Lookup(missing.name) == nil {
			return nil, fmt.Errorf("wsframework: template: %s: %q is defined nowhere, and is no file: %w", missing.place, missing.name, missing.err)
		}
	}
	return &templatePage{master: l.all.Lookup(name)}, nil
}

// A templateLoader gathers what one page is made of.
type templateLoader struct {
	set     *templateSet
	all     *template.Template
	seen    map[string]bool
	missing []missingTemplate // references that are no files: another file has to define them
}

type missingTemplate struct {
	templateReference
	err error
}

// load adds a file after all that it includes, so that its definitions replace theirs. The page itself
// comes last.
func (l *templateLoader) load(name string, text []byte) error {
	l.seen[name] = true
	file, err := l.set.parseFile(name, text)
	if err != nil {
		return err
	}
	for _, ref := range file.references {
		if l.seen[ref.name] {
			continue // also what includes itself, by way of others or not
		}
		text, err := l.set.source(ref.name)
		if err != nil {
			l.missing = append(l.missing, missingTemplate{ref, err})
			continue
		}
		if err := l.load(ref.name, text); err != nil {
			return err
		}
	}
	for name, tree := range file.definitions {
		if parse.IsEmptyTree(tree.Root) {
			// It would not replace anything, but {{define "menu"}}{{end}} means no menu.
			tree.Root.Nodes = append(tree.Root.Nodes, l.set.nothing.Copy())
		}
		if _, err := l.all.AddParseTree(name, tree); err != nil {
			return err
		}
	}
	return nil
}

// source returns the text of a file.
func (s *templateSet) source(name string) ([]byte, error) {
	if !fs.ValidPath(name) {
		return nil, fmt.Errorf("%q is no path in the folder of the templates; write it like admin/users.html", name)
	}
	return fs.ReadFile(s.fsys, name)
}

func (s *templateSet) parseFile(name string, text []byte) (*templateFile, error) {
	parsed, err := template.New(name).Funcs(s.funcs).Parse(string(text))
	if err != nil {
		return nil, err
	}
	file := &templateFile{definitions: make(map[string]*parse.Tree)}
	for _, t := range parsed.Templates() {
		file.definitions[t.Name()] = t.Tree
	}
	for _, tree := range file.definitions {
		file.refer(tree, tree.Root)
	}
	slices.SortFunc(file.references, func(a, b templateReference) int { return cmp.Compare(a.pos, b.pos) })
	return file, nil
}

// refer notes what a part of a file includes.
func (f *templateFile) refer(tree *parse.Tree, node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n != nil { // the list of an else that is not there
			for _, child := range n.Nodes {
				f.refer(tree, child)
			}
		}
	case *parse.IfNode:
		f.refer(tree, n.List)
		f.refer(tree, n.ElseList)
	case *parse.RangeNode:
		f.refer(tree, n.List)
		f.refer(tree, n.ElseList)
	case *parse.WithNode:
		f.refer(tree, n.List)
		f.refer(tree, n.ElseList)
	case *parse.TemplateNode:
		if _, own := f.definitions[n.Name]; !own {
			place, _ := tree.ErrorContext(n)
			f.references = append(f.references, templateReference{n.Name, place, n.Pos})
		}
	}
}
