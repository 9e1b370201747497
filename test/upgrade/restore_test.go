package upgrade

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parkwire/test/e2e/stack"
)

// command returns a block of docs/backup.md by its name.
func command(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(stack.Root(), "docs", "backup.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^```sh " + name + "\n(.*?)^```$").FindSubmatch(text)
	if found == nil {
		t.Fatalf("docs/backup.md has no block %s", name)
	}
	return string(found[1])
}

// operator types what the document says into a shell, in a folder in which `parkwire` is the program under test.
type operator struct {
	folder string
	env    []string
}

func newOperator(t *testing.T, env ...string) operator {
	t.Helper()
	o := operator{t.TempDir(), env}
	if err := os.Symlink(stack.Binary(t), filepath.Join(o.folder, "parkwire")); err != nil {
		t.Fatal(err)
	}
	return o
}

// finds lets the operator have a data folder.
func (o operator) finds(t *testing.T, data string) {
	t.Helper()
	if err := os.Symlink(data, filepath.Join(o.folder, "data")); err != nil {
		t.Fatal(err)
	}
}

func (o operator) does(t *testing.T, block string) string {
	t.Helper()
	program(t, "bash")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-euc", command(t, block))
	shell.Dir = o.folder
	shell.Env = append(append(stack.Environ(), o.env...), "PATH="+o.folder+":"+os.Getenv("PATH"))
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", block, err, out)
	}
	return string(out)
}

// program skips, or fails where it was promised, without a program.
func program(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv(stack.EnvDistributed) == "1" {
		t.Fatalf("the program %s is not installed", name)
	}
	t.Skipf("skipped: the program %s is not installed", name)
}

// lived is a platform with a past: something before a backup, and everything that can happen after it.
type lived struct {
	s       *stack.Stack
	admin   stack.API
	client  *stack.Listener
	revoked apiKey // after the backup
	made    apiKey // after the backup
	state   map[string]string
}

type apiKey struct{ ID, Secret string }

func begin(t *testing.T, s *stack.Stack) *lived {
	t.Helper()
	l := &lived{s: s, admin: s.API}
	l.admin.URL, l.admin.Token = s.URL, s.TokenFor(t, "admin")
	l.client = s.WebSocket(t)
	l.do(t, 201, "POST", "lots", `{"id":"central","name":"Central","timeZone":"Europe/Berlin"}`, nil)
	var spots []string
	for i := range 20 {
		spots = append(spots, fmt.Sprintf(`{"spotId":"A-%02d"}`, i))
	}
	l.do(t, 201, "POST", "lots/central/spots", "["+strings.Join(spots, ",")+"]", nil)
	l.do(t, 201, "POST", "keys", `{"name":"lost","scopes":["read"]}`, &l.revoked)
	for i := range 10 {
		l.do(t, 200, "POST", fmt.Sprintf("spots/A-%02d/occupy", i), "", nil)
	}
	return l
}

func (l *lived) do(t *testing.T, status int, method, path, body string, into any) {
	t.Helper()
	var sent any
	if body != "" {
		sent = body
	}
	l.admin.Do(t, status, method, "/api/v1/"+path, sent, into)
}

