// Package templates holds the pages of the example chat and of new projects, built into the program.
//
// Each page fills the blocks of base.html, so a page is parsed together with it:
//
//	page := template.Must(template.ParseFS(templates.FS, "base.html", "login.html"))
//	err := page.ExecuteTemplate(w, "base.html", data)
package templates

import "embed"

// FS holds the templates by their file names, for html/template.
//
//go:embed *.html
var FS embed.FS
