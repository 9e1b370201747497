package webpush

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"parkwire/internal/webpush/webpushtest"
)

// The example of RFC 8291, appendix A.
const (
	rfcText    = "V2hlbiBJIGdyb3cgdXAsIEkgd2FudCB0byBiZSBhIHdhdGVybWVsb24"
	rfcServer  = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
	rfcPublic  = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	rfcPrivate = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
	rfcSalt    = "DGv6ra1nlYgDCS1FRnbzlw"
	rfcAuth    = "BTBZMqHH6r4Tts7J_aSIgg"
	rfcBody    = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_" +
		"yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

func unbase(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func private(t *testing.T, text string) *ecdh.PrivateKey {
	t.Helper()
	key, err := ecdh.P256().NewPrivateKey(unbase(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestMessagesAreThoseOfTheExampleInRFC8291(t *testing.T) {
	to, err := ParseKeys(rfcPublic, rfcAuth)
	if err != nil {
		t.Fatal(err)
	}
	text := unbase(t, rfcText)
	body, err := seal(to, private(t, rfcServer), unbase(t, rfcSalt), text, len(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := base64.RawURLEncoding.EncodeToString(body); got != rfcBody {
		t.Errorf("the message is\n%s, not\n%s", got, rfcBody)
	}
	browser := webpushtest.BrowserOf(private(t, rfcPrivate), unbase(t, rfcAuth))
	if got, err := browser.Read(unbase(t, rfcBody)); err != nil || string(got) != string(text) {
		t.Errorf("the test's browser reads %q (%v)", got, err)
	}
}

func keysOf(t *testing.T, b webpushtest.Browser) Keys {
	t.Helper()
	keys, err := ParseKeys(b.P256DH(), b.Auth()+"==") // as some write it
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestABrowserReadsMessagesOfEachLength(t *testing.T) {
	browser := webpushtest.NewBrowser(t)
	keys := keysOf(t, browser)
	lengths := map[int]bool{}
	for n := 0; n <= MaxText; n += 61 {
		text := []byte(strings.Repeat("x", n))
		body, err := encrypt(keys, text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := browser.Read(body)
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("a message of %d bytes comes as %d bytes (%v)", n, len(got), err)
		}
		if len(body) > maxBody {
			t.Errorf("a message of %d bytes has a body of %d, more than push services take", n, len(body))
		}
		lengths[len(body)] = true
	}
	if len(lengths) > MaxText/step+1 {
		t.Errorf("bodies have %d lengths, so that they tell much of what is in them", len(lengths))
	}
	full := []byte(strings.Repeat("\x00", MaxText))
	if body, err := encrypt(keys, full); err != nil || len(body) != maxBody {
		t.Errorf("the longest message has %d bytes (%v)", len(body), err)
	}
	if _, err := encrypt(keys, append(full, 0)); !errors.Is(err, ErrTooLong) {
		t.Errorf("a longer one: %v", err)
	}
}

func TestKeysOfBrowsersAreChecked(t *testing.T) {
	for what, keys := range map[string][2]string{
		"no base64":             {"?", rfcAuth},
		"a point of 64 bytes":   {rfcPublic[:len(rfcPublic)-2], rfcAuth},
		"a point off the curve": {rfcPublic[:len(rfcPublic)-4] + "AAAA", rfcAuth},
		"a short secret":        {rfcPublic, "AAAA"},
		"no secret":             {rfcPublic, ""},
	} {
		if _, err := ParseKeys(keys[0], keys[1]); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
