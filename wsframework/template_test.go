package wsframework

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
)

// templateFiles makes a file system of names and texts in turn.
func templateFiles(namesAndTexts ...string) fstest.MapFS {
	files := make(fstest.MapFS)
	for i := 0; i < len(namesAndTexts); i += 2 {
		files[namesAndTexts[i]] = &fstest.MapFile{Data: []byte(namesAndTexts[i+1])}
	}
	return files
}

// bindingOf is a binding whose user is the given one.
func bindingOf(user any) *binding {
	r := httptest.NewRequest("GET", "/page?user="+fmt.Sprint(user), nil)
	return &binding{
		user:      func() any { return user },
		request:   func() *http.Request { return r },
		staticURL: func(path string) string { return "/static/" + path + "?v=1" },
		reverseURL: func(name string, args ...any) (string, error) {
			if name != "room" {
				return "", fmt.Errorf("wsframework: there is no route %q", name)
			}
			return "/rooms/" + fmt.Sprint(args...), nil
		},
		xsrfForm: func() (template.HTML, error) { return `<input name="_xsrf">`, nil },
	}
}

const baseFile = `<title>{{block "title" .}}Site{{end}}</title>{{block "menu" .}}<nav>home</nav>{{end}}<main>{{block "body" .}}{{end}}</main>`

func TestTemplateRender(t *testing.T) {
	tests := []struct {
		what  string
		page  string
		data  any
		want  string
		files []string
	}{
		{"a page of one file", "page.html", "<b>", "Hello &lt;b&gt;",
			[]string{"page.html", "Hello {{.}}"}},
		{"an empty page", "page.html", nil, "", []string{"page.html", ""}},
		{"a layout whose blocks stay", "page.html", nil, "<title>Site</title><nav>home</nav><main></main>",
			[]string{"base.html", baseFile, "page.html", `{{template "base.html" .}}`}},
		{"a layout whose blocks are replaced", "page.html", "hi", "<title>Chat</title><nav>home</nav><main>hi</main>",
			[]string{"base.html", baseFile,
				"page.html", `{{template "base.html" .}}{{define "title"}}Chat{{end}}{{define "body"}}{{.}}{{end}}`}},
		{"definitions that stand before the layout", "page.html", nil, "<title>Chat</title><nav>home</nav><main></main>",
			[]string{"base.html", baseFile, "page.html", `{{define "title"}}Chat{{end}}{{template "base.html" .}}`}},
		{"a block that is emptied", "page.html", nil, "<title>Site</title><main></main>",
			[]string{"base.html", baseFile, "page.html", `{{template "base.html" .}}{{define "menu"}}{{end}}`}},
		{"attributes that are emptied", "page.html", nil, "<a >",
			[]string{"base.html", `<a {{block "attrs" .}}class="x"{{end}}>`, "page.html", `{{template "base.html" .}}{{define "attrs"}}{{/* none */}}{{end}}`}},
		{"three levels", "admin/users.html", nil, "<title>Users</title><nav>admin</nav><main>[list]</main>",
			[]string{"base.html", baseFile,
				"admin/section.html", `{{template "base.html" .}}{{define "title"}}Admin{{end}}` +
					`{{define "menu"}}<nav>admin</nav>{{end}}{{define "body"}}[{{block "inner" .}}{{end}}]{{end}}`,
				"admin/users.html", `{{template "admin/section.html" .}}{{define "title"}}Users{{end}}{{define "inner"}}list{{end}}`}},
		{"the level between by itself", "admin/section.html", nil, "<title>Admin</title><nav>home</nav><main></main>",
			[]string{"base.html", baseFile, "admin/section.html", `{{template "base.html" .}}{{define "title"}}Admin{{end}}`}},
		{"parts in folders, in every kind of branch", "page.html", []int{1, 2}, "a(1)(2)ea",
			[]string{"parts/a.html", "a", "parts/deep/b.html", "({{.}})", "parts/e.html", "e",
				"page.html", `{{if .}}{{template "parts/a.html"}}{{else}}{{template "parts/e.html"}}{{end}}` +
					`{{range .}}{{template "parts/deep/b.html" .}}{{else}}{{template "parts/a.html"}}{{end}}` +
					`{{with false}}{{template "parts/a.html"}}{{else}}{{template "parts/e.html"}}{{end}}` +
					`{{with .}}{{template "parts/a.html"}}{{end}}`}},
		{"a part in a definition that the layout uses", "page.html", nil, "<title>Site</title><nav>home</nav><main>part</main>",
			[]string{"base.html", baseFile, "part.html", "part",
				"page.html", `{{template "base.html" .}}{{define "body"}}{{template "part.html"}}{{end}}`}},
		{"a layout whose part only the page defines", "page.html", nil, "[mine]",
			[]string{"base.html", `[{{template "body" .}}]`, "page.html", `{{template "base.html" .}}{{define "body"}}mine{{end}}`}},
		{"a definition that comes from a part", "page.html", nil, "(x)",
			[]string{"macros.html", `{{define "round"}}({{.}}){{end}}`, "page.html", `{{template "macros.html"}}{{template "round" "x"}}`}},
		{"a definition in place of a file", "page.html", nil, "[mine]",
			[]string{"base.html", `[{{template "part.html"}}]`, "part.html", "file",
				"page.html", `{{template "base.html"}}{{define "part.html"}}mine{{end}}`}},
		{"a part that includes itself", "tree.html", [][]any{{}, {[]any{}}}, "(()(()))",
			[]string{"tree.html", `({{range .}}{{template "tree.html" .}}{{end}})`}},
		{"files that include each other", "a.html", 3, "abab",
			[]string{"a.html", `a{{template "b.html" (eq (print .) "3")}}`, "b.html", `b{{if .}}{{template "a.html" false}}{{end}}`}},
		{"another extension", "mail.txt", "x", "Dear x", []string{"mail.txt", "Dear {{.}}"}},
		{"what belongs to the request", "page.html", nil,
			`ann /page /static/a.js?v=1 <a href="/rooms/7"></a><input name="_xsrf">`,
			[]string{"page.html", `{{current_user}} {{request.URL.Path}} {{static_url "a.js"}} <a href="{{reverse_url "room" 7}}"></a>{{xsrf_form_html}}`}},
		{"the same in a layout", "page.html", nil, "<ann>",
			[]string{"base.html", "{{block `x` .}}{{end}}", "page.html", "{{template `base.html` .}}{{define `x`}}&lt;{{current_user}}>{{end}}"}},
		{"a function of the application", "page.html", "a", "<p>AA</p>",
			[]string{"page.html", "<p>{{twice . | upper}}</p>"}},
	}
	funcs := template.FuncMap{"upper": strings.ToUpper, "twice": func(s string) string { return s + s }}
	for _, tt := range tests {
		for _, debug := range []bool{false, true} {
			set := newTemplateSet(templateFiles(tt.files...), funcs, debug)
			for range 2 {
				got, err := set.render(tt.page, bindingOf("ann"), tt.data)
				if want := strings.ReplaceAll(tt.want, "<ann>", "&lt;ann>"); err != nil || string(got) != want {
					t.Errorf("%s: %q, %v; want %q", tt.what, got, err, want)
				}
			}
			if err := set.check(); err != nil {
				t.Errorf("%s: %v", tt.what, err)
			}
		}
	}
}

