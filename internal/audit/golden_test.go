package audit

import (
	"crypto/ed25519"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what an export is as testdata/version1.ndjson and .csv, which is right only before anybody has one")

// What was recorded once must verify for ever: these files were made when the encoding was.
func TestExportsOfTheFirstVersionVerifyForEver(t *testing.T) {
	for _, format := range []string{formatNDJSON, formatCSV} {
		path := "testdata/version1." + format
		if *update {
			w := newWorld(t, sqliteDB(t))
			w.fill(10)
			w.apply(&w.events, strange()...)
			w.apply(&w.events, happened("A-1", 1))
			if err := os.WriteFile(path, []byte(w.exported(format, Query{Order: BySequence, Repetitions: true})), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := VerifyFile(strings.NewReader(string(text)), Verification{}); err != nil || !r.OK || r.Records != 18 || r.Stretches != 1 {
			t.Errorf("%s is judged %+v, %v", path, r, err)
		}
	}
	head := Head{Chain: "5f0c9a3e-2b1d-4a55-8a3e-6a1f2c3d4e5f", CreatedAt: noon.UnixMilli(), Sequence: 7}
	c := Checkpoint{Number: 3, Previous: Hash{1}, First: 21, Last: 30, FirstTime: 5, LastTime: 6, Before: Hash{2}, LastHash: Hash{3}, RemovedAt: -7, Entry: 99}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	keys := Keys{}
	keys.Add(key.Public().(ed25519.PublicKey))
	s := sign(key, head, 8)
	for what, got := range map[string][2]string{
		"the beginning of a chain": {head.beginning().String(), "740f6d520d094a582211dfd874f4aa092d5e21d86f73292c3daa801ecb526f9f"},
		"a checkpoint":             {c.hash().String(), "3f311f73340d2e4bce9a437faf1c1fa0ce87a187938ba7891bf2accd7d29d731"},
		"a key":                    {s.KeyID, "139e3940e64b5491"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s has become %s; it was %s", what, got[0], got[1])
		}
	}
	if err := keys.check(head, s); err != nil {
		t.Error(err)
	}
}
