package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// maxBytes is the longest message that can be asked for.
const maxBytes = 256 << 20

// A byteSize is a flag for a number of bytes: 65536, 64KiB, 1MiB.
type byteSize int

func (b *byteSize) String() string { return bytesOf(int(*b)) }
func (b *byteSize) Type() string   { return "bytes" }

func (b *byteSize) Set(text string) error {
	digits, unit := text, 1
	for suffix, n := range map[string]int{"KiB": 1 << 10, "MiB": 1 << 20} {
		if before, found := strings.CutSuffix(text, suffix); found {
			digits, unit = before, n
		}
	}
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 31)
	if err != nil || int(n) > maxBytes/unit {
		return fmt.Errorf("write a number of bytes up to 256MiB, as 65536, 64KiB or 1MiB")
	}
	*b = byteSize(int(n) * unit)
	return nil
}

// bytesOf writes a number of bytes for people.
func bytesOf(n int) string {
	switch {
	case n > 0 && n%(1<<20) == 0:
		return strconv.Itoa(n>>20) + "MiB"
	case n > 0 && n%(1<<10) == 0:
		return strconv.Itoa(n>>10) + "KiB"
	}
	return strconv.Itoa(n) + " B"
}
