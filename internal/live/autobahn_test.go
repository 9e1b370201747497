package live

import (
	"bytes"
	"compress/flate"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"parkwire/internal/websocket"
	"parkwire/test/conformance"
)

// Every case ends as RFC 6455 and RFC 7692 want it, on each engine.
//
// Not run are 13.3 and 13.5: they offer nothing but server_max_window_bits=9, which the server declines, as it may.
func TestAutobahnCases(t *testing.T) {
	runner := conformance.Runner(t)
	onEachEngine(t, func(t *testing.T) {
		t.Run("RFC 6455", func(t *testing.T) {
			conformance.Run(t, runner, startEcho(t), 301, "1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*")
		})
		if engineOf(t) != engines()[0] && !conformance.Whole() {
			return
		}
		t.Run("RFC 7692", func(t *testing.T) {
			conformance.Run(t, runner, startEcho(t), len(compressedCases()), compressedCases()...)
		})
	})
}

// compressedCases are those of all data and all offers that can be served. The last number is one of 18 ways to cut 1,000 messages of a size.
func compressedCases() (cases []string) {
	ways := []int{1, 5} // 16 bytes and 4 KB
	if conformance.Whole() {
		ways = ways[:0]
		for way := 1; way <= 18; way++ {
			ways = append(ways, way)
		}
	}
	for _, section := range []string{"12.1", "12.2", "12.3", "12.4", "12.5", "13.1", "13.2", "13.4", "13.6", "13.7"} {
		for _, way := range ways {
			cases = append(cases, fmt.Sprint(section, ".", way))
		}
	}
	return cases
}

// startEcho starts a service whose clients get back what they say, and returns its address.
func startEcho(t *testing.T) string {
	s := start(t, func(o *Options) { o.Compression = true })
	s.service.hear = echo
	s.service.maxMessage = 32 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = PathNotifications
		s.service.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func echo(c *client, m websocket.Message) error {
	if m.Op != websocket.Text && m.Op != websocket.Binary {
		return c.handle(m)
	}
	frame := c.encoding.finish(websocket.AppendFrame(nil, m.Op, m.Payload), 0)
	if c.encoding.isDeflated() && frame[0]&rsv1 == 0 {
		frame = stored(m)
	}
	c.mu.Lock()
	c.more().control = append(c.more().control, frame...)
	c.mu.Unlock()
	c.loop.attend(c)
	return nil
}

// stored is a message that gets no shorter, as DEFLATE without compression: kosoku 0.1.0 fails in the cases of compression by itself ("Strings
// must be encoded before hashing") where an answer is not compressed, which the server is free to do.
func stored(m websocket.Message) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.NoCompression)
	_, _ = w.Write(m.Payload)
	_ = w.Flush()
	payload := bytes.TrimSuffix(out.Bytes(), []byte("\x00\x00\xff\xff"))
	return append(websocket.AppendHeader(nil, rsv1|m.Op, len(payload)), payload...)
}
