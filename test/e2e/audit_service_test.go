package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"

	"parkwire/test/e2e/stack"
)

// auditRecord is a record of the chain as an auditor reads it.
type auditRecord struct {
	Sequence                                                                                 int64
	Kind, Topic, Subject, Client, RequestID, ResourceType, ResourceID, SpotID, LotID, Action string
	Partition                                                                                int32
	Offset, Repeats                                                                          int64
	Value, Hash, Previous                                                                    string
	Before, After                                                                            map[string]any
}

// auditor asks as an administrator.
func auditor(t *testing.T, s *stack.Stack) stack.API {
	return stack.API{URL: s.URL, Token: s.TokenFor(t, "admin")}
}

// auditors are the processes that make the chain.
func auditors(s *stack.Stack) []*stack.Node {
	if s.One != nil {
		return []*stack.Node{s.One}
	}
	return s.Audit
}

// search reads all pages of a search.
func search(t *testing.T, api stack.API, query ...string) (all []auditRecord) {
	t.Helper()
	q := stack.Query(t, query...)
	for {
		var page struct {
			Items []auditRecord
			Next  string
		}
		api.Do(t, 200, "GET", "/api/v1/audit?"+q.Encode(), nil, &page)
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		q.Set("cursor", page.Next)
	}
}

// awaitAudit waits until a search finds as many records, and returns them.
func awaitAudit(t *testing.T, api stack.API, n int, query ...string) []auditRecord {
	t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if found := search(t, api, query...); len(found) >= n {
			return found
		} else if time.Since(began) > time.Minute {
			t.Fatalf("after a minute the audit chain has %d records of %d with %v", len(found), n, query)
		}
	}
}

// Every write that a client was answered has its record with who, from where, before and after, though the processes that make the chain are killed meanwhile. Nothing is in it
// twice, nothing is missing, and it verifies. Then one byte is changed in the store, and found.
func TestEveryWriteIsInTheAuditChainAndAChangedByteIsFound(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		if len(auditors(s)) == 0 {
			t.Skip("skipped: the stack has no audit service")
		}
		admin := auditor(t, s)
		spots := ids("k", 6)
		s.AddLot(t, "audited", spots...)
		changes := writeWhileAuditorsDie(t, s, spots)
		s.Do(t, 200, "PATCH", "/api/v1/lots/audited", map[string]string{"name": "Renamed"}, nil)
		s.Do(t, 204, "DELETE", "/api/v1/spots/"+spots[0], nil, nil)
		changes[spots[0]]++

		for _, spot := range spots {
			checkSpot(t, awaitAudit(t, admin, changes[spot], "spot", spot, "kind", "change", "order", "oldest"), spot, changes[spot])
		}
		lot := awaitAudit(t, admin, 2, "resource", "lot", "resource_id", "audited", "order", "oldest")
		if lot[0].Action != "added" || lot[1].Action != "changed" || lot[1].Before["name"] != "Lot audited" || lot[1].After["name"] != "Renamed" {
			t.Errorf("the lot's records are %+v", lot)
		}

		file := wholeChain(t, s, admin)
		verified := s.Command(t, time.Minute, "audit", "verify", "--head", headOf(t, admin))
		if !strings.HasPrefix(verified, "OK") {
			t.Errorf("verification says %s", verified)
		}
		if said := stack.Run(t, time.Minute, nil, stack.Binary(t), "audit", "verify", "--file", file); !strings.HasPrefix(said, "OK") {
			t.Errorf("verification of the export says %s", said)
		}

		s.Refused(t, 403, "GET", "/api/v1/audit", nil) // who may operate may not read it
		changed := changeByte(t, s, search(t, admin, "subject", lot[0].Subject, "spot", spots[1], "limit", "1")[0])
		code, output := s.CommandEnds(t, time.Minute, "audit", "verify")
		if want := fmt.Sprintf("record %d: its content is not what was hashed", changed.Sequence); code != 1 || !strings.Contains(output, want) || !strings.Contains(output, "expected "+changed.Hash) {
			t.Errorf("after a byte of record %d was changed verification ended with %d and said\n%s", changed.Sequence, code, output)
		}
	})
}

// writeWhileAuditorsDie closes and reopens spots, and kills the processes of the chain in the middle. It returns how many changes each spot has, its addition included.
func writeWhileAuditorsDie(t *testing.T, s *stack.Stack, spots []string) map[string]int {
	t.Helper()
	stop := make(chan struct{})
	var writers sync.WaitGroup
	answered := make([]atomic.Int64, len(spots)) // the newest version of each that a writer was answered
	for i, spot := range spots {
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond): // under the limit of requests
				}
				answer, err := s.Try("POST", "/api/v1/spots/"+spot+"/"+[]string{"close", "reopen"}[n%2], nil)
				if err != nil || answer.Status != 200 {
					continue // killed; it may have been done
				}
				var now stack.Spot
				if err := json.Unmarshal(answer.Body, &now); err == nil {
					answered[i].Store(now.Version)
				}
			}
		})
	}
	for range 3 {
		for _, n := range auditors(s) {
			before := answered[0].Load()
			until(t, "no writer is answered", func() bool { return answered[0].Load() >= before+2 }) // so that there is something in the middle of which it dies
			n.Kill(t)
			n.Restart(t)
		}
	}
	close(stop)
	writers.Wait()
	changes := map[string]int{}
	for i, spot := range spots {
		now := s.Spot(t, spot).Version
		if now < answered[i].Load() {
			t.Fatalf("%s is at version %d; %d was answered", spot, now, answered[i].Load())
		}
		changes[spot] = int(now)
	}
	return changes
}

