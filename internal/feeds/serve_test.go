package feeds

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/identity"
)

func TestWhoHasTheNewestIsToldSo(t *testing.T) {
	w := newWorldOnSQLite(t)
	w.city()
	const target = "/feeds/ngsi-ld/v1/entities?type=ParkingSpot"
	first := w.ask("GET", target)
	etag := first.Header().Get("ETag")
	expect(w, "how long it may be kept", first.Header().Get("Cache-Control"), "public, max-age=2")
	expect(w, "how long what somebody with a token sees may be kept", w.ask("GET", target, limited("harbour")...).Header().Get("Cache-Control"), "private, max-age=2")
	again := w.ask("GET", target, "If-None-Match", etag)
	expect(w, "the answer to who has it", again.Code, 304)
	expect(w, "its body", again.Body.Len(), 0)
	expect(w, "its tag", again.Header().Get("ETag"), etag)

	head := w.ask("HEAD", target)
	expect(w, "HEAD", head.Code, 200)
	expect(w, "its body", head.Body.Len(), 0)
	expect(w, "its length", head.Header().Get("Content-Length"), first.Header().Get("Content-Length"))

	zipped := w.ask("GET", target, "Accept-Encoding", "br, gzip")
	expect(w, "the coding", zipped.Header().Get("Content-Encoding"), "gzip")
	r, err := gzip.NewReader(bytes.NewReader(zipped.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(plain, first.Body.Bytes()) {
		t.Errorf("what is compressed is something else (%v)", err)
	}
	if tag := zipped.Header().Get("ETag"); tag == etag {
		t.Error("the compressed bytes have the tag of the others")
	} else {
		expect(w, "the answer to who has the compressed bytes", w.ask("GET", target, "Accept-Encoding", "gzip", "If-None-Match", tag).Code, 304)
	}
	expect(w, "who wants no gzip", w.ask("GET", target, "Accept-Encoding", "gzip;q=0").Header().Get("Content-Encoding"), "")

	// The time is told once it says enough.
	expect(w, "the time of what has just been built", w.ask("GET", "/feeds/signs/lots/harbour").Header().Get("Last-Modified"), "")
	w.later(3 * time.Second)
	modified := w.ask("GET", target).Header().Get("Last-Modified")
	expect(w, "who has what is of this time", w.ask("GET", target, "If-Modified-Since", modified).Code, 304)

	// What happens elsewhere changes no tag, and what happens here does.
	w.happen("05:00", "F-1", "foreign", "", event.ChangeOccupied, event.Occupied)
	w.settle()
	expect(w, "after something that is not told here", w.ask("GET", target, "If-None-Match", etag).Code, 304)
	w.happen("05:00", "A-1", "central", "L1", event.ChangeOccupied, event.Occupied)
	w.settle()
	expect(w, "after a change", w.ask("GET", target, "If-None-Match", etag).Code, 200)
	expect(w, "after a change, by the time", w.ask("GET", target, "If-Modified-Since", modified).Code, 200)
}

func TestHoweverManyAskItIsBuiltOnce(t *testing.T) {
	w := newWorldOnSQLite(t)
	w.city()
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 100 {
		all.Go(func() {
			<-start
			answer := httptest.NewRecorder()
			w.handler.ServeHTTP(answer, httptest.NewRequest("GET", "/feeds/parkapi/v3/parking-sites", nil))
			if answer.Code != 200 {
				t.Errorf("%d %s", answer.Code, answer.Body)
			}
		})
	}
	close(start)
	all.Wait()
	// A second or a minute may have ended meanwhile.
	if built := w.counter("parkwire_feeds_documents_built_total"); built > 3 {
		t.Errorf("it was built %v times", built)
	}
	expect(w, "times that the state was read", w.counter("parkwire_feeds_state_reads_total"), 1)
	w.later(5 * time.Second)
	w.get("/feeds/signs/lots/central")
	expect(w, "times that it was read though nothing changed", w.counter("parkwire_feeds_state_reads_total"), 1)
}

func TestASignWaitsForAChange(t *testing.T) {
	w := newWorldOnSQLite(t)
	w.city()
	const target = "/feeds/signs/lots/central"
	etag := w.ask("GET", target).Header().Get("ETag")
	answered := make(chan *httptest.ResponseRecorder)
	go func() {
		answer := httptest.NewRecorder()
		r := httptest.NewRequest("GET", target+"?wait=25", nil)
		r.Header.Set("If-None-Match", etag)
		w.handler.ServeHTTP(answer, r)
		answered <- answer
	}()
	w.happen("05:00", "A-1", "central", "L1", event.ChangeOccupied, event.Occupied)
	answer := <-answered
	if answer.Code == 304 { // a machine on which a second is long: it says the same when it is asked
		w.settle()
		answer = w.ask("GET", target)
	}
	expect(w, "the free ones", read[signView](w, answer.Body.Bytes()).Free, 1)
	expect(w, "who has any version does not wait", w.ask("GET", target+"?wait=25", "If-None-Match", "*").Code, 304)
	expect(w, "who has something else does not wait", w.ask("GET", target+"?wait=25", "If-None-Match", etag).Code, 200)
}

func TestNobodyWaitsBeyondTheEnd(t *testing.T) {
	w := newWorldOnSQLite(t)
	w.city()
	const target = "/feeds/signs/lots/central?wait=25"
	etag := w.ask("GET", target).Header().Get("ETag")
	answered := make(chan int)
	go func() {
		answer := httptest.NewRecorder()
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("If-None-Match", etag)
		w.handler.ServeHTTP(answer, r)
		answered <- answer.Code
	}()
	w.feeds.Drain()
	w.feeds.Drain()
	expect(w, "who waited", <-answered, 304)
	expect(w, "who comes later", w.ask("GET", target, "If-None-Match", etag).Code, 304)
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	c := newCache(time.Now, newMetrics(nil))
	for i := range 40 {
		c.keep(string(rune('a'+i)), "1", content{body: make([]byte, 3<<20)})
	}
	if c.bytes > maxKept {
		t.Errorf("%d bytes are kept", c.bytes)
	}
	sum := 0
	for key, d := range c.kept {
		sum += d.size(key)
	}
	if sum != c.bytes {
		t.Errorf("%d bytes are kept, and %d counted", sum, c.bytes)
	}
	for i := range 200_000 { // small ones, each of another address
		c.keep(fmt.Sprintf("start_time=%d", i), "1", content{})
	}
	if len(c.kept) > maxKept>>10 {
		t.Errorf("%d small documents are kept", len(c.kept))
	}
	if c.keep("large", "1", content{body: make([]byte, maxDocument+1)}); c.look("large") != nil {
		t.Error("what is too large is kept")
	}
}

func TestHeadersThatCannotBeReadAreRefused(t *testing.T) {
	w := newWorldOnSQLite(t)
	answer := w.ask("GET", "/feeds/signs/lots/central", identity.HeaderSubject, "x", identity.HeaderLots, "%zz")
	expect(w, "the answer", answer.Code, 401)
}

func TestTheMediaTypeIsThatOfTheHeader(t *testing.T) {
	for _, c := range []struct{ accept, want string }{
		{"", kindJSON}, {"*/*", kindJSON}, {"application/*", kindJSON}, {"text/plain", kindText}, {"text/*;q=0.5, application/json;q=0.4", kindText},
		{"application/json;q=0, */*", kindText}, {"image/png", ""}, {"text/plain, application/json", kindJSON},
	} {
		r := &request{Request: httptest.NewRequest("GET", "/", nil)}
		if c.accept != "" {
			r.Header.Set("Accept", c.accept)
		}
		if got := accepts(r, kindJSON, kindText); got != c.want {
			t.Errorf("Accept %q: %q, want %q", c.accept, got, c.want)
		}
	}
	for accept, taken := range map[string]bool{
		"application/vnd.cds+json;version=1.1": true, "application/vnd.cds+json; version=1.1": true, "*/*": true, "application/vnd.cds+json;version=1.0": false,
		"application/vnd.cds+json": true, "application/json": false,
	} {
		r := &request{Request: httptest.NewRequest("GET", "/", nil)}
		r.Header.Set("Accept", accept)
		if got := accepts(r, kindCurbJSON) != ""; got != taken {
			t.Errorf("Accept %q is taken: %v, want %v", accept, got, taken)
		}
	}
}
