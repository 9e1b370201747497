package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASecretIsTheLineOfItsFile(t *testing.T) {
	dir := t.TempDir()
	file := func(content string) Text {
		name := filepath.Join(dir, "secret")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return Text{Value: "of the configuration", File: name, Setting: "kafka-password-file"}
	}
	for content, want := range map[string]string{
		"s3cret": "s3cret", "s3cret\n": "s3cret", "s3cret\r\n": "s3cret", " with spaces \n": " with spaces ", "sé@/:cret": "sé@/:cret",
	} {
		if got, err := file(content).Read(); err != nil || got != want {
			t.Errorf("%q is read as %q: %v", content, got, err)
		}
	}
	for content, want := range map[string]string{
		"": "is empty", "\n": "is empty", "s3cret\nmore\n": "several lines", "s3cret\n\n": "several lines", strings.Repeat("s3cret", most): "more than",
	} {
		_, err := file(content).Read()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "kafka-password-file: ") || strings.Contains(err.Error(), "s3cret\n") {
			t.Errorf("%.20q: %v, want it to name the setting and say %q", content, err, want)
		}
	}
	if _, err := (Text{File: filepath.Join(dir, "none"), Setting: "kafka-password-file"}).Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	if got, err := (Text{Value: "of the configuration"}).Read(); err != nil || got != "of the configuration" {
		t.Errorf("without a file's name: %q, %v", got, err)
	}
}
