package history

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"parkwire/internal/event"
)

// reportOf is what tests look at of an answer.
type reportOf struct {
	LotID, ZoneID, TimeZone, From, To, AsOf, Interval string
	Items                                             []map[string]any
	Total                                             map[string]any
	Missing                                           int
	Peak                                              *struct {
		Begin     string
		Occupancy float64
	}
	Changes   map[string]int64
	Hours     []map[string]any
	PeakHours []int
}

// A morning of two spots in Berlin: A has somebody from 8:15 to 9:45 and from 10 on, B is silent from 9 to 9:30.
func aMorning(w *world) {
	w.lot("Europe/Berlin")
	a, b := spotOf("A"), spotOf("B")
	b.zone = ""
	w.apply(a.becomes("2026-11-24T06:00:00Z", event.Free, event.ChangeAdded), b.becomes("2026-11-24T06:00:00Z", event.Free, event.ChangeAdded))
	w.apply(a.stay("2026-11-24T07:15:00Z", "2026-11-24T08:45:00Z")...)
	w.apply(
		b.becomes("2026-11-24T08:00:00Z", event.Unknown, event.ChangeSignalLost), b.becomes("2026-11-24T08:30:00Z", event.Free, event.ChangeSignalRestored),
		a.becomes("2026-11-24T09:00:00Z", event.Occupied, event.ChangeOccupied),
	)
}

func TestMetricsByHour(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		aMorning(w)
		s := w.serve("2026-11-24T09:30:00Z")
		r := get[reportOf](s, "/lots/L/metrics?from=2026-11-24T07:00:00Z")
		if r.TimeZone != "Europe/Berlin" || r.Interval != "hour" || r.From != "2026-11-24T08:00:00+01:00" || r.To != "2026-11-24T11:00:00+01:00" || r.AsOf != "2026-11-24T09:30:00.000Z" {
			t.Errorf("the answer is about %+v", r)
		}
		for i, want := range []map[string]any{
			{ // 8 to 9: A free for a quarter, then occupied; B free
				"begin": "2026-11-24T08:00:00+01:00", "end": "2026-11-24T09:00:00+01:00", "lengthSeconds": 3600.0, "ongoing": false, "spots": 2.0, "occupancy": 0.375, "silentShare": 0.0,
				"arrivals": 1.0, "departures": 0.0, "totalSessions": 0.0, "averageDwellTimeMinutes": nil, "medianDwellTimeMinutes": nil, "freeSpotSeconds": 4500.0, "occupiedSpotSeconds": 2700.0,
			},
			{ // 9 to 10: A occupied for three quarters; of B only the second half is known
				"begin": "2026-11-24T09:00:00+01:00", "occupancy": 0.5, "silentShare": 0.25, "arrivals": 0.0, "departures": 1.0, "totalSessions": 1.0, "turnoverPerHour": 1.0,
				"sessionsPerSpot": 0.5, "averageDwellTimeMinutes": 90.0, "medianDwellTimeMinutes": 90.0, "freeSpotSeconds": 2700.0, "unknownSpotSeconds": 1800.0,
			},
			{ // 10 to 11: half of it has passed; A is occupied and goes on being so
				"begin": "2026-11-24T10:00:00+01:00", "end": "2026-11-24T11:00:00+01:00", "lengthSeconds": 1800.0, "ongoing": true, "spots": 2.0, "occupancy": 0.5, "arrivals": 1.0,
			},
		} {
			for name, value := range want {
				if r.Items[i][name] != value {
					t.Errorf("bucket %d: %s is %v, want %v", i, name, r.Items[i][name], value)
				}
			}
		}
		if len(r.Items) != 3 || r.Peak == nil || r.Peak.Begin != "2026-11-24T09:00:00+01:00" || r.Peak.Occupancy != 0.5 {
			t.Errorf("%d buckets, the peak is %+v", len(r.Items), r.Peak)
		}
		if r.Total["lengthSeconds"] != 9000.0 || r.Total["arrivals"] != 2.0 || r.Total["totalSessions"] != 1.0 || r.Total["occupancy"] != 0.444444 || r.Total["medianDwellTimeMinutes"] != 90.0 {
			t.Errorf("all together: %v", r.Total)
		}
		if r.Changes["occupied"] != 2 || r.Changes["released"] != 1 || r.Changes["signal_lost"] != 1 {
			t.Errorf("the changes are %v", r.Changes)
		}
		zone := get[reportOf](s, "/lots/L/metrics?zone=Z&from=2026-11-24T07:00:00Z")
		if zone.ZoneID != "Z" || zone.Items[1]["spots"] != 1.0 || zone.Items[1]["silentShare"] != 0.0 || zone.Items[1]["occupancy"] != 0.75 {
			t.Errorf("the zone is %+v", zone.Items[1])
		}
		minutes := get[reportOf](s, "/lots/L/metrics?interval=minute&from=2026-11-24T07:14:00Z&to=2026-11-24T07:17:00Z")
		if len(minutes.Items) != 3 || minutes.Items[0]["occupancy"] != 0.0 || minutes.Items[1]["occupancy"] != 0.5 || minutes.Items[1]["arrivals"] != 1.0 || minutes.Changes != nil {
			t.Errorf("the minutes around a quarter past eight: %v", minutes.Items)
		}
		days := get[reportOf](s, "/lots/L/metrics?interval=day&from=2026-11-24")
		if len(days.Items) != 1 || days.Items[0]["begin"] != "2026-11-24T00:00:00+01:00" || days.Items[0]["lengthSeconds"] != 37800.0 || days.Items[0]["ongoing"] != true {
			t.Errorf("the day is %v", days.Items)
		}
		if future := get[reportOf](s, "/lots/L/metrics?interval=day&from=2027-01-01&to=2027-02-01"); len(future.Items) != 0 || future.Peak != nil {
			t.Errorf("of the future is said: %+v", future)
		}
		if before := get[reportOf](s, "/lots/L/metrics?interval=day&from=2025-01-01&to=2025-01-03"); len(before.Items) != 2 || before.Items[0]["spots"] != 0.0 || before.Items[0]["occupancy"] != nil {
			t.Errorf("of the time before there were spots is said: %+v", before)
		}
	})
}

