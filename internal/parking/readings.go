package parking

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"parkwire/internal/event"
	"parkwire/internal/plainjson"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
)

// maxLine bounds a line of NDJSON; a reading takes some 150 bytes.
const maxLine = 16 << 10

// readings are what a request for observations says. Everything is read before anything is done, so that a body that
// breaks off or is no JSON changes nothing.
type readings struct {
	good     []Observation
	lines    []int // where each stands
	rejected int
	errors   []readingError
}

// readReadings reads a JSON array, or NDJSON. The body itself is not kept.
func readReadings(w http.ResponseWriter, r *http.Request) (readings, error) {
	kind, err := rest.ContentType(r, rest.TypeJSON, rest.TypeNDJSON)
	if err != nil {
		return readings{}, err
	}
	body := bufio.NewReaderSize(http.MaxBytesReader(w, r.Body, rest.MaxBody), maxLine)
	first, above, err := firstByte(body)
	if err == io.EOF {
		return readings{}, rest.InvalidBody("The body is empty; a JSON array of readings is expected, or one reading a line (application/x-ndjson).")
	}
	if err != nil {
		return readings{}, rest.BodyError(r, err)
	}
	var read readings
	switch {
	case kind == rest.TypeNDJSON || kind == "" && first == '{':
		err = read.lineByLine(body, above)
	case first == '[':
		err = rest.EachElement(body, func(element json.RawMessage) error {
			read.add(read.count()+1, element)
			return nil
		})
	default:
		return readings{}, rest.InvalidBody("A JSON array of readings is expected. One reading a line is taken as application/x-ndjson.")
	}
	var syntaxError *json.SyntaxError
	switch {
	case errors.As(err, &syntaxError) || errors.Is(err, io.ErrUnexpectedEOF) && r.Context().Err() == nil:
		return readings{}, rest.InvalidBody(fmt.Sprintf("The body is not valid JSON behind element %d: %v. Nothing was changed.", read.count(), err))
	case err != nil:
		return readings{}, rest.BodyError(r, err)
	}
	return read, nil
}

// firstByte skips space in front, and counts the lines that it takes.
func firstByte(body *bufio.Reader) (first byte, lines int, err error) {
	for {
		switch first, err = body.ReadByte(); {
		case err != nil:
			return 0, lines, err
		case first == '\n':
			lines++
		case first != ' ' && first != '\t' && first != '\r':
			return first, lines, body.UnreadByte()
		}
	}
}

func (r *readings) count() int { return len(r.good) + r.rejected }

// lineByLine never fails by what a line says. above is how many lines were skipped.
func (r *readings) lineByLine(body *bufio.Reader, above int) error {
	for number := above + 1; ; number++ {
		line, err := body.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			r.reject(errorOfLine(number, "", rest.InvalidBody(fmt.Sprintf("The line is longer than %d bytes.", maxLine))))
			for err == bufio.ErrBufferFull {
				_, err = body.ReadSlice('\n')
			}
		} else if text := bytes.TrimSpace(line); len(text) > 0 {
			r.add(number, text)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *readings) add(line int, text []byte) {
	o, err := readObservation(text)
	var p problem.Problem
	if errors.As(err, &p) {
		r.reject(errorOfLine(line, o.SpotID, p))
		return
	}
	r.good, r.lines = append(r.good, o), append(r.lines, line)
}

// readObservation reads nearly all in the short way. What that does not take is read again, strictly, which tells what is wrong.
func readObservation(text []byte) (o Observation, err error) {
	if o, ok := readPlain(text); ok {
		return o, nil
	}
	return readStrictly(text)
}

func readStrictly(text []byte) (o Observation, err error) {
	err = rest.DecodeObject(text, func(fields *rest.Object) {
		rest.Required(fields, "spotId", &o.SpotID, rest.WantID, rest.ValidID)
		rest.Required(fields, "occupied", &o.Occupied, rest.WantBool, nil)
		rest.ReadTime(fields, "observedAt", &o.ObservedAt, rest.Required)
		rest.Optional(fields, "sensorId", &o.SensorID, rest.WantID, rest.ValidID)
		rest.Optional(fields, "sequence", &o.Sequence, wantSequence, validSequence)
	})
	return o, err
}

// readPlain reads a reading that is written plainly and has nothing wrong; false for any other.
func readPlain(text []byte) (o Observation, ok bool) {
	var spot, occupied, at bool // were there and valid
	ok = plainjson.Fields(text, func(name, value []byte) bool {
		switch string(name) {
		case "spotId":
			o.SpotID, spot = plainjson.Text(value)
			spot = spot && rest.ValidID(o.SpotID)
			return spot
		case "occupied":
			o.Occupied = value[0] == 't'
			occupied = o.Occupied || value[0] == 'f'
			return occupied
		case "observedAt":
			var t event.Time
			at = t.UnmarshalJSON(value) == nil && rest.ValidTime(t)
			o.ObservedAt = event.At(t.Time).Time
			return at
		case "sensorId":
			var isText bool
			o.SensorID, isText = plainjson.Text(value)
			return isText && rest.ValidID(o.SensorID)
		case "sequence":
			n, err := strconv.ParseInt(string(value), 10, 64)
			o.Sequence = n
			return err == nil && validSequence(n)
		}
		return false
	})
	return o, ok && spot && occupied && at
}

func (r *readings) reject(e readingError) {
	r.rejected++
	if len(r.errors) < maxErrors {
		r.errors = append(r.errors, e)
	}
}
