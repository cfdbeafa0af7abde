package routes

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/constant"
	"go/printer"
	"go/types"
	"strings"

	"golang.org/x/tools/go/packages"
)

// routesOf returns the routes that a call registers: several where it stands in a function that is called with
// several prefixes.
func (p *program) routesOf(pkg *packages.Package, call *ast.CallExpr) (routes []route) {
	f := frameworkFunction(pkg, call.Fun)
	if f == nil {
		return nil
	}
	sel, _ := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if f.Signature().Recv() == nil || sel == nil {
		if f.Name() == "NewApplication" && len(call.Args) == 1 {
			return p.settingsRoutes(pkg, call)
		}
		return nil
	}
	r := route{}
	r.File, r.Line = p.where(call)
	arg := func(i int) ast.Expr {
		if i < len(call.Args) {
			return call.Args[i]
		}
		return nil
	}
	var options []ast.Expr
	methods := []string{"ANY"}
	pattern := ""
	switch f.Name() {
	case "WebSocket":
		r.Kind, methods = "websocket", []string{"GET"}
		r.Handler, _ = p.factory(pkg, arg(1), 0)
		options = call.Args[min(2, len(call.Args)):]
	case "Page":
		r.Kind = "page"
		var page types.Type
		if r.Handler, page = p.factory(pkg, arg(1), 0); page != nil {
			methods = pageMethods(page)
		}
		options = call.Args[min(2, len(call.Args)):]
	case "Handle", "HandleFunc":
		r.Kind, r.Handler = "handler", p.source(arg(1))
	case "Redirect":
		r.Kind, r.Handler = "redirect", "to "+p.text(pkg, arg(1))
	case "Static":
		r.Kind, r.Handler, methods = "static", p.source(arg(1)), []string{"GET"}
	case "NotFound":
		r.Kind, pattern = "page", "(not found)"
		r.Handler, _ = p.factory(pkg, arg(0), 0)
	case "Upgrade":
		r.Kind, pattern, methods = "websocket", "(upgrade)", []string{"GET"}
		r.Handler, _ = p.factory(pkg, arg(0), 0)
		options = call.Args[min(1, len(call.Args)):]
	default:
		return nil
	}
	own := p.sources(options)
	for _, g := range p.groups(pkg, sel.X, 0) {
		whole := r
		whole.Options = append(append([]string(nil), g.options...), own...)
		whole.Pattern = pattern
		whole.Method = strings.Join(methods, ",")
		if pattern == "" {
			text := p.text(pkg, arg(0))
			if f.Name() == "Static" {
				text = strings.TrimSuffix(text, "/") + "/"
			}
			var method string
			method, whole.Pattern = under(g.prefix, text)
			whole.Method = cmp.Or(method, whole.Method)
		}
		routes = append(routes, whole)
	}
	return routes
}

// frameworkFunction returns the function or method of the framework that an expression names, or nil.
func frameworkFunction(pkg *packages.Package, e ast.Expr) *types.Func {
	f, ok := objectOf(pkg, e).(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != frameworkPath {
		return nil
	}
	if recv := f.Signature().Recv(); recv != nil {
		t := recv.Type()
		if pointer, ok := t.(*types.Pointer); ok {
			t = pointer.Elem()
		}
		named, ok := t.(*types.Named)
		if !ok || named.Obj().Name() != "router" && named.Obj().Name() != "Application" {
			return nil
		}
	}
	return f
}

// settingsRoutes returns the route of Settings.Static.
func (p *program) settingsRoutes(pkg *packages.Package, call *ast.CallExpr) []route {
	literal, pkg := p.literal(pkg, call.Args[0], 0)
	if literal == nil {
		return nil
	}
	r := route{Method: "GET", Pattern: "/static/", Kind: "static"}
	for _, element := range literal.Elts {
		field, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return nil
		}
		switch key, _ := field.Key.(*ast.Ident); {
		case key == nil:
		case key.Name == "Static":
			r.Handler = p.source(field.Value)
			r.File, r.Line = p.where(field)
		case key.Name == "StaticPrefix":
			r.Pattern = strings.TrimSuffix(p.text(pkg, field.Value), "/") + "/"
		}
	}
	if r.Handler == "" || r.Handler == "nil" {
		return nil
	}
	return []route{r}
}

// maxSteps bounds how far a value is followed: programs may be recursive.
const maxSteps = 10

// literal follows an expression to a composite literal.
func (p *program) literal(pkg *packages.Package, e ast.Expr, steps int) (*ast.CompositeLit, *packages.Package) {
	if literal, ok := ast.Unparen(e).(*ast.CompositeLit); ok {
		return literal, pkg
	}
	if a, ok := p.assigned[objectOf(pkg, e)]; ok && steps < maxSteps {
		return p.literal(a.pkg, a.expr, steps+1)
	}
	return nil, pkg
}

