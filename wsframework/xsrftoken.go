package wsframework

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An xsrfToken is what a visitor's cookie and his requests share, in the format of Tornado. Version 2, which
// is the one that is written, is
//
//	2|<mask>|<masked secret>|1700000000
//
// with a mask of four bytes that is another one each time, both in hexadecimal digits, and the time in
// seconds since 1970. Version 1 is the secret alone, in hexadecimal digits or as it is.
type xsrfToken struct {
	secret []byte
	made   int64
}

func newXSRFToken() xsrfToken {
	secret := make([]byte, 16)
	rand.Read(secret)
	return xsrfToken{secret, time.Now().Unix()}
}

func (t xsrfToken) String() string {
	var mask [4]byte
	rand.Read(mask[:])
	return fmt.Sprintf("2|%x|%x|%d", mask, masked(t.secret, mask[:]), t.made)
}

// parseXSRFToken reads a token of either version.
func parseXSRFToken(text string) (token xsrfToken, ok bool) {
	parts := strings.SplitN(text, "|", 5)
	switch version, isNumber := parseDecimal(parts[0]); {
	case len(parts) == 1 || !isNumber || version == 0:
		secret, err := hex.DecodeString(text)
		if err != nil {
			secret = []byte(text)
		}
		return xsrfToken{secret, time.Now().Unix()}, len(secret) > 0
	case version != 2 || len(parts) != 4:
		return xsrfToken{}, false
	}
	mask, maskErr := hex.DecodeString(parts[1])
	secret, secretErr := hex.DecodeString(parts[2])
	made, timeErr := strconv.ParseInt(parts[3], 10, 64)
	if maskErr != nil || secretErr != nil || timeErr != nil || len(mask) != 4 || len(secret) == 0 {
		return xsrfToken{}, false
	}
	return xsrfToken{masked(secret, mask), made}, true
}

// masked is its own inverse.
func masked(data, mask []byte) []byte {
	result := make([]byte, len(data))
	for i, b := range data {
		result[i] = b ^ mask[i%len(mask)]
	}
	return result
}
