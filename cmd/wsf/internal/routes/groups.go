package routes

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A group is where routes are registered: the application, or what Under returned.
type group struct {
	prefix  string
	options []string
}

// groups follows an expression to the groups that it can be. Where that is unknown it is taken for the
// application.
func (p *program) groups(pkg *packages.Package, e ast.Expr, steps int) []group {
	top := []group{{}}
	if steps > maxSteps || !isGroup(pkg.TypesInfo.TypeOf(e)) {
		return top
	}
	if call, ok := ast.Unparen(e).(*ast.CallExpr); ok {
		return p.groupsOfCall(pkg, call, steps)
	}
	object := objectOf(pkg, e)
	if a, ok := p.assigned[object]; ok {
		return p.groups(a.pkg, a.expr, steps+1)
	}
	var all []group
	for _, a := range p.passed[object] {
		all = append(all, p.groups(a.pkg, a.expr, steps+1)...)
	}
	if len(all) > 0 {
		return all
	}
	return []group{{prefix: "<" + p.source(e) + ">"}}
}

// groupsOfCall returns the groups that a call of Under makes, or a function that returns one.
func (p *program) groupsOfCall(pkg *packages.Package, call *ast.CallExpr, steps int) (all []group) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if f := frameworkFunction(pkg, call.Fun); ok && f != nil && f.Name() == "Under" && len(call.Args) > 0 {
		for _, outer := range p.groups(pkg, sel.X, steps+1) {
			_, prefix := under(outer.prefix, p.text(pkg, call.Args[0]))
			options := append(append([]string(nil), outer.options...), p.sources(call.Args[1:])...)
			all = append(all, group{prefix, options})
		}
		return all
	}
	if f, ok := objectOf(pkg, call.Fun).(*types.Func); ok && p.functions[f] != nil {
		called := p.functions[f]
		for _, result := range returns(called.decl.Body) {
			all = append(all, p.groups(called.pkg, result, steps+1)...)
		}
		if len(all) > 0 {
			return all
		}
	}
	return []group{{prefix: "<" + p.source(call) + ">"}}
}

// isGroup reports whether a type is the one that Under returns.
func isGroup(t types.Type) bool {
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == "Routes" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == frameworkPath
}

// under puts a pattern under a prefix, as Application.Under does, and takes its method off.
func under(prefix, text string) (method, whole string) {
	if before, after, found := strings.Cut(text, " "); found && !strings.HasPrefix(text, "<") {
		method, text = before, strings.TrimLeft(after, " \t")
	}
	outerHost, outerPath := splitHost(prefix)
	host, path := splitHost(text)
	return method, host + outerHost + strings.TrimSuffix(outerPath, "/") + path
}

// splitHost parts "example.com/api" before the path. What is not known is a path.
func splitHost(text string) (host, path string) {
	if i := strings.IndexAny(text, "/<"); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}