// In a week in which clocks are changed the hours of each day add up to it, and there are as many as there were.
func TestTheHoursOfAWeekOfTheClockChangeAddUpToItsDays(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			zone, from, to string
			hours          []int
		}{
			"forward in Berlin":    {"Europe/Berlin", "2026-03-23", "2026-03-30", []int{24, 24, 24, 24, 24, 24, 23}},
			"back in Berlin":       {"Europe/Berlin", "2026-10-19", "2026-10-26", []int{24, 24, 24, 24, 24, 24, 25}},
			"back in Melbourne":    {"Australia/Melbourne", "2026-03-30", "2026-04-06", []int{24, 24, 24, 24, 24, 24, 25}},
			"forward in Melbourne": {"Australia/Melbourne", "2026-09-28", "2026-10-05", []int{24, 24, 24, 24, 24, 24, 23}},
		} {
			t.Run(name, func(t *testing.T) {
				w := &world{t: t, db: w.db, effect: w.effect}
				w.reset()
				w.lot(c.zone)
				begin := midnightOf(t, c.from, c.zone)
				for i := range 5 { // whose stays have odd lengths, through every hour
					a := spotOf(fmt.Sprintf("A%d", i))
					at := begin.Add(-time.Hour)
					records := a.stay(at.Format(time.RFC3339), at.Add(time.Minute).Format(time.RFC3339))
					for ; at.Before(begin.Add(8 * 24 * time.Hour)); at = at.Add(time.Duration(53+7*i) * time.Minute) {
						records = append(records, a.stay(at.Add(2*time.Minute).Format(time.RFC3339), at.Add(time.Duration(31+3*i)*time.Minute).Format(time.RFC3339))...)
					}
					w.apply(records...)
				}
				s := w.serve("2026-11-24T00:00:00Z")
				period := "&from=" + c.from + "&to=" + c.to
				hours, days := get[reportOf](s, "/lots/L/metrics?interval=hour"+period), get[reportOf](s, "/lots/L/metrics?interval=day"+period)
				if len(days.Items) != len(c.hours) {
					t.Fatalf("%d days: %v", len(days.Items), days.Items)
				}
				at := 0
				for i, day := range days.Items {
					sums, n := map[string]float64{}, 0
					for ; at < len(hours.Items) && (i == len(days.Items)-1 || hours.Items[at]["begin"] != days.Items[i+1]["begin"]); at++ {
						n++
						for name, v := range hours.Items[at] {
							if f, ok := v.(float64); ok {
								sums[name] += f
							}
						}
					}
					if n != c.hours[i] || day["lengthSeconds"] != float64(3600*n) {
						t.Errorf("the day of %v has %d hours and is %v s long; it has %d", day["begin"], n, day["lengthSeconds"], c.hours[i])
					}
					for _, name := range []string{"lengthSeconds", "freeSpotSeconds", "occupiedSpotSeconds", "unknownSpotSeconds", "arrivals", "departures", "totalSessions"} {
						if math.Abs(sums[name]-day[name].(float64)) > 1e-6 {
							t.Errorf("%v: %s of the hours is %v, of the day %v", day["begin"], name, sums[name], day[name])
						}
					}
				}
				if heat := get[reportOf](s, "/lots/L/heatmap?"+period[1:]); heat.Items[6*24+12]["lengthSeconds"] != 3600.0 || heat.Total["occupiedSpotSeconds"] != days.Total["occupiedSpotSeconds"] {
					t.Errorf("the heat map has %v, the days %v", heat.Total, days.Total)
				} else if changed := heat.Items[6*24+2]["lengthSeconds"]; changed != map[int]any{23: 0.0, 25: 7200.0}[c.hours[6]] {
					t.Errorf("the hour of Sunday at which clocks are changed is %v s long", changed)
				}
			})
		}
	})
}

