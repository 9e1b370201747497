package audit

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

// maxText is how many bytes of a text one can search by: indices take no more of it. The value has all of it.
const maxText = 400

// searchable is a text as it is kept to search by. Databases take no NUL, and CSV no carriage return; JSON does.
func searchable(text string) string {
	if strings.ContainsAny(text, "\x00\r") || !utf8.ValidString(text) {
		text = strings.NewReplacer("\x00", "\uFFFD", "\r", "\uFFFD").Replace(strings.ToValidUTF8(text, "\uFFFD"))
	}
	if len(text) > maxText {
		text = text[:runeStart(text, maxText)]
	}
	return text
}

// entryOf is a record of a topic before it has a place in the chain.
func entryOf(topic string, r kafkalog.Record) Entry {
	return Entry{
		Kind: KindUnreadable, Topic: topic, Partition: int64(r.Partition), Offset: r.Offset, Key: r.Key, Value: r.Value, Time: year(r.Timestamp),
	}
}

// describeEvent fills in what a record of the topic of events says. Whatever is there is kept; what is no event only cannot be found by its fields.
func describeEvent(e *Entry) {
	v, err := event.Decode(e.Value)
	if err != nil {
		return
	}
	e.Kind = KindEvent
	e.happened(v.Timestamp.Time)
	e.ID, e.SpotID, e.LotID, e.Action = v.EventID, v.SpotID, v.LotID, string(v.Change)
	e.ResourceType, e.ResourceID = "spot", v.SpotID
	e.trim()
}

// change is what is read of a record of the topic of changes, see api/asyncapi.yaml.
type change struct {
	ID        string     `json:"id"`
	Time      event.Time `json:"time"`
	Subject   string     `json:"subject"`
	Client    string     `json:"client"`
	RequestID string     `json:"requestId"`
	Outcome   string     `json:"outcome"`
	Resource  struct {
		Type  string `json:"type"`
		ID    string `json:"id"`
		LotID string `json:"lotId"`
	} `json:"resource"`
	Before onSpot `json:"before"`
	After  onSpot `json:"after"`
}

// onSpot is the spot that a resource belongs to, if to any, such as a sensor.
type onSpot struct {
	SpotID string `json:"spotId"`
}

// describeChange fills in what a record of the topic of changes says.
func describeChange(e *Entry) {
	var c change
	if !utf8.Valid(e.Value) || json.Unmarshal(e.Value, &c) != nil || c.ID == "" || c.Resource.Type == "" {
		return
	}
	e.Kind = KindChange
	e.happened(c.Time.Time)
	e.ID, e.Subject, e.Client, e.RequestID, e.Action = c.ID, c.Subject, c.Client, c.RequestID, c.Outcome
	e.ResourceType, e.ResourceID, e.LotID = c.Resource.Type, c.Resource.ID, c.Resource.LotID
	switch {
	case c.Resource.Type == "spot":
		e.SpotID = c.Resource.ID
	case c.After.SpotID != "":
		e.SpotID = c.After.SpotID
	default:
		e.SpotID = c.Before.SpotID
	}
	e.trim()
}

// happened takes the time that a record says itself; where it says none, that of Kafka stays.
func (e *Entry) happened(at time.Time) {
	if !at.IsZero() {
		e.Time = year(at)
	}
}

// year is a time in Unix milliseconds, which RFC 3339 can write: of the years 1 to 9999. Kafka takes any.
func year(at time.Time) int64 {
	const first, last = -62_135_596_800_000, 253_402_300_799_999
	return min(max(at.UnixMilli(), first), last)
}

func (e *Entry) trim() {
	for _, text := range e.texts() {
		*text = searchable(*text)
	}
}
