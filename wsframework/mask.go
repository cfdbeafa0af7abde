package wsframework

import (
	"crypto/rand"
	"encoding/binary"
)

// maskCur masks the frames of cur, which leave now, as a client has to (RFC 6455, 5.3). Until then they are
// kept plain, to be compressed or dropped. It returns by how many bytes that makes them longer.
func (o *outbound) maskCur() (delta int) {
	for i, s := range o.cur {
		frames := 0
		for b := s.b; len(b) > 0; frames++ {
			_, header, payload := splitFrame(b)
			b = b[header+len(payload):]
		}
		// Nobody may be able to foresee a key (RFC 6455, 10.3).
		keys := make([]byte, 4*frames)
		rand.Read(keys)
		masked := make([]byte, 0, len(s.b)+len(keys))
		for b := s.b; len(b) > 0; keys = keys[4:] {
			_, header, payload := splitFrame(b)
			masked = appendMasked(masked, b[:header], keys[:4], payload)
			b = b[header+len(payload):]
		}
		delta += len(masked) - len(s.b)
		leaves := segment{b: masked, size: s.size, control: s.control}
		s.free()
		o.cur[i] = leaves
	}
	return delta
}

// appendMasked appends a frame, of which it is given the header without a mask.
func appendMasked(dst, header, key, payload []byte) []byte {
	mask := len(dst) + 1
	dst = append(dst, header...)
	dst[mask] |= maskBit
	dst = append(dst, key...)
	n := len(dst)
	dst = append(dst, payload...)
	unmask(dst[n:], payload, binary.LittleEndian.Uint32(key))
	return dst
}
