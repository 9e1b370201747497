// Package web is the dashboard: the files that "npm run build" makes in this folder, inside the binary.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parkwire/internal/problem"
)

//go:embed all:dist
var dist embed.FS

// Lock is the package-lock.json of the packages that dist is built of.
//
//go:embed package-lock.json
var Lock []byte

// Handler serves the dashboard. Addresses inside the page, such as /lots/central, are answered
// with the page itself; a file that is not there, with 404.
//
// provider returns the origin of the OpenID provider's token endpoint, which the page must reach where people sign in; "" where they do
// not. It is asked for each answer, as a provider may be known late, and must not block. tiles lie under the map.
func Handler(provider func() string, tiles Tiles) http.Handler {
	files, err := load(dist)
	if err == nil {
		err = files.tell(tiles)
	}
	if err != nil {
		panic("the embedded dashboard cannot be read: " + err.Error()) // was checked when it was built
	}
	return dashboard{files, provider, tiles.origin()}
}

// Tiles says where the raster tiles of the map are. Without a URL there are none.
type Tiles struct {
	URL         string `json:"url"` // with {z}, {x} and {y}; without a host: on the page's own
	Attribution string `json:"attribution,omitempty"`
	MaxZoom     int    `json:"maxZoom"`
}

// origin is the host that the page asks for tiles; "" where it is its own, or there are none.
func (t Tiles) origin() string {
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(t.URL))
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// tell adds the file that tells the page what is set about it: a page that nobody writes into needs no policy for what is written into it.
func (f files) tell(tiles Tiles) error {
	var settings struct {
		Tiles *Tiles `json:"tiles,omitempty"`
	}
	if tiles.URL != "" {
		settings.Tiles = &tiles
	}
	content, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	f["/dashboard.json"], err = newFile("dashboard.json", content)
	return err
}

type dashboard struct {
	files
	provider func() string
	tiles    string // origin
}

// file is one file as it is sent.
type file struct {
	mediaType    string
	cacheControl string
	plain        body
	gzip         body // without bytes where compressing is not worth it
}

type body struct {
	bytes []byte
	etag  string
}

// files has them by their address: "/index.html", "/assets/…".
type files map[string]file

func load(from fs.FS) (files, error) {
	root, err := fs.Sub(from, "dist")
	if err != nil {
		return nil, err
	}
	loaded := files{}
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		loaded["/"+name], err = newFile(name, content)
		return err
	})
	if err == nil && loaded["/index.html"].plain.bytes == nil {
		err = fmt.Errorf("index.html: %w", fs.ErrNotExist)
	}
	return loaded, err
}

func newFile(name string, content []byte) (file, error) {
	sum := sha256.Sum256(content)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	f := file{
		mediaType:    mediaType(name),
		cacheControl: "no-cache", // may be kept, but is asked for again each time: the service worker too, or an old page would live on
		plain:        body{content, `"` + tag + `"`},
	}
	if strings.HasPrefix(name, "assets/") { // their names change with their content
		f.cacheControl = "public, max-age=31536000, immutable"
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return file{}, err
	}
	if _, err := w.Write(content); err != nil {
		return file{}, err
	}
	if err := w.Close(); err != nil {
		return file{}, err
	}
	if packed.Len() < len(content)*9/10 {
		f.gzip = body{packed.Bytes(), `"` + tag + `-gzip"`}
	}
	return f, nil
}

// mediaType does not ask the system, whose tables differ from machine to machine.
func mediaType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json":
		return "application/json"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	case ".png":
		return "image/png"
	default:
		if known := mime.TypeByExtension(ext); known != "" {
			return known
		}
		return "application/octet-stream"
	}
}

func (d dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		problem.Write(w, r, problem.New(http.StatusMethodNotAllowed, "method-not-allowed", "The dashboard is read with GET or HEAD."))
		return
	}
	f, ok := d.find(r.URL.Path)
	if !ok {
		problem.Write(w, r, problem.New(http.StatusNotFound, "not-found", "There is no such file."))
		return
	}
	header := w.Header()
	secure(header, r.Host, d.provider(), d.tiles)
	header.Set("Content-Type", f.mediaType)
	header.Set("Cache-Control", f.cacheControl)
	send := f.plain
	if f.gzip.bytes != nil {
		header.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			header.Set("Content-Encoding", "gzip")
			send = f.gzip
		}
	}
	header.Set("ETag", send.etag)
	if matches(r.Header.Get("If-None-Match"), send.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(send.bytes)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(send.bytes) // the client is gone: nobody is left to tell
	}
}

// withID begins the addresses that end in an id, which may have a dot.
var withID = []string{"/lots/", "/spots/", "/manage/lots/"}

// find returns the file for an address. The page looks at its own address when it runs, so every address that
// does not look like a file's is the page's; where an id may stand also those with a dot.
func (f files) find(address string) (file, bool) {
	if found, ok := f[address]; ok {
		return found, true
	}
	isFile := strings.HasPrefix(address, "/assets/") || path.Ext(address) != ""
	hasID := slices.ContainsFunc(withID, func(prefix string) bool { return strings.HasPrefix(address, prefix) })
	if isFile && !hasID {
		return file{}, false
	}
	return f["/index.html"], true
}

// What may stand in a content security policy.
var (
	plainHost   = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)
	plainOrigin = regexp.MustCompile(`^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)
)

// secure forbids the page everything that it does not need. Its WebSocket goes to the host it came from, which
// 'self' does not include in all browsers yet; tokens come from the provider, and tiles from their host, where there is one.
func secure(header http.Header, host, provider, tiles string) {
	connect, images := "'self' ws: wss:", "'self'"
	if plainHost.MatchString(host) {
		connect = "'self' ws://" + host + " wss://" + host
	}
	if plainOrigin.MatchString(provider) {
		connect += " " + provider
	}
	if plainOrigin.MatchString(tiles) {
		connect += " " + tiles
		images += " " + tiles
	}
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src "+images+"; worker-src 'self'; manifest-src 'self'; "+
		"connect-src "+connect+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// acceptsGzip reads Accept-Encoding as far as clients use it: a list in which "q=0" refuses.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, parameter, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(parameter)), "q="), 64)
		return err != nil || q > 0
	}
	return false
}

// matches reports whether one of the tags of If-None-Match is etag.
func matches(ifNoneMatch, etag string) bool {
	for tag := range strings.SplitSeq(ifNoneMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}
