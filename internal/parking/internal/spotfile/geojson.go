package spotfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// maxProperties bounds how many names of properties are described.
const maxProperties = 200

// ReadGeoJSON reads a FeatureCollection (RFC 7946) of Points, or of Polygons without holes, whose centroids are taken. The
// properties of a feature are what columns are in a table; the id of the feature is that of the spot where no property is. It calls take for
// each feature and ends with the error of take where there is one.
func ReadGeoJSON(body io.Reader, take func(*Record) error) ([]Column, error) {
	c := &collection{take: take, known: map[string]bool{}}
	err := c.read(json.NewDecoder(skipMark(body)))
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		err = errNoCollection
	}
	if errors.As(err, &syntax) || err == io.EOF || err == io.ErrUnexpectedEOF {
		err = &Error{fmt.Sprintf("The file is not valid JSON behind feature %d: %v.", c.count, err)}
	}
	return c.columns, err
}

// skipMark leaves out a byte order mark.
func skipMark(body io.Reader) io.Reader {
	var start [3]byte
	n, err := io.ReadFull(body, start[:])
	if n == 3 && string(start[:]) == "\xef\xbb\xbf" {
		return body
	}
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return io.MultiReader(bytes.NewReader(start[:n]), failing{err})
	}
	return io.MultiReader(bytes.NewReader(start[:n]), body)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type collection struct {
	take    func(*Record) error
	count   int
	known   map[string]bool
	columns []Column
}

var errNoCollection = &Error{`A GeoJSON FeatureCollection is expected: {"type":"FeatureCollection","features":[…]}.`}

// read goes through the members of the collection, and holds no more than one feature.
func (c *collection) read(d *json.Decoder) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return orElse(err, errNoCollection)
	}
	kind, found := "", false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		switch name {
		case "features":
			found = true
			err = c.features(d)
		case "type":
			err = d.Decode(&kind)
		case "crs":
			err = onlyWGS84(d)
		default:
			var other json.RawMessage
			err = d.Decode(&other)
		}
		if err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // }
		return err
	}
	if kind != "FeatureCollection" || !found {
		return errNoCollection
	}
	if _, err := d.Token(); err != io.EOF {
		return &Error{"There is something behind the FeatureCollection."}
	}
	return nil
}

func orElse(err error, other error) error {
	if err != nil {
		return err
	}
	return other
}

// onlyWGS84 refuses the coordinates of other systems, which older files may have.
func onlyWGS84(d *json.Decoder) error {
	var crs json.RawMessage
	if err := d.Decode(&crs); err != nil {
		return err
	}
	if text := string(crs); text != "null" && !strings.Contains(text, "CRS84") && !strings.Contains(text, "4326") {
		return &Error{"The coordinates are of another system than WGS 84: " + Shorten(text) + ". Convert them first, to EPSG:4326."}
	}
	return nil
}

func (c *collection) features(d *json.Decoder) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return orElse(err, errNoCollection)
	}
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		c.count++
		if err := c.take(c.feature(raw)); err != nil {
			return err
		}
	}
	_, err := d.Token() // ]
	return err
}

func (c *collection) feature(raw json.RawMessage) *Record {
	r := &Record{Place: c.count}
	var f struct {
		Type       string                     `json:"type"`
		ID         json.RawMessage            `json:"id"`
		Geometry   *geometry                  `json:"geometry"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(raw, &f); err != nil || f.Type != "Feature" {
		r.Fault = &Fault{"", "This is no Feature: " + Shorten(string(raw)) + ".", `A feature is {"type":"Feature","geometry":…,"properties":{…}}.`}
		return r
	}
	var best [fields]int
	for _, key := range sorted(f.Properties) {
		n, ok := find(key)
		c.describe(key, n, ok)
		if !ok || r.there[n.field] && n.rank >= best[n.field] {
			continue
		}
		text, ok := scalar(f.Properties[key])
		if !ok {
			continue // an object or a list is none of the fields
		}
		r.set(n.field, text)
		best[n.field] = n.rank
	}
	if id, ok := scalar(f.ID); ok && !r.there[SpotID] {
		r.set(SpotID, id)
	}
	if f.Geometry != nil {
		r.place(*f.Geometry)
	} else {
		r.locate()
	}
	return r
}

func (c *collection) describe(key string, n name, ok bool) {
	if c.known[key] || len(c.columns) == maxProperties {
		return
	}
	c.known[key] = true
	column := Column{Name: key}
	if ok {
		column.Field = n.field.String()
	}
	c.columns = append(c.columns, column)
}

// scalar returns a string, number or truth as text, "" for null; not ok for what has parts, or is not there.
func scalar(raw json.RawMessage) (text string, ok bool) {
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '{', '[':
		return "", false
	case '"':
		return text, json.Unmarshal(raw, &text) == nil
	case 'n':
		return "", true
	}
	return string(raw), true
}

func sorted(m map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

type geometry struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
}

// place gives the record the location of the geometry.
func (r *Record) place(g geometry) {
	var at []float64
	var rings [][][]float64
	switch g.Type {
	case "Point":
		if json.Unmarshal(g.Coordinates, &at) == nil && len(at) >= 2 {
			r.point(at[0], at[1])
			return
		}
	case "Polygon":
		if json.Unmarshal(g.Coordinates, &rings) == nil && len(rings) == 1 {
			if lon, lat, ok := centroid(rings[0]); ok {
				r.point(lon, lat)
				return
			}
		}
	}
	r.Fault = &Fault{"geometry", "From this geometry no place is taken: " + Shorten(g.Type+" "+string(g.Coordinates)) + ".",
		"Give a Point [lon, lat], or a Polygon of one closed ring."}
}

func (r *Record) point(lon, lat float64) {
	r.set(Lon, strconv.FormatFloat(lon, 'g', -1, 64))
	r.set(Lat, strconv.FormatFloat(lat, 'g', -1, 64))
}

// centroid is the centre of the area of a closed ring, or of its corners where it has none. It is reckoned from the first corner on,
// since the area of a parking spot is tiny beside its coordinates.
func centroid(ring [][]float64) (lon, lat float64, ok bool) {
	if len(ring) < 4 {
		return 0, 0, false
	}
	for _, corner := range ring {
		if len(corner) < 2 {
			return 0, 0, false
		}
	}
	x0, y0 := ring[0][0], ring[0][1]
	if last := ring[len(ring)-1]; last[0] != x0 || last[1] != y0 {
		return 0, 0, false
	}
	var area, x, y, sumX, sumY float64
	for i, corner := range ring[:len(ring)-1] {
		ax, ay, bx, by := corner[0]-x0, corner[1]-y0, ring[i+1][0]-x0, ring[i+1][1]-y0
		cross := ax*by - bx*ay
		area, x, y = area+cross, x+(ax+bx)*cross, y+(ay+by)*cross
		sumX, sumY = sumX+ax, sumY+ay
	}
	if area == 0 {
		n := float64(len(ring) - 1)
		return x0 + sumX/n, y0 + sumY/n, true
	}
	return x0 + x/(3*area), y0 + y/(3*area), true
}
