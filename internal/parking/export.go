package parking

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"

	"parkwire/internal/event"
	"parkwire/internal/parking/internal/spotfile"
	"parkwire/internal/rest"
)

// exportPage is how many spots of an export are read at once.
const exportPage = 2000

// An exportFormat is a way to write spots down: begin once, write for each of them, end once.
type exportFormat struct {
	kind, suffix string
	writer       func(io.Writer) exportWriter
}

type exportWriter interface {
	write(spot Spot) error
	end() error
}

var exportFormats = map[string]exportFormat{
	"csv":     {rest.TypeCSV + "; charset=utf-8; header=present", ".csv", newTable},
	"geojson": {typeGeoJSON, ".geojson", newFeatures},
}

// format returns how the spots are asked for; nil: as pages of JSON.
func format(p *rest.Params, r *http.Request) *exportFormat {
	name := p.Format(r, rest.Offer{Name: "json", Kinds: []string{rest.TypeJSON, "application/*", "*/*"}},
		rest.Offer{Name: "csv", Kinds: []string{rest.TypeCSV, "text/*"}}, rest.Offer{Name: "geojson", Kinds: []string{typeGeoJSON}})
	if f, ok := exportFormats[name]; ok {
		return &f
	}
	return nil
}

// export answers with all spots that match, as they are read. Each is as it was at one moment, and not all at the same.
func (s *Service) export(ctx context.Context, q SpotQuery, f *exportFormat, name string) (rest.Answer, error) {
	q.Limit = exportPage
	first, err := s.store.Spots(ctx, q) // before anything is answered
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Status: http.StatusOK, Kind: f.kind, File: name + f.suffix, Stream: func(w io.Writer) error {
		out := f.writer(w)
		for spots := first; ; {
			for _, spot := range spots {
				if err := out.write(spot); err != nil {
					return err
				}
			}
			if len(spots) < q.Limit {
				return out.end()
			}
			q.After = spots[len(spots)-1].ID
			if spots, err = s.store.Spots(ctx, q); err != nil {
				return err
			}
		}
	}}, nil
}

// exported are the columns that an import reads again; then come those that are for people.
var exported = []string{
	spotfile.SpotID.String(), spotfile.LotID.String(), spotfile.ZoneID.String(), spotfile.Name.String(), spotfile.Category.String(),
	spotfile.Lat.String(), spotfile.Lon.String(), spotfile.Heartbeat.String(), spotfile.Status.String(), spotfile.Occupancy.String(),
	spotfile.Closed.String(), spotfile.Faulted.String(), spotfile.ObservedAt.String(), "sensorId", "version", "changedAt",
}

type table struct{ w *csv.Writer }

func newTable(w io.Writer) exportWriter {
	t := table{csv.NewWriter(w)}
	t.w.UseCRLF = true // RFC 4180
	_ = t.w.Write(exported)
	return t
}

func (t table) write(s Spot) error {
	var lat, lon, heartbeat string
	if s.Location != nil {
		lat, lon = strconv.FormatFloat(s.Location.Lat, 'g', -1, 64), strconv.FormatFloat(s.Location.Lon, 'g', -1, 64)
	}
	v := viewSpot(s)
	if v.HeartbeatSeconds > 0 {
		heartbeat = strconv.FormatInt(v.HeartbeatSeconds, 10)
	}
	return t.w.Write([]string{
		v.SpotID, v.LotID, v.ZoneID, v.Name, string(v.Category), lat, lon, heartbeat, string(v.Status), string(v.Occupancy),
		strconv.FormatBool(v.Closed), strconv.FormatBool(v.Faulted), timeText(v.LastObservedAt), v.SensorID, strconv.FormatInt(v.Version, 10), timeText(v.ChangedAt),
	})
}

func (t table) end() error {
	t.w.Flush()
	return t.w.Error()
}

func timeText(t event.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.String()
}

// features writes a FeatureCollection, a feature a line.
type features struct {
	w     *bufio.Writer
	begun bool
}

// featureView is a spot as a feature. What a spot has not is null, so that an import takes it away.
type featureView struct {
	Type       string         `json:"type"`
	ID         string         `json:"id"`
	Geometry   *pointView     `json:"geometry"`
	Properties propertiesView `json:"properties"`
}

type pointView struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"`
}

type propertiesView struct {
	SpotID           string       `json:"spotId"`
	LotID            string       `json:"lotId"`
	ZoneID           *string      `json:"zoneId"`
	Name             *string      `json:"name"`
	Category         Category     `json:"category"`
	HeartbeatSeconds *int64       `json:"heartbeatSeconds"`
	Status           event.Status `json:"status"`
	Occupancy        Occupancy    `json:"occupancy"`
	Closed           bool         `json:"closed"`
	Faulted          bool         `json:"faulted"`
	ObservedAt       *event.Time  `json:"observedAt"`
	SensorID         *string      `json:"sensorId"`
	Version          int64        `json:"version"`
	ChangedAt        event.Time   `json:"changedAt"`
}

func newFeatures(w io.Writer) exportWriter { return &features{w: bufio.NewWriter(w)} }

func (f *features) write(s Spot) error {
	v := viewSpot(s)
	feature := featureView{Type: "Feature", ID: v.SpotID, Properties: propertiesView{
		SpotID: v.SpotID, LotID: v.LotID, ZoneID: orNull(v.ZoneID), Name: orNull(v.Name), Category: v.Category, HeartbeatSeconds: orNull(v.HeartbeatSeconds),
		Status: v.Status, Occupancy: v.Occupancy, Closed: v.Closed, Faulted: v.Faulted, ObservedAt: orNull(v.LastObservedAt), SensorID: orNull(v.SensorID),
		Version: v.Version, ChangedAt: v.ChangedAt,
	}}
	if s.Location != nil {
		feature.Geometry = &pointView{Type: "Point", Coordinates: [2]float64{s.Location.Lon, s.Location.Lat}}
	}
	text, err := json.Marshal(feature)
	if err != nil {
		return err
	}
	_, err = f.w.Write(slices.Concat([]byte(f.before()), text))
	return err
}

func (f *features) before() string {
	if f.begun {
		return ",\n"
	}
	f.begun = true
	return `{"type":"FeatureCollection","features":[` + "\n"
}

func (f *features) end() error {
	if !f.begun {
		_, _ = f.w.WriteString(f.before())
	}
	_, _ = f.w.WriteString("\n]}\n")
	return f.w.Flush()
}

func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