func TestTemplateNobodyIsLoggedIn(t *testing.T) {
	set := newTemplateSet(templateFiles("page.html", "{{if current_user}}{{current_user.Name}}{{else}}nobody{{end}}"), nil, false)
	got, err := set.render("page.html", bindingOf(nil), nil)
	if string(got) != "nobody" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	got, err = set.render("page.html", bindingOf(struct{ Name string }{"Ann"}), nil)
	if string(got) != "Ann" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// Every mistake is told with its place, when the page is rendered and, but for those of execution, at
// start-up.
func TestTemplateMistakes(t *testing.T) {
	tests := []struct {
		page    string
		want    string // in the error
		atStart bool
		files   []string
	}{
		{"page.html", "page.html:2", true, []string{"page.html", "\n{{if}}"}},
		{"page.html", `page.html:2: function "nonsense" not defined`, true, []string{"page.html", "\n{{nonsense}}"}},
		{"page.html", "parts/a.html:3", true, []string{"page.html", `{{template "parts/a.html"}}`, "parts/a.html", "\n\n{{end}}"}},
		{"page.html", `page.html:2:11: "side.html" is defined nowhere, and is no file: open side.html: file does not exist`, true,
			[]string{"page.html", "\n{{template \"side.html\"}}"}},
		{"page.html", `parts/a.html:1:12: "b.html"`, true,
			[]string{"page.html", `{{template "parts/a.html"}}`, "parts/a.html", `-{{template "b.html"}}`, "parts/b.html", ""}},
		{"page.html", `page.html:1:11: "../b.html" is defined nowhere, and is no file: "../b.html" is no path`, true,
			[]string{"page.html", `{{template "../b.html"}}`}},
		{"page.html", `page.html:1:11: "parts" is defined nowhere`, true,
			[]string{"page.html", `{{template "parts"}}`, "parts/b.html", ""}},
		{"page.html", `multiple definition of template "a"`, true,
			[]string{"page.html", `{{define "a"}}1{{end}}{{define "a"}}2{{end}}`}},
		{"page.html", "html/template:page.html:1:8", true, []string{"page.html", `<a {{if .}}href="{{end}}>`}},
		{"page.html", "html/template:part.html", true,
			[]string{"page.html", `{{template "part.html"}}`, "part.html", `<a {{if .}}href="{{end}}>`}},
		{"page.html", "page.html:2:10: executing", false, []string{"page.html", "\n{{.Missing.Field}}"}},
		{"page.html", `page.html:1:2: executing "page.html" at <reverse_url "no">: error calling reverse_url: wsframework: there is no route "no"`, false,
			[]string{"page.html", `{{reverse_url "no"}}`}},
		{"page.html", "error calling explode: kaboom", false, []string{"page.html", "{{explode}}"}},
		{"page.html", "maximum template depth", false, []string{"page.html", `{{template "page.html" .}}`}},
		{"none.html", "open none.html: file does not exist", false, nil},
		{"/page.html", `"/page.html" is no path in the folder of the templates; write it like admin/users.html`, false, []string{"page.html", ""}},
		{"../page.html", `"../page.html" is no path`, false, []string{"page.html", ""}},
		{`parts\a.html`, `open parts\a.html: file does not exist`, false, []string{"parts/a.html", ""}},
		{"", `"" is no path`, false, nil},
	}
	funcs := template.FuncMap{"explode": func() string { panic("kaboom") }}
	for _, tt := range tests {
		for _, debug := range []bool{false, true} {
			set := newTemplateSet(templateFiles(tt.files...), funcs, debug)
			for range 2 {
				got, err := set.render(tt.page, bindingOf("ann"), struct{ Name string }{"Ann"})
				if got != nil || err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "wsframework: ") {
					t.Errorf("%s: %q, %v; want …%s…", tt.page, got, err, tt.want)
				}
			}
			err := set.check()
			if tt.atStart && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "wsframework: ") != 1) {
				t.Errorf("at start-up: %v, want …%s…", err, tt.want)
			}
			if !tt.atStart && err != nil {
				t.Errorf("at start-up: %v", err)
			}
		}
	}
}

