package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

type reading struct {
	SpotID     string    `json:"spotId"`
	Occupied   bool      `json:"occupied"`
	ObservedAt time.Time `json:"observedAt"`
	SensorID   string    `json:"sensorId,omitempty"`
}

func main() {
	body, err := json.Marshal([]reading{{SpotID: "A-017", Occupied: true, ObservedAt: time.Now(), SensorID: "s-9f3"}})
	if err != nil {
		log.Fatal(err)
	}
	r, err := http.NewRequest("POST", "http://localhost:5000/api/v1/observations", bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+os.Getenv("PARKWIRE_TOKEN"))
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r) // where this fails, send the same again: it does no harm
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	io.Copy(os.Stdout, answer.Body)
}
