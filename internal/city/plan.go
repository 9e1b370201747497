// Package city is the generated city of the demo. A [Plan] says where its lots and spots are, a [World]
// lets cars come and go, and [Run] makes it live on a platform, through the REST interface like anybody
// else. All of it follows from a seed. No place in it exists.
package city

import (
	"fmt"
	"math"
	"math/rand/v2"

	"parkwire/internal/client"
)

// TimeZone is whose clock the city lives by.
const TimeZone = "Europe/Berlin"

// The centre stands on a field, and the streets run along a grid that is turned a little.
var centre = client.Location{Lat: 52, Lon: 10}

const (
	gridTurn = 12 * math.Pi / 180
	block    = 110 // metres between two streets
	degree   = 111_320
)

// Plan is the city as it was built.
type Plan struct {
	Lots  []Lot
	Spots []Spot // lot by lot
}

// Lot is a lot of the city, with its zones. Its spots are Plan.Spots[First:End].
type Lot struct {
	client.Lot
	Zones      []client.Zone
	First, End int
	profile    *profile
}

// Spot is a spot of the city, without a status.
type Spot struct {
	client.NewSpot
	Lot int // its place in Plan.Lots
}

// A site is what a lot is built from.
type site struct {
	id, code, name, address string
	east, north             float64  // of the centre, in metres along the grid
	zones                   []string // a garage: none
	levels                  int      // of a garage
	street                  bool     // its zones are streets, else areas
	spots                   int      // of each zone, about
	profile                 *profile
}

var sites = []site{
	{id: "station-garage", code: "STA", name: "Station Garage", address: "1 Station Square",
		east: -520, north: 180, levels: 4, spots: 110, profile: &commuters},
	{id: "north-park-and-ride", code: "NPR", name: "North Park and Ride", address: "90 North Road",
		east: 150, north: 1900, zones: []string{"Field A", "Field B"}, spots: 180, profile: &commuters},
	{id: "market-square", code: "MKT", name: "Market Square", address: "Market Square",
		east: 20, north: -30, zones: []string{"East Side", "West Side"}, spots: 70, profile: &shoppers},
	{id: "riverside-centre", code: "RIV", name: "Riverside Shopping Centre", address: "15 Riverside",
		east: 640, north: -420, levels: 4, spots: 160, profile: &shoppers},
	{id: "hospital-garage", code: "HOS", name: "Hospital Garage", address: "4 Clinic Lane",
		east: -900, north: -650, levels: 3, spots: 120, profile: &visitors},
	{id: "old-town-streets", code: "OLD", name: "Old Town Streets", address: "Old Town", east: -2 * block, north: -3 * block, street: true,
		zones: []string{"Mill Street", "Bridge Street", "Baker Street", "Tower Street", "Weaver Street", "Well Street", "School Street", "Garden Street", "Gate Street", "Forge Street"},
		spots: 24, profile: &streets},
	{id: "west-quarter-streets", code: "WQS", name: "West Quarter Streets", address: "West Quarter", east: -1500, north: 2 * block, street: true,
		zones: []string{"Ash Road", "Beech Road", "Birch Road", "Elm Road", "Hazel Road", "Larch Road", "Maple Road", "Oak Road", "Pine Road", "Poplar Road", "Rowan Road", "Willow Road"},
		spots: 25, profile: &residents},
	{id: "arena-parking", code: "ARE", name: "Arena Parking", address: "2 Arena Avenue",
		east: 1250, north: 500, zones: []string{"Area North", "Area East", "Area South"}, spots: 170, profile: &events},
}

// NewPlan builds a city. The seed decides how large each zone is.
func NewPlan(seed uint64) *Plan {
	random := rand.New(rand.NewPCG(seed, 1))
	p := &Plan{}
	for _, s := range sites {
		lot := Lot{
			Lot:   client.Lot{ID: s.id, Name: s.name, TimeZone: TimeZone, Address: s.address, Location: at(s.east, s.north)},
			First: len(p.Spots), profile: s.profile,
		}
		for z := range max(s.levels, len(s.zones)) {
			zone := client.Zone{ID: fmt.Sprintf("%s-%d", s.id, z+1)}
			if s.levels > 0 {
				zone.ID = fmt.Sprintf("%s-L%d", s.id, z)
				zone.Name, zone.Level = fmt.Sprintf("Level %d", z), &z
			} else {
				zone.Name = s.zones[z]
			}
			lot.Zones = append(lot.Zones, zone)
			size := int(float64(s.spots) * (0.92 + 0.16*random.Float64()))
			for n, category := range categories(size, s.street) {
				east, north := s.stand(z, n)
				p.Spots = append(p.Spots, Spot{Lot: len(p.Lots), NewSpot: client.NewSpot{
					SpotID: fmt.Sprintf("%s-%d-%03d", s.code, z+1, n+1), ZoneID: zone.ID, Name: fmt.Sprintf("%s, %d", zone.Name, n+1),
					Category: category, Location: at(east, north),
				}})
			}
		}
		lot.End = len(p.Spots)
		p.Lots = append(p.Lots, lot)
	}
	return p
}

// stand returns where spot n of a zone is.
func (s site) stand(zone, n int) (east, north float64) {
	const (
		width, depth = 2.6, 8.5 // of a spot, with its share of the lane
		length       = 6.2      // of a spot along a kerb
		row          = 24       // spots
	)
	if s.street { // two streets a block, spots on both sides
		return s.east + float64(zone%2)*block + float64(n/2)*length, s.north + float64(zone/2)*block + float64(n%2)*9
	}
	east, north = s.east+float64(n%row)*width, s.north+float64(n/row)*depth
	if s.levels == 0 { // areas lie beside each other, levels above
		east += float64(zone) * (row*width + 15)
	}
	return east, north
}

// categories returns whom the spots of a zone are for. Those for some stand together, near the entrance.
func categories(size int, street bool) []string {
	shares := []struct {
		name  string
		share float64
	}{{"accessible", 0.04}, {"family", 0.03}, {"electric", 0.07}, {"motorcycle", 0.02}, {"short_stay", 0}}
	if street {
		shares[1].share, shares[4].share = 0, 0.08
	}
	all := make([]string, 0, size)
	for _, c := range shares {
		for range int(math.Round(c.share * float64(size))) {
			all = append(all, c.name)
		}
	}
	for len(all) < size {
		all = append(all, "standard")
	}
	return all
}

// at returns the point that lies so many metres from the centre along the grid.
func at(east, north float64) *client.Location {
	x := east*math.Cos(gridTurn) - north*math.Sin(gridTurn)
	y := east*math.Sin(gridTurn) + north*math.Cos(gridTurn)
	round := func(degrees float64) float64 { return math.Round(degrees*1e6) / 1e6 }
	return &client.Location{
		Lat: round(centre.Lat + y/degree),
		Lon: round(centre.Lon + x/(degree*math.Cos(centre.Lat*math.Pi/180))),
	}
}
