// Package load opens very many light clients of notifications, publishes events, and checks that every client gets every
// one of them once and in order. It measures how fast that is, and how much of the machine it took for itself.
package load

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Options configure [Run]. URLs, Clients and Err are required; [Defaults] has the rest.
type Options struct {
	URLs     []string // ws://HOST:PORT/PATH; clients are spread over all
	Token    string   // empty: as nobody
	Clients  int
	Protocol string        // one of Protocols
	Lots     int           // each client subscribes to one of so many; 0: to everything, and all events are of one lot
	Ramp     float64       // new connections a second; 0: as fast as the server takes them
	Patience time.Duration // how long to wait for something, such as the next client or the last frame, before giving up

	Publish string        // kafka://HOST:PORT[,HOST:PORT…]/TOPIC, redis://HOST:PORT/CHANNEL, or none
	Run     string        // names the events of this run; empty: a random name
	Size    int           // bytes of an event, at least: shorter ones are padded
	Pattern string        // some of Patterns, with commas: one after the other with the same clients
	Burst   int           // events of a burst
	Rounds  int           // of lone and burst
	Warmup  int           // events to every lot that are checked and not measured
	Rate    float64       // events a second of steady, waves and storm
	Events  int           // of these at most; 0: as many as For allows
	For     time.Duration // how long they publish, and idle holds; 0: until Events or ctx end it

	Cut   float64       // share of the clients that waves and storm disconnect
	Every time.Duration // how often
	Away  time.Duration // how long they stay away

	Sched     string // how the kernel schedules this: one of Schedulers
	Processes int    // that hold the clients; 0: as few as may open so many files, and one for each 16,000

	Command  []string  // the command line that runs [Child]; empty: this program with the arguments "load child"
	Err      io.Writer // gets the progress
	Terminal bool      // Err is one: the progress is a line that changes

	publisher publisher // of tests, instead of that of Publish
}

// What can be chosen.
var (
	Protocols  = []string{plain, v1, socketIO, centrifuge, sse}
	Patterns   = []string{lone, burst, steady, waves, storm, idle}
	Schedulers = []string{"batch", "other"}
)

const (
	plain      = "plain"
	v1         = "v1"
	socketIO   = "socketio"
	centrifuge = "centrifuge"
	sse        = "sse"

	lone   = "lone"
	burst  = "burst"
	steady = "steady"
	waves  = "waves"
	storm  = "storm"
	idle   = "idle"
)

// Bounds of what the kernel takes.
const (
	perProcess = 16_000 // clients of one process at most, where it may open more files
	perAddress = 12_500 // connections of a source address to one destination that go well
	maxLots    = 1_000_000
)

// Defaults returns options that fit a platform on one machine.
func Defaults() Options {
	return Options{
		Clients: 1000, Protocol: plain, Patience: 30 * time.Second, Publish: "none", Size: 180, Pattern: lone, Burst: 10, Rounds: 20, Warmup: 2,
		Rate: 100, For: 10 * time.Second, Cut: 0.5, Every: 3 * time.Second, Away: time.Second, Sched: "batch",
	}
}

// OptionError is an option that cannot be used.
type OptionError string

func (e OptionError) Error() string { return string(e) }

// ErrUnsupported is returned on systems without epoll.
var ErrUnsupported = errors.New("the light clients are made of Linux's epoll: run this on Linux")

// check fills in what was left open, and returns what is wrong with the options, by the names of the flags.
func (o *Options) check() error {
	rounds, unknown := "", false
	for _, pattern := range o.patterns() {
		unknown = unknown || !slices.Contains(Patterns, pattern)
		if pattern == lone || pattern == burst {
			rounds = pattern
		}
	}
	if o.Run == "" {
		o.Run = fmt.Sprintf("%04x", rand.N(0x10000))
	}
	for _, one := range []struct {
		wrong bool
		what  string
	}{
		{o.Clients < 1 || o.Clients > 3_000_000, "--clients: 1 to 3000000"},
		{len(o.URLs) == 0, "--url is missing; ws://localhost:5000/notifications is one"},
		{!slices.Contains(Protocols, o.Protocol), "--protocol: one of " + strings.Join(Protocols, ", ")},
		{unknown, "--pattern: one of " + strings.Join(Patterns, ", ") + "; or several with commas"},
		{!slices.Contains(Schedulers, o.Sched), "--sched: one of " + strings.Join(Schedulers, ", ")},
		{o.Lots < 0 || o.Lots > maxLots, fmt.Sprintf("--lots: 0 to %d", maxLots)},
		{!(o.Ramp >= 0), "--ramp: not below 0"},
		{o.Patience <= 0, "--patience: above 0"},
		{!plainName(o.Run), "--run: 1 to 16 letters and digits"},
		{o.Size < 0 || o.Size > 200_000, "--size: 0 to 200000"},
		{o.Burst < 1 || o.Burst > 100_000, "--burst: 1 to 100000"},
		{!(o.Rate > 0 && o.Rate <= 1_000_000), "--rate: above 0, up to 1000000"},
		{o.Rounds < 1, "--rounds: 1 or more"},
		{o.Events < 0, "--events: not below 0"},
		{o.Warmup < 0, "--warmup: not below 0"},
		{o.For < 0, "--duration: not below 0"},
		{!(o.Cut > 0 && o.Cut <= 1), "--cut: above 0, up to 1"},
		{o.Every <= 0, "--every: above 0"},
		{o.Away < 0 || o.Away >= o.Every && slices.Contains(o.patterns(), waves), "--away: not below 0, and less than --every"},
		{o.Processes < 0 || o.Processes > o.Clients, "--processes: 0 up to --clients"},
		{rounds != "" && o.listening(), "--publish is missing: --pattern " + rounds + " publishes each round when all have the last one; to listen only there are steady and idle"},
	} {
		if one.wrong {
			return OptionError(one.what)
		}
	}
	if _, _, err := parsePublish(o.Publish); err != nil {
		return OptionError("--publish: " + err.Error())
	}
	for _, text := range o.URLs {
		if _, err := parseURL(text, o.Protocol); err != nil {
			return OptionError("--url: " + err.Error())
		}
	}
	return nil
}

// patterns are what is played, in their order.
func (o *Options) patterns() []string { return strings.Split(o.Pattern, ",") }

// listening reports whether the events are published by somebody else.
func (o *Options) listening() bool { return o.Publish == "none" || o.Publish == "" }

func plainName(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 16
}

// parseURL reads an address of a server, and completes what the protocol wants to be in it.
func parseURL(text, protocol string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is no address; ws://localhost:5000/notifications is one", text)
	}
	switch u.Scheme {
	case "ws", "http":
	case "wss", "https":
		return nil, fmt.Errorf("%q asks for TLS, which the light clients do not speak: name the address behind whatever ends it", text)
	default:
		return nil, fmt.Errorf("%q must begin with ws:// or http://", text)
	}
	if u.Port() == "" {
		u.Host += ":80"
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = map[string]string{socketIO: "/socket.io/", centrifuge: "/connection/websocket"}[protocol]
		if u.Path == "" {
			u.Path = "/notifications"
		}
	}
	if protocol == socketIO {
		q := u.Query()
		q.Set("EIO", "4")
		q.Set("transport", "websocket")
		u.RawQuery = q.Encode()
	}
	return u, nil
}

// hardware says what a report was measured on.
func hardware() string {
	return fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
}
