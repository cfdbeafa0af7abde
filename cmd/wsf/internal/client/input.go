package client

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/gotornado/gotornado/wsframework"
)

// What a line that is typed asks for.
type inputKind int

const (
	inputNothing inputKind = iota
	inputText
	inputBinary
	inputPing
	inputClose
	inputHelp
)

// An input is a line that was typed, understood.
type input struct {
	kind inputKind
	text string // of a message; the reason of a close
	data []byte // of a binary message or a ping
	code int    // of a close
}

const inputHelpText = `/ping [data]           send a ping, and tell how long the pong took
/close [code] [reason] close; 1000 unless a code is given
/binary hex            send bytes: /binary 00ff 10
/help                  this
//text                 send a text that begins with a slash: /text
anything else          is sent as text
Up and down go through the history; a line that begins with a space is not kept in it.
Ctrl-D closes. Ctrl-C closes, too; a second time it leaves without waiting for the server.`

// parseInput understands a line that was typed.
func parseInput(line string) (input, error) {
	if strings.TrimSpace(line) == "" {
		return input{kind: inputNothing}, nil
	}
	if strings.HasPrefix(line, "//") {
		return input{kind: inputText, text: line[1:]}, nil
	}
	if !strings.HasPrefix(line, "/") {
		return input{kind: inputText, text: line}, nil
	}
	command, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch command {
	case "/ping":
		if len(rest) > 125 { // RFC 6455, 5.5
			return input{}, fmt.Errorf("a ping has room for 125 bytes, these are %d", len(rest))
		}
		return input{kind: inputPing, data: []byte(rest)}, nil
	case "/close":
		return parseClose(rest)
	case "/binary":
		data, err := hex.DecodeString(strings.Join(strings.Fields(rest), ""))
		if err != nil || rest == "" {
			return input{}, fmt.Errorf("write the bytes as hexadecimal digits, two each: /binary 00ff 10")
		}
		return input{kind: inputBinary, data: data}, nil
	case "/help":
		return input{kind: inputHelp}, nil
	}
	return input{}, fmt.Errorf("there is no command %s; /help lists them, and %s sends it as text", command, "/"+command)
}

func parseClose(rest string) (input, error) {
	if rest == "" {
		return input{kind: inputClose, code: wsframework.CloseNormal}, nil
	}
	number, reason, _ := strings.Cut(rest, " ")
	code, err := strconv.Atoi(number)
	reason = strings.TrimSpace(reason)
	sendable := code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
	switch {
	case err != nil:
		return input{}, fmt.Errorf("the code comes first: /close 1000 %s", rest)
	case !sendable: // RFC 6455, 7.4
		return input{}, fmt.Errorf("the code %d may not be sent; use 1000 to 1003, 1007 to 1014 or 3000 to 4999", code)
	case len(reason) > 123: // RFC 6455, 5.5
		return input{}, fmt.Errorf("a reason has room for 123 bytes, these are %d", len(reason))
	}
	return input{kind: inputClose, code: code, text: reason}, nil
}
