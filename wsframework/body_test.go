package wsframework

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

const (
	urlencoded = "application/x-www-form-urlencoded"
	boundary   = "multipart/form-data; boundary=b"
)

// part is one part of a multipart body with the boundary b.
func part(disposition, content string) string {
	return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n"
}

func postRequest(contentType, body string) *http.Request {
	r := httptest.NewRequest("POST", "/?query=1", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func TestParseBody(t *testing.T) {
	tests := []struct {
		what, method, contentType, body string
		form                            map[string][]string
		files                           string // name, file name and content
		left                            string // of the body
	}{
		{"a form", "POST", urlencoded, "a=1&b=%C3%A9+x&a=2", map[string][]string{"a": {"1", "2"}, "b": {"é x"}}, "", "a=1&b=%C3%A9+x&a=2"},
		{"with parameters of the type", "PUT", "Application/X-WWW-Form-Urlencoded; charset=UTF-8", "a=1", map[string][]string{"a": {"1"}}, "", "a=1"},
		{"with a broken parameter", "PATCH", urlencoded + "; charset", "a=1", map[string][]string{"a": {"1"}}, "", "a=1"},
		{"an empty form", "POST", urlencoded, "", map[string][]string{}, "", ""},
		{"parts", "POST", boundary, part(`name="a"`, "1") + part(`name="a"`, "2") + part(`name="é"`, "再") + "--b--", map[string][]string{"a": {"1", "2"}, "é": {"再"}}, "", ""},
		{"a file", "POST", boundary, part(`name="a"`, "1") + part(`name="f"; filename="../x.txt"`, "content") + "--b--", map[string][]string{"a": {"1"}}, "f x.txt content", ""},
		{"another type", "POST", "application/json", `{"a":1}`, map[string][]string{}, "", `{"a":1}`},
		{"no type", "POST", "", "a=1", map[string][]string{}, "", "a=1"},
		{"a method without a form", "GET", urlencoded, "a=1", map[string][]string{}, "", "a=1"},
		{"another such method", "DELETE", urlencoded, "a=1", map[string][]string{}, "", "a=1"},
	}
	for _, tt := range tests {
		r := postRequest(tt.contentType, tt.body)
		r.Method = tt.method
		form, files, err := parseBody(httptest.NewRecorder(), r, 1000)
		if err != nil || !reflect.DeepEqual(map[string][]string(form), tt.form) {
			t.Errorf("%s: %v, %v; want %v", tt.what, form, err, tt.form)
			continue
		}
		var got []string
		if files != nil {
			for name, headers := range files.File {
				file := must(headers[0].Open())
				got = append(got, name, headers[0].Filename, string(must(io.ReadAll(file))))
				file.Close()
			}
			files.RemoveAll()
		}
		if strings.Join(got, " ") != tt.files || (files != nil) != strings.HasPrefix(tt.contentType, "multipart") {
			t.Errorf("%s: files %q, want %q", tt.what, got, tt.files)
		}
		if left, err := io.ReadAll(r.Body); string(left) != tt.left || err != nil {
			t.Errorf("%s: left %q, %v", tt.what, left, err)
		}
		// Code that knows net/http only finds the form, too.
		if first := tt.form["a"]; first != nil && (r.PostFormValue("a") != first[0] || r.FormValue("query") != "1") {
			t.Errorf("%s: PostForm %v", tt.what, r.PostForm)
		}
	}
}

func TestParseBodyMistakes(t *testing.T) {
	long := strings.Repeat("x", 2000)
	tests := []struct {
		what, contentType, body string
		status                  int
		message                 string
	}{
		{"bad escape", urlencoded, "a=%zz", 400, "The body is malformed or breaks off."},
		{"semicolon", urlencoded, "a=1;b=2", 400, "malformed"},
		{"not UTF-8", urlencoded, "a=%FF", 400, `The argument "a" is not valid UTF-8: "\xff".`},
		{"name not UTF-8", urlencoded, "%FF=a", 400, "is not valid UTF-8"},
		{"malformed type", "/;;", "a=1", 400, "The header Content-Type is malformed."},
		{"no boundary", "multipart/form-data", part(`name="a"`, "1") + "--b--", 400, "malformed"},
		{"no end", boundary, part(`name="a"`, "1"), 400, "malformed"},
		{"no beginning", boundary, "a=1", 400, "malformed"},
		{"empty", boundary, "", 400, "malformed"},
		{"part not UTF-8", boundary, part(`name="a"`, "\xff") + "--b--", 400, `The argument "a" is not valid UTF-8`},
		{"file's field not UTF-8", boundary, part("name=\"\xff\"; filename=\"x\"", "1") + "--b--", 400, "not valid UTF-8"},
		{"file's name not UTF-8", boundary, part("name=\"a\"; filename=\"\xff\"", "1") + "--b--", 400, "not valid UTF-8"},
		{"too long", urlencoded, "a=" + long, 413, "The body is longer than 1000 bytes; the server's setting MaxBodySize decides."},
		{"too long in parts", boundary, part(`name="a"; filename="x"`, long) + "--b--", 413, "longer than 1000 bytes"},
		{"too long of another type", "application/json", long, 413, "longer than 1000 bytes"},
		{"too many parts", boundary, strings.Repeat(part(`name="a"`, ""), 1001) + "--b--", 413, "The form has too many parts"},
	}
	for _, tt := range tests {
		limit := int64(1000)
		if strings.HasPrefix(tt.what, "too many") {
			limit = 1 << 20
		}
		for _, announced := range []bool{true, false} {
			r := postRequest(tt.contentType, tt.body)
			if !announced {
				r.ContentLength = -1
			}
			form, files, err := parseBody(httptest.NewRecorder(), r, limit)
			if tt.what == "too long of another type" && !announced {
				_, err = io.ReadAll(r.Body) // by whoever reads it
				var tooLong *http.MaxBytesError
				if !errors.As(err, &tooLong) {
					t.Errorf("%s: %v", tt.what, err)
				}
				continue
			}
			var refusal *HTTPError
			if form != nil || files != nil || !errors.As(err, &refusal) || refusal.Status != tt.status || !strings.Contains(refusal.Message, tt.message) {
				t.Errorf("%s: %v, %v, %v; want %d …%s…", tt.what, form, files, err, tt.status, tt.message)
			}
			if tt.status == 413 && limit == 1000 && !strings.Contains(err.Error(), "Settings.MaxBodySize") {
				t.Errorf("%s: %v does not name the setting", tt.what, err)
			}
		}
	}
}

func TestParseBodyWithoutLimit(t *testing.T) {
	long := strings.Repeat("x", 11<<20) // more than net/http allows by itself
	form, _, err := parseBody(httptest.NewRecorder(), postRequest(urlencoded, "a="+long), 0)
	if err != nil || form.Get("a") != long {
		t.Errorf("%d bytes, %v", len(form.Get("a")), err)
	}
	_, _, err = parseBody(httptest.NewRecorder(), postRequest(boundary, part(`name="a"`, long+long)+"--b--"), 0)
	checkStatus(t, err, 413)
	r := &http.Request{Method: "POST", Header: http.Header{"Content-Type": {urlencoded}}}
	if form, _, err := parseBody(httptest.NewRecorder(), r, 10); len(form) != 0 || err != nil {
		t.Errorf("without a body: %v, %v", form, err)
	}
}

func checkStatus(t *testing.T, err error, status int) {
	t.Helper()
	var refusal *HTTPError
	if !errors.As(err, &refusal) || refusal.Status != status {
		t.Errorf("%v, want status %d", err, status)
	}
}

// Files of more than a megabyte are on disk until the caller removes them; a form that is refused leaves
// none behind, and a disk that takes none is the server's fault.
func TestParseBodyFilesOnDisk(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	t.Setenv("TMP", folder)
	onDisk := func() int { return len(must(os.ReadDir(folder))) }
	large := part(`name="f"; filename="large"`, strings.Repeat("x", maxFormMemory+1))

	_, files, err := parseBody(httptest.NewRecorder(), postRequest(boundary, large+"--b--"), 0)
	if err != nil || onDisk() != 1 {
		t.Fatalf("%v; %d files on disk", err, onDisk())
	}
	file := must(files.File["f"][0].Open())
	if content, err := io.ReadAll(file); len(content) != maxFormMemory+1 || err != nil {
		t.Errorf("%d bytes, %v", len(content), err)
	}
	file.Close()
	files.RemoveAll()
	if onDisk() != 0 {
		t.Error("RemoveAll left a file")
	}

	for _, body := range []string{large + part(`name="a"`, "\xff") + "--b--", large, large + large} {
		_, _, err := parseBody(httptest.NewRecorder(), postRequest(boundary, body), 3<<20)
		checkStatus(t, err, 400)
		if onDisk() != 0 {
			t.Error("a refused form left a file")
		}
	}

	t.Setenv("TMPDIR", filepath.Join(folder, "missing"))
	t.Setenv("TMP", filepath.Join(folder, "missing"))
	_, _, err = parseBody(httptest.NewRecorder(), postRequest(boundary, large+"--b--"), 0)
	if refusal := (*HTTPError)(nil); !errors.Is(err, os.ErrNotExist) || errors.As(err, &refusal) {
		t.Errorf("%v", err)
	}
}

func TestParseBodyIsCutOff(t *testing.T) {
	for _, contentType := range []string{urlencoded, boundary} {
		r := postRequest(contentType, "")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(part(`name="a"`, "1")), iotest.ErrReader(io.ErrUnexpectedEOF)))
		_, _, err := parseBody(httptest.NewRecorder(), r, 1000)
		checkStatus(t, err, 400)
	}
}

