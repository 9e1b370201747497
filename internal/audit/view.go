package audit

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"parkwire/internal/event"
)

// view is a record as it is answered, and as a line of an export: everything that is hashed, so that whoever has it can check it. Bytes that
// are no text are given in base64. Before and After are for readers only: they stand in the value, too.
type view struct {
	Sequence     int64           `json:"sequence"`
	RecordedAt   event.Time      `json:"recordedAt"`
	Time         event.Time      `json:"time"`
	Kind         Kind            `json:"kind"`
	Topic        string          `json:"topic,omitempty"`
	Partition    *int64          `json:"partition,omitempty"`
	Offset       *int64          `json:"offset,omitempty"`
	Key          *string         `json:"key,omitempty"`
	KeyBase64    *string         `json:"keyBase64,omitempty"`
	ID           string          `json:"id,omitempty"`
	Subject      string          `json:"subject,omitempty"`
	Client       string          `json:"client,omitempty"`
	RequestID    string          `json:"requestId,omitempty"`
	ResourceType string          `json:"resourceType,omitempty"`
	ResourceID   string          `json:"resourceId,omitempty"`
	SpotID       string          `json:"spotId,omitempty"`
	LotID        string          `json:"lotId,omitempty"`
	Action       string          `json:"action,omitempty"`
	Repeats      int64           `json:"repeats,omitempty"`
	Value        *string         `json:"value,omitempty"`
	ValueBase64  *string         `json:"valueBase64,omitempty"`
	Before       json.RawMessage `json:"before,omitempty"`
	After        json.RawMessage `json:"after,omitempty"`
	Previous     Hash            `json:"previous"`
	Hash         Hash            `json:"hash"`
}

// viewOf is a record as a line of an export.
func viewOf(e *Entry) view {
	v := view{
		Sequence: e.Sequence, RecordedAt: event.At(timeOf(e.RecordedAt)), Time: event.At(timeOf(e.Time)), Kind: e.Kind, Topic: e.Topic,
		ID: e.ID, Subject: e.Subject, Client: e.Client, RequestID: e.RequestID, ResourceType: e.ResourceType, ResourceID: e.ResourceID,
		SpotID: e.SpotID, LotID: e.LotID, Action: e.Action, Repeats: e.Repeats, Previous: e.Previous, Hash: e.Hash,
	}
	if e.Topic != "" {
		v.Partition, v.Offset = new(e.Partition), new(e.Offset)
	}
	v.Key, v.KeyBase64 = textOrBase64(e.Key)
	v.Value, v.ValueBase64 = textOrBase64(e.Value)
	return v
}

// detailed is viewOf with what a change was from and to.
func detailed(e Entry) view {
	v := viewOf(&e)
	if e.Kind == KindChange {
		var sides struct{ Before, After json.RawMessage }
		if json.Unmarshal(e.Value, &sides) == nil {
			v.Before, v.After = sides.Before, sides.After
		}
	}
	return v
}

// repeatsValue reports whether before and after, which are not hashed, say what the value says, where they are there.
func (v *view) repeatsValue(e *Entry) bool {
	is := detailed(*e)
	return (v.Before == nil || sameJSON(v.Before, is.Before)) && (v.After == nil || sameJSON(v.After, is.After))
}

// sameJSON compares what was written by whatever program.
func sameJSON(a, b json.RawMessage) bool {
	var one, other any
	return json.Unmarshal(a, &one) == nil && json.Unmarshal(b, &other) == nil && reflect.DeepEqual(one, other)
}

func textOrBase64(value []byte) (text, encoded *string) {
	switch {
	case value == nil:
		return nil, nil
	case utf8.Valid(value):
		return new(string(value)), nil
	}
	return nil, new(base64.StdEncoding.EncodeToString(value))
}

// entry is the record that a view was made of.
func (v *view) entry() (Entry, error) {
	e := Entry{
		Sequence: v.Sequence, RecordedAt: v.RecordedAt.UnixMilli(), Time: v.Time.UnixMilli(), Kind: v.Kind, Topic: v.Topic,
		ID: v.ID, Subject: v.Subject, Client: v.Client, RequestID: v.RequestID, ResourceType: v.ResourceType, ResourceID: v.ResourceID,
		SpotID: v.SpotID, LotID: v.LotID, Action: v.Action, Repeats: v.Repeats, Previous: v.Previous, Hash: v.Hash,
	}
	if v.Partition != nil {
		e.Partition = *v.Partition
	}
	if v.Offset != nil {
		e.Offset = *v.Offset
	}
	var err1, err2 error
	e.Key, err1 = bytesOf(v.Key, v.KeyBase64)
	e.Value, err2 = bytesOf(v.Value, v.ValueBase64)
	return e, errors.Join(err1, err2)
}

func bytesOf(text, encoded *string) ([]byte, error) {
	switch {
	case text != nil && encoded != nil:
		return nil, errors.New("a key or a value stands there twice, as text and in base64")
	case text != nil:
		return []byte(*text), nil
	case encoded != nil:
		value, err := base64.StdEncoding.DecodeString(*encoded)
		if err != nil {
			return nil, fmt.Errorf("a key or a value is not in base64: %w", err)
		}
		if value == nil {
			value = []byte{}
		}
		return value, nil
	}
	return nil, nil
}

// timeText writes a time as exports have it. The years that four digits hold are all that occur; others are written as RFC 3339 cannot read them, and found by that.
func timeText(milliseconds int64) string { return event.At(timeOf(milliseconds)).String() }

func parseTime(text string) (int64, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, fmt.Errorf("%q is no RFC 3339 time", cut(text, 80))
	}
	return t.UnixMilli(), nil
}

// A row of CSV cannot tell nothing from what is empty, and readers of CSV make one line feed of "\r\n": the column encoding says how key and value are meant.
const (
	asBase64 = "base64"
	asAbsent = "absent"
)

var csvColumns = []string{
	"sequence", "recordedAt", "time", "kind", "topic", "partition", "offset", "key", "id", "subject", "client", "requestId", "resourceType",
	"resourceId", "spotId", "lotId", "action", "repeats", "value", "encoding", "previous", "hash",
}

// csvBytes is a key or a value in a cell, and what the column encoding says of it.
func csvBytes(name string, value []byte) (cell, encoding string) {
	switch {
	case value == nil:
		return "", name + "=" + asAbsent
	case !utf8.Valid(value) || strings.ContainsRune(string(value), '\r'):
		return base64.StdEncoding.EncodeToString(value), name + "=" + asBase64
	}
	return string(value), ""
}

func fromCSVBytes(name, cell, encoding string) ([]byte, error) {
	switch {
	case strings.Contains(encoding, name+"="+asAbsent):
		return nil, nil
	case strings.Contains(encoding, name+"="+asBase64):
		return bytesOf(nil, &cell)
	}
	return []byte(cell), nil
}
