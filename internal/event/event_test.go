package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"parkwire/internal/event"
)

func at(t *testing.T, text string) event.Time {
	t.Helper()
	u, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return event.At(u)
}

func whole(t *testing.T) event.Event {
	return event.Event{
		Type: event.Type, SpotID: "A-017", Status: event.Occupied, Timestamp: at(t, "2026-11-24T03:35:00.123Z"),
		EventID: "0193-a", Change: event.ChangeOccupied, PreviousStatus: event.Free, Version: 42,
		LotID: "central", ZoneID: "central-L1", ObservedAt: at(t, "2026-11-24T03:34:56Z"), Source: "sensor",
	}
}

func TestAnEventIsWrittenAsTheContractShowsIt(t *testing.T) {
	got, err := event.Encode(whole(t))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"type":"ParkingSpotUpdated","spotId":"A-017","status":"occupied","timestamp":"2026-11-24T03:35:00.123Z",` +
		`"eventId":"0193-a","change":"occupied","previousStatus":"free","version":42,` +
		`"lotId":"central","zoneId":"central-L1","observedAt":"2026-11-24T03:34:56.000Z","source":"sensor"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	back, err := event.Decode(got)
	if err != nil || back != whole(t) {
		t.Errorf("read back as %+v, %v", back, err)
	}
}

