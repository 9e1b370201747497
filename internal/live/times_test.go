//go:build linux

package live

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"parkwire/internal/websocket"
)

func (w *slowStand) stillThere(after time.Duration, want int) {
	w.Helper()
	time.Sleep(after)
	synctest.Wait()
	if n := w.clients(); n != want {
		w.Fatalf("%v later %d clients are there, not %d", after, n, want)
	}
}

func TestAnIdleClientIsPingedOnceAnInterval(t *testing.T) {
	slowly(t, "", nil, func(w *slowStand) {
		pings := 0
		for range 3600 {
			time.Sleep(time.Second)
			b, _ := w.tap.take(4096)
			for range bytes.Count(b, websocket.AppendFrame(nil, websocket.Ping, nil)) {
				pings++
				w.tap.say([]byte{0x80 | byte(websocket.Pong), 0x80, 0, 0, 0, 0})
			}
			synctest.Wait()
		}
		if pings < 118 || pings > 120 || w.clients() != 1 {
			t.Errorf("in an hour came %d pings; %d clients", pings, w.clients())
		}
	})
}

func TestWhoSaysNothingForThreeIntervalsIsCut(t *testing.T) {
	slowly(t, "", nil, func(w *slowStand) {
		time.Sleep(10 * time.Second)
		w.say("the last word")
		w.stillThere(89*time.Second, 1)
		w.stillThere(2*time.Second, 0)
	})
}

// Whoever was too slow to answer a ping has three intervals again when all is taken.
func TestWhoTakesWhatWaitsIsAlive(t *testing.T) {
	slowly(t, "", nil, func(w *slowStand) {
		for range 100 {
			w.write(1)
		}
		w.stillThere(110*time.Second, 1)
		for range 100 {
			w.tap.take(4096)
			synctest.Wait()
		}
		w.stillThere(88*time.Second, 1)
		w.stillThere(3*time.Second, 0)
	})
}

func TestWhoDoesNotAnswerACloseFrameIsCutSoon(t *testing.T) {
	slowly(t, "", nil, func(w *slowStand) {
		go w.s.Drain(w.Context())
		synctest.Wait()
		if _, code := w.read(4096); code != 1012 {
			t.Fatalf("closed with %d", code)
		}
		w.stillThere(closeWait-time.Millisecond, 1)
		w.stillThere(2*maxTick, 0)
	})
}

func TestWhoDoesNotEvenTakeACloseFrameIsCut(t *testing.T) {
	slowly(t, "", nil, func(w *slowStand) {
		for range 100 {
			w.write(1)
		}
		go w.s.Drain(w.Context())
		synctest.Wait()
		w.stillThere(writeWait+closeWait-time.Millisecond, 1)
		w.stillThere(2*maxTick, 0)
	})
}
