package websocket

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"
)

// RFC 6455, section 5.7.
func TestServerFramesAreEncodedAsTheRFCShows(t *testing.T) {
	for name, c := range map[string]struct{ got, want []byte }{
		"text":                {AppendFrame(nil, Text, []byte("Hello")), append([]byte{0x81, 0x05}, "Hello"...)},
		"pong":                {AppendFrame(nil, Pong, []byte("Hello")), append([]byte{0x8a, 0x05}, "Hello"...)},
		"behind other frames": {AppendFrame([]byte{1}, Text, nil), []byte{1, 0x81, 0}},
		"125 bytes":           {AppendHeader(nil, Binary, 125), []byte{0x82, 125}},
		"126 bytes":           {AppendHeader(nil, Binary, 126), []byte{0x82, 126, 0, 126}},
		"256 bytes":           {AppendHeader(nil, Binary, 256), []byte{0x82, 0x7E, 0x01, 0x00}},
		"65,535 bytes":        {AppendHeader(nil, Binary, 65535), []byte{0x82, 126, 0xff, 0xff}},
		"65,536 bytes":        {AppendHeader(nil, Binary, 65536), []byte{0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0}},
		"close":               {AppendClose(nil, 4408, "slow"), append([]byte{0x88, 6, 0x11, 0x38}, "slow"...)},
		"close without code":  {AppendClose(nil, noStatus, ""), []byte{0x88, 0}},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: % x; want % x", name, c.got, c.want)
		}
	}
}

func TestALongCloseReasonIsCutAtACharacter(t *testing.T) {
	for _, reason := range []string{strings.Repeat("a", 200), strings.Repeat("€", 100), "a" + strings.Repeat("€", 100), "aa" + strings.Repeat("𝄞", 50)} {
		frame := AppendClose(nil, NormalClosure, reason)
		cut := string(frame[4:])
		if len(frame) > 2+maxControl || int(frame[1]) != len(frame)-2 || binary.BigEndian.Uint16(frame[2:]) != 1000 {
			t.Errorf("%.10s…: the frame is % x", reason, frame)
		}
		if !utf8.ValidString(cut) || !strings.HasPrefix(reason, cut) || len(cut) < 120 {
			t.Errorf("%.10s…: the reason became %q", reason, cut)
		}
	}
}
