package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"parkwire/internal/event"
)

func TestAnEventIsOneOfTheContract(t *testing.T) {
	at := time.Unix(1764000000, 123456789)
	for size, want := range map[int]int{0: 0, 180: 0, 400: 400, 70_000: 70_000} {
		value := appendEvent(nil, "ab12", 7, 42, at, size, false)
		e, err := event.Decode(value)
		if err != nil || e.Type != event.Type || e.SpotID != "ab12-7" || e.LotID != e.SpotID || e.ZoneID == "" || e.Status != event.Free ||
			e.Timestamp.UnixMilli() != at.UnixMilli() {
			t.Errorf("%s is read as %+v (%v)", value, e, err)
		}
		if want > 0 && len(value) != want || len(value) > 230 && want == 0 {
			t.Errorf("padded to %d it has %d bytes", size, len(value))
		}
		if !bytes.HasSuffix(value, []byte(`,"load":{"run":"ab12","lot":7,"n":42,"at":1764000000123456789}}`)) {
			t.Errorf("what is checked is not its last field: %s", value)
		}
	}
}

func TestMarksAreFoundInWhateverTheyAreWrapped(t *testing.T) {
	at := time.Unix(1764000000, 123456768) // a number that JavaScript can hold
	plain := string(appendEvent(nil, "ab12", 7, 42, at, 0, true))
	second := string(appendEvent(nil, "ab12", 7, 43, at, 0, true))
	foreign := string(appendEvent(nil, "zz", 7, 9, at, 0, true))
	var fields map[string]any
	decoder := json.NewDecoder(strings.NewReader(plain))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		t.Fatal(err)
	}
	sorted, _ := json.Marshal(fields)
	spaced, _ := json.MarshalIndent(fields, "", "  ")
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"as it is":         {plain, "42"},
		"with a cursor":    {strings.TrimSuffix(plain, "}") + `,"cursor":"AAAA-_"}`, "42"},
		"sorted":           {string(sorted), "42"},
		"with spaces":      {string(spaced), "42"},
		"Socket.IO":        {`42["notification",` + plain + `]`, "42"},
		"centrifuge":       {`{"push":{"channel":"c","pub":{"data":` + plain + `}}}` + "\n" + `{"push":{"channel":"c","pub":{"data":` + second + `}}}`, "42 43"},
		"parkwire.v1":      {`{"type":"Events","events":[` + plain + `,` + second + `],"cursor":"x"}`, "42 43"},
		"between others":   {foreign + plain + foreign + second + foreign, "42 43"},
		"of another run":   {foreign, ""},
		"no object":        {`{"load":7,"n":3}`, ""},
		"not whole":        {plain[:len(plain)-30], ""},
		"no number":        {strings.Replace(plain, `"n":42`, `"n":"42"`, 1), ""},
		"a number too big": {strings.Replace(plain, `"n":42`, `"n":42424242424242424242424242`, 1), ""},
		"nothing":          {"", ""},
	} {
		var got []string
		f := newFinder("ab12")
		for text := []byte(c.text); ; {
			m, rest, ok := f.next(text)
			if !ok {
				break
			}
			if m.lot != 7 || m.at != at.UnixNano() {
				t.Errorf("%s: found %+v", name, m)
			}
			got, text = append(got, fmt.Sprint(m.n)), rest
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: found %q instead of %q", name, got, c.want)
		}
	}
}

func TestFindingCostsNoMemory(t *testing.T) {
	text := appendEvent(nil, "ab12", 7, 42, time.Now(), 180, false)
	f, b, p := newFinder("ab12"), newBook(false), place{last: 41}
	if n := testing.AllocsPerRun(100, func() {
		m, _, _ := f.next(text)
		p.last = 41
		b.seen(1, &p, uint32(m.n))
	}); n > 0 {
		t.Errorf("%v allocations for each event", n)
	}
}

func BenchmarkFind(b *testing.B) {
	text := appendEvent(nil, "ab12", 7, 42, time.Now(), 180, false)
	text = append(text[:len(text)-1], `,"cursor":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"}`...)
	f := newFinder("ab12")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := f.next(text); !ok {
			b.Fatal("not found")
		}
	}
}

// FuzzFind: whatever comes, finding ends, goes forward, and finds what is there behind it.
func FuzzFind(f *testing.F) {
	real := appendEvent(nil, "ab12", 7, 42, time.Unix(1764000000, 1), 0, false)
	for _, seed := range []string{"", string(real), `"load"`, `"load":{"run":"ab12","lot":1,"n":`, `{"load" : {"n":1,"run":"ab12","at":2,"lot":3}}`, `"load":{`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, before []byte) {
		finder := newFinder("ab12")
		text := append(append([]byte{}, before...), '}')
		text = append(text, real...)
		last := mark{}
		for n := 0; ; n++ {
			m, rest, ok := finder.next(text)
			if !ok {
				break
			}
			if len(rest) >= len(text) || n > len(before) {
				t.Fatalf("finding in %q does not go on", text)
			}
			last, text = m, rest
		}
		if last.lot != 7 || last.n != 42 {
			t.Fatalf("behind %q found %+v last", before, last)
		}
	})
}