func midnightOf(t *testing.T, date, zone string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	return midnight(at.Year(), at.Month(), at.Day(), zoneNamed(t, zone))
}

func TestHeatmap(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.lot("Europe/Berlin")
		a := spotOf("A")
		w.apply(a.becomes("2026-11-01T00:00:00Z", event.Free, event.ChangeAdded))
		for _, day := range []string{"02", "03", "09", "10"} { // Mondays and Tuesdays: from 9 to 11:30
			w.apply(a.stay("2026-11-"+day+"T08:00:00Z", "2026-11-"+day+"T10:30:00Z")...)
		}
		s := w.serve("2026-11-24T00:00:00Z")
		r := get[reportOf](s, "/lots/L/heatmap?from=2026-11-02&to=2026-11-16")
		cell := func(weekday, hour int) map[string]any { return r.Items[24*(weekday-1)+hour] }
		for _, c := range []struct {
			weekday, hour int
			occupancy     float64
		}{{1, 8, 0}, {1, 9, 1}, {1, 10, 1}, {1, 11, 0.5}, {2, 9, 1}, {3, 9, 0}, {7, 23, 0}} {
			got := cell(c.weekday, c.hour)
			if got["weekday"] != float64(c.weekday) || got["hour"] != float64(c.hour) || got["occupancy"] != c.occupancy || got["lengthSeconds"] != 7200.0 {
				t.Errorf("weekday %d, hour %d: %v; want an occupancy of %v in two hours", c.weekday, c.hour, got, c.occupancy)
			}
		}
		if cell(1, 11)["totalSessions"] != 2.0 || cell(1, 11)["medianDwellTimeMinutes"] != 150.0 {
			t.Errorf("the hour in which stays end: %v", cell(1, 11))
		}
		if r.Hours[9]["occupancy"] != rounded(4.0/14, 6) || !slices.Equal(r.PeakHours, []int{9, 10}) {
			t.Errorf("the hour from 9 is %v, and the peak hours are %v", r.Hours[9], r.PeakHours)
		}
		if usual := get[reportOf](s, "/lots/L/heatmap"); usual.Total["lengthSeconds"] != 28*24*3600.0 {
			t.Errorf("without a range it is about %v s", usual.Total["lengthSeconds"])
		}
		s.refused("/lots/L/heatmap?from=2020-01-01", 400, "range-too-long", "400 days", "shorter", "from")
		quiet := get[reportOf](s, "/lots/L/heatmap?from=2025-11-02&to=2025-11-03")
		if len(quiet.PeakHours) != 0 || quiet.Items[0]["occupancy"] != nil {
			t.Errorf("of a time in which nothing was known: %v, %v", quiet.PeakHours, quiet.Items[0])
		}
	})
}

// pageOfStays is what tests look at.
type pageOfStays struct {
	Items []struct {
		SpotID, LotID, Begin, End, StatusBefore, StatusAfter string
		DwellTimeMinutes                                     float64
		Completed, SameDay                                   bool
	}
	Next       string
	TimeZone   string
	Statistics *struct {
		TotalSessions, Incomplete int
		DwellTimeMinutes          map[string]float64
	}
	Ongoing *struct{ SpotID, Begin, StatusBefore string }
}

func (p pageOfStays) spots() (ids []string) {
	for _, stay := range p.Items {
		ids = append(ids, fmt.Sprintf("%s %v", stay.SpotID, stay.DwellTimeMinutes))
	}
	return ids
}

