package document_test

import (
	"os"
	"path/filepath"
	"testing"

	"parkwire/test/bench/document"
)

func TestWhatStoodBetweenTheMarksIsReplacedAndNothingElse(t *testing.T) {
	const mark = "<!-- measured: by nobody -->\n"
	file := filepath.Join(t.TempDir(), "page.md")
	for _, c := range []struct{ is, want string }{
		{"before\n" + mark + "old\n<!-- end -->\nafter <!-- end -->\n", "before\n" + mark + "new\n<!-- end -->\nafter <!-- end -->\n"},
		{mark + document.End, mark + "new\n" + document.End},
	} {
		if err := os.WriteFile(file, []byte(c.is), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := document.Fill(file, mark, "new\n"); err != nil {
			t.Error(err)
		}
		if got, _ := os.ReadFile(file); string(got) != c.want {
			t.Errorf("%q became %q", c.is, got)
		}
	}
	for _, without := range []string{"nothing", mark + "no end", "<!-- end -->\n" + mark} {
		if err := os.WriteFile(file, []byte(without), 0o600); err != nil {
			t.Fatal(err)
		}
		if document.Fill(file, mark, "new\n") == nil {
			t.Errorf("%q has not both marks", without)
		}
		if got, _ := os.ReadFile(file); string(got) != without {
			t.Errorf("%q became %q", without, got)
		}
	}
}

func TestThousandsAreSetApart(t *testing.T) {
	for digits, want := range map[string]string{"0": "0", "999": "999", "1000": "1,000", "123456": "123,456", "1234567": "1,234,567"} {
		if got := document.Thousands(digits); got != want {
			t.Errorf("%s is written %s, want %s", digits, got, want)
		}
	}
}
