package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
)

type page struct {
	Items []struct {
		SpotID string `json:"spotId"`
		Status string `json:"status"`
	} `json:"items"`
	Next string `json:"next"`
}

func main() {
	query := url.Values{"lot": {"central"}, "status": {"free"}}
	for {
		var p page
		if err := get("http://localhost:5000/api/v1/spots?"+query.Encode(), &p); err != nil {
			log.Fatal(err)
		}
		for _, spot := range p.Items {
			fmt.Println(spot.SpotID, spot.Status)
		}
		if p.Next == "" {
			return
		}
		query.Set("cursor", p.Next)
	}
}

func get(address string, to any) error {
	answer, err := http.Get(address)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(to)
}
