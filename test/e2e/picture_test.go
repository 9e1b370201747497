package e2e

import (
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

var update = flag.Bool("update", false, "draw the pictures of the documents anew")

// pictured makes sure that the picture in the documents is what the platform answers.
func pictured(t *testing.T, s *stack.Stack, file string) {
	t.Helper()
	var report struct{ Items []hourOfUse }
	s.Do(t, 200, "GET", "/api/v1/lots/ufpr04/metrics?interval=hour&"+pklotRange, nil, &report)
	drawn := drawUse(report.Items, recordedHours(t, file))
	path := filepath.Join(stack.Root(), "docs", "images", "pklot-occupancy.svg")
	if *update {
		if err := os.WriteFile(path, []byte(drawn), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(path); err != nil || string(kept) != drawn {
		t.Errorf("%s is not what the platform answers (%v): go test ./test/e2e -run TestTheHistoryOfARealCarPark -update", path, err)
	}
}

// hourOfUse is what the picture needs of an hour.
type hourOfUse struct {
	Begin                                                     time.Time
	FreeSpotSeconds, OccupiedSpotSeconds, ReservedSpotSeconds float64
}

// recordedHours are the hours in which anything was recorded, as the clocks showed it: 2012-12-07T09.
func recordedHours(t *testing.T, path string) map[string]bool {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	hours := map[string]bool{}
	for _, row := range rows[1:] {
		hours[row[0][:len("2012-12-07T09")]] = true
	}
	return hours
}

// use is how full it was.
type use struct{ occupied, offered float64 }

func (u use) share() float64 { return u.occupied / u.offered }

const (
	pictureWidth = 560
	plotLeft     = 56
	plotTop      = 116
	plotHeight   = 150
	gridTop      = plotTop + plotHeight + 84
	rowHeight    = 22
	firstHour    = 7 // what was recorded is between 7 and 22
	lastHour     = 21
	hourWidth    = (pictureWidth - plotLeft - 16) / (lastHour - firstHour + 1)
)

// drawUse draws the occupancy by hour, of working days and of weekends, and by day of the week and hour.
func drawUse(hours []hourOfUse, recorded map[string]bool) string {
	var week [7][24]use
	var working, weekend [24]use
	days := map[string]bool{}
	for _, h := range hours {
		if !recorded[h.Begin.Format("2006-01-02T15")] {
			continue // it stayed what it was seen to be last; nobody looked
		}
		days[h.Begin.Format(time.DateOnly)] = true
		weekday := (int(h.Begin.Weekday()) + 6) % 7
		of := &working
		if weekday >= 5 {
			of = &weekend
		}
		for _, u := range []*use{&week[weekday][h.Begin.Hour()], &of[h.Begin.Hour()]} {
			u.occupied += h.OccupiedSpotSeconds
			u.offered += h.OccupiedSpotSeconds + h.FreeSpotSeconds + h.ReservedSpotSeconds
		}
	}
	d := &picture{}
	height := gridTop + 7*rowHeight + 40
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Occupancy by hour of a car park">`, pictureWidth, height)
	fmt.Fprintf(d, "<style>%s</style><rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n", pictureStyle)
	d.text(16, 30, "title", "start", "PKLot UFPR04: occupancy by hour")
	d.text(16, 52, "soft", "start", fmt.Sprintf("28 spots on %d days from 2012-12-07 to 2013-01-29, by the clocks of %s.", len(days), pklotZone))
	d.text(16, 70, "soft", "start", "Hours in which nothing was recorded are left out.")
	d.text(plotLeft, plotTop-12, "a", "start", "● Monday to Friday")
	d.text(plotLeft+160, plotTop-12, "b", "start", "● Saturday and Sunday")
	for _, share := range []float64{0, 0.25, 0.5, 0.75, 1} {
		y := plotTop + plotHeight*(1-share)
		fmt.Fprintf(d, `<path class="axis" d="M%d %.1fH%d"/>`, plotLeft, y, pictureWidth-16)
		d.text(plotLeft-8, y+4, "soft", "end", fmt.Sprintf("%.0f %%", 100*share))
	}
	d.curve("a", working)
	d.curve("b", weekend)
	d.hours(plotTop + plotHeight + 20)
	d.text(plotLeft, gridTop-14, "", "start", "By day of the week")
	for weekday, name := range []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		y := gridTop + weekday*rowHeight
		d.text(plotLeft-8, float64(y+rowHeight-7), "soft", "end", name)
		for hour := firstHour; hour <= lastHour; hour++ {
			u := week[weekday][hour]
			if u.offered == 0 {
				continue
			}
			x := plotLeft + (hour-firstHour)*hourWidth
			fmt.Fprintf(d, `<rect class="heat" x="%d" y="%d" width="%d" height="%d" fill-opacity="%.3f"><title>%s %d:00: %.1f %%</title></rect>`+"\n",
				x, y, hourWidth-2, rowHeight-2, 0.06+0.94*u.share(), name, hour, 100*u.share())
		}
	}
	d.hours(gridTop + 7*rowHeight + 16)
	d.WriteString("</svg>\n")
	return d.String()
}

const pictureStyle = `
svg{--ink:#1b1f24;--soft:#667085;--line:#d5dae1;--paper:#fff;--a:#1f6feb;--b:#b35900;font:14px system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--ink:#e6e9ee;--soft:#9aa4b2;--line:#3a424d;--paper:#14181d;--a:#6ea8fe;--b:#f0b35a}}
.paper{fill:var(--paper)}text{fill:var(--ink)}.soft{fill:var(--soft);font-size:12px}.title{font-size:18px;font-weight:600}
text.a{fill:var(--a)}text.b{fill:var(--b)}.axis{stroke:var(--line);fill:none}.curve{fill:none;stroke-width:2.5;stroke-linejoin:round}
.curve.a{stroke:var(--a)}.curve.b{stroke:var(--b)}.heat{fill:var(--a)}
`

type picture struct{ strings.Builder }

func (d *picture) text(x, y float64, class, anchor, text string) {
	fmt.Fprintf(d, `<text x="%.0f" y="%.0f" class="%s" text-anchor="%s">%s</text>`+"\n", x, y, class, anchor, text)
}

// hours writes the hours below a plot.
func (d *picture) hours(y int) {
	for hour := firstHour; hour <= lastHour; hour++ {
		d.text(float64(plotLeft+(hour-firstHour)*hourWidth+hourWidth/2), float64(y), "soft", "middle", fmt.Sprint(hour))
	}
}

func (d *picture) curve(class string, hours [24]use) {
	var path strings.Builder
	for hour := firstHour; hour <= lastHour; hour++ {
		if hours[hour].offered == 0 {
			continue
		}
		x := plotLeft + (hour-firstHour)*hourWidth + hourWidth/2
		fmt.Fprintf(&path, "%s%d %.1f", map[bool]string{true: "M", false: "L"}[path.Len() == 0], x, plotTop+plotHeight*(1-hours[hour].share()))
	}
	fmt.Fprintf(d, `<path class="curve %s" d="%s"/>`+"\n", class, path.String())
}
