package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

var errNoHandshake = errors.New("bare: not a WebSocket handshake")

// handshake answers the request (RFC 6455, 4.2.2) and returns its path.
func (s *socket) handshake() (path string, err error) {
	end := -1
	for end < 0 {
		if err := s.read(); err != nil {
			return "", err
		}
		end = bytes.Index(s.buf[:s.have], []byte("\r\n\r\n"))
	}
	request := s.buf[:end+2]
	fields := bytes.SplitN(request, []byte(" "), 3)
	_, after, found := bytes.Cut(request, []byte("\r\nSec-WebSocket-Key: "))
	if len(fields) < 3 || !found {
		return "", errNoHandshake
	}
	path = string(fields[1])
	key, _, _ := bytes.Cut(after, []byte("\r\n"))
	sum := sha1.Sum(append(key[:len(key):len(key)], "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
	s.consume(end + 4)
	return path, s.write([]byte(answer))
}

const (
	maskBit     = 0x80
	opcodeBits  = 0x0f
	opcodeClose = 8
)

// serve gives each message, as an unmasked frame, to write, until an error or a close frame comes; it
// returns the latter.
func (s *socket) serve(write func([]byte) error, batch bool) (farewell []byte) {
	for {
		if err := s.read(); err != nil {
			return nil
		}
		in := s.buf[:s.have]
		used, answered := 0, 0
		for {
			start, payload, end := parse(in[used:])
			if end == 0 {
				break
			}
			frame := unmask(in[used:used+end], start, payload)
			used += end
			switch {
			case frame[0]&opcodeBits == opcodeClose:
				_ = write(in[:answered])
				return frame
			case batch: // answers are shorter than questions: they fit before what is still unread
				answered += copy(in[answered:], frame)
			default:
				if write(frame) != nil {
					return nil
				}
			}
		}
		if answered > 0 && write(in[:answered]) != nil {
			return nil
		}
		s.consume(used)
	}
}

// parse finds the masking key, the payload and the end of the frame at the start of in; end is 0 if the
// frame is not complete.
func parse(in []byte) (key, payload, end int) {
	if len(in) < 6 {
		return 0, 0, 0
	}
	length := int(in[1] &^ maskBit)
	key = 2
	switch length {
	case 126:
		length, key = int(binary.BigEndian.Uint16(in[2:])), 4
	case 127:
		if len(in) < 10 {
			return 0, 0, 0
		}
		length, key = int(binary.BigEndian.Uint64(in[2:])), 10
	}
	payload = key + 4
	if len(in) < payload+length {
		return 0, 0, 0
	}
	return key, payload, payload + length
}

// unmask turns a masked frame into an unmasked one in place, and returns it; it starts four bytes later.
func unmask(frame []byte, key, payload int) []byte {
	mask := binary.LittleEndian.Uint32(frame[key:])
	wide := uint64(mask)<<32 | uint64(mask)
	rest := frame[payload:]
	for len(rest) >= 8 {
		binary.LittleEndian.PutUint64(rest, binary.LittleEndian.Uint64(rest)^wide)
		rest = rest[8:]
	}
	for i := range rest {
		rest[i] ^= frame[key+i%4]
	}
	frame[1] &^= maskBit
	copy(frame[payload-key:], frame[:key])
	return frame[payload-key:]
}
