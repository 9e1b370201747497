package plainjson

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

func fields(text string) (map[string]string, bool) {
	all := map[string]string{}
	ok := Fields([]byte(text), func(name, value []byte) bool {
		all[string(name)] = string(value)
		return true
	})
	return all, ok
}

func TestPlainObjectsAreRead(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`{}`:                             {},
		" { } \n":                        {},
		`{"a":"b"}`:                      {"a": `"b"`},
		`{"":""}`:                        {"": `""`},
		"{\t\"a\" : -0 ,\r\n\"b\":true}": {"a": "-0", "b": "true"},
		`{"a":false,"b":null,"c":123456789012345678}`: {"a": "false", "b": "null", "c": "123456789012345678"},
		`{"straße":"löwe 🦁"}`:                         {"straße": `"löwe 🦁"`},
		`{"a":1,"a":2}`:                               {"a": "2"},
	} {
		if got, ok := fields(text); !ok || !maps.Equal(got, want) {
			t.Errorf("%s is read as %v, %t", text, got, ok)
		}
	}
}

func TestOthersAreNot(t *testing.T) {
	for _, text := range []string{
		``, ` `, `{`, `}`, `[]`, `null`, `"a"`, `1`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,"a":1}`, `{"a":1 "b":2}`, `{"a":1}}`, `{"a":1}{}`, `{a:1}`, `{1:1}`, `{"a":tru}`, `{"a":truex}`,
		`{"a":01}`, `{"a":-}`, `{"a":--1}`, `{"a":+1}`, `{"a":1.5}`, `{"a":1e3}`, `{"a":.5}`, `{"a":1234567890123456789}`, `{"a":"b`, `{"a":"\n"}`, "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}",
		`{"\u0061":1}`, `{"a":{}}`, `{"a":[]}`, "\xef\xbb\xbf{}", "{\"a\":1}\x00", `{"a":NaN}`, `{"a":'b'}`,
	} {
		if got, ok := fields(text); ok {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestWhoTakesNoFieldEndsReading(t *testing.T) {
	calls := 0
	if Fields([]byte(`{"a":1,"b":2,"c":3}`), func(name, _ []byte) bool { calls++; return string(name) != "b" }) || calls != 2 {
		t.Errorf("after a refusal there were %d calls", calls)
	}
}

// What is read is what encoding/json reads.
func FuzzFields(f *testing.F) {
	for _, text := range []string{`{"a":"b","c":-12,"d":true,"e":null}`, " {\n} ", `{"a":1,"a":"ü"}`, `{"a":{"b":[1.5]}}`, `{"\u0061":1e9}`, `{"a":1`, "{\"\x7f\":\"\u2028\"}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := fields(text)
		if !ok {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &want); err != nil || want == nil {
			t.Fatalf("%q is read as %v, but is refused: %v", text, got, err)
		}
		if len(got) != len(want) {
			t.Fatalf("%q is read as %v instead of %s", text, got, want)
		}
		for name, value := range want {
			if string(value) != got[name] {
				t.Fatalf("%q: %q is read as %s instead of %s", text, name, got[name], value)
			}
			if inner, isString := strings.CutPrefix(got[name], `"`); isString {
				var s string
				if err := json.Unmarshal(value, &s); err != nil || s+`"` != inner {
					t.Fatalf("%q: the string %s is %q, %v", text, value, s, err)
				}
			}
		}
	})
}

func Benchmark(b *testing.B) {
	text := []byte(`{"spotId":"A-017","occupied":true,"observedAt":"2026-11-24T03:35:00.123Z","sensorId":"sensor-17","sequence":42}`)
	b.Run("plainjson", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			Fields(text, func(_, value []byte) bool { n += len(value); return true })
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var all map[string]json.RawMessage
			if err := json.Unmarshal(text, &all); err != nil {
				b.Fatal(err)
			}
		}
	})
}