func TestTemplateErrorUnwraps(t *testing.T) {
	refusal := &HTTPError{Status: http.StatusNotFound}
	funcs := template.FuncMap{"find": func() (string, error) { return "", refusal }}
	set := newTemplateSet(templateFiles("page.html", "some text, {{find}}"), funcs, false)
	if got, err := set.render("page.html", bindingOf(nil), nil); !errors.Is(err, refusal) || got != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := set.render("none.html", bindingOf(nil), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestTemplateFuncs(t *testing.T) {
	for name, function := range map[string]any{
		"current_user": func() string { return "" }, "request": func() string { return "" },
		"static_url": func() string { return "" }, "reverse_url": func() string { return "" },
		"xsrf_form_html": func() string { return "" },
		"not-a-name":     func() string { return "" }, "number": 5, "nothing": func() {}, "none": nil,
	} {
		set := newTemplateSet(templateFiles("page.html", ""), template.FuncMap{name: function}, false)
		err := set.check()
		if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("wsframework: the template function %q ", name)) {
			t.Errorf("%s: %v", name, err)
		}
		if _, rendered := set.render("page.html", bindingOf(nil), nil); rendered != err {
			t.Errorf("%s: %v", name, rendered)
		}
	}
}

// countingFS counts how often each file is opened.
type countingFS struct {
	fs.FS
	mu     sync.Mutex
	opened map[string]int
}

func (c *countingFS) Open(name string) (fs.File, error) {
	c.mu.Lock()
	c.opened[name]++
	c.mu.Unlock()
	return c.FS.Open(name)
}

// Many renders at a time parse a page once, and each sees its own request only.
func TestTemplateConcurrently(t *testing.T) {
	files := &countingFS{opened: make(map[string]int), FS: templateFiles(
		"base.html", `{{block "body" .}}{{end}}|{{current_user}}|{{request.FormValue "user"}}`,
		"page.html", `{{template "base.html" .}}{{define "body"}}{{current_user}}{{if eq . 7}}{{fail}}{{end}}{{end}}`)}
	var failures atomic.Int64
	funcs := template.FuncMap{"fail": func() (string, error) {
		failures.Add(1)
		return "", errors.New("it failed")
	}}
	set := newTemplateSet(files, funcs, false)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			user := fmt.Sprintf("user%d", i)
			got, err := set.render("page.html", bindingOf(user), i%10)
			want := fmt.Sprintf("%s|%s|%s", user, user, user)
			if failed := i%10 == 7; failed && (err == nil || got != nil) || !failed && (err != nil || string(got) != want) {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		})
	}
	all.Wait()
	if files.opened["page.html"] != 1 || files.opened["base.html"] != 1 || failures.Load() != 20 {
		t.Errorf("opened %v, failures %d", files.opened, failures.Load())
	}
}