func someStays(w *world) {
	w.lot("Europe/Berlin")
	a, b, c := spotOf("A"), spotOf("B"), spotOf("C")
	c.lot = "M"
	w.apply(a.becomes("2026-11-20T06:00:00Z", event.Free, event.ChangeAdded), b.becomes("2026-11-20T06:00:00Z", event.Free, event.ChangeAdded), c.becomes("2026-11-20T06:00:00Z", event.Free, event.ChangeAdded))
	w.apply(a.stay("2026-11-20T08:00:00Z", "2026-11-20T08:30:00Z")...)
	w.apply(b.stay("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z")...)
	w.apply(c.stay("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z")...)
	w.apply(a.stay("2026-11-20T21:30:00Z", "2026-11-20T23:30:00Z")...) // past midnight in Berlin
	w.apply(b.becomes("2026-11-21T08:00:00Z", event.Occupied, event.ChangeOccupied), b.becomes("2026-11-21T09:00:00Z", event.Unknown, event.ChangeSignalLost),
		b.becomes("2026-11-21T10:00:00Z", event.Free, event.ChangeSignalRestored))
	w.apply(a.becomes("2026-11-22T09:00:00Z", event.Occupied, event.ChangeOccupied))
}

func TestStays(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		someStays(w)
		s := w.serve("2026-11-22T12:00:00Z")
		all := get[pageOfStays](s, "/lots/L/stays")
		same(t, "the stays of the lot", all.spots(), []string{"A 30", "B 60", "A 120", "B 60"})
		if last := all.Items[3]; last.Completed || last.StatusAfter != "unknown" || last.StatusBefore != "free" {
			t.Errorf("of a stay whose sensor went silent is said: %+v", last)
		}
		if first := all.Items[0]; first.Begin != "2026-11-20T09:00:00+01:00" || !first.Completed || !first.SameDay || all.Items[2].SameDay {
			t.Errorf("the stays are %+v", all.Items)
		}
		if n := all.Statistics; n == nil || n.TotalSessions != 3 || n.Incomplete != 1 || n.DwellTimeMinutes["average"] != 70 || n.DwellTimeMinutes["median"] != 60 ||
			n.DwellTimeMinutes["p75"] != 90 || n.DwellTimeMinutes["shortest"] != 30 || n.DwellTimeMinutes["longest"] != 120 {
			t.Errorf("the statistics are %+v", n)
		}
		day := get[pageOfStays](s, "/lots/L/stays?sameDay=1&completed=1")
		same(t, "those that are completed and within a day", day.spots(), []string{"A 30", "B 60"})
		if n := day.Statistics; n.TotalSessions != 2 || n.DwellTimeMinutes["average"] != 45 || n.DwellTimeMinutes["median"] != 45 {
			t.Errorf("their statistics are %+v", n)
		}
		same(t, "those of a time", get[pageOfStays](s, "/lots/L/stays?from=2026-11-20T09:00:00Z&to=2026-11-21").spots(), []string{"B 60"})
		if none := get[pageOfStays](s, "/lots/L/stays?from=2026-11-01&to=2026-11-02"); len(none.Items) != 0 || none.Statistics.DwellTimeMinutes != nil {
			t.Errorf("of a time without stays is said: %+v", none)
		}
		spot := get[pageOfStays](s, "/spots/A/stays")
		same(t, "the stays of a spot", spot.spots(), []string{"A 30", "A 120"})
		if spot.TimeZone != "Europe/Berlin" || spot.Ongoing == nil || spot.Ongoing.Begin != "2026-11-22T10:00:00+01:00" || spot.Ongoing.StatusBefore != "free" {
			t.Errorf("on the spot stands, by the clocks of %s: %+v", spot.TimeZone, spot.Ongoing)
		}
		if other := get[pageOfStays](s, "/spots/B/stays"); other.Ongoing != nil {
			t.Errorf("on the other spot stands %+v", other.Ongoing)
		}
	})
}

