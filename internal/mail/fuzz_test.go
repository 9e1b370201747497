package mail_test

import (
	"strings"
	"testing"

	"parkwire/internal/mail"
)

// Whatever is written, an address that is taken is one mailbox, and stays what it is when it is read again.
func FuzzMailboxes(f *testing.F) {
	for _, seed := range []string{"anna@example.org", "Anna <anna@example.org>", "a@b.c, d@e.f", "a@b.c\r\nBcc: d@e.f", `"a b"@c.d`, "a@[127.0.0.1]", "ä@ö.de", "a@b.c (d)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := mail.ParseAddress(text)
		if err != nil {
			return
		}
		again, err := mail.ParseAddress(address)
		if err != nil || again != address || strings.ContainsAny(address, "\r\n\t ,;<>\"") || strings.Count(address, "@") != 1 {
			t.Fatalf("%q is taken as %q (%v)", text, address, err)
		}
	})
}
