package client

import (
	"encoding/json"
	"testing"
)

// Whatever stands in an answer that refuses, the refusal is one, and as short as one can read.
func FuzzRefusals(f *testing.F) {
	f.Add(409, []byte(`{"type":"x","title":"t","status":409,"detail":"d","field":"spotId","more":{"a":[1]}}`))
	f.Add(502, []byte("<html>502 Bad Gateway</html>"))
	f.Add(400, []byte(`{"status":0}`))
	f.Add(400, []byte(`{"status":"400"}`))
	f.Add(503, []byte(`{"status":200,"title":[]}`))
	f.Add(409, []byte(`{"stAtus":1}`))
	f.Add(404, []byte("null"))
	f.Add(999, []byte("\xff\x00"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 300 || status > 999 { // what HTTP lets through, and is no success
			return
		}
		p := refusal(status, body)
		if Status(p) != status || p.Error() == "" {
			t.Fatalf("%d with %q is the refusal %+v: %v", status, body, p, p)
		}
		if !json.Valid(body) && len(p.Error()) > 1000 {
			t.Fatalf("%d with %q is the refusal %+v", status, body, p)
		}
	})
}