// Pages are the list, whatever their length, and filters do not make them shorter than they need be.
func TestPagesOfStays(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		someStays(w)
		s := w.serve("2026-11-22T12:00:00Z")
		for _, path := range []string{"/lots/L/stays?", "/lots/L/stays?sameDay=1&", "/lots/L/stays?completed=1&", "/spots/B/stays?"} {
			whole := get[pageOfStays](s, path+"limit=5000")
			for limit := 1; limit <= len(whole.Items)+1; limit++ {
				var got []string
				pages, cursor := 0, ""
				for {
					page := get[pageOfStays](s, fmt.Sprintf("%slimit=%d%s", path, limit, cursor))
					if (page.Statistics != nil) != (pages == 0) {
						t.Errorf("%s: page %d has the statistics %+v", path, pages, page.Statistics)
					}
					got = append(got, page.spots()...)
					pages++
					if page.Next == "" {
						break
					}
					cursor = "&cursor=" + url.QueryEscape(page.Next)
				}
				same(t, fmt.Sprintf("the pages of %d of %s", limit, path), got, whole.spots())
				if want := max(1, (len(whole.Items)+limit-1)/limit); pages != want {
					t.Errorf("%s: %d pages of %d for %d stays", path, pages, limit, len(whole.Items))
				}
			}
		}
		s.refused("/lots/L/stays?cursor=nonsense", 400, "invalid-parameter", "cursor", "next")
		intervals := get[struct{ Next string }](s, "/spots/A/intervals?limit=1")
		s.refused("/lots/L/stays?cursor="+intervals.Next, 400, "invalid-parameter", "cursor")
	})
}

func TestIntervalsOfASpot(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		someStays(w)
		s := w.serve("2026-11-22T12:00:00Z")
		type page struct {
			Items []struct {
				Status, Begin, End, LotID string
				LengthSeconds             *float64
			}
			Next, SpotID, TimeZone string
		}
		texts := func(p page) (all []string) {
			for _, i := range p.Items {
				all = append(all, i.Status+" "+i.Begin+" "+i.End)
			}
			return all
		}
		want := []string{
			"free 2026-11-20T07:00:00+01:00 2026-11-20T09:00:00+01:00", "occupied 2026-11-20T09:00:00+01:00 2026-11-20T09:30:00+01:00",
			"free 2026-11-20T09:30:00+01:00 2026-11-20T22:30:00+01:00", "occupied 2026-11-20T22:30:00+01:00 2026-11-21T00:30:00+01:00",
			"free 2026-11-21T00:30:00+01:00 2026-11-22T10:00:00+01:00", "occupied 2026-11-22T10:00:00+01:00 ",
		}
		all := get[page](s, "/spots/A/intervals")
		same(t, "the intervals", texts(all), want)
		if all.SpotID != "A" || all.TimeZone != "Europe/Berlin" || *all.Items[0].LengthSeconds != 7200 || all.Items[5].LengthSeconds != nil {
			t.Errorf("the answer is %+v", all)
		}
		same(t, "those that overlap a time", texts(get[page](s, "/spots/A/intervals?from=2026-11-20T08:10:00Z&to=2026-11-20T08:40:00Z")), want[1:3])
		for limit := 1; limit < 8; limit++ {
			var got []string
			for cursor := ""; ; {
				p := get[page](s, fmt.Sprintf("/spots/A/intervals?limit=%d%s", limit, cursor))
				got = append(got, texts(p)...)
				if p.Next == "" {
					break
				}
				cursor = "&cursor=" + url.QueryEscape(p.Next)
			}
			same(t, fmt.Sprintf("the pages of %d", limit), got, want)
		}
	})
}

// What is wrong is said with the parameter's name, and with what would be right.
func TestRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		aMorning(w)
		s := w.serve("2026-11-24T09:30:00Z")
		s.refused("/lots/L/metrics?interval=week", 400, "invalid-parameter", "interval", "minute", "day", "week")
		s.refused("/lots/L/metrics?from=yesterday", 400, "invalid-parameter", "from", "2026-11-24", "RFC 3339", "yesterday")
		s.refused("/lots/L/metrics?to=0000-01-01", 400, "invalid-parameter", "to")
		s.refused("/lots/L/metrics?from=2026-11-24&to=2026-11-24", 400, "invalid-parameter", "from", "before")
		s.refused("/lots/L/metrics?from=2026-11-25", 400, "invalid-parameter", "from", "before")
		s.refused("/lots/L/metrics?colour=blue", 400, "unknown-parameter", "colour", "interval", "zone")
		s.refused("/lots/L/metrics?format=xlsx", 400, "invalid-parameter", "format", "json, csv or parquet")
		s.refused("/lots/L/metrics?interval=minute&from=2026-11-01", 400, "range-too-long", "3 days", "interval=hour", "format=csv", "from")
		s.refused("/lots/L/metrics?interval=hour&from=2025-11-01", 400, "range-too-long", "208 days", "interval=day")
		s.refused("/lots/L/metrics?interval=minute&from=2020-01-01&format=csv", 400, "range-too-long", "69 days", "interval=hour")
		s.refused("/lots/L/metrics?zone=Q", 404, "zone-not-found", "L", "Q")
		s.refused("/lots/Q/metrics", 404, "lot-not-found", "Q")
		s.refused("/lots/Q/heatmap", 404, "lot-not-found", "Q")
		s.refused("/lots/Q/stays?format=csv", 404, "lot-not-found", "Q")
		s.refused("/spots/Q/stays", 404, "spot-not-found", "Q")
		s.refused("/spots/Q/intervals?format=parquet", 404, "spot-not-found", "Q")
		s.refused("/lots/L/stays?limit=1&format=csv", 400, "unknown-parameter", "limit")
		s.refused("/lots/L/stays?sameDay=yes", 400, "invalid-parameter", "sameDay", "1 or 0")
		s.refused("/spots/A/stays?zone=Z", 400, "unknown-parameter", "zone")

		unread := w.serve("2026-11-24T09:30:00Z")
		unread.service.through = func() (time.Time, bool) { return time.Time{}, false }
		unread.refused("/lots/L/metrics", 503, "history-not-read", "again")
	})
}