// checkSpot makes sure that each change of a spot begins where the one before it ended.
func checkSpot(t *testing.T, records []auditRecord, spot string, n int) {
	t.Helper()
	if len(records) != n {
		t.Errorf("%s has %d records of %d changes", spot, len(records), n)
	}
	version := 0.0
	for i, r := range records {
		address, err := netip.ParseAddr(r.Client)
		if r.Subject == "" || r.RequestID == "" || r.ResourceType != "spot" || r.ResourceID != spot || r.LotID != "audited" || err != nil || !address.IsLoopback() {
			t.Errorf("change %d of %s is recorded as %+v", i, spot, r)
		}
		if (r.Before == nil) != (i == 0) || r.Before != nil && r.Before["version"] != version {
			t.Errorf("change %d of %s is from %v, behind version %v", i, spot, r.Before, version)
		}
		if r.After == nil {
			if r.Action != "removed" || i != len(records)-1 {
				t.Errorf("change %d of %s says not what the spot then was: %+v", i, spot, r)
			}
			continue
		}
		if version++; r.After["version"] != version {
			t.Errorf("change %d of %s is to version %v; %v was to come", i, spot, r.After["version"], version)
		}
	}
}

// wholeChain reads the chain by its export, makes sure that it has every record of both topics once, in their order, and returns it as a file.
func wholeChain(t *testing.T, s *stack.Stack, admin stack.API) (file string) {
	t.Helper()
	var text []byte
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		text = admin.Do(t, 200, "GET", "/api/v1/audit?format=ndjson&order=sequence", nil, nil).Body
		next, missing := map[string]int64{}, 0
		for i, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
			var r auditRecord
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if r.Sequence != int64(i+1) {
				t.Fatalf("record %d stands where %d was to stand", r.Sequence, i+1)
			}
			place := fmt.Sprintf("%s/%d", r.Topic, r.Partition)
			if r.Offset != next[place] || r.Kind == "gap" || r.Kind == "unreadable" {
				t.Fatalf("behind %d records of %s comes %+v", next[place], place, r)
			}
			next[place]++
		}
		ends := topicEnds(t, s)
		for place, end := range ends {
			missing += int(end - next[place])
		}
		if missing == 0 {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("after a minute %d records are not in the chain: it has %v of %v", missing, next, ends)
		}
	}
	file = filepath.Join(t.TempDir(), "audit.ndjson")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// topicEnds is how many records each partition of both topics has.
func topicEnds(t *testing.T, s *stack.Stack) map[string]int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	listed, err := kadm.NewClient(kafkaClient(t, s)).ListEndOffsets(ctx, s.Topic, s.AuditTopic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	ends := map[string]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[fmt.Sprintf("%s/%d", o.Topic, o.Partition)] = o.Offset })
	return ends
}

func headOf(t *testing.T, admin stack.API) string {
	t.Helper()
	var head struct{ Note string }
	admin.Do(t, 200, "GET", "/api/v1/audit/head", nil, &head)
	return head.Note
}

// changeByte changes one byte of the value of a record, in the file of SQLite as it lies on the disk, or in PostgreSQL with its guards taken away.
func changeByte(t *testing.T, s *stack.Stack, r auditRecord) auditRecord {
	t.Helper()
	if s.One == nil {
		changeInPostgres(t, s, r)
		return r
	}
	s.One.Stop(t) // what is in the journal goes into the file
	path := filepath.Join(s.DataDir(), "audit.db")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`"id":"[0-9a-f-]{36}"`).FindString(r.Value) // which stands in no other value
	found := false
	for at := range text { // SQLite leaves copies where it moves rows; they are of no use to anybody
		if id == "" || !bytes.HasPrefix(text[at:], []byte(id+`,"time"`)) {
			continue
		}
		found = true
		text[at+len(`"id":"`)] ^= 1
	}
	if !found {
		t.Fatalf("the value of record %d is not in %s as it is: %s", r.Sequence, path, r.Value)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

func changeInPostgres(t *testing.T, s *stack.Stack, r auditRecord) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	u, err := url.Parse(s.Database)
	if err != nil {
		t.Fatal(err)
	}
	table := pgx.Identifier{u.Query().Get("search_path") + "_audit", "audit_records"}.Sanitize()
	change := "update " + table + " set value = set_byte(value, 10, get_byte(value, 10) # 1) where sequence = $1"
	if _, err := conn.Exec(ctx, change, r.Sequence); err == nil || !strings.Contains(err.Error(), "never changed") {
		t.Errorf("an update by accident was answered with %v", err)
	}
	if _, err := conn.Exec(ctx, "alter table "+table+" disable trigger user"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, change, r.Sequence); err != nil {
		t.Fatal(err)
	}
}
