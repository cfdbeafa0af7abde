// Package static holds the scripts and styles of the example chat and of new projects, built into the
// program.
package static

import "embed"

// FS holds the files as they are served: css/chat.css, js/reconnecting.js and so on.
//
//go:embed css js favicon.svg
var FS embed.FS
