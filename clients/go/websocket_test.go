package parkwire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	parkwire "parkwire/clients/go"
)

// A real WebSocket: the handshake, the token, what is sent, and how it is closed.
func TestOverARealWebSocket(t *testing.T) {
	closed := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer right" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(401)
			fmt.Fprint(w, `{"type":"urn:parkwire:problem:unauthorized","title":"Unauthorized","detail":"The token is not valid."}`)
			return
		}
		if r.URL.Path != "/behind/notifications" || r.URL.RawQuery != "" {
			w.WriteHeader(404)
			return
		}
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"parkwire.v1"}})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		write := func(text string) { _ = conn.Write(r.Context(), websocket.MessageText, []byte(text)) }
		write(`{"type":"Welcome","protocol":"parkwire.v1","cursor":"c0","heartbeatMs":30000}`)
		_, message, _ := conn.Read(r.Context())
		if got := string(message); got != `{"type":"Subscribe","id":"1","lot":["central"],"status":["free"],"snapshot":true}` {
			t.Errorf("it sent %s", got)
		}
		write(`{"type":"Subscribed","id":"1","cursor":"c0"}`)
		write(`{"type":"Snapshot","id":"1","events":[{"spotId":"A","status":"free","lotId":"central","version":2}],"complete":true,"cursor":"c5"}`)
		write(`{"type":"Events","events":[{"spotId":"A","status":"free","lotId":"central","version":4,"extra":[1]}],"cursor":"c7"}`)
		_, _, err = conn.Read(r.Context())
		closed <- err
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var refused *parkwire.RefusedError
	_, err := parkwire.Connect(ctx, parkwire.Options{URLs: []string{server.URL}, Token: parkwire.StaticToken("wrong")})
	if !errors.As(err, &refused) || refused.Code != "unauthorized" || refused.Message != "The token is not valid." {
		t.Errorf("with a wrong token: %v", err)
	}
	_, err = parkwire.Connect(ctx, parkwire.Options{URLs: []string{"localhost:5000"}})
	if err == nil || !strings.Contains(err.Error(), "http://localhost:5000 is one") {
		t.Errorf("with no address: %v", err)
	}

	client, err := parkwire.Connect(ctx, parkwire.Options{URLs: []string{server.URL + "/behind/"}, Token: parkwire.StaticToken("right")})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	free, err := client.Subscribe(parkwire.Filter{Lots: []string{"central"}, Statuses: []parkwire.Status{parkwire.Free}}, parkwire.WithState())
	if err != nil {
		t.Fatal(err)
	}
	var versions []int64
	for event, err := range free.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if versions = append(versions, event.Version); event.Version == 4 {
			if event.Cursor != "c7" || !json.Valid(event.Raw) || !strings.Contains(string(event.Raw), "extra") {
				t.Errorf("the event is %+v", event)
			}
			break
		}
	}
	if fmt.Sprint(versions) != "[2 4]" || free.Cursor() != "c7" {
		t.Errorf("%v came, cursor %s", versions, free.Cursor())
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if code := websocket.CloseStatus(<-closed); code != websocket.StatusNormalClosure {
		t.Errorf("the server saw the close code %d", code)
	}
}

func TestAServerOfPlainEventsAloneIsSaidToBeOne(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, err := websocket.Accept(w, r, nil); err == nil {
			defer conn.CloseNow()
			_, _, _ = conn.Read(r.Context())
		}
	}))
	defer server.Close()
	if _, err := parkwire.Connect(t.Context(), parkwire.Options{URLs: []string{server.URL}}); !errors.Is(err, parkwire.ErrProtocol) {
		t.Errorf("%v", err)
	}
}