// FuzzParseBody: a body is a form in UTF-8 within the limit, or refused with 400 or 413; what a client of
// net/http would send is read as it was meant.
func FuzzParseBody(f *testing.F) {
	f.Add(urlencoded, "a=1&b=%C3%A9", "1")
	f.Add(boundary, part(`name="a"; filename="x"`, "1")+"--b--", "再")
	f.Add("multipart/form-data; boundary=\"", "--", "\xff")
	f.Add(";", "a=%zz", "\"")
	f.Fuzz(func(t *testing.T, contentType, body, value string) {
		const limit = 300
		r := postRequest("", body)
		r.Header["Content-Type"] = []string{contentType}
		form, files, err := parseBody(httptest.NewRecorder(), r, limit)
		var refusal *HTTPError
		if err != nil && (form != nil || files != nil || !errors.As(err, &refusal) || refusal.Status != 400 && refusal.Status != 413) {
			t.Fatalf("%v, %v, %v", form, files, err)
		}
		if err == nil && (form == nil || len(body) > limit) {
			t.Fatalf("%d bytes are a form: %v", len(body), form)
		}
		for name, values := range form {
			if !utf8.ValidString(name + strings.Join(values, "")) {
				t.Fatalf("%q: %q", name, values)
			}
		}
		if files != nil {
			files.RemoveAll()
		}

		var parts bytes.Buffer
		w := multipart.NewWriter(&parts)
		header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", "a")}}
		io.WriteString(must(w.CreatePart(header)), value)
		w.Close()
		form, _, err = parseBody(httptest.NewRecorder(), postRequest(w.FormDataContentType(), parts.String()), 0)
		if valid := utf8.ValidString(value); valid != (err == nil) || valid && form.Get("a") != value {
			t.Fatalf("%q: %v, %v", value, form, err)
		}
	})
}
