package client

import (
	"strings"

	"github.com/rivo/uniseg"
)

// A line is a line that is being edited. It is made of what people see as characters (grapheme clusters), so
// that the cursor never stands inside an emoji or an accented letter.
type line struct {
	characters []string
	cursor     int // the character that it stands before
}

func charactersOf(text string) (characters []string) {
	clusters := uniseg.NewGraphemes(text)
	for clusters.Next() {
		characters = append(characters, clusters.Str())
	}
	return characters
}

func (l *line) String() string { return strings.Join(l.characters, "") }

func (l *line) set(text string) {
	l.characters = charactersOf(text)
	l.cursor = len(l.characters)
}

// insert puts a text in at the cursor. It may join the character before: an accent does.
func (l *line) insert(text string) {
	before := strings.Join(l.characters[:l.cursor], "") + text
	after := strings.Join(l.characters[l.cursor:], "")
	l.characters = charactersOf(before + after)
	l.cursor = min(len(charactersOf(before)), len(l.characters))
}

// edit does what a key says, if it is one that edits.
func (l *line) edit(k key) {
	switch k.name {
	case keyText:
		l.insert(k.text)
	case keyLeft:
		l.cursor = max(l.cursor-1, 0)
	case keyRight:
		l.cursor = min(l.cursor+1, len(l.characters))
	case keyWordLeft:
		l.cursor = l.wordLeft()
	case keyWordRight:
		l.cursor = l.wordRight()
	case keyLineStart:
		l.cursor = 0
	case keyLineEnd:
		l.cursor = len(l.characters)
	case keyBackspace:
		l.remove(max(l.cursor-1, 0), l.cursor)
	case keyDelete, keyEnd:
		l.remove(l.cursor, min(l.cursor+1, len(l.characters)))
	case keyKillWord:
		l.remove(l.wordLeft(), l.cursor)
	case keyKillLeft:
		l.remove(0, l.cursor)
	case keyKillRight:
		l.remove(l.cursor, len(l.characters))
	}
}

func (l *line) remove(from, to int) {
	l.characters = append(l.characters[:from:from], l.characters[to:]...)
	l.cursor = from
}

func (l *line) wordLeft() int {
	at := l.cursor
	for at > 0 && blank(l.characters[at-1]) {
		at--
	}
	for at > 0 && !blank(l.characters[at-1]) {
		at--
	}
	return at
}

func (l *line) wordRight() int {
	at := l.cursor
	for at < len(l.characters) && blank(l.characters[at]) {
		at++
	}
	for at < len(l.characters) && !blank(l.characters[at]) {
		at++
	}
	return at
}

func blank(character string) bool { return strings.TrimSpace(character) == "" }

// cells returns how a character is shown, and in how many columns.
func cells(character string) (shown string, columns int) {
	if character == "\t" {
		return " ", 1
	}
	return character, uniseg.StringWidth(character)
}

// window returns the part of the line that has the cursor and fits in so many columns, and in which of them
// the cursor is.
func (l *line) window(columns int) (shown string, cursor int) {
	from, used := l.cursor, 0
	for from > 0 { // as much as fits left of the cursor, which takes a column, too
		_, wide := cells(l.characters[from-1])
		if used+wide > columns-1 {
			break
		}
		from--
		used += wide
	}
	cursor = used
	var all strings.Builder
	for i := from; i < len(l.characters); i++ {
		character, wide := cells(l.characters[i])
		if i >= l.cursor {
			if used+wide > columns {
				break
			}
			used += wide
		}
		all.WriteString(character)
	}
	return all.String(), cursor
}
