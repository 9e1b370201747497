package feeds

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"parkwire/internal/rest"
)

// content is what a document says.
type content struct {
	kind   string // media type
	body   []byte
	header http.Header // beside those that all have; nil: none
}

// document is content that is kept: its tag is a digest of the bytes, so that the same bytes have the same one on every instance and after every
// restart, whatever happened elsewhere meanwhile.
type document struct {
	content
	version string
	etag    string
	since   time.Time // when this process first had it so

	zip    sync.Once
	zipped []byte
}

func newDocument(c content, version string, since time.Time) *document {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%s\n%v\n", c.kind, c.header) // a hash takes everything
	_, _ = sum.Write(c.body)
	return &document{content: c, version: version, etag: fmt.Sprintf(`"%x"`, sum.Sum(nil)[:12]), since: since}
}

// zipFrom is the length from which compressing is worth it.
const zipFrom = 512

// size is what keeping the document takes, about, in bytes: the compressed body too, which is made when somebody asks for it.
func (d *document) size(key string) int {
	return len(key) + len(d.version) + len(d.body) + len(d.body)/4 + 1024
}

// gzipped returns the compressed body; nil where the plain one is not longer.
func (d *document) gzipped() []byte {
	if len(d.body) < zipFrom {
		return nil
	}
	d.zip.Do(func() {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(d.body) // into memory
		_ = z.Close()
		if b.Len() < len(d.body) {
			d.zipped = b.Bytes()
		}
	})
	return d.zipped
}

// gzipTag is the tag of the compressed body: a strong one is of bytes as they are sent.
func (d *document) gzipTag() string { return strings.TrimSuffix(d.etag, `"`) + `-gzip"` }

// has reports whether a client that shows these tags has the document.
func (d *document) has(r *http.Request) bool {
	return rest.IfNoneMatch(r, d.etag) || rest.IfNoneMatch(r, d.gzipTag())
}

// lastModified returns since when the document says this. It is told only when that is two seconds ago: a time of whole seconds says nothing of
// what changed again in the same second.
func (d *document) lastModified(now time.Time) (time.Time, bool) {
	return d.since.Truncate(time.Second), now.Sub(d.since) >= 2*time.Second
}

// held reports whether the client has the document, by its tags, or without any by the time.
func (d *document) held(r *http.Request, modified time.Time, known bool) bool {
	if len(r.Header.Values("If-None-Match")) > 0 {
		return d.has(r)
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && known && !modified.After(since)
}

const (
	maxKept     = 64 << 20 // bytes of all documents
	maxDocument = 4 << 20  // of one that is kept
	buildTime   = 20 * time.Second
)

// cache keeps the newest version of each document that was asked for.
type cache struct {
	now     func() time.Time
	metrics *metrics
	flights singleflight.Group

	mu    sync.Mutex
	kept  map[string]*document
	bytes int
}

func newCache(now func() time.Time, m *metrics) *cache {
	return &cache{now: now, metrics: m, kept: map[string]*document{}}
}

// get returns a document, which is built once for each version however many ask.
func (c *cache) get(ctx context.Context, key, version string, build func(context.Context) (content, error)) (*document, error) {
	if d := c.look(key); d != nil && d.version == version {
		return d, nil
	}
	// Whoever asked first may go away; the others, who wait for the same, do not.
	flight := c.flights.DoChan(version+"\n"+key, func() (any, error) {
		if d := c.look(key); d != nil && d.version == version { // the flight before ended meanwhile
			return d, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), buildTime)
		defer cancel()
		made, err := build(ctx)
		if err != nil {
			return nil, err
		}
		c.metrics.built.Inc()
		return c.keep(key, version, made), nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-flight:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*document), nil
	}
}

func (c *cache) look(key string) *document {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept[key]
}

func (c *cache) keep(key, version string, made content) *document {
	d := newDocument(made, version, c.now())
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.kept[key]
	if before != nil {
		c.bytes -= before.size(key)
		delete(c.kept, key)
		if before.etag == d.etag { // nothing changed that is told here
			d.since = before.since
		}
	}
	if len(d.body) > maxDocument {
		return d
	}
	if c.bytes+d.size(key) > maxKept { // rare: who asks for so much that it does not fit builds it again
		clear(c.kept)
		c.bytes = 0
	}
	c.kept[key] = d
	c.bytes += d.size(key)
	return d
}
