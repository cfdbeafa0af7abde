// Package templates holds the pages of the example chat and of new projects, built into the program.
//
// Each page names base.html as its layout and fills its blocks. Give FS to an application as
// Settings.Templates, and a page renders itself with Render("chat.html", data).
package templates

import "embed"

// FS holds the templates by their file names.
//
//go:embed *.html
var FS embed.FS
