package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// What is known of the stays in the file: those that are completed and within a day, and how long they were.
const (
	pklotStays         = 837
	pklotAverage       = "165.0" // minutes
	pklotMedian        = "130.0"
	pklotRange         = "from=2012-12-07&to=2013-01-30"
	pklotSpeed         = "400000" // slow enough to be interrupted in the middle
	pklotStaysAtTheCut = 200
)

// The history of a month of a real car park is what is known of it: after whoever reads the log was killed in the middle, and after everything was made
// anew from the log, to the digit. It is the same in one process on SQLite as in many on PostgreSQL.
func TestTheHistoryOfARealCarPark(t *testing.T) {
	file := stack.Data(t, pklot)
	var first map[string]string
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		replay := func(speed string) []string {
			return []string{"replay", "--url", s.URL, "--input", file, "--lot", "ufpr04", "--time-zone", pklotZone, "--speed", speed}
		}
		slow := stack.Start(t, "replay", []string{"PARKWIRE_TOKEN=" + s.Token}, stack.Binary(t), replay(pklotSpeed)...)
		cut := 0
		eventually(t, 2*time.Minute, "stays of the first days", func() bool {
			cut = sameDayStays(s).TotalSessions
			return cut >= pklotStaysAtTheCut
		})
		if cut >= pklotStays {
			t.Fatalf("all %d stays are there already: the kill would come too late to show anything", cut)
		}
		t.Logf("killed after %d stays", cut)
		if s.One != nil {
			s.One.Kill(t) // and with it everything
			slow.Wait(t, time.Minute)
			s.One.Restart(t)
		} else {
			for _, n := range s.History {
				n.Kill(t)
			}
			for _, n := range s.History {
				n.Restart(t)
			}
			slow.Signal(t, syscall.SIGTERM)
			slow.Wait(t, time.Minute)
		}
		s.Parkwire(t, 3*time.Minute, replay("max")...)

		after := pklotFigures(t, s)
		if first == nil {
			first = after
			pictured(t, s, file)
		}
		sameFigures(t, "here as there", first, after)

		rebuild := func() string { return s.Command(t, 3*time.Minute, "rebuild", "history") }
		if s.One != nil { // nobody else may use its folder
			s.One.Stop(t)
			t.Logf("rebuild: %s", rebuild())
			s.One.Restart(t)
		} else {
			t.Logf("rebuild: %s", rebuild())
		}
		sameFigures(t, "after a rebuild", after, pklotFigures(t, s))
	})
}

// statistics are those of stays.
type statistics struct {
	TotalSessions, Incomplete int
	DwellTimeMinutes          struct{ Average, Median float64 }
}

// sameDayStays asks for the statistics of the completed stays within a day; zero while there is no lot.
func sameDayStays(s *stack.Stack) statistics {
	answer, err := s.Try("GET", "/api/v1/lots/ufpr04/stays?limit=1&completed=1&sameDay=1&"+pklotRange, nil)
	var page struct{ Statistics statistics }
	if err == nil && answer.Status == 200 {
		_ = json.Unmarshal(answer.Body, &page)
	}
	return page.Statistics
}

// pklotFigures waits until everything is known of the car park, and returns all that is told of it, but for when it was asked.
func pklotFigures(t *testing.T, s *stack.Stack) map[string]string {
	t.Helper()
	eventually(t, 2*time.Minute, fmt.Sprintf("%d stays within a day", pklotStays), func() bool { return sameDayStays(s).TotalSessions >= pklotStays })
	now := sameDayStays(s)
	average, median := fmt.Sprintf("%.1f", now.DwellTimeMinutes.Average), fmt.Sprintf("%.1f", now.DwellTimeMinutes.Median)
	t.Logf("%d completed stays within a day, on the average %s minutes (%v), median %s", now.TotalSessions, average, now.DwellTimeMinutes.Average, median)
	if now.TotalSessions != pklotStays || average != pklotAverage || median != pklotMedian {
		t.Fatalf("%d completed stays within a day, of %s minutes on the average and %s in the middle; there are %d, of %s and %s",
			now.TotalSessions, average, median, pklotStays, pklotAverage, pklotMedian)
	}
	figures := map[string]string{}
	for _, what := range []string{
		"stays?limit=5000", "stays?limit=1&completed=1&sameDay=1", "metrics?interval=day", "metrics?interval=hour", "heatmap?", "stays?format=csv", "metrics?interval=hour&format=csv", "heatmap?format=csv",
	} {
		path := "/api/v1/lots/ufpr04/" + what + "&" + pklotRange
		answer := s.Do(t, 200, "GET", path, nil, nil)
		figures[what] = string(answer.Body)
		if !strings.Contains(what, "format") {
			var fields map[string]any
			if err := json.Unmarshal(answer.Body, &fields); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			delete(fields, "asOf")
			text, _ := json.Marshal(fields)
			figures[what] = string(text)
		}
	}
	hoursAreDays(t, figures["metrics?interval=hour"], figures["metrics?interval=day"])
	return figures
}

// hoursAreDays checks that the hours of each day add up to it.
func hoursAreDays(t *testing.T, hours, days string) {
	t.Helper()
	type report struct{ Items []map[string]any }
	var byHour, byDay report
	if err := json.Unmarshal([]byte(hours), &byHour); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(days), &byDay); err != nil {
		t.Fatal(err)
	}
	if len(byDay.Items) != 54 || len(byHour.Items) != 54*24 {
		t.Fatalf("%d days and %d hours; the range has 54 and %d", len(byDay.Items), len(byHour.Items), 54*24)
	}
	for i, day := range byDay.Items {
		for _, what := range []string{"lengthSeconds", "arrivals", "departures", "totalSessions", "freeSpotSeconds", "occupiedSpotSeconds", "unknownSpotSeconds"} {
			sum := 0.0
			for _, hour := range byHour.Items[24*i : 24*i+24] {
				sum += hour[what].(float64)
			}
			if math.Abs(sum-day[what].(float64)) > 0.0005 {
				t.Errorf("%v: the hours have a %s of %v, the day has %v", day["begin"], what, sum, day[what])
			}
		}
	}
}

func sameFigures(t *testing.T, when string, want, got map[string]string) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(want)) {
		if got[what] != want[what] {
			at := 0
			for at < min(len(got[what]), len(want[what])) && got[what][at] == want[what][at] {
				at++
			}
			excerpt := func(text string) string { return text[max(0, at-100):min(len(text), at+100)] }
			t.Errorf("%s: %s is not the same %s: …%s… instead of …%s…", t.Name(), what, when, excerpt(got[what]), excerpt(want[what]))
		}
	}
}