// What render returned is not touched by later renders.
func TestTemplateResultIsTheCallers(t *testing.T) {
	set := newTemplateSet(templateFiles("page.html", "{{.}}"), nil, false)
	var results [][]byte
	large := strings.Repeat("x", 2*maxKeptOutput)
	texts := []string{"first", "second", large, "third"}
	for _, text := range texts {
		result, err := set.render("page.html", bindingOf(nil), text)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, result)
	}
	for i, text := range texts {
		if string(results[i]) != text {
			t.Errorf("%.20q, want %.20q", results[i], text)
		}
	}
}

func TestTemplateDebugSeesChanges(t *testing.T) {
	files := templateFiles("base.html", "one{{block `x` .}}{{end}}", "page.html", "{{template `base.html`}}")
	for debug, want := range map[bool]string{true: "two", false: "one"} {
		files["base.html"] = &fstest.MapFile{Data: []byte("one")}
		set := newTemplateSet(files, nil, debug)
		if got, err := set.render("page.html", bindingOf(nil), nil); string(got) != "one" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		files["base.html"] = &fstest.MapFile{Data: []byte("two")}
		if got, err := set.render("page.html", bindingOf(nil), nil); string(got) != want || err != nil {
			t.Errorf("debug %v: %q, %v", debug, got, err)
		}
	}
}

// A page that was not there, or was wrong, can be mended while the program runs.
func TestTemplateFailuresAreNotKept(t *testing.T) {
	files := templateFiles()
	set := newTemplateSet(files, nil, false)
	for _, text := range []string{"", "{{if}}"} {
		if text != "" {
			files["page.html"] = &fstest.MapFile{Data: []byte(text)}
		}
		if _, err := set.render("page.html", bindingOf(nil), nil); err == nil {
			t.Errorf("%q renders", text)
		}
	}
	files["page.html"] = &fstest.MapFile{Data: []byte("fine")}
	if got, err := set.render("page.html", bindingOf(nil), nil); string(got) != "fine" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// FuzzTemplate looks for files that make the loader panic or hang, and for pages that pass the check
// although a part of them is missing.
func FuzzTemplate(f *testing.F) {
	f.Add(`{{template "base.html" .}}{{define "a"}}x{{end}}`, `{{block "a" .}}{{template "part.html" .}}{{end}}`, "{{.}}")
	f.Add(`{{template "part.html"}}`, `{{template "page.html"}}`, `{{template "base.html"}}`)
	f.Add(`{{with .}}{{template "../x"}}{{end}}`, `{{range .}}{{break}}{{end}}`, `<a href="{{.}}"`)
	f.Fuzz(func(t *testing.T, page, base, part string) {
		set := newTemplateSet(templateFiles("page.html", page, "base.html", base, "part.html", part), nil, false)
		checked := set.check()
		for _, name := range []string{"page.html", "base.html", "part.html"} {
			_, err := set.render(name, bindingOf("ann"), "data")
			if err != nil && !strings.HasPrefix(err.Error(), "wsframework: ") {
				t.Errorf("%v", err)
			}
			if name == "page.html" && checked == nil && err != nil && strings.Contains(err.Error(), "is defined nowhere") &&
				!strings.Contains(base+part, `page.html`) {
				t.Errorf("the check passed, but %v", err)
			}
		}
	})
}

func BenchmarkTemplateRender(b *testing.B) {
	set := newTemplateSet(templateFiles("base.html", baseFile,
		"page.html", `{{template "base.html" .}}{{define "title"}}Chat{{end}}{{define "body"}}<p>Hello {{current_user}}: {{.}}</p>{{end}}`), nil, false)
	bound := bindingOf("ann")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := set.render("page.html", bound, "news"); err != nil {
				b.Error(err)
			}
		}
	})
}
