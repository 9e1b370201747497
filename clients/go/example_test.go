package parkwire_test

import (
	"context"
	"fmt"
	"log"
	"os"

	parkwire "parkwire/clients/go"
)

// The free spots of a lot, kept up to date.
func Example() {
	ctx := context.Background()
	client, err := parkwire.Connect(ctx, parkwire.Options{
		URLs:  []string{"http://localhost:5000"},
		Token: parkwire.StaticToken(os.Getenv("PARKWIRE_TOKEN")),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	central, err := client.Subscribe(parkwire.Filter{Lots: []string{"central"}}, parkwire.WithState())
	if err != nil {
		log.Fatal(err)
	}
	free := map[string]bool{}
	for message, err := range central.Messages(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch m := message.(type) {
		case parkwire.State: // the first message, and whenever everything is to be known anew
			clear(free)
			for _, spot := range m.Spots {
				free[spot.SpotID] = spot.Status == parkwire.Free
			}
		case parkwire.Event:
			free[m.SpotID] = m.Status == parkwire.Free
		}
		fmt.Println(free)
	}
}
