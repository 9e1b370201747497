package main

import (
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	file, err := os.Open("spots.csv")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	r, err := http.NewRequest("POST", "http://localhost:5000/api/v1/lots/central/spots:import?createZones=1", file)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+os.Getenv("PARKWIRE_TOKEN"))
	r.Header.Set("Content-Type", "text/csv")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	io.Copy(os.Stdout, answer.Body) // what was added and changed, and each bad row with its line
}