// A token that is limited to lots reaches these alone: others are refused by name, and their spots are not there.
func TestWhoIsLimitedToLots(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		someStays(w)
		s := w.serve("2026-11-22T12:00:00Z")
		if got := get[pageOfStays](s, "/lots/L/stays", "L"); len(got.Items) != 4 {
			t.Errorf("of its own lot it gets %v", got.spots())
		}
		for _, path := range []string{"/lots/M/metrics", "/lots/M/heatmap", "/lots/M/stays", "/lots/nowhere/stays"} {
			s.refusedFor(path, []string{"L"}, 403, "lot-not-allowed", "lot")
		}
		for _, path := range []string{"/spots/C/stays", "/spots/C/intervals"} {
			s.refusedFor(path, []string{"L"}, 404, "spot-not-found", "C")
			if w := s.ask(path, "L", "M"); w.Code != 200 {
				t.Errorf("%s: with both lots it gets %d %s", path, w.Code, w.Body)
			}
		}
		// A spot that was in another lot before: what happened there is for those who reach it.
		d := spotOf("D")
		d.lot = "M"
		w.apply(d.becomes("2026-11-20T06:00:00Z", event.Free, event.ChangeAdded))
		w.apply(d.stay("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z")...)
		w.apply(d.becomes("2026-11-20T10:00:00Z", event.Removed, event.ChangeRemoved))
		d.lot = "L"
		w.apply(d.becomes("2026-11-21T06:00:00Z", event.Free, event.ChangeAdded))
		w.apply(d.stay("2026-11-21T08:00:00Z", "2026-11-21T08:20:00Z")...)
		same(t, "its stays, for who reaches one lot", get[pageOfStays](s, "/spots/D/stays", "L").spots(), []string{"D 20"})
		same(t, "its stays, for who reaches both", get[pageOfStays](s, "/spots/D/stays").spots(), []string{"D 60", "D 20"})
		if n := get[pageOfStays](s, "/spots/D/stays", "L").Statistics; n.TotalSessions != 1 {
			t.Errorf("its statistics, for who reaches one lot, are %+v", n)
		}
	})
}

// A lot that was removed is not there, one of which only events tell is, and both are known by their names.
func TestLotsThatNobodyDescribesAndThatAreRemoved(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		someStays(w)
		s := w.serve("2026-11-22T12:00:00Z")
		if r := get[reportOf](s, "/lots/M/metrics?from=2026-11-20&to=2026-11-21&interval=day"); r.TimeZone != "UTC" || r.Items[0]["totalSessions"] != 1.0 {
			t.Errorf("of a lot that nobody described: %+v", r)
		}
		w.describe("lot", "M", map[string]any{"name": "M", "timeZone": "Australia/Melbourne"})
		if r := get[reportOf](s, "/lots/M/metrics?from=2026-11-20&to=2026-11-21&interval=day"); r.TimeZone != "Australia/Melbourne" || r.Items[0]["begin"] != "2026-11-20T00:00:00+11:00" {
			t.Errorf("of the lot, once it is described: %+v", r)
		}
		w.describe("lot", "M", nil)
		s.refused("/lots/M/metrics", 404, "lot-not-found", "M")
		w.describe("lot", "N", map[string]any{"name": "N", "timeZone": "Europe/Berlin"})
		if r := get[reportOf](s, "/lots/N/metrics"); len(r.Items) == 0 || r.Items[0]["spots"] != 0.0 {
			t.Errorf("of a lot without spots: %+v", r.Items)
		}
		w.describe("spot", "new", map[string]any{"lotId": "N", "category": "standard"})
		if page := get[pageOfStays](s, "/spots/new/stays"); len(page.Items) != 0 {
			t.Errorf("of a spot of which nothing was heard: %+v", page)
		}
	})
}

