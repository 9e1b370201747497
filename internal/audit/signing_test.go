package audit

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestHeadsAreToldAndSignedWhenTheyMove(t *testing.T) {
	eachWorld(t, func(w *world) {
		key := newKey(t)
		var out strings.Builder
		s := w.served(key)
		s.logger = slog.New(slog.NewTextHandler(&out, nil))
		tell := func() {
			t.Helper()
			if err := s.tellHead(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		tell() // there is no chain yet
		if out.Len() > 0 {
			t.Errorf("without a chain the log was told %s", out.String())
		}
		w.fill(10)
		tell()
		tell()
		if told := out.String(); strings.Count(told, "\n") != 1 || !strings.Contains(told, "head="+w.head().String()) || !strings.Contains(told, "signature=") {
			t.Errorf("the log was told %s", told)
		}
		w.fill(10)
		tell()
		keys := Keys{}
		keys.Add(key.Public().(ed25519.PublicKey))
		r := w.verify(Verification{Keys: keys})
		if !r.OK || r.Signed != 2 || r.SignedUpTo != 22 {
			t.Errorf("verification with the key says %+v", r)
		}
		// What was signed stays comparable when what is before it is removed.
		w.removeOld(w.now)
		if r := w.verify(Verification{Keys: keys}); !r.OK || r.Signed == 0 {
			t.Errorf("after a removal verification with the key says %+v", r)
		}
	})
}

func TestWhoHasTheDatabaseAndNotTheKeyIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		hand func(w *world) []string
		at   int64
		what string
	}{
		"everything computed anew": {func(w *world) []string { return forge(w, 5, true) }, 11, "it is another one than the head that was signed"},
		"and the signatures changed to the new hashes": {func(w *world) []string {
			statements := forge(w, 5, true)
			return append(statements, `update audit_signatures set hash = (select hash from audit_records r where r.sequence = audit_signatures.sequence)`)
		}, 11, "is not right"},
		"and the signatures removed": {func(w *world) []string { return append(forge(w, 5, true), `delete from audit_signatures`) }, 0, "no head of it was signed with a key that was given"},
		"a signature under another key": {func(w *world) []string {
			s := sign(newKey(w.T), w.head(), 7)
			return []string{fmt.Sprintf("update audit_signatures set signature = %s, key_id = '%s', signed_at = 7 where sequence = 22", w.literal(s.Signature), s.KeyID)}
		}, 22, "none of those that were given"},
		"the end cut off": {func(*world) []string {
			return []string{"delete from audit_records where sequence > 15", "update audit_head set sequence = 15, hash = (select hash from audit_records where sequence = 15)"}
		}, 22, "as a signature says, and is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				key := newKey(t)
				s := w.served(key)
				for range 2 {
					w.fill(10)
					if err := s.tellHead(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				keys := Keys{}
				keys.Add(key.Public().(ed25519.PublicKey))
				w.byHand(c.hand(w)...)
				r := w.verify(Verification{Keys: keys})
				for _, f := range r.Findings {
					if f.Sequence == c.at && strings.Contains(f.What, c.what) {
						return
					}
				}
				t.Errorf("it is judged %+v; %q at %d was to be found", r, c.what, c.at)
			})
		})
	}
}

// Who changes the chain and removes the signatures that tell of it would else have the service sign what they made of it.
func TestAChainThatWasComputedAnewIsNotSigned(t *testing.T) {
	eachWorld(t, func(w *world) {
		key := newKey(t)
		keys := Keys{}
		keys.Add(key.Public().(ed25519.PublicKey))
		s := w.served(key)
		for range 2 {
			w.fill(10)
			if err := s.tellHead(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		told := w.head()
		w.byHand(append(forge(w, 15, true), "delete from audit_signatures where sequence >= 15")...)
		for range 2 { // also when the chain has gone on
			w.fill(10)
			if err := s.tellHead(t.Context()); !errors.Is(err, errChanged) || !strings.Contains(err.Error(), told.String()) {
				t.Errorf("the head of the chain that was changed is told: %v", err)
			}
		}
		if r := w.verify(Verification{Keys: keys}); r.SignedUpTo != 11 {
			t.Errorf("verification says %+v", r)
		}

		// A service that is started anew knows only the signatures that are left. That nothing was signed for long is what is left to see.
		w.now = w.now.Add(3 * time.Hour)
		again := w.served(key)
		if err := again.tellHead(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := w.verify(Verification{Keys: keys})
		if len(r.SignedLate) != 1 || r.SignedLate[0].Sequence != 12 {
			t.Errorf("verification says %+v", r)
		}
		var out strings.Builder
		if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "NOTE: record 12 was recorded at") {
			t.Errorf("it is told as %s", out.String())
		}
		// What was signed is not to be changed for who starts.
		w.byHand(forge(w, 3, true)...)
		if err := w.served(key).tellHead(t.Context()); !errors.Is(err, errChanged) {
			t.Errorf("behind a signature that does not fit the head is told: %v", err)
		}
	})
}

func TestKeysAreReadFromFilesAsOpenSSLWritesThem(t *testing.T) {
	key := newKey(t)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := publicPEM(key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	mine, theirs, wrong, text := write("key.pem", block("PRIVATE KEY", private)), write("public.pem", public), write("rsa.pem", block("PRIVATE KEY", rsaKey)), write("text", "hello")
	if got, err := ReadKey(mine); err != nil || !got.Equal(key) {
		t.Errorf("the private key is read as %v", err)
	}
	for _, path := range []string{mine, theirs} {
		if got, err := ReadPublicKey(path); err != nil || !got.Equal(key.Public()) {
			t.Errorf("the public key is read as %v", err)
		}
	}
	for _, path := range []string{theirs, wrong, text, "/nowhere"} {
		if _, err := ReadKey(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s as the key that signs: %v", path, err)
		}
	}
	for _, path := range []string{wrong, text, "/nowhere"} {
		if _, err := ReadPublicKey(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s as a public key: %v", path, err)
		}
	}
}

func TestRetentionGoesOnUntilNothingIsOld(t *testing.T) {
	eachWorld(t, func(w *world) {
		s := w.served(nil)
		s.retention = time.Minute
		w.fill(30)
		for range 2 {
			w.now = w.now.Add(2 * time.Minute)
			if err := s.removeOld(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if r := w.whole(); r.Removed < 33 || r.Records != 1 {
			t.Errorf("retention left %+v", r)
		}
		w.now = w.now.Add(10 * time.Second)
		w.fill(20)
		w.byHand(flip(w, "value", w.head().Sequence))
		w.now = w.now.Add(time.Hour)
		if err := s.removeOld(t.Context()); err == nil {
			t.Error("retention removes what is not whole")
		}
	})
}

func TestANoteIsReadAsItIsTold(t *testing.T) {
	h := Head{Sequence: 12, Hash: Hash{1, 2, 3}}
	if n, err := ParseNote(" " + h.String() + "\n"); err != nil || n.Sequence != 12 || n.Hash != h.Hash {
		t.Errorf("%s is read as %v, %v", h, n, err)
	}
	for _, text := range []string{"", "12", "12:", "x:" + h.Hash.String(), "-1:" + h.Hash.String(), "12:" + h.Hash.String()[1:], "12:" + strings.Repeat("z", 64)} {
		if _, err := ParseNote(text); err == nil {
			t.Errorf("%q is taken for a head", text)
		}
	}
}
