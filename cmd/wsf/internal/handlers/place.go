package handlers

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gotornado/gotornado/cmd/wsf/internal/usage"
)

const frameworkPath = "github.com/gotornado/gotornado/wsframework"

// A program is the Go package in a folder, without its tests.
type program struct {
	fset  *token.FileSet
	files []*sourceFile
}

type sourceFile struct {
	name      string // in the folder
	text      []byte
	syntax    *ast.File
	framework string // what the file calls the framework; "" if it does not import it
}

// A place is where a route can be registered.
type place struct {
	file        *sourceFile
	function    string
	application string // the expression for it
	after       ast.Stmt
	line        int
	made        bool // behind NewApplication; there is no route yet
}

// load parses the program in a folder.
func load(folder string) (*program, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no folder %s; give the program's with -dir", folder)
	}
	if err != nil {
		return nil, err
	}
	p := &program{fset: token.NewFileSet()}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if fits, err := build.Default.MatchFile(folder, name); err != nil || !fits {
			continue // for another system, or ignored
		}
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		syntax, err := parser.ParseFile(p.fset, filepath.Join(folder, name), text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("%w; mend that first", err)
		}
		p.files = append(p.files, &sourceFile{name, text, syntax, frameworkName(syntax)})
	}
	if len(p.files) == 0 {
		return nil, fmt.Errorf("there is no Go program in %s; go to its folder, or give it with -dir", folder)
	}
	return p, nil
}

// frameworkName returns what a file calls the framework.
func frameworkName(file *ast.File) string {
	for _, spec := range file.Imports {
		if path, _ := strconv.Unquote(spec.Path.Value); path != frameworkPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return "wsframework"
	}
	return ""
}

// find returns the one place where routes are registered. function chooses one of several.
func (p *program) find(folder, function string) (*place, error) {
	var registering, making []*place
	for _, file := range p.files {
		if file.framework == "" {
			continue
		}
		for _, decl := range file.syntax.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil || function != "" && f.Name.Name != function {
				continue
			}
			switch found := p.lookInto(file, f); {
			case found == nil:
			case found.made:
				making = append(making, found)
			default:
				registering = append(registering, found)
			}
		}
	}
	places := registering
	if len(places) == 0 {
		places = making
	}
	switch {
	case len(places) == 1:
		return places[0], nil
	case len(places) > 1:
		var lines []string
		for _, at := range places {
			lines = append(lines, fmt.Sprintf("  -in %s  (%s:%d)", at.function, filepath.Join(folder, at.file.name), at.line))
		}
		return nil, usage.Errorf("several functions register routes; say which one with -in:\n%s", strings.Join(lines, "\n"))
	case function != "":
		return nil, usage.Errorf("there is no function %s in %s that calls app.WebSocket or keeps what wsframework.NewApplication returns in a variable",
			function, folder)
	}
	return nil, fmt.Errorf("nothing in %s calls app.WebSocket, or keeps what wsframework.NewApplication returns in a variable: "+
		"go to the program's folder, or give it with -dir", folder)
}

// lookInto finds the last statement of a function that registers a route, or makes the application.
func (p *program) lookInto(file *sourceFile, f *ast.FuncDecl) *place {
	var registered, made *place
	groups := groupsIn(f.Body)
	for _, stmt := range f.Body.List {
		at := &place{file: file, function: f.Name.Name, after: stmt, line: p.fset.Position(stmt.Pos()).Line}
		if name := applicationMade(stmt, file.framework); name != "" {
			at.application, at.made = name, true
			made = at
			continue
		}
		alone, ok := stmt.(*ast.ExprStmt)
		if !ok {
			continue
		}
		if call := socketCall(alone.X); call != nil {
			at.application = expression(call.Fun.(*ast.SelectorExpr).X)
			if at.application != "" && !groups[at.application] {
				registered = at
			}
		}
	}
	if registered != nil {
		return registered
	}
	return made
}

// socketCall returns a node that is a call of a method WebSocket.
func socketCall(n ast.Node) *ast.CallExpr {
	if call, ok := n.(*ast.CallExpr); ok && len(call.Args) >= 2 {
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "WebSocket" {
			return call
		}
	}
	return nil
}

// applicationMade returns the variable to which a statement assigns a new application.
func applicationMade(stmt ast.Stmt, framework string) string {
	assign, ok := stmt.(*ast.AssignStmt)
	if !ok || len(assign.Lhs) != 1 || len(assign.Rhs) != 1 {
		return ""
	}
	call, ok := assign.Rhs[0].(*ast.CallExpr)
	if !ok {
		return ""
	}
	want := framework + ".NewApplication"
	if framework == "." {
		want = "NewApplication"
	}
	if expression(call.Fun) != want {
		return ""
	}
	return expression(assign.Lhs[0])
}

// groupsIn returns the variables that hold what Under returns: what is registered there gets a prefix.
func groupsIn(body *ast.BlockStmt) map[string]bool {
	groups := make(map[string]bool)
	ast.Inspect(body, func(n ast.Node) bool {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || len(assign.Lhs) != len(assign.Rhs) {
			return true
		}
		for i, right := range assign.Rhs {
			if call, ok := right.(*ast.CallExpr); ok {
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Under" {
					groups[expression(assign.Lhs[i])] = true
				}
			}
		}
		return true
	})
	return groups
}

// expression returns the text of a variable or a field, "" for what is more than that.
func expression(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		if e.Name != "_" {
			return e.Name
		}
	case *ast.SelectorExpr:
		if left := expression(e.X); left != "" {
			return left + "." + e.Sel.Name
		}
	}
	return ""
}

// registeredAt looks for a route with a pattern. It says whether that is one of the handler.
func (p *program) registeredAt(d data) (where string, ours bool) {
	for _, file := range p.files {
		if file.framework == "" {
			continue
		}
		for n := range ast.Preorder(file.syntax) {
			call := socketCall(n)
			if call == nil || literalPattern(call.Args[0]) != d.Pattern {
				continue
			}
			for n := range ast.Preorder(call.Args[1]) {
				if id, ok := n.(*ast.Ident); ok && (id.Name == d.Type || id.Name == "new"+d.Name+"Handlers") {
					ours = true
				}
			}
			return p.fset.Position(call.Pos()).String(), ours
		}
	}
	return "", false
}

// literalPattern returns the pattern of a route for sockets, which are GET requests; "" if it is no literal.
func literalPattern(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	pattern, _ := strconv.Unquote(literal.Value)
	return strings.TrimPrefix(pattern, "GET ")
}

// declaredAt says where a name is declared outside one file.
func (p *program) declaredAt(name, except string) string {
	for _, file := range p.files {
		if file.name == except {
			continue
		}
		for _, decl := range file.syntax.Decls {
			for _, id := range declared(decl) {
				if id.Name == name {
					return p.fset.Position(id.Pos()).String()
				}
			}
		}
	}
	return ""
}

// declared returns the names that a declaration introduces.
func declared(decl ast.Decl) (names []*ast.Ident) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name)
			case *ast.ValueSpec:
				names = append(names, s.Names...)
			}
		}
	}
	return names
}