// Files have the same rows as the answers in JSON, however many there are and in however many parts they are read.
func TestFiles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.lot("Europe/Berlin")
		a := spotOf("A")
		at := clock("2026-03-20T00:00:00Z")
		w.apply(a.becomes(at.Format(time.RFC3339), event.Free, event.ChangeAdded))
		stays := 2*readAtOnce + 10
		for n := 0; n < stays; {
			batch := a.stay(at.Add(time.Minute).Format(time.RFC3339), at.Add(3*time.Minute).Format(time.RFC3339))
			for n++; n%500 != 0 && n < stays; n++ {
				at = at.Add(10 * time.Minute)
				batch = append(batch, a.stay(at.Add(time.Minute).Format(time.RFC3339), at.Add(3*time.Minute).Format(time.RFC3339))...)
			}
			at = at.Add(10 * time.Minute)
			w.apply(batch...)
		}
		s := w.serve(at.Add(time.Hour).Format(time.RFC3339))
		rows := func(path string) [][]string {
			t.Helper()
			w := s.ask(path)
			if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") || !strings.Contains(w.Header().Get("Content-Disposition"), ".csv") {
				t.Fatalf("%s: %d %v %.200s", path, w.Code, w.Header(), w.Body)
			}
			all, err := csv.NewReader(w.Body).ReadAll()
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			return all
		}
		if got := rows("/lots/L/stays?format=csv&from=2026-03-01"); len(got) != stays+1 || got[0][0] != "spotId" {
			t.Errorf("the file of stays has %d rows behind the header %q", len(got)-1, got[0])
		}
		if got := rows("/spots/A/intervals?format=csv&from=2026-03-01"); len(got) != 2*stays+1+1 || got[len(got)-1][5] != "" {
			t.Errorf("the file of intervals has %d rows, the last one %q", len(got)-1, got[len(got)-1])
		}
		days := int(at.Add(time.Hour).Sub(clock("2026-03-20T00:00:00Z"))/(24*time.Hour)) + 1
		if got := rows("/lots/L/metrics?format=csv&interval=hour&from=2026-03-20"); len(got)-1 < 24*(days-1) || len(got)-1 > 24*(days+1) {
			t.Errorf("the file of hours has %d rows; there are %d days", len(got)-1, days)
		} else if got[1][2] != "2026-03-20T00:00:00.000+01:00" || got[24*10+1][2] != "2026-03-30T01:00:00.000+02:00" {
			t.Errorf("its first hour begins at %s, and the one 10 days later at %s", got[1][2], got[24*10+1][2])
		}
		if got := rows("/lots/L/heatmap?format=csv&from=2026-03-20&to=2026-03-27"); len(got) != 169 || got[1][2] != "1" || got[168][3] != "23" {
			t.Errorf("the file of the heat map has %d rows", len(got)-1)
		}

		for _, path := range []string{"/lots/L/stays?from=2026-03-01", "/spots/A/intervals?from=2026-03-01", "/lots/L/metrics?interval=day&from=2026-03-20", "/lots/L/heatmap?from=2026-03-20"} {
			w := s.askAs(path, "application/vnd.apache.parquet, application/json;q=0.5")
			text := w.Body.Bytes()
			f, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
			if err != nil {
				t.Fatalf("%s: %v in %d bytes of %s", path, err, len(text), w.Header().Get("Content-Type"))
			}
			if want := len(rows(path+"&format=csv")) - 1; f.NumRows() != int64(want) {
				t.Errorf("%s: there are %d rows of Parquet and %d of CSV", path, f.NumRows(), want)
			}
		}
		w2 := s.askAs("/lots/L/stays?from=2026-03-01", "application/vnd.apache.parquet")
		text := w2.Body.Bytes()
		read := parquet.NewGenericReader[stayRow](bytes.NewReader(text))
		defer read.Close()
		first := make([]stayRow, 1)
		if _, err := read.Read(first); err != nil && err != io.EOF || first[0].SpotID != "A" || first[0].DwellTimeMinutes != 2 || !first[0].Begin.Equal(clock("2026-03-20T00:01:00Z")) {
			t.Errorf("the first stay is %+v (%v)", first[0], err)
		}
	})
}

