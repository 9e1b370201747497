package history

import (
	"math"
	"time"
)

// metricsRow is a bucket as it is answered, and as it stands in a file. Names say units; shares are from 0 to 1.
type metricsRow struct {
	LotID            string    `json:"-" parquet:"lotId,dict"`
	ZoneID           *string   `json:"-" parquet:"zoneId,dict"`
	Begin            time.Time `json:"begin" parquet:"begin,timestamp(millisecond)"`
	End              time.Time `json:"end" parquet:"end,timestamp(millisecond)"`
	UTCOffsetMinutes int32     `json:"-" parquet:"utcOffsetMinutes"` // at its begin
	LengthSeconds    float64   `json:"lengthSeconds" parquet:"lengthSeconds"`
	Ongoing          bool      `json:"ongoing" parquet:"ongoing"`
	Measures
}

// Measures are what is measured of a time, however it is put together. Null is what cannot be said.
type Measures struct {
	Spots                   float64  `json:"spots" parquet:"spots"`
	TotalSessions           int64    `json:"totalSessions" parquet:"totalSessions"`
	TurnoverPerHour         float64  `json:"turnoverPerHour" parquet:"turnoverPerHour"`
	SessionsPerSpot         *float64 `json:"sessionsPerSpot" parquet:"sessionsPerSpot"`
	AverageDwellTimeMinutes *float64 `json:"averageDwellTimeMinutes" parquet:"averageDwellTimeMinutes"`
	MedianDwellTimeMinutes  *float64 `json:"medianDwellTimeMinutes" parquet:"medianDwellTimeMinutes"`
	Occupancy               *float64 `json:"occupancy" parquet:"occupancy"`
	SilentShare             *float64 `json:"silentShare" parquet:"silentShare"`
	Arrivals                int64    `json:"arrivals" parquet:"arrivals"`
	Departures              int64    `json:"departures" parquet:"departures"`
	FreeSpotSeconds         float64  `json:"freeSpotSeconds" parquet:"freeSpotSeconds"`
	OccupiedSpotSeconds     float64  `json:"occupiedSpotSeconds" parquet:"occupiedSpotSeconds"`
	ReservedSpotSeconds     float64  `json:"reservedSpotSeconds" parquet:"reservedSpotSeconds"`
	ClosedSpotSeconds       float64  `json:"closedSpotSeconds" parquet:"closedSpotSeconds"`
	OutOfServiceSpotSeconds float64  `json:"outOfServiceSpotSeconds" parquet:"outOfServiceSpotSeconds"`
	UnknownSpotSeconds      float64  `json:"unknownSpotSeconds" parquet:"unknownSpotSeconds"`
}

// rowOf returns a bucket; median is negative where there is none.
func rowOf(s Scope, m Metrics, median time.Duration) metricsRow {
	_, offset := m.Begin.Zone()
	return metricsRow{
		LotID: s.Lot, ZoneID: orAbsent(s.Zone), Begin: m.Begin, End: m.End, UTCOffsetMinutes: int32(offset / 60),
		LengthSeconds: m.Length.Seconds(), Ongoing: m.Ongoing(), Measures: measuresOf(m, median),
	}
}

func measuresOf(m Metrics, median time.Duration) Measures {
	average, some := m.AverageDwell()
	return Measures{
		Spots: rounded(m.Spots(), 3), TotalSessions: m.TotalSessions, TurnoverPerHour: rounded(m.Turnover(), 6),
		SessionsPerSpot:         certain(m.SessionsPerSpot()),
		AverageDwellTimeMinutes: minutesOf(average, some), MedianDwellTimeMinutes: minutesOf(median, median >= 0),
		Occupancy: certain(m.Occupancy()), SilentShare: certain(m.SilentShare()),
		Arrivals: m.Arrivals, Departures: m.Departures,
		FreeSpotSeconds: m.Times.Free.Seconds(), OccupiedSpotSeconds: m.Times.Occupied.Seconds(), ReservedSpotSeconds: m.Times.Reserved.Seconds(),
		ClosedSpotSeconds: m.Times.Closed.Seconds(), OutOfServiceSpotSeconds: m.Times.OutOfService.Seconds(), UnknownSpotSeconds: m.Times.Unknown.Seconds(),
	}
}

// certain is a share with six decimals, which is a second in eleven days.
func certain(share float64, known bool) *float64 {
	if !known {
		return nil
	}
	share = rounded(share, 6)
	return &share
}

func minutesOf(d time.Duration, known bool) *float64 {
	if !known {
		return nil
	}
	in := inMinutes(d)
	return &in
}

// inMinutes is a length in minutes with three decimals, which is 60 ms.
func inMinutes(d time.Duration) float64 { return rounded(d.Minutes(), 3) }

func rounded(v float64, decimals int) float64 {
	unit := math.Pow10(decimals)
	return math.Round(v*unit) / unit
}

func orAbsent(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
