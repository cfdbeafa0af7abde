package wsframework

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"sync"
	"text/template/parse"
)

// A templateSet renders the pages of a file system with html/template. A template's name is its path
// there, with slashes ("admin/users.html"). A page names its layout like any other part, and its
// definitions replace the layout's blocks:
//
//	{{template "base.html" .}}
//	{{define "title"}}Chat{{end}}
//
// What a page is made of is found and parsed when it is first rendered, or every time with debug. All
// methods may be called from any goroutine.
type templateSet struct {
	fsys  fs.FS
	debug bool
	funcs template.FuncMap // the application's, and stand-ins for those of a binding
	err   error            // what is wrong with the application's functions

	nothing parse.Node // a piece of a template that writes nothing, and is not empty

	pages sync.Map   // name: *templatePage
	mu    sync.Mutex // held while a page is parsed, so that each is parsed once
}

// A binding is what the functions current_user, request, static_url, reverse_url and xsrf_form_html
// mean for one request. All fields are set.
type binding struct {
	user       func() any
	request    func() *http.Request
	staticURL  func(path string) string
	reverseURL func(name string, args ...any) (string, error)
	xsrfForm   func() (template.HTML, error)
}

// newTemplateSet leaves mistakes in the functions and files to check.
func newTemplateSet(fsys fs.FS, funcs template.FuncMap, debug bool) *templateSet {
	s := &templateSet{fsys: fsys, debug: debug, funcs: new(templateView).funcs()}
	s.nothing = template.Must(template.New("").Parse("{{if false}}{{end}}")).Tree.Root.Nodes[0]
	for _, name := range slices.Sorted(maps.Keys(funcs)) {
		if _, taken := s.funcs[name]; taken {
			s.err = fmt.Errorf("wsframework: the template function %q is built in; give yours another name", name)
			return s
		}
		if err := checkTemplateFunc(name, funcs[name]); err != nil {
			s.err = err
			return s
		}
	}
	maps.Copy(s.funcs, funcs)
	return s
}

// checkTemplateFunc turns html/template's panic into an error.
func checkTemplateFunc(name string, function any) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("wsframework: the template function %q can't be used: %v", name, problem)
		}
	}()
	template.New("").Funcs(template.FuncMap{name: function})
	return nil
}

// check parses every *.html there is, so that a mistake shows at start-up, with its file and line. A
// file that others include need not be complete: what it leaves open may be theirs to define.
func (s *templateSet) check() error {
	if s.err != nil {
		return s.err
	}
	var names []string
	included := make(map[string]bool)
	err := fs.WalkDir(s.fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".html" {
			return err
		}
		text, err := s.source(name)
		if err != nil {
			return err
		}
		file, err := s.parseFile(name, text)
		if err != nil {
			return err
		}
		names = append(names, name)
		for _, ref := range file.references {
			if ref.name != name {
				included[ref.name] = true
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("wsframework: %w", err)
	}
	for _, name := range names {
		if included[name] {
			continue
		}
		page, err := s.page(name)
		if err != nil {
			return err
		}
		if err := page.checkEscaping(); err != nil {
			return err
		}
	}
	return nil
}

// render returns a whole page, or none. The error has file, line and column, and is for the log only:
// it may quote the data.
func (s *templateSet) render(name string, b *binding, data any) ([]byte, error) {
	page, err := s.page(name)
	if err != nil {
		return nil, err
	}
	view, err := page.view()
	if err != nil {
		return nil, err
	}
	view.binding = b
	err = view.template.Execute(&view.out, data)
	view.binding = nil
	if err != nil {
		return nil, fmt.Errorf("wsframework: %w", err) // and the view is thrown away, as after a panic: who knows its state
	}
	result := bytes.Clone(view.out.Bytes())
	page.keep(view)
	return result, nil
}

func (s *templateSet) page(name string) (*templatePage, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.debug {
		return s.parse(name)
	}
	if page, ok := s.pages.Load(name); ok {
		return page.(*templatePage), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if page, ok := s.pages.Load(name); ok {
		return page.(*templatePage), nil
	}
	page, err := s.parse(name)
	if err == nil {
		s.pages.Store(name, page) // failures are not kept: there is no end of names without a file
	}
	return page, err
}

// A templatePage is a page with all its parts. html/template can't give the functions of a template
// that has run another meaning, so it has copies, its views, and each render takes one for itself.
type templatePage struct {
	master *template.Template // never executed, since it could not be copied any more
	views  sync.Pool          // of *templateView
}

// A templateView is one copy of a page; its functions read its binding.
type templateView struct {
	template *template.Template
	binding  *binding // nil while it is not rendered
	out      bytes.Buffer
}

// maxKeptOutput bounds the buffer that waits with a view for its next render.
const maxKeptOutput = 64 << 10

func (p *templatePage) view() (*templateView, error) {
	if view, ok := p.views.Get().(*templateView); ok {
		return view, nil
	}
	master, err := p.master.Clone()
	if err != nil {
		return nil, fmt.Errorf("wsframework: %w", err)
	}
	view := new(templateView)
	view.template = master.Funcs(view.funcs())
	return view, nil
}

func (p *templatePage) keep(view *templateView) {
	view.out.Reset()
	if view.out.Cap() > maxKeptOutput {
		view.out = bytes.Buffer{}
	}
	p.views.Put(view)
}

func (v *templateView) funcs() template.FuncMap {
	return template.FuncMap{
		"current_user":   func() any { return v.binding.user() },
		"request":        func() *http.Request { return v.binding.request() },
		"static_url":     func(path string) string { return v.binding.staticURL(path) },
		"reverse_url":    func(name string, args ...any) (string, error) { return v.binding.reverseURL(name, args...) },
		"xsrf_form_html": func() (template.HTML, error) { return v.binding.xsrfForm() },
	}
}

// checkEscaping lets html/template find out the context of every value. It does so before it executes
// a template, whether or not a part of it will be reached.
func (p *templatePage) checkEscaping() error {
	page, err := p.master.Clone()
	if err == nil {
		_, err = page.New("/").Parse("{{if false}}{{template " + strconv.Quote(page.Name()) + "}}{{end}}")
	}
	if err == nil {
		err = page.ExecuteTemplate(io.Discard, "/", nil)
	}
	if err != nil {
		return fmt.Errorf("wsframework: %w", err)
	}
	return nil
}
