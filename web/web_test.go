package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

var small = fstest.MapFS{
	"dist/index.html":           {Data: []byte("<!doctype html><title>page</title>" + strings.Repeat(" ", 200))},
	"dist/favicon.svg":          {Data: []byte("<svg/>")},
	"dist/manifest.webmanifest": {Data: []byte("{}")},
	"dist/sw.js":                {Data: []byte("self")},
	"dist/icons/icon-192.png":   {Data: []byte("PNG")},
	"dist/assets/index-abc1.js": {Data: []byte(strings.Repeat("let x = 1;\n", 100))},
}

func serve(t *testing.T, method, address string, headers ...string) *http.Response {
	t.Helper()
	loaded, err := load(small)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, "http://parking.example:5000"+address, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	dashboard{loaded, func() string { return "" }, ""}.ServeHTTP(w, r)
	return w.Result()
}

func TestAddressesOfThePageAreAnsweredWithThePageAndMissingFilesAreNot(t *testing.T) {
	for address, want := range map[string]struct {
		status    int
		mediaType string
	}{
		"/":                     {200, "text/html; charset=utf-8"},
		"/index.html":           {200, "text/html; charset=utf-8"},
		"/lots/central":         {200, "text/html; charset=utf-8"},
		"/lots/central/":        {200, "text/html; charset=utf-8"},
		"/lots/P.1":             {200, "text/html; charset=utf-8"},
		"/lots/a%20b":           {200, "text/html; charset=utf-8"},
		"/lots/P.1/history":     {200, "text/html; charset=utf-8"},
		"/spots/P.1-03":         {200, "text/html; charset=utf-8"},
		"/spots/a%2Fb.c":        {200, "text/html; charset=utf-8"},
		"/manage/lots/P.1":      {200, "text/html; charset=utf-8"},
		"/map":                  {200, "text/html; charset=utf-8"},
		"/something/else":       {200, "text/html; charset=utf-8"},
		"/sw.js":                {200, "text/javascript; charset=utf-8"},
		"/manifest.webmanifest": {200, "application/manifest+json"},
		"/icons/icon-192.png":   {200, "image/png"},
		"/icons/icon-193.png":   {404, "application/problem+json"},
		"/favicon.svg":          {200, "image/svg+xml"},
		"/assets/index-abc1.js": {200, "text/javascript; charset=utf-8"},
		"/assets/index-old9.js": {404, "application/problem+json"},
		"/assets/":              {404, "application/problem+json"},
		"/missing.png":          {404, "application/problem+json"},
		"/../web.go":            {404, "application/problem+json"},
	} {
		got := serve(t, "GET", address)
		if got.StatusCode != want.status || got.Header.Get("Content-Type") != want.mediaType {
			t.Errorf("%s: %d %s, not %d %s", address, got.StatusCode, got.Header.Get("Content-Type"), want.status, want.mediaType)
		}
	}
}

func TestHashedFilesAreKeptForEverAndThePageIsAskedForAgain(t *testing.T) {
	if got := serve(t, "GET", "/assets/index-abc1.js").Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("a hashed file has Cache-Control %q", got)
	}
	for _, address := range []string{"/", "/lots/central", "/favicon.svg", "/sw.js", "/manifest.webmanifest"} {
		first := serve(t, "GET", address)
		if got := first.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s has Cache-Control %q", address, got)
		}
		again := serve(t, "GET", address, "If-None-Match", `"other", W/`+first.Header.Get("ETag"))
		if body, _ := io.ReadAll(again.Body); again.StatusCode != 304 || len(body) > 0 {
			t.Errorf("%s asked for again unchanged: %d with %d bytes", address, again.StatusCode, len(body))
		}
		if got := serve(t, "GET", address, "If-None-Match", `"other"`).StatusCode; got != 200 {
			t.Errorf("%s asked for with another tag: %d", address, got)
		}
	}
}

func TestWhatCompressesWellIsSentCompressedToWhoCanReadIt(t *testing.T) {
	for accept, want := range map[string]string{
		"": "", "br": "", "gzip": "gzip", "br, gzip;q=0.8": "gzip", "gzip;q=0, br": "", "GZIP": "gzip",
	} {
		got := serve(t, "GET", "/assets/index-abc1.js", "Accept-Encoding", accept)
		if got.Header.Get("Content-Encoding") != want || got.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q, Vary %q", accept, got.Header.Get("Content-Encoding"), got.Header.Get("Vary"))
		}
	}
	plain := serve(t, "GET", "/assets/index-abc1.js")
	packed := serve(t, "GET", "/assets/index-abc1.js", "Accept-Encoding", "gzip")
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") {
		t.Error("both forms have the same ETag, so a cache may mix them")
	}
	unpacked, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := io.ReadAll(plain.Body)
	b, err := io.ReadAll(unpacked)
	if err != nil || string(a) != string(b) {
		t.Errorf("unpacked it is not the file: %v", err)
	}
	if got := serve(t, "GET", "/favicon.svg", "Accept-Encoding", "gzip").Header.Get("Content-Encoding"); got != "" {
		t.Errorf("a file of six bytes is sent as %s", got)
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	head := serve(t, "HEAD", "/")
	if body, _ := io.ReadAll(head.Body); head.StatusCode != 200 || len(body) > 0 || head.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %d bytes, Content-Length %q", head.StatusCode, len(body), head.Header.Get("Content-Length"))
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		got := serve(t, method, "/")
		if got.StatusCode != 405 || got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, got.StatusCode, got.Header.Get("Allow"))
		}
	}
}

