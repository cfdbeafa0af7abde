// Package filetext makes the texts of files from templates.
package filetext

import (
	"bytes"
	"go/format"
	"io/fs"
	"path"
	"strings"
	"text/template"
)

// Make executes a template whose marks are left and right. What comes of a *.go.tmpl is formatted, since alignment
// depends on what was left out.
func Make(files fs.FS, name, left, right string, data any) ([]byte, error) {
	t, err := template.New(path.Base(name)).Delims(left, right).ParseFS(files, name)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, data); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(name, ".go.tmpl") {
		return text.Bytes(), nil
	}
	return format.Source(text.Bytes())
}
