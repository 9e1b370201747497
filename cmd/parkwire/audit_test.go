package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnExportIsVerifiedFromAFileOrFromStandardInput(t *testing.T) {
	const export = "../../internal/audit/testdata/version1.ndjson"
	code, out, err := parkwire(t, nil, "audit", "verify", "--file", export)
	if code != 0 || !strings.HasPrefix(out, "OK: 18 records, from 1 to 18, as they were recorded") || err != "" {
		t.Errorf("exit code %d, %s%s", code, out, err)
	}
	text, readErr := os.ReadFile(export)
	if readErr != nil {
		t.Fatal(readErr)
	}
	changed := filepath.Join(t.TempDir(), "changed.ndjson")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), "203.0.113.7", "203.0.113.8", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, err = parkwire(t, nil, "audit", "verify", "--file", changed, "--json", "-")
	if code != exitFailure || !strings.Contains(out, `"sequence": 11`) || !strings.Contains(out, `"ok": false`) || !strings.Contains(err, "it cannot be shown") {
		t.Errorf("exit code %d, %s%s", code, out, err)
	}
	var o, e strings.Builder
	code = run(t.Context(), streams{in: strings.NewReader(string(text)), out: &o, err: &e}, []string{"audit", "verify", "--file", "-", "--head", "18:" + strings.Repeat("0", 64)})
	if code != exitFailure || !strings.Contains(o.String(), "record 18: it is another one than the head that was noted") {
		t.Errorf("exit code %d, %s%s", code, o.String(), e.String())
	}
}

func TestWhatCannotBeVerifiedIsSaid(t *testing.T) {
	for line, c := range map[string]struct {
		code int
		want string
	}{
		"--head 12":                     {exitUsage, "SEQUENCE:HASH"},
		"--head 12:x":                   {exitUsage, "64 hexadecimal digits"},
		"--public-key /nowhere":         {exitUsage, "/nowhere"},
		"--file x --public-key KEY":     {exitUsage, "an export has no signatures"},
		"--file /nowhere":               {exitFailure, "/nowhere"},
		"--data-dir /nowhere":           {exitFailure, "there is no audit database"},
		"--audit-database-url mysql://": {exitUsage, "audit-database-url"},
		"everything":                    {exitUsage, "everything"},
	} {
		line = strings.Replace(line, "KEY", publicKey(t), 1)
		code, out, err := parkwire(t, nil, append([]string{"audit", "verify"}, strings.Fields(line)...)...)
		if code != c.code || !strings.Contains(out+err, c.want) {
			t.Errorf("audit verify %s: exit code %d, without %q in %s%s", line, code, c.want, out, err)
		}
	}
}

// publicKey is a file as `openssl pkey -pubout` writes it.
func publicKey(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "public.pem")
	text := "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAO2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=\n-----END PUBLIC KEY-----\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