// goOn is what happens after the backup.
func (l *lived) goOn(t *testing.T) {
	t.Helper()
	for _, step := range []string{"A-00/release", "A-00/occupy", "A-00/release", "A-01/close", "A-02/fault", "A-03/close", "A-03/reopen", "A-10/occupy"} {
		l.do(t, 200, "POST", "spots/"+step, "", nil)
	}
	l.do(t, 200, "PUT", "spots/A-11/reservation", `{"reference":"R-1","until":"2099-01-01T00:00:00Z"}`, nil)
	l.do(t, 200, "PUT", "spots/A-12/reservation", `{"reference":"R-2"}`, nil)
	l.do(t, 200, "DELETE", "spots/A-12/reservation", "", nil)
	l.do(t, 204, "DELETE", "spots/A-13", "", nil)
	l.do(t, 204, "DELETE", "spots/A-14", "", nil)
	l.do(t, 201, "POST", "lots/central/zones", `{"id":"L1","name":"Level 1","level":1}`, nil)
	l.do(t, 201, "POST", "lots/central/spots", `[{"spotId":"A-14","zoneId":"L1","name":"again","category":"electric","location":{"lat":52.5,"lon":13.4}}]`, nil)
	patch(t, l.admin, "/api/v1/spots/A-15", `{"name":"fifteen","category":"family","heartbeatSeconds":3600}`)
	patch(t, l.admin, "/api/v1/lots/central", `{"name":"Central Garage","timeZone":"Europe/Berlin"}`)
	l.do(t, 201, "POST", "lots", `{"id":"north","name":"North","timeZone":"UTC"}`, nil)
	l.do(t, 201, "POST", "lots/north/spots", `[{"spotId":"N-1"},{"spotId":"N-2"}]`, nil)
	l.do(t, 201, "POST", "sensors", `{"id":"a1b2c3d4e5f60718","model":"decoded","spotId":"N-1"}`, nil)
	l.do(t, 200, "POST", "spots/N-2/occupy", "", nil)
	l.do(t, 204, "DELETE", "keys/"+l.revoked.ID, "", nil)
	l.do(t, 201, "POST", "keys", `{"name":"new","scopes":["read"]}`, &l.made)
	l.client.Spot(t, "N-2", 2)
	l.state = l.everything(t)
	eventually(t, "the key that was revoked to be refused", func() bool { return l.refusal(t, l.revoked) != "" }) // gateways hear of it a moment later
}

// everything is what REST says of lots, zones, spots and sensors.
func (l *lived) everything(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, path := range []string{"lots", "lots/central/zones", "lots/central/spots", "lots/north/spots", "sensors", "spots/A-00/history", "spots/A-14/history"} {
		var page struct{ Items []json.RawMessage }
		l.do(t, 200, "GET", path+"?limit=1000", "", &page)
		for i, item := range page.Items {
			var about struct {
				ID, SpotID string
				Version    int64
			}
			if err := json.Unmarshal(item, &about); err != nil {
				t.Fatal(err)
			}
			// Who it was events do not say.
			text := regexp.MustCompile(`,"by":"[^"]*"`).ReplaceAllString(string(item), "")
			all[fmt.Sprint(path, " ", cmp.Or(about.ID, about.SpotID, fmt.Sprint(i)))] = text
		}
	}
	return all
}

