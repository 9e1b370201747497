package webpush

import "testing"

// Whatever a browser claims to be its keys, either they are refused or a message can be sent to them.
func FuzzKeys(f *testing.F) {
	f.Add(rfcPublic, rfcAuth)
	f.Add("", "")
	f.Add("BA", rfcAuth+"==")
	f.Fuzz(func(t *testing.T, p256dh, auth string) {
		keys, err := ParseKeys(p256dh, auth)
		if err != nil {
			return
		}
		if _, err := encrypt(keys, []byte("text")); err != nil {
			t.Fatalf("keys that are taken cannot be used: %v", err)
		}
	})
}
