package wsframework

import (
	"reflect"
	"slices"
	"strings"
)

// A hookSet is what a kind of handler can override.
type hookSet struct {
	base    reflect.Type // what handlers embed
	names   []string
	aliases map[string]string // more names that mean a hook, in lower case
}

var socketHooks = hookSet{
	reflect.TypeFor[*BaseHandler](),
	exportedMethods(reflect.TypeFor[Handler]()),
	map[string]string{
		"onopen": "Open", "onconnect": "Open", "onconnection": "Open",
		"onmsg": "OnMessage", "ontext": "OnMessage", "onreceive": "OnMessage", "ondata": "OnMessage",
		"ondisconnect": "OnClose", "onclosed": "OnClose", "onconnectionclose": "OnClose",
	},
}

var pageHooks = hookSet{
	reflect.TypeFor[*RequestHandler](),
	exportedMethods(reflect.TypeFor[Page]()),
	map[string]string{
		"onerror": "WriteError", "handleerror": "WriteError", "onfinished": "OnFinish",
		// Pages may well have a Path and Posts of their own, so these want all letters.
		"get": "Get", "head": "Head", "post": "Post", "put": "Put", "patch": "Patch", "delete": "Delete", "options": "Options",
	},
}

func exportedMethods(t reflect.Type) (names []string) {
	for i := range t.NumMethod() {
		if m := t.Method(i); m.IsExported() {
			names = append(names, m.Name)
		}
	}
	return names
}

// warnOfMisspelt looks at the type of a route's handlers for methods that are almost hooks.
func (app *Application) warnOfMisspelt(route string, handler any, hooks hookSet) {
	t := reflect.TypeOf(handler)
	for i := range t.NumMethod() {
		name := t.Method(i).Name
		if hook := hooks.meantBy(name); hook != "" {
			app.logger.Warn("wsframework: this method is never called; is it a misspelt hook?",
				"route", route, "handler", t.String(), "method", name, "hook", hook)
		}
	}
}

// meantBy returns the hook that a method is probably meant to be, or "" if it is one or something else.
func (s *hookSet) meantBy(method string) string {
	if _, promoted := s.base.MethodByName(method); promoted || slices.Contains(s.names, method) {
		return ""
	}
	plain := strings.ToLower(strings.ReplaceAll(method, "_", ""))
	if hook, ok := s.aliases[plain]; ok {
		if hook == method {
			return ""
		}
		return hook
	}
	for _, hook := range s.names {
		target := strings.ToLower(hook)
		if plain[:1] == target[:1] && editDistance(plain, target) <= min(2, len(target)/4) {
			return hook
		}
	}
	return ""
}

// editDistance counts the letters to insert, remove or replace to get from a to b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
