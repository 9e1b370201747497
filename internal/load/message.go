package load

import (
	"bytes"
	"strconv"
	"time"
)

// lotID is the name of a lot. It is short since it is in an event three times.
func lotID(run string, lot int) string { return run + "-" + strconv.Itoa(lot) }

// appendEvent appends an event: section 3 of the contract, one spot a lot, so that order per spot is order per lot. What is
// checked is its last field. size pads it.
func appendEvent(dst []byte, run string, lot int, n uint64, at time.Time, size int, room bool) []byte {
	begin := len(dst)
	id := lotID(run, lot)
	status := "occupied"
	if n%2 == 0 {
		status = "free"
	}
	dst = append(dst, `{"type":"ParkingSpotUpdated","spotId":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","status":"`...)
	dst = append(dst, status...)
	dst = append(dst, `","timestamp":"`...)
	dst = at.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, `","lotId":"`...)
	dst = append(dst, id...)
	dst = append(dst, `","zoneId":"`...)
	dst = append(dst, id...)
	if room { // by which the Socket.IO server chooses who gets it
		dst = append(dst, `","room":"`...)
		dst = append(dst, id...)
	}
	dst = append(dst, `",`...)
	var tail [96]byte
	t := append(tail[:0], `"load":{"run":"`...)
	t = append(t, run...)
	t = append(t, `","lot":`...)
	t = strconv.AppendInt(t, int64(lot), 10)
	t = append(t, `,"n":`...)
	t = strconv.AppendUint(t, n, 10)
	t = append(t, `,"at":`...)
	t = strconv.AppendInt(t, at.UnixNano(), 10)
	t = append(t, `}}`...)
	const pad = `"pad":"",`
	if missing := size - (len(dst) - begin) - len(t); missing >= len(pad) {
		dst = append(dst, pad[:len(pad)-2]...)
		for range missing - len(pad) {
			dst = append(dst, '.')
		}
		dst = append(dst, `",`...)
	}
	return append(dst, t...)
}

// A mark is what is checked of an event.
type mark struct {
	lot, n uint64
	at     int64 // Unix nanoseconds
}

// A finder finds the marks of a run in whatever an event is wrapped in.
type finder struct {
	written []byte // how it looks where nobody serialized it anew
	run     []byte
}

func newFinder(run string) finder {
	return finder{written: []byte(`"load":{"run":"` + run + `","lot":`), run: []byte(`"` + run + `"`)}
}

// next finds the first mark of text, and what stands behind it.
func (f *finder) next(text []byte) (m mark, rest []byte, ok bool) {
	i := bytes.Index(text, f.written)
	if i < 0 {
		return f.search(text)
	}
	at := i + len(f.written)
	var good [3]bool
	m.lot, at, good[0] = number(text, at, "")
	m.n, at, good[1] = number(text, at, `,"n":`)
	var nanos uint64
	nanos, at, good[2] = number(text, at, `,"at":`)
	m.at = int64(nanos)
	if good != [3]bool{true, true, true} {
		return f.search(text)
	}
	return m, text[at:], true
}

// number reads the digits behind before at a place, and returns where they end.
func number(text []byte, at int, before string) (v uint64, end int, ok bool) {
	if at+len(before) > len(text) || string(text[at:at+len(before)]) != before {
		return 0, at, false
	}
	at += len(before)
	for end = at; end < len(text) && text[end]-'0' < 10; end++ {
		v = v*10 + uint64(text[end]-'0')
	}
	return v, end, end > at && end-at < 20
}

// search is next for events that were serialized anew, with spaces or their fields in another order.
func (f *finder) search(text []byte) (m mark, rest []byte, ok bool) {
	for {
		i := bytes.Index(text, []byte(`"load"`))
		if i < 0 {
			return mark{}, nil, false
		}
		text = text[i+len(`"load"`):]
		body, _ := skip(text, ':')
		body, isObject := skip(body, '{')
		if !isObject {
			continue
		}
		end := bytes.IndexByte(body, '}')
		if end < 0 {
			return mark{}, nil, false
		}
		fields, have := body[:end], 0
		ours := false
		for field := range bytes.SplitSeq(fields, []byte{','}) {
			name, value, _ := bytes.Cut(field, []byte{':'})
			name, value = bytes.TrimSpace(name), bytes.TrimSpace(value)
			v, end, isNumber := number(value, 0, "")
			isNumber = isNumber && end == len(value)
			switch string(name) {
			case `"run"`:
				ours = bytes.Equal(value, f.run)
				continue
			case `"lot"`:
				m.lot = v
			case `"n"`:
				m.n = v
			case `"at"`:
				m.at = int64(v)
			default:
				continue
			}
			if isNumber {
				have++
			}
		}
		if text = body[end:]; ours && have == 3 {
			return m, text, true
		}
	}
}

// skip takes away one character, and the white space before it.
func skip(text []byte, c byte) ([]byte, bool) {
	text = bytes.TrimLeft(text, " \t\r\n")
	if len(text) == 0 || text[0] != c {
		return nil, false
	}
	return text[1:], true
}

// cursorOf returns the cursor of a message, which is its last field; nil where it has none.
func cursorOf(message []byte) []byte {
	const before, behind = `"cursor":"`, `"}`
	text, ok := bytes.CutSuffix(bytes.TrimRight(message, " \t\r\n"), []byte(behind))
	if !ok {
		return nil
	}
	i := bytes.LastIndexByte(text, '"') + 1
	if !bytes.HasSuffix(text[:i], []byte(before)) {
		return nil
	}
	return text[i:]
}
