// Package bus is how the live instances hear of events without each of them reading the
// log: one publisher at a time sends, every instance hears. It may lose messages (the
// log does not), but what a subscriber hears is in the order of publication.
package bus

import (
	"context"
	"errors"
)

// Channel is the name under which events are published, for buses that have names.
// Other programs subscribe to it and publish on it, so it never changes.
const Channel = "notifications"

// ErrClosed is returned by calls on a bus after Close.
var ErrClosed = errors.New("the bus is closed")

// Bus is one end of the bus. Its methods may be called by several goroutines.
type Bus interface {
	// Publish sends messages in order, in one round trip, and returns nil only when the bus
	// took all of them. After an error any number of them, from the first on, may have
	// been taken. The bus keeps no reference to them.
	Publish(ctx context.Context, messages ...[]byte) error

	// Subscribe calls handle in order, in one goroutine, for each message until ctx ends or
	// the bus is closed, and returns that reason. It reconnects by itself: status, which may
	// be nil, is told true when messages flow from now on and false when they no longer do,
	// at each change, never at the same time as another call of status. A message belongs
	// to handle, which may keep it but not change it.
	Subscribe(ctx context.Context, handle func(message []byte), status func(connected bool)) error

	// Ready returns nil, or why messages cannot be published at present.
	Ready() error

	// Close ends every subscription and releases what the bus holds.
	Close() error
}
