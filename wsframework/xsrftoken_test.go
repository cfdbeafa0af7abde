package wsframework

import (
	"bytes"
	"testing"
)

func TestParseXSRFToken(t *testing.T) {
	const secret = "\x01\x23\x45\x67\x89\xab\xcd\xef\x00\x00\x00\x00\xff\xff\xff\xff"
	for text, want := range map[string]xsrfToken{
		"2|00000000|0123456789abcdef00000000ffffffff|1700000000": {[]byte(secret), 1700000000},
		"2|a1b2c3d4|a09186b328190e3ba1b2c3d45e4d3c2b|0":          {[]byte(secret), 0},
		"2|A1B2C3D4|A09186B328190E3BA1B2C3D45E4D3C2B|-1":         {[]byte(secret), -1},
		"2|ffffffff|fe|1": {[]byte("\x01"), 1},
	} {
		if got, ok := parseXSRFToken(text); !ok || !bytes.Equal(got.secret, want.secret) || got.made != want.made {
			t.Errorf("%s: %x, %d, %v", text, got.secret, got.made, ok)
		}
	}
	for text, want := range map[string]string{ // version 1
		"0123456789abcdef00000000ffffffff": secret,
		"abc":                              "abc",
		"any text":                         "any text",
		"2":                                "2",
		"0|x":                              "0|x",
		"a|b|c|d|e":                        "a|b|c|d|e",
	} {
		if got, ok := parseXSRFToken(text); !ok || string(got.secret) != want {
			t.Errorf("%s: %q, %v", text, got.secret, ok)
		}
	}
	for _, text := range []string{
		"", "1|00", "3|00000000|01|1", "2|", "2||||", "2|00000000||1", "2|000000|01|1", "2|0000000000|01|1", "2|0000000|01|1", "2||01|1",
		"2|00000000|0|1", "2|00000000|0g|1", "2|00000000|01|", "2|00000000|01|x", "2|00000000|01|1|", "2|00000000|01|1|2",
	} {
		if got, ok := parseXSRFToken(text); ok {
			t.Errorf("%q is read as %x", text, got.secret)
		}
	}
}

// Each text of a token is another one, and all of them are the token.
func TestXSRFTokenIsMasked(t *testing.T) {
	token := newXSRFToken()
	texts := make(map[string]bool)
	for range 10 {
		text := token.String()
		texts[text] = true
		if got, ok := parseXSRFToken(text); !ok || !bytes.Equal(got.secret, token.secret) || got.made != token.made {
			t.Errorf("%s is read as %v", text, got)
		}
	}
	if len(texts) != 10 {
		t.Errorf("10 times %d texts", len(texts))
	}
	if other := newXSRFToken(); bytes.Equal(other.secret, token.secret) {
		t.Error("two tokens are the same")
	}
}

func FuzzXSRFToken(f *testing.F) {
	for _, text := range []string{"", "2|a1b2c3d4|a091|1700000000", "2|||", "1|ab", "abcd", "abc", "2|a1b2c3d4|a091|1|"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := parseXSRFToken(text)
		if ok != (len(token.secret) > 0) {
			t.Fatalf("%q: %v, %v", text, token, ok)
		}
		if !ok {
			return
		}
		again, ok := parseXSRFToken(token.String())
		if !ok || !bytes.Equal(again.secret, token.secret) || again.made != token.made {
			t.Fatalf("%q: %v, and as we write it %v", text, token, again)
		}
	})
}
