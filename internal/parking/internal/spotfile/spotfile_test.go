package spotfile

import (
	"errors"
	"io"
	"strings"
	"testing"
)

var readers = map[string]func(io.Reader, func(*Record) error) ([]Column, error){"csv": ReadCSV, "geojson": ReadGeoJSON}

func FuzzFilesAreReadToTheirEndOrRefused(f *testing.F) {
	for _, seed := range []string{
		"", "id\n", "\xef\xbb\xbfid;lat\n1;2,5\n", "id,location\n1,\"1, 2\"\n2,POINT (2 1)\n3,(1,2)\n4,POINT (\n", "id\n\"a\nb\"\"c\"\n\"\n", "id\tx\r\n1\t\r\n", "\"i\"\"d\",id\n,1\n",
		`{}`, `{"type":"FeatureCollection","features":[]}`, `{"features":[{"type":"Feature","id":1.5e3,"properties":{"Name":true,"lat":null}}],"type":"FeatureCollection"}`,
		`{"features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[0,0],[0,0],[0,0]]]}},null,[]]`, "\xef\xbb\xbf{", `{"type":1}`, `{"crs":null,"features":[`, "\xef\xbb", "1e700",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, read := range readers {
			last := 0
			_, err := read(strings.NewReader(text), func(r *Record) error {
				if r.Place <= last {
					t.Errorf("%s: place %d comes behind %d", name, r.Place, last)
				}
				last = r.Place
				if r.Fault != nil && (r.Fault.Reason == "" || r.Fault.Remedy == "") {
					t.Errorf("%s: a fault without reason or remedy: %+v", name, r.Fault)
				}
				for field := range fields {
					if text, there := r.Text(field); text != "" && !there {
						t.Errorf("%s: %v is %q and not there", name, field, text)
					}
				}
				return nil
			})
			if refused := new(Error); err != nil && !errors.As(err, &refused) {
				t.Errorf("%s: %q fails with %v", name, text, err)
			}
		}
	})
}

// What breaks off, and who has had enough, are heard.
func TestReadingEndsWithTheErrorOfTheBodyOrTheTaker(t *testing.T) {
	broken := errors.New("broken")
	for name, text := range map[string]string{
		"csv":     "id,name\n1,a\n2,b\n",
		"geojson": `{"type":"FeatureCollection","features":[{"type":"Feature"},{"type":"Feature"}]}`,
	} {
		count := 0
		_, err := readers[name](strings.NewReader(text), func(*Record) error {
			count++
			return broken
		})
		if !errors.Is(err, broken) || count != 1 {
			t.Errorf("%s: after %d records reading ends with %v", name, count, err)
		}
		for cut := range len(text) - 1 {
			body := io.MultiReader(strings.NewReader(text[:cut]), failing{broken})
			if _, err := readers[name](body, func(*Record) error { return nil }); !errors.Is(err, broken) {
				t.Errorf("%s: broken off at byte %d it ends with %v", name, cut, err)
			}
		}
	}
}

func TestOfSeveralColumnsTheBestNameIsTaken(t *testing.T) {
	for header, want := range map[string]string{
		"id,kerbsideid,spotId":             "spotId",
		"ID,KerbsideID,Location":           "KerbsideID",
		"id,Location,Latitude,Longitude,x": "id Latitude Longitude",
		"Id ,Zone_Number,parking-zone":     "Id  Zone_Number",
	} {
		var taken []string
		all, err := ReadCSV(strings.NewReader(header+"\n"), func(*Record) error { return nil })
		for _, c := range all {
			if c.Field == "spotId" || c.Field == "zoneId" || c.Field == "lat" || c.Field == "lon" {
				taken = append(taken, c.Name)
			}
		}
		if err != nil || strings.Join(taken, " ") != want {
			t.Errorf("of %s %q are taken: %v", header, taken, err)
		}
	}
}