func TestOnlyTheFourFieldsAreWrittenWhereTheOthersAreEmpty(t *testing.T) {
	got, err := event.Encode(event.Event{SpotID: `sp"ot`, Status: event.Free, Timestamp: event.At(time.UnixMilli(0))})
	const want = `{"type":"ParkingSpotUpdated","spotId":"sp\"ot","status":"free","timestamp":"1970-01-01T00:00:00.000Z"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestWhatOtherProgramsWriteIsReadAsFarAsItCanBe(t *testing.T) {
	for name, c := range map[string]struct {
		value string
		want  event.Event
	}{
		"four fields": {`{"type":"ParkingSpotUpdated","spotId":"B","status":"free","timestamp":"2026-11-24T03:35:00Z"}`,
			event.Event{Type: event.Type, SpotID: "B", Status: event.Free, Timestamp: at(t, "2026-11-24T03:35:00Z")}},
		"spaces and another order":       {" {\n \"status\" : \"free\" ,\t\"spotId\" : \"B\" } \r\n", event.Event{SpotID: "B", Status: event.Free}},
		"escapes":                        {`{"spot\u0049d":"B\u002d1\n","status":"o\u0063cupied"}`, event.Event{SpotID: "B-1\n", Status: event.Occupied}},
		"a time zone":                    {`{"spotId":"B","timestamp":"2026-11-24T04:35:00.5+01:00"}`, event.Event{SpotID: "B", Timestamp: at(t, "2026-11-24T03:35:00.5Z")}},
		"a timestamp in seconds":         {`{"spotId":"B","timestamp":1764000000}`, event.Event{SpotID: "B"}},
		"a timestamp without a zone":     {`{"spotId":"B","timestamp":"2026-11-24 03:35"}`, event.Event{SpotID: "B"}},
		"a version that is none of ours": {`{"spotId":"B","version":"7"}`, event.Event{SpotID: "B"}},
		"a fraction of a version":        {`{"spotId":"B","version":7.5}`, event.Event{SpotID: "B"}},
		"a status that is none of ours":  {`{"spotId":"B","status":"besetzt"}`, event.Event{SpotID: "B", Status: "besetzt"}},
		"fields of other types":          {`{"spotId":"B","status":1,"change":null,"lotId":["x"],"zoneId":{},"source":true}`, event.Event{SpotID: "B"}},
		"fields that we do not know":     {`{"id":12345678901234567890,"spotId":"B","deep":{"spotId":"C"}}`, event.Event{SpotID: "B"}},
		"names in another case":          {`{"SpotID":"X","spotId":"B","SPOTID":"Y","Status":"free"}`, event.Event{SpotID: "B"}},
		"a field twice":                  {`{"spotId":"A","spotId":"B"}`, event.Event{SpotID: "B"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := event.Decode([]byte(c.value))
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestWhatIsNoEventIsRefusedWithItsReason(t *testing.T) {
	for value, want := range map[string]error{
		"":                          event.ErrNotObject,
		" ":                         event.ErrNotObject,
		"hello":                     event.ErrNotObject,
		"null":                      event.ErrNotObject,
		"17":                        event.ErrNotObject,
		`"spotId"`:                  event.ErrNotObject,
		`[{"spotId":"A"}]`:          event.ErrNotObject,
		`{"spotId":"A"`:             event.ErrNotObject,
		`{"spotId":"A"}{}`:          event.ErrNotObject,
		`{}`:                        event.ErrNoSpotID,
		`{"spotId":""}`:             event.ErrNoSpotID,
		`{"spotId":null}`:           event.ErrNoSpotID,
		`{"spotId":17}`:             event.ErrNoSpotID,
		`{"spotid":"A"}`:            event.ErrNoSpotID,
		`{"spot":{"spotId":"A"}}`:   event.ErrNoSpotID,
		"{\"spotId\":\"A\xff\"}":    event.ErrNotUTF8,
		"\xff\xfe{\"spotId\":\"A\"": event.ErrNotUTF8,
	} {
		if e, err := event.Decode([]byte(value)); !errors.Is(err, want) || e != (event.Event{}) {
			t.Errorf("%q: got %+v, %v; want %v", value, e, err, want)
		}
	}
}

func TestPositionAndCursorAreAddedAndNothingElseChanges(t *testing.T) {
	position := event.Position{Partition: 5, Offset: 1234, After: 1232}
	for _, value := range []string{
		`{"spotId":"A"}`,
		`{ "spotId" : "A" , "n" : 12345678901234567890.10 }`,
		`{"spotId":"A","note":"\u00e4 \ud83d\ude00","deep":{"log":{"partition":1}}}`,
		`{"spotId":"A","logTopic":"theirs"}`,
		`{"spotId":"A","logTrace":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}`,
		`{"spotId":"A","note":"\"logTopic\":\"0123456789abcdef"}`,
		`{"spotId":"A","log":{"partition":9,"offset":9,"after":8}}`,
		`{"spotId":"A","cursor":"theirs","note":"\"log\":{\"partition\":1}}"}`,
	} {
		body := value[:strings.LastIndexByte(value, '}')]
		body = strings.TrimRight(body, " ")
		message := event.AppendLogPosition([]byte("kept"), []byte(value), position)
		if want := "kept" + body + `,"log":{"partition":5,"offset":1234,"after":1232}}`; string(message) != want {
			t.Errorf("got  %s\nwant %s", message, want)
		}
		back, p, ok := event.CutLogPosition(message[len("kept"):])
		if !ok || p != position || string(back) != body+"}" {
			t.Errorf("cut from %s: %s, %+v, %v", message, back, p, ok)
		}
		named := position
		named.Topic = 0x0badcafe
		message = event.AppendLogPosition(nil, []byte(value), named)
		if want := body + `,"logTopic":"000000000badcafe","log":{"partition":5,"offset":1234,"after":1232}}`; string(message) != want {
			t.Errorf("got  %s\nwant %s", message, want)
		}
		if back, p, ok := event.CutLogPosition(message); !ok || p != named || string(back) != body+"}" {
			t.Errorf("cut from %s: %s, %+v, %v", message, back, p, ok)
		}
		named.Traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		message = event.AppendLogPosition(nil, []byte(value), named)
		if want := body + `,"logTopic":"000000000badcafe","logTrace":"` + named.Traceparent + `","log":{"partition":5,"offset":1234,"after":1232}}`; string(message) != want {
			t.Errorf("got  %s\nwant %s", message, want)
		}
		if back, p, ok := event.CutLogPosition(message); !ok || p != named || string(back) != body+"}" {
			t.Errorf("cut from %s: %s, %+v, %v", message, back, p, ok)
		}
		if got := event.AppendCursor(nil, []byte(value), "abc-_"); string(got) != body+`,"cursor":"abc-_"}` {
			t.Errorf("got %s", got)
		}
	}
	if got := event.AppendLogPosition(nil, []byte("{ }\n"), position); !json.Valid(got) {
		t.Errorf("an object without fields becomes %s", got)
	}
}

// Instances of both versions run side by side while one replaces the other.
func TestInstancesThatKnowNoTopicStillReadThePosition(t *testing.T) {
	// This is all that they look at: the end of the message, which must be what they would write themselves.
	const message = `{"spotId":"A","logTopic":"00000000000000ff","log":{"partition":5,"offset":1234,"after":1232}}`
	written := event.AppendLogPosition(nil, []byte(`{"spotId":"A"}`), event.Position{Partition: 5, Offset: 1234, After: 1232, Topic: 255})
	theirs := event.AppendLogPosition(nil, []byte(`{"spotId":"A","logTopic":"00000000000000ff"}`), event.Position{Partition: 5, Offset: 1234, After: 1232})
	if string(written) != message || string(theirs) != message {
		t.Errorf("%s is written, which they would read as an event followed by %s", written, theirs)
	}
	if _, p, ok := event.CutLogPosition([]byte(`{"spotId":"A","log":{"partition":5,"offset":1234,"after":1232}}`)); !ok || p.Topic != 0 {
		t.Errorf("what they publish is read as %+v, %v", p, ok)
	}
}

func TestTheShortIdentityOfATopicIsZeroOnlyWhereNoneIsKnown(t *testing.T) {
	if id := (event.TopicID{}).Short(); id != 0 {
		t.Errorf("that of no topic is %x", id)
	}
	if a, b := (event.TopicID{1}).Short(), (event.TopicID{2}).Short(); a == 0 || b == 0 || a == b {
		t.Errorf("two topics are %x and %x", a, b)
	}
}

func TestOnlyAPositionThatTheBridgeCouldHaveWrittenIsTakenForOne(t *testing.T) {
	for _, message := range []string{
		``, `{}`, `hello`, `{"spotId":"A"}`,
		`"log":{"partition":1,"offset":2,"after":1}}`,
		`{"spotId":"A","log":{"partition":1,"offset":2}`,
		`{"spotId":"A","log":{"partition":-1,"offset":2,"after":1}}`,
		`{"spotId":"A","log":{"partition":2147483647,"offset":2,"after":1}}`,
		`{"spotId":"A","log":{"partition":1e9,"offset":2,"after":1}}`,
		`{"spotId":"A","log":{"partition":1,"offset":-2,"after":-3}}`,
		`{"spotId":"A","log":{"partition":1,"offset":2,"after":-2}}`,
		`{"spotId":"A","log":{"partition":1,"offset":2,"after":2}}`,
		`{"spotId":"A","log":{"partition":1,"offset":99999999999999999999,"after":1}}`,
		`{"spotId":"A","log":{"partition":1,"offset":2,"after":1},"more":{}}`,
		`{"spotId":"A","logTopic":"0000000000000000","log":{"partition":1,"offset":2,"after":1}}`,
		`{"spotId":"A","logTopic":"00000000000000FF","log":{"partition":1,"offset":2,"after":1}}`,
		`{"spotId":"A""logTopic":"00000000000000ff","log":{"partition":1,"offset":2,"after":1}}`,
	} {
		if value, p, ok := event.CutLogPosition([]byte(message)); ok || string(value) != message {
			t.Errorf("%s is taken for %+v of %s", message, p, value)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"type":"ParkingSpotUpdated","spotId":"B","status":"free","timestamp":"2026-11-24T03:35:00Z","version":7}`))
	f.Add([]byte(`{"spotId":"A","logTopic":"00000000000000ff","log":{"partition":1,"offset":2,"after":1}}`))
	f.Add([]byte(` {"spotId":"\u0041","log":{"partition":1,"offset":2,"after":1}} `))
	f.Add([]byte(`{"spotId":"A","spotid":"B"}`))
	f.Add([]byte("{\"spotId\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, value []byte) {
		before := bytes.Clone(value)
		e, err := event.Decode(value)
		if !bytes.Equal(value, before) {
			t.Fatal("the value was changed")
		}
		event.CutLogPosition(value)
		if err != nil {
			return
		}
		var strict map[string]any
		if json.Unmarshal(value, &strict) != nil || strict["spotId"] != e.SpotID {
			t.Fatalf("spot %q of %q, which others read as %v", e.SpotID, value, strict["spotId"])
		}
		p := event.Position{Partition: 3, Offset: 8, After: event.None}
		message := event.AppendLogPosition(nil, value, p)
		back, q, ok := event.CutLogPosition(message)
		if !ok || q != p || !json.Valid(message) || !json.Valid(event.AppendCursor(nil, value, "c")) {
			t.Fatalf("%q became %q and then %q, %+v, %v", value, message, back, q, ok)
		}
		again, err := event.Decode(back)
		if err != nil || again != e {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	value := []byte(`{"type":"ParkingSpotUpdated","spotId":"A-017","status":"occupied","timestamp":"2026-11-24T03:35:00.123Z",` +
		`"eventId":"0193a","change":"occupied","previousStatus":"free","version":42,"lotId":"central","zoneId":"central-L1",` +
		`"observedAt":"2026-11-24T03:34:56.000Z","source":"sensor"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Decode(value); err != nil {
			b.Fatal(err)
		}
	}
}
