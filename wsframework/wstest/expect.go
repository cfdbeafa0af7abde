package wstest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// Receive waits for the next message, for checks of the test's own. Pings that keep the connection alive are
// passed over, here and everywhere; anything else that is no message fails the test.
func (c *Client) Receive() wsframework.Message {
	c.t.Helper()
	a := c.message("a message")
	return messageOf(a.first, a.payload)
}

// ReceiveJSON waits for the next message and parses its JSON into what value points to.
func (c *Client) ReceiveJSON(value any) {
	c.t.Helper()
	a := c.message("JSON")
	if err := json.Unmarshal(a.payload, value); err != nil {
		c.fail("want JSON for %T, but got %s: %v", value, a, err)
	}
}

// Expect waits for a text message, and fails the test if the next one is another.
func (c *Client) Expect(text string) {
	c.t.Helper()
	c.ExpectFrame(TextFrame, text)
}

// ExpectBinary waits for a binary message.
func (c *Client) ExpectBinary(data []byte) {
	c.t.Helper()
	c.ExpectFrame(BinaryFrame, string(data))
}

// ExpectMatch waits for a text message that matches a regular expression, and returns its text and what the
// groups of the expression matched, as [regexp.Regexp.FindStringSubmatch] does.
func (c *Client) ExpectMatch(expression string) []string {
	c.t.Helper()
	re, err := regexp.Compile(expression)
	if err != nil {
		c.t.Fatalf("wstest: %v", err)
	}
	a := c.message("text that matches " + quote([]byte(expression)))
	match := re.FindStringSubmatch(string(a.payload))
	if a.first != TextFrame || match == nil {
		c.fail("want text that matches %s, but got %s", quote([]byte(expression)), a)
	}
	return match
}

// ExpectJSON waits for a text message with the same JSON as a value has, or as a text if want is a string;
// neither spaces nor the order of fields matter. The failure shows the difference, line by line.
func (c *Client) ExpectJSON(want any) {
	c.t.Helper()
	wanted, ok := want.(string)
	if !ok {
		data, err := json.Marshal(want)
		if err != nil {
			c.t.Fatalf("wstest: %v", err)
		}
		wanted = string(data)
	}
	var wantValue any
	if err := parseJSON([]byte(wanted), &wantValue); err != nil {
		c.t.Fatalf("wstest: ExpectJSON wants what is no JSON: %v: %s", err, wanted)
	}
	a := c.message("JSON " + quote([]byte(wanted)))
	var value any
	if err := parseJSON(a.payload, &value); a.first != TextFrame || err != nil {
		c.fail("want JSON %s, but got %s", quote([]byte(wanted)), a)
	}
	if !reflect.DeepEqual(value, wantValue) {
		c.fail("other JSON than expected (- wanted, + got):\n%s", diffJSON(wantValue, value))
	}
}

// ExpectPing waits for a ping with data, of the handler's own.
func (c *Client) ExpectPing(data string) {
	c.t.Helper()
	c.ExpectFrame(PingFrame, data)
}

// ExpectPong waits for the answer to a ping. Messages that come before it fail the test.
func (c *Client) ExpectPong(data string) {
	c.t.Helper()
	c.ExpectFrame(PongFrame, data)
}

// ExpectFrame waits for a frame with a first byte and a payload.
func (c *Client) ExpectFrame(first byte, payload string) {
	c.t.Helper()
	want := describeFrame(first, []byte(payload))
	a := c.next(want)
	for (first != PingFrame || payload != "") && c.passOver(a) {
		a = c.next(want)
	}
	if a.err != nil || a.first != first || string(a.payload) != payload {
		c.fail("want %s, but got %s", want, a)
	}
}

// ReadFrame waits for the next frame, whatever it is, and returns its first byte and its payload; an error is
// the end of the connection. Fragments come joined, and with Frames one by one.
func (c *Client) ReadFrame() (first byte, payload []byte, err error) {
	c.t.Helper()
	a := c.next("a frame")
	return a.first, a.payload, a.err
}

// ExpectNothing fails the test if something arrives within a time, be it the end of the connection. Pings that
// keep it alive do not count.
func (c *Client) ExpectNothing(within time.Duration) {
	c.t.Helper()
	for deadline := time.Now().Add(within); ; {
		a, ok := c.await(time.Until(deadline))
		if !ok {
			return
		}
		if !c.passOver(a) {
			c.fail("want nothing for %v, but got %s", within, a)
		}
	}
}

// message waits for a text or binary message.
func (c *Client) message(want string) arrival {
	c.t.Helper()
	a := c.nextButPings(want)
	if a.err != nil || a.first != TextFrame && a.first != BinaryFrame {
		c.fail("want %s, but got %s", want, a)
	}
	return a
}

// parseJSON keeps numbers as they are written.
func parseJSON(data []byte, value *any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(value); err != nil {
		return err
	}
	return trailing(d)
}
