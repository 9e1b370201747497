package stack

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Servers are the real servers under a distributed stack.
type Servers struct{ Kafka, Redis, Database string }

// RealServers reads from the environment where the servers are. It skips the test where one is missing, or fails
// it where the environment says that they must be there.
func RealServers(t T) Servers {
	t.Helper()
	s := Servers{os.Getenv(EnvKafka), os.Getenv(EnvRedis), os.Getenv(EnvDatabase)}
	for name, value := range map[string]string{EnvKafka: s.Kafka, EnvRedis: s.Redis, EnvDatabase: s.Database} {
		if value == "" {
			absent(t, name+" is not set")
		}
	}
	return s
}

// absent skips a test whose servers or programs are not there, or fails it where they must be.
func absent(t T, what string) {
	t.Helper()
	if os.Getenv(EnvDistributed) == "1" {
		t.Fatalf("%s, although %s=1 promises it", what, EnvDistributed)
	}
	t.Skipf("skipped: %s", what)
}

// Layout is how many processes of each part run, and through which proxies they reach the servers, where a test
// takes these away. Kafka's proxy only hides the address to begin at: brokers then name their own.
type Layout struct {
	Gateways, Parking, Live int
	History, Audit, Alerts  int // without any, the gateways know of no such service
	Kafka, Redis, Database  *Proxy
	// Env, if it is not nil, gives settings of one process by its name, such as "parking 1": "NAME=value".
	Env func(name string) []string
}

// Distributed starts NGINX in front of 2 gateways and 3 notification instances, 2 parking processes, and one of each further service,
// each a process of its own on the real servers, and waits until all are ready.
func Distributed(t T) *Stack {
	t.Helper()
	s := Assemble(t, RealServers(t), Layout{Gateways: 2, Parking: 2, Live: 3, History: 1, Audit: 1, Alerts: 1})
	s.StartAll(t)
	s.WaitAllReady(t)
	s.StartEdge(t)
	return s
}

// StartEdge starts NGINX, through which users come to the stack from now on.
func (s *Stack) StartEdge(t T) {
	t.Helper()
	s.Edge = NGINX(t, s)
	s.Edge.Restart(t)
	s.URL = s.Edge.URL
}

// Assemble prepares the processes of a distributed stack and starts none. Topics, channel and database schema
// are new, so that runs do not see each other. Without Redis or a database the bus is in memory and the database is SQLite,
// which serve one process of a part. URL is the first gateway. args are further settings of the gateways.
func Assemble(t T, servers Servers, layout Layout, args ...string) *Stack {
	t.Helper()
	run := "e2e-" + strings.ToLower(rand.Text()[:10])
	s := &Stack{
		Kafka: servers.Kafka, Redis: servers.Redis,
		Topic: run + "-events", SpotsTopic: run + "-spots", RejectedTopic: run + "-rejected", Channel: run + "-notifications",
		AuditTopic: run + "-audit", AccessTopic: run + "-access",
	}
	env := []string{
		"PARKWIRE_KAFKA_BROKERS=" + detour(t, servers.Kafka, layout.Kafka),
		"PARKWIRE_KAFKA_TOPIC=" + s.Topic, "PARKWIRE_KAFKA_SPOTS_TOPIC=" + s.SpotsTopic,
		"PARKWIRE_KAFKA_REJECTED_TOPIC=" + s.RejectedTopic, "PARKWIRE_KAFKA_AUDIT_TOPIC=" + s.AuditTopic,
		"PARKWIRE_KAFKA_ACCESS_TOPIC=" + s.AccessTopic, "PARKWIRE_KAFKA_GROUP=" + run, "PARKWIRE_SERVICES_PREFIX=" + run,
		"PARKWIRE_REDIS_URL=" + detour(t, cmp.Or(servers.Redis, "memory:"), layout.Redis), "PARKWIRE_REDIS_CHANNEL=" + s.Channel,
		"PARKWIRE_JWT_KEY=" + rand.Text() + rand.Text(),
	}
	files := t.TempDir()
	database := "sqlite:" + filepath.Join(files, "parkwire.db")
	if servers.Database != "" {
		database = ownSchema(t, servers.Database, strings.ReplaceAll(run, "-", "_"))
	} else {
		for _, further := range []string{"history", "audit", "alerts"} {
			env = append(env, fmt.Sprintf("PARKWIRE_%s_DATABASE_URL=sqlite:%s", strings.ToUpper(further), filepath.Join(files, further+".db")))
		}
	}
	s.Database = database
	env = append(env, "PARKWIRE_DATABASE_URL="+detour(t, database, layout.Database))
	t.Cleanup(func() { dropTopics(t, s) }) // after the processes, which are cleaned up first
	with := func(name string) []string {
		if layout.Env == nil {
			return env
		}
		return slices.Concat(env, layout.Env(name))
	}
	for i := range layout.Parking {
		s.Parking = append(s.Parking, newNode(t, numbered("parking", i), "parking", with(numbered("parking", i)), "--data-dir", t.TempDir()))
	}
	for i := range layout.Live {
		proxied := Address(Port(t))
		n := newNode(t, numbered("notifications", i), "notifications", with(numbered("notifications", i)), "--data-dir", t.TempDir(), "--listen-proxied", proxied)
		n.Proxied = proxied
		s.Live = append(s.Live, n)
	}
	behind := []string{"--parking-urls", list(s.Parking), "--live-urls", list(s.Live)}
	for _, further := range []struct {
		name  string
		n     int
		nodes *[]*Node
	}{{"history", layout.History, &s.History}, {"audit", layout.Audit, &s.Audit}, {"alerts", layout.Alerts, &s.Alerts}} {
		for i := range further.n {
			name := numbered(further.name, i)
			*further.nodes = append(*further.nodes, newNode(t, name, further.name, with(name), "--data-dir", t.TempDir()))
		}
		if further.n > 0 {
			behind = append(behind, "--"+further.name+"-urls", list(*further.nodes))
		}
	}
	for i := range layout.Gateways {
		s.Gateways = append(s.Gateways, newNode(t, numbered("gateway", i), "gateway", with(numbered("gateway", i)),
			slices.Concat([]string{"--data-dir", t.TempDir()}, behind, args)...))
	}
	s.tokenEnv = env
	s.API = API{URL: s.Gateways[0].URL, Token: s.TokenFor(t, "operate")}
	return s
}

