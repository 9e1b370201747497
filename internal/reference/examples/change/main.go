package main

import (
	"crypto/rand"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	key := rand.Text() // one for each thing to be done, the same each time that it is tried
	for pause := time.Second; ; pause *= 2 {
		r, err := http.NewRequest("POST", "http://localhost:5000/api/v1/spots/A-017/close", nil)
		if err != nil {
			log.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+os.Getenv("PARKWIRE_TOKEN"))
		r.Header.Set("Idempotency-Key", key)
		answer, err := http.DefaultClient.Do(r)
		if err == nil && answer.StatusCode < 500 {
			log.Print(answer.Status, " ", answer.Header.Get("ETag"))
			return
		}
		time.Sleep(pause)
	}
}
