package city

import (
	"math"
	"math/rand/v2"
	"time"
)

// A profile says how a lot is used over the day.
type profile struct {
	// demand is which share of the spots would be taken at each full hour.
	demand [24]float64
	// Stays are spread log-normally about median; spread is the deviation of their logarithm.
	median time.Duration
	spread float64
	// overnight is which share of those who come in the evening stays until the morning.
	overnight float64
}

// The profiles. Medians and spreads are chosen so that, over the city, stays that end on the day they began last
// about 130 minutes in the median and 165 in the mean, as was measured at a real car park.
var (
	commuters = profile{median: 195 * time.Minute, spread: 0.76, overnight: 0.3, demand: [24]float64{
		.12, .10, .10, .10, .12, .18, .34, .58, .78, .86, .88, .88, .87, .87, .86, .82, .72, .56, .40, .30, .24, .20, .16, .14}}
	shoppers = profile{median: 100 * time.Minute, spread: 0.76, demand: [24]float64{
		.06, .05, .05, .05, .05, .06, .08, .14, .28, .46, .62, .72, .74, .72, .72, .74, .78, .80, .70, .52, .34, .22, .14, .09}}
	visitors = profile{median: 130 * time.Minute, spread: 0.77, overnight: 0.3, demand: [24]float64{
		.30, .28, .28, .28, .29, .34, .46, .62, .74, .82, .84, .82, .80, .84, .86, .84, .80, .72, .64, .54, .44, .38, .34, .32}}
	streets = profile{median: 105 * time.Minute, spread: 0.77, overnight: 0.5, demand: [24]float64{
		.62, .60, .58, .58, .58, .58, .58, .60, .66, .74, .80, .84, .85, .82, .80, .80, .82, .84, .84, .82, .78, .74, .70, .66}}
	residents = profile{median: 150 * time.Minute, spread: 0.77, overnight: 0.7, demand: [24]float64{
		.90, .90, .90, .90, .90, .88, .80, .68, .58, .54, .52, .52, .54, .54, .54, .56, .62, .70, .78, .84, .87, .89, .90, .90}}
	events = profile{median: 150 * time.Minute, spread: 0.6, demand: [24]float64{
		.05, .04, .04, .04, .04, .05, .08, .14, .22, .28, .32, .34, .36, .36, .36, .36, .40, .52, .74, .86, .84, .62, .28, .10}}
)

const (
	day = 24 * time.Hour
	// Cars come as long as less spots are taken than would be, and the faster the more is missing.
	settling = 15 * time.Minute
	// visits and rush are how many cars an hour try a lot, for each of its spots, at least and at most: at no hour
	// everything stands still, and streets let only so many through.
	visits, rush = 0.03, 1.0
)

// wanted returns which share of the spots would be taken at a time of day.
func (p *profile) wanted(t time.Duration) float64 {
	hours := t.Hours()
	h := int(hours)
	part := hours - float64(h)
	return p.demand[h%24]*(1-part) + p.demand[(h+1)%24]*part
}

// arrivals returns how many cars come an hour to a lot of so many spots.
func (p *profile) arrivals(t time.Duration, taken, spots int) float64 {
	missing := p.wanted(t) - float64(taken)/float64(spots)
	return min(max(missing/settling.Hours(), visits), rush) * float64(spots)
}

// stay draws how long a car stays that comes at a time of day.
func (p *profile) stay(t time.Duration, random *rand.Rand) time.Duration {
	if t >= 17*time.Hour && random.Float64() < p.overnight {
		return day - t + morning(random)
	}
	return max(p.draw(random, 0), 3*time.Minute)
}

// remaining draws how much longer a car stays that stands there at a time of day. Who meets a stay by chance meets
// a long one more likely than a short one.
func (p *profile) remaining(t time.Duration, random *rand.Rand) time.Duration {
	if (t >= 20*time.Hour || t < 6*time.Hour) && random.Float64() < p.overnight {
		return (morning(random) - t + day) % day
	}
	return time.Duration(float64(p.draw(random, p.spread*p.spread)) * random.Float64())
}

func (p *profile) draw(random *rand.Rand, shift float64) time.Duration {
	return time.Duration(float64(p.median) * math.Exp(shift+p.spread*random.NormFloat64()))
}

// morning draws when who stayed overnight leaves.
func morning(random *rand.Rand) time.Duration {
	return 6*time.Hour + time.Duration(random.Float64()*float64(4*time.Hour))
}
