package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parkwire/internal/audit"
)

// What is here was written from docs/audit.md and shares nothing with the package but its answers.

// field appends a length of four bytes and the bytes; nil: FF FF FF FF.
func field(to []byte, value any) []byte {
	var raw []byte
	switch v := value.(type) {
	case nil:
		return append(to, 0xff, 0xff, 0xff, 0xff)
	case string:
		raw = []byte(v)
	case []byte:
		raw = v
	case float64:
		raw = binary.BigEndian.AppendUint64(nil, uint64(int64(v)))
	case time.Time:
		raw = binary.BigEndian.AppendUint64(nil, uint64(v.UnixMilli()))
	}
	return append(binary.BigEndian.AppendUint32(to, uint32(len(raw))), raw...)
}

// line is one line of an export, read as anybody reads JSON.
type line map[string]any

func (l line) raw(t *testing.T, name string) any {
	if encoded, ok := l[name+"Base64"].(string); ok {
		value, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	return l[name]
}

func (l line) at(t *testing.T, name string) time.Time {
	at, err := time.Parse(time.RFC3339, l[name].(string))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (l line) digits(t *testing.T, name string) []byte {
	value, err := hex.DecodeString(l[name].(string))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func (l line) or(name string, otherwise any) any {
	if value, there := l[name]; there {
		return value
	}
	return otherwise
}

func (l line) hash(t *testing.T) []byte {
	b := field(nil, "parkwire audit record 1")
	b = field(b, l.digits(t, "previous"))
	b = field(b, l["sequence"])
	b = field(b, l.at(t, "recordedAt"))
	b = field(b, l.at(t, "time"))
	b = field(b, l["kind"])
	b = field(b, l.or("topic", ""))
	b = field(b, l.or("partition", 0.0))
	b = field(b, l.or("offset", 0.0))
	b = field(b, l.raw(t, "key"))
	b = field(b, l.raw(t, "value"))
	for _, name := range []string{"id", "subject", "client", "requestId", "resourceType", "resourceId", "spotId", "lotId", "action"} {
		b = field(b, l[name])
	}
	b = field(b, l.or("repeats", 0.0))
	sum := sha256.Sum256(b)
	return sum[:]
}

func TestAnotherProgramThatKnowsTheDocumentVerifiesTheChain(t *testing.T) {
	audit.EachServed(t, func(t *testing.T, handler http.Handler, key ed25519.PrivateKey) {
		head := line{}
		if err := json.Unmarshal([]byte(ask(t, handler, "/api/v1/audit/head")), &head); err != nil {
			t.Fatal(err)
		}
		b := field(nil, "parkwire audit chain 1")
		b = field(b, head["chain"])
		b = field(b, head.at(t, "createdAt"))
		beginning := sha256.Sum256(b)
		previous := beginning[:]

		export := ask(t, handler, "/api/v1/audit?format=ndjson&order=sequence")
		n := 0.0
		for text := range strings.Lines(export) {
			l := line{}
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				t.Fatal(err)
			}
			n++
			if l["sequence"] != n {
				t.Fatalf("behind record %v comes %v", n-1, l["sequence"])
			}
			if !bytes.Equal(l.digits(t, "previous"), previous) {
				t.Errorf("record %v does not follow the one before it", n)
			}
			previous = l.hash(t)
			if !bytes.Equal(previous, l.digits(t, "hash")) {
				t.Errorf("record %v has the hash %v; %x was computed", n, l["hash"], previous)
			}
		}
		if n < 20 || head["sequence"] != n || !bytes.Equal(previous, head.digits(t, "hash")) {
			t.Errorf("the head is %v; the export ends at %v with %x", head, n, previous)
		}
		checkSignature(t, head, key)
		byPython(t, export)
	})
}

func checkSignature(t *testing.T, head line, key ed25519.PrivateKey) {
	t.Helper()
	signature := line(head["signature"].(map[string]any))
	block, _ := pem.Decode([]byte(signature["publicKey"].(string)))
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil || !key.Public().(ed25519.PublicKey).Equal(public) {
		t.Fatalf("the public key is not that of the key that signs: %v", err)
	}
	b := field(nil, "parkwire audit head 1")
	b = field(b, head["chain"])
	b = field(b, head.at(t, "createdAt"))
	b = field(b, head["sequence"])
	b = field(b, head.digits(t, "hash"))
	b = field(b, signature.at(t, "signedAt"))
	made, err := base64.StdEncoding.DecodeString(signature["signature"].(string))
	if err != nil || !ed25519.Verify(public.(ed25519.PublicKey), b, made) {
		t.Errorf("the signature is not right: %v", err)
	}
}

// byPython runs the program of the document, where there is a Python.
func byPython(t *testing.T, export string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Log("there is no python3: the program in docs/audit.md was not run")
		return
	}
	document, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(document)
	if program == nil {
		t.Fatal("docs/audit.md has no program in Python")
	}
	script := filepath.Join(t.TempDir(), "verify.py")
	if err := os.WriteFile(script, program[1], 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(input string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		command := exec.CommandContext(ctx, python, script)
		command.Stdin = strings.NewReader(input)
		out, err := command.CombinedOutput()
		return string(out), err
	}
	if out, err := run(export); err != nil || !strings.HasPrefix(out, "OK") {
		t.Errorf("the program in docs/audit.md says of an export that is right: %s %v", out, err)
	}
	if out, err := run(strings.Replace(export, "anna", "anne", 1)); err == nil || !strings.Contains(out, "record") {
		t.Errorf("the program in docs/audit.md says of an export that was changed: %s %v", out, err)
	}
}

func ask(t *testing.T, handler http.Handler, path string) string {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("X-Parkwire-Subject", "auditor")
	r.Header.Set("X-Parkwire-Scopes", "admin")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("%s is answered with %d: %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}
