package websocket

// Ready is what a [Poller] has to tell of a connection.
type Ready uint8

// What there may be to tell. It may not be so any more, or of an earlier connection with the same number: to try is what shows it.
const (
	Readable Ready = 1 << iota
	Writable       // again, after a write that would have had to wait
	Ended          // the peer will send nothing more, or is gone: to read to the end shows it
)
