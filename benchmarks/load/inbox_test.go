package load

import (
	"bytes"
	"compress/flate"
	"testing"
)

func newVerifier(size int, compress bool) (*verifier, []byte) {
	p := newPayload(size, false)
	text := bytes.Clone(p.text)
	head{3, 9}.put(text)
	return &verifier{payload: p, compress: compress}, text
}

func TestMessagesInPieces(t *testing.T) {
	v, text := newVerifier(100, false)
	for cut := range text {
		var m inbox
		if _, complete, err := v.take(&m, piece{opcodeText, false, false, text[:cut]}); complete || err != nil {
			t.Fatalf("the first %d bytes: complete %t, %v", cut, complete, err)
		}
		h, complete, err := v.take(&m, piece{opcodeText, false, true, text[cut:]})
		if !complete || err != nil || h != (head{3, 9}) {
			t.Fatalf("after %d bytes the rest: %v, complete %t, %v", cut, h, complete, err)
		}
	}
}

func TestWrongMessages(t *testing.T) {
	v, text := newVerifier(100, false)
	changed := func(i int) []byte {
		wrong := bytes.Clone(text)
		wrong[i] ^= 0x80
		return wrong
	}
	for name, p := range map[string]piece{
		"shorter":            {opcodeText, false, true, text[:99]},
		"shorter than heads": {opcodeText, false, true, text[:headSize-1]},
		"longer":             {opcodeText, false, true, append(bytes.Clone(text), 'x')},
		"no head":            {opcodeText, false, true, changed(2)},
		"other content":      {opcodeText, false, true, changed(50)},
		"other end":          {opcodeText, false, true, changed(99)},
		"other type":         {opcodeBinary, false, true, text},
		"compressed":         {opcodeText, true, true, text},
	} {
		if _, complete, err := v.take(new(inbox), p); complete || err == nil {
			t.Errorf("%s: complete %t, %v", name, complete, err)
		}
	}
}

// deflate compresses texts one after the other, as a server with context takeover does.
func deflate(t *testing.T, texts ...[]byte) (messages [][]byte) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		w.Write(text)
		w.Flush()
		messages = append(messages, bytes.TrimSuffix(bytes.Clone(out.Bytes()), []byte(deflateTail)))
		out.Reset()
	}
	return messages
}

func TestCompressedMessages(t *testing.T) {
	v, text := newVerifier(1000, true)
	message := deflate(t, text)[0]
	for range 3 { // the repetition is remembered
		var m inbox
		h, complete, err := v.take(&m, piece{opcodeText, true, true, message})
		if h != (head{3, 9}) || !complete || err != nil {
			t.Fatalf("%v, complete %t, %v", h, complete, err)
		}
	}
	if _, _, err := v.take(new(inbox), piece{opcodeText, false, true, text}); err == nil {
		t.Error("an uncompressed message passes")
	}
	if _, _, err := v.take(new(inbox), piece{opcodeText, true, true, []byte("nonsense")}); err == nil {
		t.Error("nonsense passes")
	}
}

func TestCompressionWithContext(t *testing.T) {
	v, text := newVerifier(20_000, true)
	m := inbox{takeover: true}
	for i, message := range deflate(t, text, text, text, text) {
		h, complete, err := v.take(&m, piece{opcodeText, true, true, message})
		if h != (head{3, 9}) || !complete || err != nil {
			t.Fatalf("message %d: %v, complete %t, %v", i, h, complete, err)
		}
	}
}
