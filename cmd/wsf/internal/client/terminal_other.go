//go:build !windows

package client

import "os"

// enableSequences is for Windows, where a console has to be asked for it.
func enableSequences(*os.File) error { return nil }