// refusal is why a key is not taken; "" where it is.
func (l *lived) refusal(t *testing.T, key apiKey) string {
	t.Helper()
	as := l.admin
	as.Token = key.Secret
	answer, err := as.Try("GET", "/api/v1/lots", nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status == 200 {
		return ""
	}
	return string(answer.Body)
}

// isBack checks that nothing is missing after a restore, and that the platform goes on where it was.
func (l *lived) isBack(t *testing.T, said string) {
	t.Helper()
	if !strings.Contains(said, "parking is where the log is") {
		t.Errorf("the rebuild said %s", said)
	}
	now := l.everything(t)
	for what, before := range l.state {
		if now[what] != before {
			t.Errorf("%s is\n%s\nand was\n%s", what, now[what], before)
		}
	}
	if len(now) != len(l.state) {
		t.Errorf("there are %d things, and were %d: %v", len(now), len(l.state), now)
	}
	eventually(t, "the key that was revoked to be refused, and the new one to be taken", func() bool { return l.refusal(t, l.revoked) != "" && l.refusal(t, l.made) == "" })
	before := l.admin.Spot(t, "A-00").Version
	if after := l.admin.Act(t, "A-00", "occupy").Version; after != before+1 {
		t.Errorf("version %d follows %d", after, before)
	}
	removed := l.admin
	removed.Do(t, 201, "POST", "/api/v1/lots/central/spots", `[{"spotId":"A-13"}]`, nil)
	if v := l.admin.Spot(t, "A-13").Version; v != 3 { // added, removed, added
		t.Errorf("a spot that had been removed goes on with version %d", v)
	}
}

// seesEachOnce checks what a client with a cursor from before everything gets.
func (l *lived) seesEachOnce(t *testing.T, frames []stack.Frame) {
	t.Helper()
	next := map[string]int64{}
	for _, f := range frames {
		if f.Version != next[f.SpotID]+1 {
			t.Errorf("%s/%d follows version %d", f.SpotID, f.Version, next[f.SpotID])
		}
		next[f.SpotID] = f.Version
	}
}

func TestADatabaseOfPostgreSQLIsRestoredAndRebuiltFromTheLog(t *testing.T) {
	servers := stack.RealServers(t)
	program(t, "pg_dump")
	servers.Database = ownDatabase(t, servers.Database)
	s := stack.Assemble(t, servers, stack.Layout{Gateways: 1, Parking: 2, Live: 1, History: 1, Audit: 1})
	s.StartAll(t)
	s.WaitAllReady(t)
	l := begin(t, s)
	who := newOperator(t, append(s.Environment(), "DATABASE_URL="+servers.Database)...)
	who.does(t, "postgres-backup")
	l.goOn(t)
	nodes := append(append(append([]*stack.Node(nil), s.Parking...), s.History...), s.Audit...)
	for _, n := range nodes {
		n.Stop(t)
	}
	who.does(t, "postgres-restore")
	said := who.does(t, "rebuild")
	for _, n := range nodes {
		n.Restart(t)
	}
	l.isBack(t, said)
	l.seesEachOnce(t, l.client.Spot(t, "A-13", 3)) // it was connected all the time
	if code, out := s.CommandEnds(t, time.Minute, "rebuild", "parking"); code != 1 || !strings.Contains(out, "a parking process works with this database") {
		t.Errorf("a rebuild beside parking processes: exit code %d, %s", code, out)
	}
}

// ownDatabase makes a database that goes when the test ends, and returns where it is.
func ownDatabase(t *testing.T, server string) string {
	t.Helper()
	name := "restored_" + strings.ToLower(rand.Text()[:10])
	execute := func(ctx context.Context, query string) {
		conn, err := pgx.Connect(ctx, server)
		if err == nil {
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, query)
		}
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	execute(t.Context(), "create database "+name)
	t.Cleanup(func() { execute(context.Background(), "drop database if exists "+name+" with (force)") })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func TestADatabaseOfSQLiteIsRestoredAndRebuiltFromTheLog(t *testing.T) {
	program(t, "sqlite3")
	who := newOperator(t)
	s := stack.Embedded(t)
	who.finds(t, s.DataDir())
	who.env = append(who.env, s.Environment()...)
	l := begin(t, s)
	who.does(t, "sqlite-backup")
	l.goOn(t)
	frames := l.client.Frames()
	s.One.Stop(t)
	said := who.does(t, "sqlite-restore")
	s.One.Restart(t)
	l.client = s.WebSocket(t, "after", frames[len(frames)-1].Cursor)
	l.isBack(t, said)
	l.seesEachOnce(t, append(frames, l.client.Spot(t, "A-13", 3)...))
}

func TestAFolderIsRestored(t *testing.T) {
	who := newOperator(t)
	s := stack.Embedded(t)
	data := s.DataDir()
	who.finds(t, data)
	l := begin(t, s)
	l.goOn(t)
	frames := l.client.Frames()
	s.One.Stop(t)
	who.does(t, "folder-backup")
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	who.does(t, "folder-restore")
	s.One.Restart(t)
	l.client = s.WebSocket(t, "after", frames[len(frames)-1].Cursor)
	l.isBack(t, "parking is where the log is") // without a rebuild
	l.seesEachOnce(t, append(frames, l.client.Spot(t, "A-13", 3)...))
}