// What lies behind may be kept for a while by who asked; what goes on may not.
func TestWhatMayBeCached(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		aMorning(w)
		s := w.serve("2026-11-24T09:30:00Z")
		for path, want := range map[string]string{
			"/lots/L/metrics":                              "private, no-cache",
			"/lots/L/metrics?to=2026-11-24":                "private, max-age=300",
			"/lots/L/metrics?to=2026-11-24&format=csv":     "private, no-cache",
			"/lots/L/metrics?format=parquet":               "private, no-cache",
			"/lots/L/heatmap?to=2026-11-24":                "private, max-age=300",
			"/lots/L/stays?to=2026-11-24T08:45:00Z":        "private, no-cache",
			"/spots/A/intervals?to=2026-11-24&format=json": "private, max-age=300",
		} {
			if got := s.ask(path).Header().Get("Cache-Control"); got != want {
				t.Errorf("%s: Cache-Control is %q, want %q", path, got, want)
			}
		}
	})
}

// What is older than what is kept is left out and said, and never told as empty.
func TestWhatIsNotKeptAnyMore(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.lot("Europe/Berlin")
		w.apply(days(spotOf("A"), "2026-01-01T12:00:00Z", 200)...)
		now := "2026-07-20T00:00:00Z"
		r := Retention{Minutes: 48 * time.Hour, Rollups: 60 * 24 * time.Hour}
		w.prune(clock(now), r)
		s := w.serve(now)
		s.service.retention = r
		report := get[struct {
			Items    []map[string]any
			KeptFrom time.Time
			From     time.Time
		}](s, "/lots/L/metrics?interval=day&from=2026-01-01")
		if !report.KeptFrom.Equal(r.rollupsFrom(clock(now))) || report.From.Before(report.KeptFrom) || report.From.Sub(report.KeptFrom) > 24*time.Hour {
			t.Errorf("it is kept from %v, and told from %v", report.KeptFrom, report.From)
		}
		for _, day := range report.Items {
			if day["spots"] != 1.0 {
				t.Errorf("of a day of which not everything is kept is said: %v", day)
				break
			}
		}
		minutes := get[reportOf](s, "/lots/L/metrics?interval=minute&from=2026-07-10T12:00:00Z&to=2026-07-10T13:00:00Z")
		if minutes.Missing != 15 || len(minutes.Items) != 45 {
			t.Errorf("of an hour that begins with a change %d minutes are missing, and %d are told", minutes.Missing, len(minutes.Items))
		}
	})
}

// Statistics of a part are not told as those of the whole.
func TestMediansAndListsWhereStaysAreNotKeptAnyMore(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.lot("Europe/Berlin")
		w.apply(days(spotOf("A"), "2026-01-01T12:00:00Z", 200)...)
		now, r := "2026-07-20T00:00:00Z", Retention{Intervals: 30 * 24 * time.Hour}
		w.prune(clock(now), r)
		s := w.serve(now)
		s.service.retention = r
		type months struct {
			Items []map[string]any
			Total map[string]any
		}
		for path, whole := range map[string]bool{
			"/lots/L/metrics?interval=day&from=2026-07-01&to=2026-07-10": true,
			"/lots/L/metrics?interval=day&from=2026-06-01&to=2026-07-10": false,
			"/lots/L/heatmap?from=2026-07-01&to=2026-07-10":              true,
			"/lots/L/heatmap?from=2026-06-01&to=2026-07-10":              false,
		} {
			report := get[months](s, path)
			if report.Total["totalSessions"] == 0.0 || report.Total["averageDwellTimeMinutes"] != 60.0 || (report.Total["medianDwellTimeMinutes"] == 60.0) != whole {
				t.Errorf("%s is in total %v", path, report.Total)
			}
		}
		days := get[months](s, "/lots/L/metrics?interval=day&from=2026-06-01&to=2026-07-10").Items
		if first, last := days[0], days[len(days)-1]; first["totalSessions"] != 1.0 || first["medianDwellTimeMinutes"] != nil || last["medianDwellTimeMinutes"] != 60.0 {
			t.Errorf("days are %v … %v", first, last)
		}
		for _, path := range []string{"/lots/L/stays?from=2026-06-01", "/spots/A/stays?from=2026-06-01", "/spots/A/intervals?from=2026-06-01"} {
			if list := get[struct{ KeptFrom time.Time }](s, path); !list.KeptFrom.Equal(clock(now).AddDate(0, 0, -29)) {
				t.Errorf("%s says that it is whole since %v", path, list.KeptFrom)
			}
		}
	})
}
