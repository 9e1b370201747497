// Package parkwire is the Go client of Parkwire's notifications: it tells a program, the moment it happens, that a parking spot was
// added, occupied or released, and goes on telling it when servers die.
//
//	client, err := parkwire.Connect(ctx, parkwire.Options{URLs: []string{"http://localhost:5000"}})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	central, err := client.Subscribe(parkwire.Filter{Lots: []string{"central"}})
//	if err != nil {
//		return err
//	}
//	for event, err := range central.Events(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(event.SpotID, event.Status)
//	}
//
// # What is promised
//
// A subscription sees every change that matches its filter, in order for each spot, once, whatever happens to connections
// and servers meanwhile. A lost connection is won again at the next of [Options.URLs], and what happened meanwhile is sent then; what
// comes twice is dropped by spot and version. Where that cannot be kept it is said: by a [State] with a reason (the log does not reach back, so here is
// everything anew), by [ErrCursorExpired] (the same, for a subscription without [WithState]), by [Conflated] (this program reads too slowly), and by [Gap], which
// no platform in order causes.
//
// A subscription that begins with the state ([WithState]) gets one [State] and then every change behind it, with no seam between. To go on where an
// earlier process stopped, keep [Subscription.Cursor] and give it to [After].
//
// # How it behaves
//
// All subscriptions of a [Client] share one WebSocket (subprotocol parkwire.v1) and one goroutine that reads it. Nothing is read ahead of the program by more than [Options.Buffer] bytes a
// subscription: one that is not read holds up the others of its client, and then the platform leaves out what is no longer the newest and says so. Use a further client for what is read at another pace.
//
// The first try after a lost connection waits a random time of up to a second, and each further one up to twice as long as the one before,
// 15 s at most; where the platform says how long to wait, that is done instead. A connection on which nothing comes for three heartbeats is given up.
package parkwire