// DatabaseThrough is how the stack's database is reached through a proxy.
func (s *Stack) DatabaseThrough(t T, proxy *Proxy) string { return detour(t, s.Database, proxy) }

// detour returns the address of a server, a URL or "host:port", as it is reached through the proxy, if there is one.
func detour(t T, address string, proxy *Proxy) string {
	t.Helper()
	if proxy == nil {
		return address
	}
	if !strings.Contains(address, "://") {
		return proxy.Addr
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = proxy.Addr
	return u.String()
}

// ProxyTo makes a proxy, cut, to the server of an address: a URL, or the first of a list of "host:port".
func ProxyTo(t T, address string) *Proxy {
	t.Helper()
	first, _, _ := strings.Cut(address, ",")
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		first = u.Host
	}
	return NewProxy(t, first)
}

// Nodes are all processes of a distributed stack.
func (s *Stack) Nodes() []*Node {
	return slices.Concat(s.Parking, s.Live, s.History, s.Audit, s.Alerts, s.Gateways)
}

// StartAll starts every process, in no order that would matter.
func (s *Stack) StartAll(t T) {
	t.Helper()
	for _, n := range s.Nodes() {
		n.Start(t)
	}
}

// WaitAllReady waits until every process is ready.
func (s *Stack) WaitAllReady(t T) {
	t.Helper()
	for _, n := range s.Nodes() {
		n.WaitReady(t)
	}
}

// ownSchema makes a schema of the database that goes when the test ends, and returns the URL that uses it.
func ownSchema(t T, database, name string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatalf("connecting to the database of %s: %v", EnvDatabase, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "create schema "+name); err != nil {
		t.Fatalf("making a schema: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, database)
		if err == nil {
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, fmt.Sprintf("drop schema if exists %s, %[1]s_history, %[1]s_audit, %[1]s_alerts cascade", name)) // the further services made theirs
		}
		if err != nil {
			t.Logf("the schema %s was left behind: %v", name, err)
		}
	})
	u, err := url.Parse(database)
	if err != nil {
		t.Fatalf("%s: %v", EnvDatabase, err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func dropTopics(t T, s *Stack) {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(s.Kafka, ",")...))
	if err != nil {
		t.Logf("the topics of %s were left behind: %v", s.Topic, err)
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := kadm.NewClient(client).DeleteTopics(ctx, s.Topic, s.SpotsTopic, s.RejectedTopic, s.AuditTopic, s.AccessTopic); err != nil {
		t.Logf("the topics of %s were left behind: %v", s.Topic, err)
	}
}

// program returns the path of a program, and skips the test where it is not installed.
func program(t T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		absent(t, fmt.Sprintf("the program %s is not installed", name))
	}
	return path
}
