package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Whatever a file holds, it is taken, or everything that is wrong is said with its setting and its place.
func FuzzFiles(f *testing.F) {
	for _, s := range []string{
		"", "listen: :5000\n", "# nothing\n", "---\nlisten: :1\n---\nlisten: :2\n", "cors-origins:\n  - https://a\n  - https://b\n", "kafka-brokers: [a:1, [b]]\n", "- a\n", "a: &x [*x]\n",
		"listen: |\n  :5000\n", "listen: !!binary aGk=\n", "? [a, b]\n: c\n", "<<: *a\n", "listen: {a: b}\n", "\xff\xfe", "listen: \"\\x\"", "jwt-key: short\nrate-limit: .nan\n", "body-limit: 1e30GiB\n",
		"live-memory: 0x10\ndrain-window: -1s\ntrusted-proxies: 10.0.0.0/33\n", "listen:\n", ":\n", "\t", "%YAML 1.2\n---\n", "a: b: c", "'''",
	} {
		f.Add([]byte(s))
	}
	file := filepath.Join(f.TempDir(), "parkwire.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		l, fs := NewLoader(), flag.NewFlagSet("", flag.ContinueOnError)
		l.RegisterFlags(fs)
		if err := fs.Parse([]string{"--config", file}); err != nil {
			t.Fatal(err)
		}
		err := l.Load(nil)
		var all Errors
		if err != nil && (!errors.As(err, &all) || slices.ContainsFunc(all, func(e FieldError) bool { return e.Field == "" && e.Source == "" || e.Reason == "" })) {
			t.Fatalf("%q is refused with %#v", text, err)
		}
		if err != nil {
			return
		}
		if c := l.Config(); c.Listen == "" || c.BodyLimit < 1<<10 || c.RateLimit < 0 || c.KafkaPartitions < 1 {
			t.Fatalf("%q is taken for %+v", text, c)
		}
	})
}