func TestThePageMayDoOnlyWhatItNeeds(t *testing.T) {
	got := serve(t, "GET", "/lots/central").Header
	policy := got.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'",
		"connect-src 'self' ws://parking.example:5000 wss://parking.example:5000;",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy %q allows something unsafe", policy)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
	} {
		if got.Get(name) != want {
			t.Errorf("%s is %q, not %q", name, got.Get(name), want)
		}
	}
	for host, want := range map[string]string{
		"[::1]:5000": "ws://[::1]:5000 ", "localhost": "ws://localhost ", "a;script-src *": "ws: wss:;", "*": "ws: wss:;",
	} {
		header := http.Header{}
		secure(header, host, "", "")
		if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, want) {
			t.Errorf("host %q: the policy %q lacks %q", host, policy, want)
		}
	}
	for provider, want := range map[string]string{
		"": "wss://h;", "https://id.example": "wss://h https://id.example;", "http://127.0.0.1:9000": "wss://h http://127.0.0.1:9000;",
		"https://id.example/": "wss://h;", "https://a;script-src *": "wss://h;", "*": "wss://h;", "https://*.example": "wss://h;",
	} {
		header := http.Header{}
		secure(header, "h", provider, "")
		if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, want) {
			t.Errorf("provider %q: the policy %q lacks %q", provider, policy, want)
		}
	}
}

func TestTilesOfTheMapAreToldToThePageAndTheirHostIsAllowed(t *testing.T) {
	ask := func(tiles Tiles, address string) (string, string) {
		w := httptest.NewRecorder()
		Handler(func() string { return "" }, tiles).ServeHTTP(w, httptest.NewRequest("GET", "http://parking.example"+address, nil))
		return w.Body.String(), w.Header().Get("Content-Security-Policy")
	}
	for _, c := range []struct {
		tiles        Tiles
		told, origin string
	}{
		{Tiles{MaxZoom: 19}, `{}`, ""},
		{Tiles{"https://t.example/{z}/{x}/{y}.png", "© T", 19}, `{"tiles":{"url":"https://t.example/{z}/{x}/{y}.png","attribution":"© T","maxZoom":19}}`, " https://t.example"},
		{Tiles{"https://t.example:8443/{z}/{x}/{y}{ratio}.png?key=a", "", 20}, `{"tiles":{"url":"https://t.example:8443/{z}/{x}/{y}{ratio}.png?key=a","maxZoom":20}}`, " https://t.example:8443"},
		{Tiles{"/tiles/{z}/{x}/{y}.png", "", 14}, `{"tiles":{"url":"/tiles/{z}/{x}/{y}.png","maxZoom":14}}`, ""},
		{Tiles{"https://t.example;script-src */{z}/{x}/{y}", "", 14}, `{"tiles":{"url":"https://t.example;script-src */{z}/{x}/{y}","maxZoom":14}}`, ""},
	} {
		told, _ := ask(c.tiles, "/dashboard.json")
		if told != c.told {
			t.Errorf("%q is told as %s, not %s", c.tiles.URL, told, c.told)
		}
		_, policy := ask(c.tiles, "/map")
		for _, want := range []string{"img-src 'self'" + c.origin + ";", "wss://parking.example" + c.origin + ";"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%q: the policy %q lacks %q", c.tiles.URL, policy, want)
			}
		}
	}
}

// Hosts that are named and that nobody asks: the names of SVG and its kin, texts in the library that draws the map, and what a field shows as an example.
var unasked = map[string]bool{
	"http://www.w3.org":   true,
	"https://example.org": true,
	"https://github.com":  true, "https://maplibre.org": true, "https://maplibre.invalid": true, "https://wiki.openstreetmap.org": true,
}

func TestTheEmbeddedPageIsWholeAndAsksNoOtherHost(t *testing.T) {
	h := Handler(func() string { return "" }, Tiles{}).(dashboard).files
	index := string(h["/index.html"].plain.bytes)
	named := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(index, -1)
	if len(named) < 2 {
		t.Fatalf("index.html names only %d files: %s", len(named), index)
	}
	for _, match := range named {
		if _, ok := h[match[1]]; !ok && match[1] != "/api/v1/identity" { // which the platform answers
			t.Errorf("index.html names %s, which is not there", match[1])
		}
	}
	for address, f := range h {
		for _, host := range regexp.MustCompile(`https?://[A-Za-z0-9][A-Za-z0-9.-]*`).FindAllString(string(f.plain.bytes), -1) {
			if !unasked[host] {
				t.Errorf("%s names %s", address, host)
			}
		}
	}
	if regexp.MustCompile(`<script[^>]*>[^<]|<style| style=| on[a-z]+=`).MatchString(index) {
		t.Errorf("index.html has something inline that its own policy forbids: %s", index)
	}
}
