// Package verify shows whether a running platform keeps its promise of delivery: that a client which keeps its cursor sees
// every change that was acknowledged to a writer, in order for each spot, once, whatever ends meanwhile.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parkwire/internal/client"
	"parkwire/internal/progress"
)

// Options configure [Run]. URL and Err are required; [Defaults] has the rest.
type Options struct {
	URL        string   // the platform: REST, and notifications unless ListenURLs are given
	ListenURLs []string // further addresses of notifications; clients are spread over all, and move on when they lose one
	Token      string   // with the scope operate

	Spots   int
	Writers int           // each spot has one
	Rate    float64       // changes a second, of all writers together
	Batch   int           // 1: each change is an action of an operator; more: as many are readings of one request
	For     time.Duration // how long is written; 0: until ctx ends
	Clients int
	SSE     int // of the clients, those of server-sent events
	V1      int // of the clients, those that subscribe by parkwire.v1
	// Snapshot is how many further ones do so and begin anew now and then, with a snapshot.
	Snapshot int
	Late     time.Duration // from the request to the frame; what takes longer is counted, and is no failure
	Settle   time.Duration // how long clients may take to get the last of it when nothing is written any more

	Marks    <-chan struct{} // the operator begins a new phase; nil: nobody does
	Err      io.Writer       // gets the progress
	Terminal bool            // Err is one: the progress is a line that changes
}

// Defaults returns options that fit a platform on one machine.
func Defaults() Options {
	return Options{Spots: 100, Writers: 4, Rate: 50, Batch: 1, For: 30 * time.Second, Clients: 20, Late: time.Second, Settle: 30 * time.Second}
}

// check returns what is wrong with the options, by the names of the flags.
func (o Options) check() error {
	for _, one := range []struct {
		wrong bool
		what  string
	}{
		{o.Spots < 1 || o.Spots > 100_000, "--spots: 1 to 100000"},
		{o.Writers < 1 || o.Writers > o.Spots, "--writers: 1 up to one for each spot"},
		{!(o.Rate > 0 && o.Rate <= 100_000), "--rate: above 0, up to 100000"},
		{o.Batch < 1 || o.Batch > o.Spots/max(o.Writers, 1), "--batch: 1 up to the spots of a writer"},
		{o.For < 0, "--duration: not below 0"},
		{o.Clients < 1 || o.Clients > 100_000, "--clients: 1 to 100000"},
		{o.SSE < 0 || o.SSE > o.Clients, "--sse: 0 up to --clients"},
		{o.V1 < 0 || o.SSE+o.V1 > o.Clients, "--v1: 0 up to --clients less --sse"},
		{o.Snapshot < 0 || o.SSE+o.V1+o.Snapshot > o.Clients, "--snapshot: 0 up to --clients less --sse and --v1"},
		{o.Late <= 0, "--late: above 0"},
		{o.Settle <= 0, "--settle: above 0"},
	} {
		if one.wrong {
			return OptionError(one.what)
		}
	}
	return nil
}

// OptionError is an option that cannot be used.
type OptionError string

func (e OptionError) Error() string { return string(e) }

// AllConnected is what Run writes to Err once every client has been connected, for who waits for that.
const AllConnected = "all clients are connected"

const (
	// patience is how long what must be done is tried again: adding the lot, the last reads, removing the lot.
	patience = 30 * time.Second
	// linger is how long is waited for repetitions when everything has come, at most.
	linger = time.Second
)

// A verifier is what the goroutines of a run share.
type verifier struct {
	Options
	lot       string
	asked     bool // for the lot, so that it must be removed
	spots     []*spot
	decoder   *decoder
	timeline  *timeline
	findings  findings
	began     time.Time
	quick     *client.Client // says at once when something fails
	patient   *client.Client
	addresses []*client.Client // where clients listen
	dialing   chan struct{}
	connected atomic.Int64
	checks    sync.WaitGroup // connections that are being checked
	ready     chan struct{}  // closed when every client has been connected
}

func (v *verifier) now() time.Duration { return time.Since(v.began) }

// Run verifies, removes what it added, and reports. When ctx ends it stops writing and reports on what was. It returns an
// error when nothing can be said, such as that the platform cannot be reached.
func Run(ctx context.Context, o Options) (Report, error) {
	if err := o.check(); err != nil {
		return Report{}, err
	}
	v := &verifier{Options: o, lot: newLotID(), timeline: newTimeline(), began: time.Now(), dialing: make(chan struct{}, dials), ready: make(chan struct{})}
	v.spots = makeSpots(v.lot, o.Spots, o.Rate)
	v.decoder = newDecoder(v.spots)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = o.Writers + removeWith
	defer transport.CloseIdleConnections()
	if err := v.makeClients(transport); err != nil {
		return Report{}, err
	}
	cursor, err := v.addLot(ctx)
	if err == nil {
		err = v.verify(ctx, cursor)
	}
	report := v.report()
	removing := v.removeLot(context.WithoutCancel(ctx))
	if err != nil {
		return Report{}, errors.Join(client.Advise(err, "operate"), removing)
	}
	if removing != nil { // which says nothing about delivery
		fmt.Fprintln(o.Err, removing)
	}
	return report, nil
}

