package routes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

const frameworkPath = "github.com/gotornado/gotornado/wsframework"

// A program is the packages of a folder.
type program struct {
	folder   string // absolute, without symbolic links
	fset     *token.FileSet
	packages []*packages.Package

	functions map[*types.Func]*function
	assigned  map[types.Object]assignment   // what a variable got
	passed    map[types.Object][]assignment // what a parameter gets, from all calls
}

// A function is one whose source is there.
type function struct {
	decl *ast.FuncDecl
	pkg  *packages.Package
}

// An assignment is an expression and the package it stands in.
type assignment struct {
	expr ast.Expr
	pkg  *packages.Package
}

// list returns the routes of the program in a folder, by file and line.
func list(ctx context.Context, folder string) ([]route, error) {
	p, err := load(ctx, folder)
	if err != nil {
		return nil, err
	}
	var found []route
	for _, pkg := range p.packages {
		for _, file := range pkg.Syntax {
			for n := range ast.Preorder(file) {
				if call, ok := n.(*ast.CallExpr); ok {
					found = append(found, p.routesOf(pkg, call)...)
				}
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no route is registered in %s or below; go to the program's folder, or name it: wsf routes ./services/chat", folder)
	}
	slices.SortStableFunc(found, func(a, b route) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line)
	})
	return found, nil
}

// load reads and type-checks the packages.
func load(ctx context.Context, folder string) (*program, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	if absolute, err = filepath.EvalSymlinks(absolute); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no folder %s; name the program's: wsf routes ./services/chat", folder)
	} else if err != nil {
		return nil, err
	}
	if info, err := os.Stat(absolute); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder", folder)
	}
	p := &program{
		folder:    absolute,
		fset:      token.NewFileSet(),
		functions: make(map[*types.Func]*function),
		assigned:  make(map[types.Object]assignment),
		passed:    make(map[types.Object][]assignment),
	}
	p.packages, err = packages.Load(&packages.Config{
		Context: ctx,
		Dir:     absolute,
		Fset:    p.fset,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedExportFile | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedTypesSizes,
	}, "./...")
	if err != nil {
		return nil, fmt.Errorf("the program can't be read: %w", err)
	}
	if err := p.problems(); err != nil {
		return nil, err
	}
	for _, pkg := range p.packages {
		p.index(pkg)
	}
	return p, nil
}

// problems says why what was loaded is incomplete.
func (p *program) problems() error {
	var lines []string
	what := "the program does not compile; mend this, or what go build says there, first"
	for _, pkg := range p.packages {
		for _, problem := range pkg.Errors {
			if strings.HasPrefix(problem.Msg, "# ") && len(pkg.Errors) > 1 {
				continue // the compiler's report of what the others say
			}
			line := problem.Msg
			if problem.Kind == packages.ListError {
				what = "go can't list the packages; name a folder in the program's module, and see that go build works there"
			}
			if problem.Pos != "" && problem.Pos != "-" {
				line = problem.Pos + ": " + line
			}
			lines = append(lines, "  "+strings.ReplaceAll(line, "\n", "\n  "))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	if len(lines) > 8 {
		lines = append(lines[:8], fmt.Sprintf("  and %d more", len(lines)-8))
	}
	return errors.New(what + ":\n" + strings.Join(lines, "\n"))
}

// index remembers what variables and parameters get.
func (p *program) index(pkg *packages.Package) {
	for _, file := range pkg.Syntax {
		for n := range ast.Preorder(file) {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if f, ok := pkg.TypesInfo.Defs[n.Name].(*types.Func); ok {
					p.functions[f] = &function{n, pkg}
				}
			case *ast.AssignStmt:
				if len(n.Lhs) == len(n.Rhs) {
					for i, left := range n.Lhs {
						p.assign(pkg, left, n.Rhs[i])
					}
				}
			case *ast.ValueSpec:
				if len(n.Names) == len(n.Values) {
					for i, name := range n.Names {
						p.assign(pkg, name, n.Values[i])
					}
				}
			case *ast.CallExpr:
				p.pass(pkg, n)
			}
		}
	}
}

func (p *program) assign(pkg *packages.Package, left, right ast.Expr) {
	if object := objectOf(pkg, left); object != nil {
		p.assigned[object] = assignment{right, pkg}
	}
}

// pass remembers the arguments of a call of a function of the program.
func (p *program) pass(pkg *packages.Package, call *ast.CallExpr) {
	f, ok := objectOf(pkg, call.Fun).(*types.Func)
	if !ok {
		return
	}
	parameters := f.Signature().Params()
	for i, argument := range call.Args {
		if i < parameters.Len() {
			parameter := parameters.At(i)
			p.passed[parameter] = append(p.passed[parameter], assignment{argument, pkg})
		}
	}
}

// objectOf returns the variable, field or function that an expression names, or nil.
func objectOf(pkg *packages.Package, e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return pkg.TypesInfo.ObjectOf(e)
	case *ast.SelectorExpr:
		return pkg.TypesInfo.ObjectOf(e.Sel)
	}
	return nil
}

// where returns the place of a node, as the list shows it.
func (p *program) where(n ast.Node) (file string, line int) {
	at := p.fset.Position(n.Pos())
	if relative, err := filepath.Rel(p.folder, at.Filename); err == nil {
		at.Filename = filepath.ToSlash(relative)
	}
	return at.Filename, at.Line
}
