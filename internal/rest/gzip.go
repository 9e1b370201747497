package rest

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// worthZipping is from how many bytes an answer is compressed for who takes it. Smaller ones fit into a few packets anyway.
const worthZipping = 8 << 10

// zippers are at rest: each holds some hundred KB, which are let go of by a garbage collection.
var zippers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one
	}
	return z
}}

// isZipped reports whether a body is to be compressed, and says among the headers that it depends. What has a tag is sent as it is, since
// the tag is of these very bytes.
func isZipped(h http.Header, r *http.Request, status, size int) bool {
	if size < worthZipping || status != http.StatusOK || h.Get("ETag") != "" {
		return false
	}
	h.Add("Vary", "Accept-Encoding")
	return r.Method != http.MethodHead && TakesGzip(r)
}

// zip answers with a compressed body.
func zip(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := zippers.Get().(*gzip.Writer)
	z.Reset(w)
	_, _ = z.Write(body) // a client that is gone needs no answer
	_ = z.Close()
	z.Reset(nil)
	zippers.Put(z)
}

// TakesGzip reports whether the client takes an answer that is compressed.
func TakesGzip(r *http.Request) bool {
	for one := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, quality, _ := strings.Cut(one, ";")
		if coding = strings.TrimSpace(coding); !strings.EqualFold(coding, "gzip") && coding != "*" {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(quality, " ", ""), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !found || err != nil || weight > 0
	}
	return false
}
