package event

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What is written plainly is what encoding/json writes, and is read back.
func TestAPlainEventIsWrittenAsAnyOther(t *testing.T) {
	word := rapid.OneOf(rapid.SampledFrom([]string{"", "A-017", "free", "sensor", "a<b", `"`, `\`, "ä", "\u2028", "\x7f", "\xff"}), rapid.String())
	moment := rapid.Custom(func(t *rapid.T) Time {
		return At(time.UnixMilli(rapid.Int64Range(-62_135_596_800_000, 300_000_000_000_000).Draw(t, "ms")))
	})
	rapid.Check(t, func(t *rapid.T) {
		e := Event{
			Type: Type, SpotID: word.Draw(t, "spot"), Status: Status(word.Draw(t, "status")), Timestamp: moment.Draw(t, "timestamp"), EventID: word.Draw(t, "id"),
			Change: Change(word.Draw(t, "change")), PreviousStatus: Status(word.Draw(t, "previous")), Version: rapid.Int64().Draw(t, "version"),
			LotID: word.Draw(t, "lot"), ZoneID: word.Draw(t, "zone"), ObservedAt: moment.Draw(t, "observed"), Source: word.Draw(t, "source"),
		}
		want, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := encodePlain(e)
		if ok && string(got) != string(want) {
			t.Fatalf("plainly it is\n%s instead of\n%s", got, want)
		}
		if got, err := Encode(e); err != nil || string(got) != string(want) {
			t.Fatalf("%s, %v instead of\n%s", got, err, want)
		}
	})
}

// What is read plainly is what would be read otherwise.
func FuzzDecodePlain(f *testing.F) {
	for _, text := range []string{
		`{"type":"ParkingSpotUpdated","spotId":"A","status":"free","timestamp":"2026-11-24T03:35:00.123Z","eventId":"0193","change":"occupied","previousStatus":"free","version":42,"lotId":"l","zoneId":"z","observedAt":"2026-11-24T03:34:56Z","source":"sensor"}`,
		`{"spotId":"A","spotId":1}`, `{"spotId":"A","status":"x","status":null,"version":7,"version":"8"}`, `{"spotId":"A","timestamp":"2026-11-24T03:35:00Z","timestamp":3}`,
		`{"spotId":"Ä","observedAt":"2026-11-24T03:35:00,5+01:00"}`, `{"spotId":"A","version":-0}`, `{"spotId":"A","spotId":""}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := decodePlain(text)
		if !ok {
			return
		}
		if want, err := decodeAny(text); err != nil || got != want {
			t.Fatalf("%q is read as\n%+v instead of\n%+v, %v", text, got, want, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	e := Event{SpotID: "A-017", Status: Occupied, Timestamp: At(time.UnixMilli(1_764_000_000_123)), EventID: "019ab3c1-5d7b-7cc2-9b1e-0d5b6a1f2c3d", Change: ChangeOccupied,
		PreviousStatus: Free, Version: 42, LotID: "central", ZoneID: "central-L1", ObservedAt: At(time.UnixMilli(1_764_000_000_000)), Source: "sensor"}
	text, err := Encode(e)
	if err != nil {
		b.Fatal(err)
	}
	for name, decode := range map[string]func([]byte) (Event, error){"plain": Decode, "any": decodeAny} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decode(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Encode(e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
