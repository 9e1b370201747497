package alerts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"parkwire/internal/alerts"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
)

// envChild has the settings of the process that the next test ends.
const envChild = "PARKWIRE_TEST_ALERTS_CHILD"

type childSettings struct {
	Log         kafkalog.Options
	URL, Schema string
}

// child runs the service until it is told to end, or killed.
func child() int {
	var settings childSettings
	if err := json.Unmarshal([]byte(os.Getenv(envChild)), &settings); err != nil {
		fmt.Println(err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	settings.Log.Logger = slog.New(slog.DiscardHandler)
	log, err := kafkalog.Open(settings.Log)
	if err != nil {
		fmt.Println(err)
		return 2
	}
	defer log.Close()
	db, err := sqldb.Open(sqldb.Options{URL: settings.URL, Schema: settings.Schema, Sets: alerts.Sets(), Logger: settings.Log.Logger})
	if err == nil {
		err = db.Start(ctx)
	}
	if err != nil {
		fmt.Println(err)
		return 2
	}
	defer db.Close()
	s, err := alerts.New(alerts.Options{Log: log, DB: db, Logger: settings.Log.Logger})
	if err != nil {
		fmt.Println(err)
		return 2
	}
	if err := s.Run(ctx); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// A decision is made once for each time that its spot becomes free, however the process that decides ends meanwhile: in order, or by SIGKILL in
// the middle of whatever it does.
func TestEachDecisionIsMadeOnceHoweverTheProcessEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const spots, restarts = 8, 12
		ada := by("ada")
		in := w.start()
		for i := range spots {
			w.occupied(fmt.Sprintf("x/1/s%d", i))
		}
		in.settle()
		for i := range spots {
			in.rule(ada, body{"target": body{"spotId": fmt.Sprintf("s%d", i)}})
			in.rule(ada, body{"name": "late", "target": body{"spotId": fmt.Sprintf("s%d", i)}, "condition": body{"type": "silent", "minutes": 0}})
		}
		in.settle()
		in.stop()
		in = w.reader()
		settings := childSettings{Log: w.topics, URL: w.options.URL, Schema: w.options.Schema}
		settings.Log.Logger = nil
		stop, stopped, room := make(chan struct{}), make(chan int), make(chan struct{}, 1)
		go func() { // the world goes on all the time
			rounds := 0
			defer func() { stopped <- rounds }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				for i := range spots {
					path := fmt.Sprintf("x/1/s%d", i)
					w.free(path)
					w.becomes(path, event.Unknown, event.ChangeSignalLost)
					w.occupied(path)
				}
				rounds++
				select { // lest there is more than a slow machine takes
				case <-stop:
				case <-room:
				}
			}
		}()
		decided := func() int { return len(in.decisions(ada)) }
		before := decided()
		for i := range restarts {
			// A group of its own spares it the wait for the end of a member that was killed. The database keeps them apart.
			settings.Log.GroupPrefix = fmt.Sprintf("%s-%d-", w.topics.Topic, i)
			text, err := json.Marshal(settings)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), envChild+"="+string(text))
			var said strings.Builder
			cmd.Stdout = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.until("the process decides", func() bool {
				select {
				case room <- struct{}{}:
				default:
				}
				return decided() > before+i
			})
			time.Sleep(time.Duration(i*17%50) * time.Millisecond) // it is ended wherever it is then
			how := os.Kill
			if i%3 == 0 {
				how = syscall.SIGTERM
			}
			if err := cmd.Process.Signal(how); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); (err != nil) != (how == os.Kill) {
				t.Errorf("after %v the process ended with %v: %s", how, err, said.String())
			}
			before = decided()
		}
		close(stop)
		rounds := <-stopped
		w.topics.GroupPrefix += "last-"
		w.log = logtest.Open(t, w.topics)
		in = w.start()
		in.settle()
		want := rounds * spots * 2
		in.says(ada, want)
		in.settle()
		perRule := map[string]int{}
		ids := map[any]bool{}
		for _, d := range in.decisions(ada) {
			perRule[fmt.Sprint(d["ruleId"])]++
			ids[d["id"]] = true
		}
		for id, n := range perRule {
			if n != rounds {
				t.Errorf("the rule %s spoke %d times, want %d", id, n, rounds)
			}
		}
		if len(ids) != want || len(perRule) != 2*spots {
			t.Errorf("there are %d ids of %d rules, want %d", len(ids), len(perRule), want)
		}
	})
}