func (v *verifier) makeClients(transport http.RoundTripper) (err error) {
	if v.quick, err = client.New(client.Options{URL: v.URL, Token: v.Token, Transport: transport, Patience: -1}); err != nil {
		return OptionError("--url: " + err.Error())
	}
	waiting := func(err error) { fmt.Fprintf(v.Err, "%v; trying again\n", err) }
	if v.patient, err = client.New(client.Options{URL: v.URL, Token: v.Token, Transport: transport, Patience: patience, Waiting: waiting}); err != nil {
		return OptionError("--url: " + err.Error())
	}
	v.addresses = []*client.Client{v.quick}
	for _, url := range v.ListenURLs {
		c, err := client.New(client.Options{URL: url, Token: v.Token, Transport: transport})
		if err != nil {
			return OptionError("--listen-url: " + err.Error())
		}
		v.addresses = append(v.addresses, c)
	}
	return nil
}

// verify connects the clients, writes, and waits until they have seen it all, or Settle is over.
func (v *verifier) verify(ctx context.Context, cursor string) error {
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	clients, listening := errgroup.WithContext(listening)
	listeners := make([]*listener, v.Clients)
	for i := range listeners {
		listeners[i] = newListener(v, i, cursor)
		clients.Go(func() error { return listeners[i].run(listening) })
	}
	var aside sync.WaitGroup
	aside.Go(func() { v.watch(listening, listeners) })

	err := v.allConnected(ctx, listening)
	if err == nil {
		close(v.ready)
		err = v.write(ctx, listening)
	}
	if err == nil {
		v.settle(listening, listeners)
	}
	stop()
	if refused := clients.Wait(); refused != nil {
		err = refused // the cause goes before its effects
	}
	aside.Wait()
	v.checks.Wait()
	if err == nil {
		v.findings.lost(v, listeners)
	}
	return err
}

// allConnected waits until every client has been connected once, as fast as a crowd of them can be.
func (v *verifier) allConnected(ctx, listening context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience+time.Duration(v.Clients)*10*time.Millisecond)
	defer cancel()
	for v.connected.Load() < int64(v.Clients) {
		select {
		case <-listening.Done():
			return context.Cause(listening)
		case <-ctx.Done():
			return fmt.Errorf("%d of %d clients could connect", v.connected.Load(), v.Clients)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// write lets the writers write for as long as is asked, and makes sure that everything acknowledged is known.
func (v *verifier) write(ctx, listening context.Context) error {
	writing, cancel := context.WithCancel(ctx)
	defer cancel()
	if v.For > 0 {
		defer time.AfterFunc(v.For, cancel).Stop()
	}
	defer context.AfterFunc(listening, cancel)()
	var writers errgroup.Group
	for i := range v.Writers {
		writers.Go(func() error {
			w := newWriter(v, i)
			w.run(writing)
			return w.finish(listening)
		})
	}
	return writers.Wait()
}

// settle waits until every client has seen everything, and a moment longer for what comes once more.
func (v *verifier) settle(ctx context.Context, listeners []*listener) {
	deadline := time.Now().Add(v.Settle)
	rest := listeners // the books of those before are complete
	for len(rest) > 0 && time.Now().Before(deadline) {
		if rest[0].book.complete(v.spots) {
			rest = rest[1:]
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(min(linger, v.Settle)):
	}
}

// watch looks after phases and silent connections, and tells the progress, until ctx ends.
func (v *verifier) watch(ctx context.Context, listeners []*listener) {
	line := progress.NewLine(v.Err, v.Terminal, time.Second)
	defer line.Clear()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	ready := v.ready
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ready:
			line.Clear()
			fmt.Fprintf(v.Err, "%s (%d)\n", AllConnected, v.Clients)
			ready = nil
			continue
		case <-v.Marks:
			v.timeline.mark(v.now())
			continue
		case <-ticker.C:
		}
		v.timeline.calm(v.now())
		if line.Due() {
			line.Show(v.soFar())
		}
		if n%10 == 0 {
			for _, l := range listeners {
				l.checkConnection(ctx, time.Now())
			}
		}
	}
}
