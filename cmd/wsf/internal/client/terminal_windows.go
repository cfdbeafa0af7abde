package client

import (
	"os"

	"golang.org/x/sys/windows"
)

// enableSequences makes the console understand what moves the cursor.
func enableSequences(out *os.File) error {
	console := windows.Handle(out.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return err
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_PROCESSED_OUTPUT|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING)
}
