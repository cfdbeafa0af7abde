package wsframework

import (
	"crypto/sha256"
	"maps"
	"strings"
	"testing"
	"time"
)

// What Tornado 6.2 has signed, and when.
var (
	tornadoTime    = time.Unix(1700000000, 0)
	tornadoSecrets = map[int][]byte{
		0:  []byte("0123456789abcdef0123456789abcdef"),
		1:  []byte("fedcba9876543210fedcba9876543210"),
		12: []byte("\x00\x01\x02\x03\x04\x05\x06\a\b\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"),
	}
)

func tornadoKeyring(t testing.TB, current, minVersion int) keyring {
	t.Helper()
	ring, err := newKeyring(tornadoSecrets, current, minVersion)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestSignAsTornado(t *testing.T) {
	for _, tt := range []struct {
		key               int
		name, value, want string
	}{
		{0, "user", "ann", "2|1:0|10:1700000000|4:user|4:YW5u|1a6310ebaa70112206cea281a29b4fdc7cc7084f0f4123f6a3f0f9ebdaa1498e"},
		{0, "user", "", "2|1:0|10:1700000000|4:user|0:|77a72716c576de4fccbbafc1743887059af9ef7b13e7130c5b60e4a6c1b47ae2"},
		{0, "user", "小明 👋", "2|1:0|10:1700000000|4:user|16:5bCP5piOIPCfkYs=|e75a3ee9a6adc84c9bdc888eab15bab2e92371c7f4d87a963429ea0fc092607e"},
		{0, "user", "\xff\x00\xfe|:\"", "2|1:0|10:1700000000|4:user|8:/wD+fDoi|2c10f083f207671c21363fb45fee34700a4ea4ca2c6ee04cdeac6994d5e9a5a7"},
		{0, "user", "a|b:c\"d\\e;f,g\n", "2|1:0|10:1700000000|4:user|20:YXxiOmMiZFxlO2YsZwo=|20419c555e575f6916867205b6f2021694211b6e21f94983654ac08818e0692f"},
		{1, "user", "ann", "2|1:1|10:1700000000|4:user|4:YW5u|904c764531c0b539f65ed5b22989254194521df80582c562dd8b27ab6b6bd73d"},
		{12, "user", "ann", "2|2:12|10:1700000000|4:user|4:YW5u|37197fad327aa65c2a787bdd3e7d6976842e062780bb80805682bc07175e19b4"},
		{0, "a|b!#$", "1:2", "2|1:0|10:1700000000|6:a|b!#$|4:MToy|d1622d92352d9393e55a97f49cf804ee2f22c4d737841ddd298cbd6cbd02ad7d"},
	} {
		got := tornadoKeyring(t, tt.key, 1).sign(tt.name, tt.value, tornadoTime)
		if got != tt.want {
			t.Errorf("key %d signs %q\nas   %s,\nwant %s", tt.key, tt.value, got, tt.want)
		}
		for current := range tornadoSecrets { // whichever signs, all are good to read
			value, ok := tornadoKeyring(t, current, 2).verify(tt.name, tt.want, time.Hour, tornadoTime)
			if value != tt.value || !ok {
				t.Errorf("%s: %q, %v, want %q", tt.want, value, ok, tt.value)
			}
		}
	}
}

const (
	annV1 = "YW5u|1700000000|b78fa146893f698107a8b5918405a22cfd103570"
	annV2 = "2|1:0|10:1700000000|4:user|4:YW5u|1a6310ebaa70112206cea281a29b4fdc7cc7084f0f4123f6a3f0f9ebdaa1498e"
)

func TestReadVersion1(t *testing.T) {
	ring := tornadoKeyring(t, 1, 1)
	for text, want := range map[string]string{
		annV1: "ann",
		"|1700000000|dcfc5435309dfaf0db11601819e8061d77612d53":                 "",
		"5bCP5piOIPCfkYs=|1700000000|55f49085002e112b01457c938b7b09658f198395": "小明 👋",
		"/wD+fDoi|1700000000|a6aa9d65f45063b4b870700b685c1674bab8c65a":         "\xff\x00\xfe|:\"",
		"1000|1700000000|4dc4b249e8d3d627ba5c9b575c4439a39123b0f9":             "\xd7M4", // looks like a format's version
		"YW5u3720|1700000000|70458222db29c1bc213dcef0996df17e2c7d9d33":         "ann\xdf\xbd\xb4",
	} {
		if got, ok := ring.verify("user", text, time.Hour, tornadoTime); got != want || !ok {
			t.Errorf("%s: %q, %v, want %q", text, got, ok, want)
		}
		if _, ok := tornadoKeyring(t, 1, 2).verify("user", text, time.Hour, tornadoTime); ok {
			t.Errorf("%s is read although CookieMinVersion is 2", text)
		}
	}
	secrets := maps.Clone(tornadoSecrets)
	delete(secrets, 0)
	ring, err := newKeyring(secrets, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := ring.verify("user", annV1, time.Hour, tornadoTime); ok {
		t.Error("version 1 is read without its key")
	}
}

func TestSignedTimes(t *testing.T) {
	const ever = 200 * 365 * 24 * time.Hour
	ring := tornadoKeyring(t, 0, 1)
	for _, tt := range []struct {
		what   string
		text   string
		later  time.Duration // than tornadoTime
		maxAge time.Duration
		ok     bool
	}{
		{"at once", annV2, 0, 0, true},
		{"version 1 at once", annV1, 0, 0, true},
		{"as old as it may be", annV2, time.Hour, time.Hour, true},
		{"too old by little", annV2, time.Hour + 1, time.Hour, false},
		{"version 1 as old as it may be", annV1, time.Hour, time.Hour, true},
		{"version 1 too old", annV1, time.Hour + 1, time.Hour, false},
		{"nothing is new enough", annV2, 0, -time.Second, false},
		{"from the future", "2|1:0|11:99999999999|4:user|4:YW5u|eed7816c9902de15ddfae7fff2ec74830319f5d76ffb35daf9efdc71ded9b486", 0, time.Hour, true},
		{"from 1970", "2|1:0|1:0|4:user|4:YW5u|799382fb7b266b94cdb6c53861708991878f63ab8a4d63b96154ee4706dc4b2f", 0, ever, true},
		{"version 1 from 1970", "YW5u|5|d8ac9d2f91d543dd032e51c050b6fa20e4dd9778", 0, ever, true},
		{"version 1 that begins with 0", "YW5u|0|c229afc559dad4ab5cb6127b22966105cf29ad1f", 0, ever, false},
		{"version 1 of in 31 days", "YW5u|1702678400|40d424fb05d53ff528bb5dceb262dd698173707e", 0, time.Hour, true},
		{"version 1 of later", "YW5u|1702678401|12a8acadce7d78c7c788d584d65b6fb893169f47", 0, time.Hour, false},
		{"version 1 of in a month", "YW5u|1702678401|12a8acadce7d78c7c788d584d65b6fb893169f47", time.Second, time.Hour, true},
		{"a digit of the value moved to the time", "YW5u372|01700000000|70458222db29c1bc213dcef0996df17e2c7d9d33", 0, ever, false},
		{"four of them", "YW5u|37201700000000|70458222db29c1bc213dcef0996df17e2c7d9d33", 0, ever, false},
		{"digits of the time moved to the value", "YW5u37201700|000000|70458222db29c1bc213dcef0996df17e2c7d9d33", 0, ever, false},
	} {
		if _, ok := ring.verify("user", tt.text, tt.maxAge, tornadoTime.Add(tt.later)); ok != tt.ok {
			t.Errorf("%s: %v", tt.what, ok)
		}
	}
}

func TestSignedValueMistakes(t *testing.T) {
	ring := tornadoKeyring(t, 0, 1)
	for _, text := range []string{
		"", "|", "||", "2", "2|", "2||", "3|" + annV2[2:], "1|" + annV2[2:], "02|" + annV2[2:], annV2[2:], "2|" + annV2, annV2 + "0", " " + annV2,
		strings.TrimSuffix(annV2, "e"), strings.ToUpper(annV2), strings.Replace(annV2, "1:0", "01:0", 1), strings.Replace(annV2, "1:0", "2:00", 1),
		strings.Replace(annV2, "1:0", "1:1", 1), strings.Replace(annV2, "1:0", "1:7", 1), strings.Replace(annV2, "4:YW5u", "8:YW5uYW5u", 1),
		strings.Replace(annV2, "4:YW5u", "-4:YW5u", 1), strings.Replace(annV2, "4:YW5u", "99999999999999999999:YW5u", 1), strings.Replace(annV2, "4:YW5u", "9000:YW5u", 1),
		annV1 + "|", "|" + annV1, strings.ToUpper(annV1), strings.Replace(annV1, "|", "", 1), "ZW5u" + annV1[4:],
		// Signed by somebody who has the secret and another idea of the format.
		signed2("2|1:0|10:1700000000|4:user|4:Y|5u|"), signed2("2|1:0|10:1700000000|4:user|3:YW5|"), signed2("2|1:0|2:-1|4:user|4:YW5u|"),
		signed2("2|1:0|3:1e9|4:user|4:YW5u|"), signed2("2|1:0|20:99999999999999999999|4:user|4:YW5u|"), signed2("2|1:a|10:1700000000|4:user|4:YW5u|"),
		signed2("2|1:0|10:1700000000|4:user|"), signed2("2|1:0|10:1700000000|4:USER|4:YW5u|"), signed2("2|1:0|10:1700000000|04:user|4:YW5u|"),
	} {
		if value, ok := ring.verify("user", text, time.Hour, tornadoTime); value != "" || ok {
			t.Errorf("%s is read as %q", text, value)
		}
	}
	for _, name := range []string{"", "use", "user2", "User"} {
		for _, text := range []string{annV1, annV2} {
			if _, ok := ring.verify(name, text, time.Hour, tornadoTime); ok {
				t.Errorf("%s is read as that of %q", text, name)
			}
		}
	}
	empty, err := newKeyring(nil, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := empty.verify("user", annV2, time.Hour, tornadoTime); ok {
		t.Error("it is read without a secret")
	}
}

// signed2 puts the signature of key 0 behind a text.
func signed2(text string) string { return text + signature(sha256.New, tornadoSecrets[0], text) }

// No byte of a signed value can be another one.
func TestSignedValueTampered(t *testing.T) {
	ring := tornadoKeyring(t, 0, 1)
	for _, text := range []string{annV1, annV2} {
		for i := range text {
			for b := range 256 {
				changed := []byte(text)
				changed[i] = byte(b)
				if _, ok := ring.verify("user", string(changed), time.Hour, tornadoTime); ok != (string(changed) == text) {
					t.Fatalf("%q: %v", changed, ok)
				}
			}
			if _, ok := ring.verify("user", text[:i]+text[i+1:], time.Hour, tornadoTime); ok {
				t.Errorf("%q without byte %d is read", text, i)
			}
		}
	}
}

func TestKeyringMistakes(t *testing.T) {
	good := tornadoSecrets[0]
	for want, tt := range map[string]struct {
		secrets             map[int][]byte
		current, minVersion int
	}{
		"CookieKeyVersion is 2, and": {map[int][]byte{1: good}, 2, 1},
		"CookieKeyVersion is 0, and": {map[int][]byte{1: good}, 0, 1},
		"CookieKeyVersion is 1, and": {nil, 1, 1},
		"-1 is no key version":       {map[int][]byte{-1: good, 0: good}, 0, 1},
		"version 3 has 15 bytes":     {map[int][]byte{0: good, 3: good[:15]}, 0, 1},
		"version 0 has 0 bytes":      {map[int][]byte{0: nil}, 0, 1},
		"CookieMinVersion is 3":      {map[int][]byte{0: good}, 0, 3},
		"CookieMinVersion is -1":     {nil, 0, -1},
	} {
		if _, err := newKeyring(tt.secrets, tt.current, tt.minVersion); err == nil ||
			!strings.HasPrefix(err.Error(), "wsframework: Settings.Cookie") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want …%s…", err, want)
		}
	}
	secret := []byte("sixteen bytes 01")
	ring, err := newKeyring(map[int][]byte{0: secret}, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	before := ring.sign("user", "ann", tornadoTime)
	clear(secret)
	if ring.sign("user", "ann", tornadoTime) != before {
		t.Error("the secret is the caller's own")
	}
}

// What we sign we read, and nothing that differs from it in a byte.
func FuzzSignedValue(f *testing.F) {
	f.Add("user", "ann", int64(1700000000), uint(3), byte(1))
	f.Add("", "", int64(0), uint(0), byte(0x80))
	f.Add("a|b:", "2|1:0|", int64(1<<40), uint(200), byte('|'))
	ring := tornadoKeyring(f, 12, 1)
	f.Fuzz(func(t *testing.T, name, value string, seconds int64, at uint, flip byte) {
		now := time.Unix(max(seconds, 0)%(1<<40), 0)
		text := ring.sign(name, value, now)
		if got, ok := ring.verify(name, text, 0, now); got != value || !ok {
			t.Fatalf("%q: %q, %v, want %q", text, got, ok, value)
		}
		if v, ok := parseSignedValue(text); !ok || v.key != 12 || v.name != name || v.text+v.signature != text {
			t.Fatalf("%q is parsed as %+v", text, v)
		}
		if flip != 0 {
			changed := []byte(text)
			changed[at%uint(len(text))] ^= flip
			if _, ok := ring.verify(name, string(changed), time.Hour, now); ok {
				t.Fatalf("%q is read", changed)
			}
		}
	})
}

// Nothing that somebody makes up is read, whatever its form.
func FuzzReadSignedValue(f *testing.F) {
	for _, text := range []string{annV1, annV2, "", "2|", "2|1:0|", "2|9:0|", "a|b|c", "1000|1|x", "2|1:0|10:1700000000|4:user|4:YW5u|"} {
		f.Add(text)
	}
	ring := tornadoKeyring(f, 0, 1)
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := ring.verify("user", text, time.Hour, tornadoTime); ok && text != annV1 && text != annV2 {
			t.Fatalf("%q is read", text)
		}
		if v, ok := parseSignedValue(text); ok && v.text+v.signature != text {
			t.Fatalf("%q is parsed as %+v", text, v)
		}
	})
}
