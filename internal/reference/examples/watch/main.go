package main

import (
	"context"
	"fmt"
	"log"

	parkwire "parkwire/clients/go"
)

func main() {
	ctx := context.Background()
	client, err := parkwire.Connect(ctx, parkwire.Options{URLs: []string{"http://localhost:5000"}})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	central, err := client.Subscribe(parkwire.Filter{Lots: []string{"central"}})
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range central.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.SpotID, event.Status)
	}
}