// pageMethods lists the methods of HTTP that a page answers.
func pageMethods(page types.Type) (methods []string) {
	set := types.NewMethodSet(page)
	for _, name := range []string{"Get", "Head", "Post", "Put", "Patch", "Delete", "Options"} {
		method := set.Lookup(nil, name)
		if method == nil {
			continue
		}
		if f, ok := method.Obj().(*types.Func); ok && f.Signature().Params().Len() == 0 {
			methods = append(methods, strings.ToUpper(name))
		}
	}
	if len(methods) == 0 {
		methods = []string{"ANY"}
	}
	return methods
}

// factory returns the type that a factory makes, by name and as such; or the factory as the program writes it.
func (p *program) factory(pkg *packages.Package, e ast.Expr, steps int) (string, types.Type) {
	if made := p.made(pkg, e, steps); made != nil {
		return types.TypeString(made, func(other *types.Package) string {
			if other.Name() == "main" {
				return ""
			}
			return other.Name()
		}), made
	}
	return p.source(e), nil
}

// made follows a factory to the type of what it returns.
func (p *program) made(pkg *packages.Package, e ast.Expr, steps int) types.Type {
	if e == nil || steps > maxSteps {
		return nil
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		return p.returned(pkg, e.Body, steps)
	case *ast.CallExpr: // what a function returns is the factory
		if f, ok := objectOf(pkg, e.Fun).(*types.Func); ok && p.functions[f] != nil {
			called := p.functions[f]
			for _, result := range returns(called.decl.Body) {
				if made := p.made(called.pkg, result, steps+1); made != nil {
					return made
				}
			}
		}
		return nil
	}
	switch object := objectOf(pkg, e).(type) {
	case *types.Func:
		if f := p.functions[object]; f != nil {
			return p.returned(f.pkg, f.decl.Body, steps)
		}
	case *types.Var:
		if a, ok := p.assigned[object]; ok {
			return p.made(a.pkg, a.expr, steps+1)
		}
		for _, a := range p.passed[object] {
			if made := p.made(a.pkg, a.expr, steps+1); made != nil {
				return made
			}
		}
	}
	return nil
}

// returned returns the type of what a body returns, which is more than the interface.
func (p *program) returned(pkg *packages.Package, body *ast.BlockStmt, steps int) types.Type {
	for _, result := range returns(body) {
		t := pkg.TypesInfo.TypeOf(result)
		if t == nil || types.Identical(t, types.Typ[types.UntypedNil]) {
			continue
		}
		if !types.IsInterface(t) {
			return t
		}
		if call, ok := ast.Unparen(result).(*ast.CallExpr); ok && steps < maxSteps { // return newRoom(x)
			if f, ok := objectOf(pkg, call.Fun).(*types.Func); ok && p.functions[f] != nil {
				if made := p.returned(p.functions[f].pkg, p.functions[f].decl.Body, steps+1); made != nil {
					return made
				}
			}
		}
		if a, ok := p.assigned[objectOf(pkg, result)]; ok {
			if made := a.pkg.TypesInfo.TypeOf(a.expr); made != nil && !types.IsInterface(made) {
				return made
			}
		}
	}
	return nil
}

// returns lists the first results of a body's own return statements.
func returns(body *ast.BlockStmt) (results []ast.Expr) {
	if body == nil {
		return nil
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if len(n.Results) > 0 {
				results = append(results, n.Results[0])
			}
		}
		return true
	})
	return results
}

// text returns the value of a constant string, or in <> what the program writes.
func (p *program) text(pkg *packages.Package, e ast.Expr) string {
	if e == nil {
		return ""
	}
	if value := pkg.TypesInfo.Types[e].Value; value != nil && value.Kind() == constant.String {
		return constant.StringVal(value)
	}
	return "<" + p.source(e) + ">"
}

// source returns what the program writes, in one line.
func (p *program) source(e ast.Expr) string {
	if e == nil {
		return ""
	}
	if _, long := ast.Unparen(e).(*ast.FuncLit); long {
		return "func"
	}
	var text bytes.Buffer
	if err := printer.Fprint(&text, p.fset, e); err != nil {
		return ""
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// sources returns options as the program writes them, without the framework's name.
func (p *program) sources(options []ast.Expr) (texts []string) {
	for _, option := range options {
		texts = append(texts, strings.TrimPrefix(p.source(option), "wsframework."))
	}
	return texts
}
