package wsframework

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A keyring signs values and reads signed ones, in the format of Tornado. It does not change, so any
// goroutine may use it.
//
// Version 2 of the format, which is the one that is written, is
//
//	2|1:0|10:1700000000|4:user|4:YW5u|<64 hexadecimal digits>
//
// with the key's version, the time in seconds since 1970, the name and the value in base64, each behind its
// length, and an HMAC-SHA256 of all this. Version 1 is
//
//	YW5u|1700000000|<40 hexadecimal digits>
//
// with an HMAC-SHA1 of name, value and time, and nothing between them: what belongs to one of them can be
// moved to its neighbour. It does not name its key, which is that of version 0.
type keyring struct {
	keys       map[int64][]byte // by their version
	current    int64            // the one to sign with
	minVersion int              // of the format, to read
}

// minSecret is how many bytes a secret has at least. Who has a signed value can try shorter ones until one
// fits.
const minSecret = 16

// newKeyring checks Settings.CookieSecrets, CookieKeyVersion and CookieMinVersion.
func newKeyring(secrets map[int][]byte, current, minVersion int) (keyring, error) {
	ring := keyring{make(map[int64][]byte), int64(current), minVersion}
	for version, secret := range secrets {
		switch {
		case version < 0:
			return keyring{}, fmt.Errorf("wsframework: Settings.CookieSecrets: %d is no key version; use 0, 1, 2 and so on", version)
		case len(secret) < minSecret:
			return keyring{}, fmt.Errorf("wsframework: Settings.CookieSecrets: the secret of key version %d has %d bytes; "+
				"who has a cookie can guess one so short: take 32 random bytes, %d at the least", version, len(secret), minSecret)
		}
		ring.keys[int64(version)] = slices.Clone(secret)
	}
	if _, ok := secrets[current]; !ok && (current != 0 || len(secrets) > 0) {
		return keyring{}, fmt.Errorf("wsframework: Settings.CookieKeyVersion is %d, and Settings.CookieSecrets has no such key", current)
	}
	if minVersion < 1 || minVersion > 2 {
		return keyring{}, fmt.Errorf("wsframework: Settings.CookieMinVersion is %d; it is 1 or 2", minVersion)
	}
	return ring, nil
}

// sign returns a value in version 2 of the format.
func (k keyring) sign(name, value string, now time.Time) string {
	text := "2|"
	for _, field := range []string{
		strconv.FormatInt(k.current, 10),
		strconv.FormatInt(now.Unix(), 10),
		name,
		base64.StdEncoding.EncodeToString([]byte(value)),
	} {
		text += strconv.Itoa(len(field)) + ":" + field + "|"
	}
	return text + signature(sha256.New, k.keys[k.current], text)
}

// verify returns the value of a text that was signed for this name, no longer than maxAge ago.
func (k keyring) verify(name, text string, maxAge time.Duration, now time.Time) (value string, ok bool) {
	var encoded string
	var signed int64
	switch version := formatVersion(text); {
	case version < k.minVersion:
		return "", false
	case version == 1:
		encoded, signed, ok = k.verify1(name, text, now)
	case version == 2:
		encoded, signed, ok = k.verify2(name, text)
	}
	oldest := now.Add(time.Second - 1 - maxAge).Unix() // rounded up
	if !ok || signed < oldest {
		return "", false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	return string(decoded), err == nil
}

// maxAhead is how far ahead of our clock a value of version 1 may be, in seconds. A time with digits of the
// value in front is later.
const maxAhead = 31 * 24 * 60 * 60

func (k keyring) verify1(name, text string, now time.Time) (encoded string, signed int64, ok bool) {
	key, known := k.keys[0]
	parts := strings.SplitN(text, "|", 4)
	if !known || len(parts) != 3 || !sameText(parts[2], signature(sha1.New, key, name, parts[0], parts[1])) {
		return "", 0, false
	}
	signed, ok = parseDecimal(parts[1])
	return parts[0], signed, ok && signed > 0 && signed <= now.Unix()+maxAhead
}

func (k keyring) verify2(name, text string) (encoded string, signed int64, ok bool) {
	v, ok := parseSignedValue(text)
	key, known := k.keys[v.key]
	if !ok || !known || !sameText(v.signature, signature(sha256.New, key, v.text)) || v.name != name {
		return "", 0, false
	}
	signed, ok = parseDecimal(v.time)
	return v.encoded, signed, ok
}

// formatVersion returns the version of the format. Version 1 does not say it: it begins with base64, which
// can look like a number, but has four letters at least.
func formatVersion(text string) int {
	digits, _, found := strings.Cut(text, "|")
	version, ok := parseDecimal(digits)
	if !found || !ok || version == 0 || version > 999 {
		return 1
	}
	return int(version)
}

// A signedValue is a text in version 2 of the format, in its parts.
type signedValue struct {
	text      string // what is signed
	key       int64
	time      string
	name      string
	encoded   string
	signature string
}

func parseSignedValue(text string) (v signedValue, ok bool) {
	rest, ok := strings.CutPrefix(text, "2|")
	var key string
	for _, field := range []*string{&key, &v.time, &v.name, &v.encoded} {
		if ok {
			*field, rest, ok = cutField(rest)
		}
	}
	if !ok {
		return signedValue{}, false
	}
	v.text, v.signature = text[:len(text)-len(rest)], rest
	v.key, ok = parseDecimal(key)
	return v, ok
}

// cutField cuts a field off: "4:user|rest".
func cutField(text string) (field, rest string, ok bool) {
	digits, rest, ok := strings.Cut(text, ":")
	n, isLength := parseDecimal(digits)
	if !ok || !isLength || n >= int64(len(rest)) || rest[n] != '|' {
		return "", "", false
	}
	return rest[:n], rest[n+1:], true
}

// parseDecimal reads digits without leading zeros.
func parseDecimal(digits string) (int64, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err == nil && (digits[0] != '0' || digits == "0")
}

// signature returns the HMAC of some parts, one behind the other, in hexadecimal digits.
func signature(newHash func() hash.Hash, key []byte, parts ...string) string {
	mac := hmac.New(newHash, key)
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// sameText compares in a time that does not tell how much is right.
func sameText(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
