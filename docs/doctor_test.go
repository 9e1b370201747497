package docs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"parkwire/internal/certificate/certificatetest"
	"parkwire/internal/doctor"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/parking/postgres"
	"parkwire/internal/sqldb/sqldbtest"
	"parkwire/test/e2e/stack"
)

// broken is a deployment with one thing that is broken.
type broken struct {
	what   string
	target string
	// make breaks it, and returns the settings; names are what stands in the document in the place of what was the test's.
	make  func(t *testing.T, names map[string]string) []string
	shell string       // before the command, such as a limit
	check string       // that must find it
	state doctor.State // "": broken
	says  string       // among other words
}

func deployments() []broken {
	return []broken{
		{what: "A setting is misspelt, and one is missing", target: "parking", check: "configuration", says: "kafka-brokers: it is missing",
			make: func(_ *testing.T, _ map[string]string) []string {
				return []string{"PARKWIRE_KAFKA_BROKER=kafka-1:9092", "--database-url", "postgres://db/parkwire"}
			}},
		{what: "Nothing runs at the address of Kafka", target: "history", check: "kafka", says: "refused",
			make: func(t *testing.T, names map[string]string) []string {
				return history(t, rename(names, stack.Address(stack.Port(t)), "kafka-1:9092"))
			}},
		{what: "Kafka advertises an address that only it can reach", target: "history", check: "kafka", says: "calls itself",
			make: func(t *testing.T, names map[string]string) []string {
				gone := rename(names, stack.Address(stack.Port(t)), "localhost:9092")
				listen := stack.Address(stack.Port(t))
				b, err := kafkalog.StartBroker(t.Context(), kafkalog.BrokerOptions{Dir: t.TempDir(), Listen: listen, Advertise: gone, Logger: logtest.Logger()})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { b.Close() })
				return history(t, rename(names, listen, "kafka-1:9092"))
			}},
		{what: "The twin with the present state is not compacted", target: "history", check: "kafka", says: "must be compacted",
			make: func(t *testing.T, names map[string]string) []string {
				return history(t, kafkaWith(t, names, topic{name: "parking-spots", partitions: 6, config: map[string]string{"cleanup.policy": "delete"}}))
			}},
		{what: "The log is compacted", target: "history", check: "kafka", says: "finds holes",
			make: func(t *testing.T, names map[string]string) []string {
				return history(t, kafkaWith(t, names, topic{name: "parking-events", partitions: 6, config: map[string]string{"cleanup.policy": "compact"}}))
			}},
		{what: "The log is kept for an hour, and clients are promised a week", target: "history", check: "kafka", state: doctor.Warning, says: "is kept for 1h0m0s",
			make: func(t *testing.T, names map[string]string) []string {
				return history(t, kafkaWith(t, names, topic{name: "parking-events", partitions: 6, config: map[string]string{"cleanup.policy": "delete", "retention.ms": "3600000"}}))
			}},
		{what: "The topic of keys was made by hand, with six partitions", target: "history", check: "kafka", says: "must have one",
			make: func(t *testing.T, names map[string]string) []string {
				return history(t, kafkaWith(t, names, topic{name: "parking-access", partitions: 6, config: map[string]string{"cleanup.policy": "compact"}}))
			}},
		{what: "Three Kafka servers, and one has the only replica", target: "history", check: "kafka", state: doctor.Warning, says: "one replica",
			make: func(t *testing.T, names map[string]string) []string {
				c, err := kfake.NewCluster(kfake.NumBrokers(3))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(c.Close)
				makeTopics(t, c.ListenAddrs(), topic{name: "parking-events", partitions: 6, config: map[string]string{"cleanup.policy": "delete"}})
				brokers := rename(names, strings.Join(c.ListenAddrs(), ","), "kafka-1:9092,kafka-2:9092,kafka-3:9092")
				return history(t, brokers)
			}},
		{what: "Redis wants another password", target: "notifications", check: "redis", says: "WRONGPASS",
			make: func(t *testing.T, names map[string]string) []string {
				address := redisThat(t, map[string]string{"HELLO": "-WRONGPASS invalid username-password pair or user is disabled.", "AUTH": "-WRONGPASS invalid username-password pair or user is disabled."})
				return notifications(t, names, "redis://parkwire:old@"+rename(names, address, "redis:6379"))
			}},
		{what: "The address of Redis leads to a replica", target: "notifications", check: "redis", says: "replica",
			make: func(t *testing.T, names map[string]string) []string {
				address := redisThat(t, map[string]string{"HELLO": hello("replica")})
				return notifications(t, names, "redis://"+rename(names, address, "redis:6379"))
			}},
		{what: "The user of Redis may not use the channel", target: "notifications", check: "redis", says: "NOPERM",
			make: func(t *testing.T, names map[string]string) []string {
				address := redisThat(t, map[string]string{"PUBLISH": "-NOPERM No permissions to access a channel"})
				return notifications(t, names, "redis://"+rename(names, address, "redis:6379"))
			}},
		{what: "The same where the channel is sharded", target: "notifications", check: "redis", says: "NOPERM",
			make: func(t *testing.T, names map[string]string) []string {
				address := redisThat(t, map[string]string{"SPUBLISH": "-NOPERM No permissions to access a channel"})
				return append(notifications(t, names, "redis://"+rename(names, address, "redis:6379")), "--redis-sharded")
			}},
		{what: "The clock of a server is five minutes ahead", target: "notifications", check: "clock", says: "ahead of",
			make: func(t *testing.T, names map[string]string) []string {
				address := redisThat(t, map[string]string{"TIME": "+ahead"})
				return notifications(t, names, "redis://"+rename(names, address, "redis:6379"))
			}},
		{what: "The certificate has expired", target: "all", check: "certificate", says: "expired at",
			make: func(t *testing.T, names map[string]string) []string {
				cert, key := certificatetest.Make(t, "parking.example.org", time.Now().Add(-time.Hour))
				return secured(t, names, cert, key)
			}},
		{what: "The certificate is for another name", target: "all", check: "certificate", says: "refuse the certificate",
			make: func(t *testing.T, names map[string]string) []string {
				cert, key := certificatetest.Make(t, "old.example.org", time.Now().Add(365*24*time.Hour))
				return secured(t, names, cert, key)
			}},
		{what: "The key for tokens is too short", target: "all", check: "keys", says: "needs at least",
			make: func(t *testing.T, names map[string]string) []string {
				file := filepath.Join(t.TempDir(), "jwt.key")
				write(t, file, "secret\n", 0o600)
				return one(t, names, "--jwt-key-file", rename(names, file, "/etc/parkwire/jwt.key"))
			}},
		{what: "The key for tokens can be read by everybody", target: "all", check: "keys", state: doctor.Warning, says: "every user",
			make: func(t *testing.T, names map[string]string) []string {
				file := filepath.Join(t.TempDir(), "jwt.key")
				write(t, file, strings.Repeat("k", 44)+"\n", 0o644)
				return one(t, names, "--jwt-key-file", rename(names, file, "/etc/parkwire/jwt.key"))
			}},
		{what: "The process may open 1,024 files, and shall take 100,000 clients", target: "all", check: "machine", state: doctor.Warning, says: "this process may open 1024 files", shell: "ulimit -n 1024",
			make: func(t *testing.T, names map[string]string) []string { return one(t, names) }},
		{what: "Ten million clients, and the memory of sockets as the kernel has it by default with 24 GB", target: "all", check: "machine", state: doctor.Warning, says: "net.ipv4.tcp_mem lets all sockets",
			make: func(t *testing.T, names map[string]string) []string {
				text, err := os.ReadFile("/proc/sys/net/ipv4/tcp_mem")
				fields := strings.Fields(string(text))
				if err != nil || len(fields) != 3 {
					t.Skip("no kernel of Linux, or one that does not show it")
				}
				rename(names, "have "+fields[2]+" pages", "have 575802 pages")
				return one(t, names, "--live-max-clients", "10000000")
			}},
		{what: "Another program has the address", target: "all", check: "addresses", says: "in use by another program",
			make: func(t *testing.T, names map[string]string) []string {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { l.Close() })
				return one(t, names, "--listen", rename(names, l.Addr().String(), ":5000"))
			}},
		{what: "data-dir is a file", target: "all", check: "data-dir", says: "is a file",
			make: func(t *testing.T, names map[string]string) []string {
				file := filepath.Join(t.TempDir(), "data")
				write(t, file, "", 0o600)
				return one(t, names, "--data-dir", rename(names, file, "/var/lib/parkwire"))
			}},
		{what: "The file of a database is damaged", target: "all", check: "database", says: "parkwire.db",
			make: func(t *testing.T, names map[string]string) []string {
				dir := t.TempDir()
				write(t, filepath.Join(dir, "parkwire.db"), strings.Repeat("not a database ", 1000), 0o600)
				return one(t, names, "--data-dir", rename(names, dir, "/var/lib/parkwire"))
			}},
		{what: "A notification instance has another key than the gateway", target: "gateway", check: "live instances", says: "refuses a token",
			make: func(t *testing.T, names map[string]string) []string {
				live := rename(names, instance(t), "http://live-1:5000")
				return gateway(t, names, "--live-urls", live, "--parking-urls", live)
			}},
		{what: "The address of an instance leads to another program", target: "gateway", check: "parking instances", says: "is another program",
			make: func(t *testing.T, names map[string]string) []string {
				s := httptest.NewServer(http.NotFoundHandler())
				t.Cleanup(s.Close)
				url := rename(names, s.URL, "http://parking-1:5000")
				return gateway(t, names, "--live-urls", url, "--parking-urls", url)
			}},
		{what: "The provider calls itself something else", target: "gateway", check: "oidc", says: "is the description of",
			make: func(t *testing.T, names map[string]string) []string {
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "application/json")
					io.WriteString(w, `{"issuer":"https://login.example.org/realms/parking","jwks_uri":"https://login.example.org/keys","authorization_endpoint":"https://login.example.org/a","token_endpoint":"https://login.example.org/t"}`)
				}))
				t.Cleanup(s.Close)
				url := rename(names, s.URL, "https://login.example.org")
				return gateway(t, names, "--live-urls", "http://127.0.0.1:1", "--parking-urls", "http://127.0.0.1:1", "--oidc-issuer", url, "--oidc-audience", "parkwire")
			}},
		{what: "The schema of the database is not there", target: "parking", check: "database", says: "none of the schemas",
			make: func(t *testing.T, names map[string]string) []string {
				return parking(t, names, database(t, names, map[string]string{"search_path": "missing"}))
			}},
		{what: "PostgreSQL acknowledges what no disk has", target: "parking", check: "database", says: "synchronous_commit is off",
			make: func(t *testing.T, names map[string]string) []string {
				return parking(t, names, database(t, names, map[string]string{"search_path": "public", "synchronous_commit": "off"}))
			}},
		{what: "The database is read only", target: "parking", check: "database", says: "read only",
			make: func(t *testing.T, names map[string]string) []string {
				return parking(t, names, database(t, names, map[string]string{"search_path": "public", "default_transaction_read_only": "on"}))
			}},
		{what: "A newer version of Parkwire has migrated the database", target: "parking", check: "database", state: doctor.Warning, says: "a newer version of Parkwire was here",
			make: func(t *testing.T, names map[string]string) []string {
				schema := sqldbtest.Postgres(t, nil).Schema
				conn, err := pgx.Connect(t.Context(), os.Getenv(stack.EnvDatabase))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close(context.Background())
				for _, query := range []string{"create schema " + schema, "create table " + schema + ".goose_db_version (version_id bigint, is_applied boolean)",
					fmt.Sprintf("insert into %s.goose_db_version values (%d, true)", schema, postgres.Newest()+1)} {
					if _, err := conn.Exec(t.Context(), query); err != nil {
						t.Fatal(err)
					}
				}
				return parking(t, names, database(t, names, map[string]string{"search_path": rename(names, schema, "parkwire")}))
			}},
	}
}

func rename(names map[string]string, ours, theirs string) string { names[ours] = theirs; return ours }

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

// free are settings with addresses that nobody uses.
func free(t *testing.T) []string {
	return []string{"--listen", stack.Address(stack.Port(t)), "--admin-listen", stack.Address(stack.Port(t))}
}

func one(t *testing.T, _ map[string]string, more ...string) []string {
	return slices.Concat(free(t), []string{"--kafka-listen", stack.Address(stack.Port(t)), "--data-dir", t.TempDir()}, more)
}

func secured(t *testing.T, names map[string]string, cert, key []byte) []string {
	certFile, keyFile := certificatetest.Write(t, t.TempDir(), cert, key)
	return one(t, names, "--tls-cert-file", certFile, "--tls-key-file", keyFile, "--hosts", "parking.example.org")
}

func history(t *testing.T, brokers string) []string {
	return append(free(t), "--kafka-brokers", brokers, "--history-database-url", "sqlite:"+filepath.Join(t.TempDir(), "history.db"))
}

func notifications(t *testing.T, names map[string]string, redis string) []string {
	return append(free(t), "--kafka-brokers", kafkaWith(t, names), "--redis-url", redis)
}

func parking(t *testing.T, names map[string]string, database string) []string {
	return append(free(t), "--kafka-brokers", kafkaWith(t, names), "--database-url", database)
}

func gateway(t *testing.T, names map[string]string, more ...string) []string {
	file := filepath.Join(t.TempDir(), "jwt.key")
	write(t, file, strings.Repeat("g", 44)+"\n", 0o600)
	return slices.Concat(free(t), []string{"--jwt-key-file", rename(names, file, "/etc/parkwire/jwt.key")}, more)
}

// topic is one that is made by hand.
type topic struct {
	name       string
	partitions int32
	config     map[string]string
}

func kafkaWith(t *testing.T, names map[string]string, topics ...topic) string {
	b := logtest.Broker(t, "")
	makeTopics(t, []string{b.Addr()}, topics...)
	return rename(names, b.Addr(), "kafka-1:9092")
}

func makeTopics(t *testing.T, brokers []string, topics ...topic) {
	t.Helper()
	client := logtest.Client(t, brokers)
	defer client.Close()
	for _, one := range topics {
		config := map[string]*string{}
		for key, value := range one.config {
			config[key] = &value
		}
		if _, err := kadm.NewClient(client).CreateTopic(t.Context(), one.partitions, 1, config, one.name); err != nil {
			t.Fatal(err)
		}
	}
}

// database is the server of the tests with parameters of its sessions.
func database(t *testing.T, names map[string]string, parameters map[string]string) string {
	t.Helper()
	o := sqldbtest.Postgres(t, nil) // skips without one
	separator := "?"
	if strings.Contains(o.URL, "?") {
		separator = "&"
	}
	url := o.URL
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		url += separator + name + "=" + parameters[name]
		separator = "&"
	}
	if c, err := pgx.ParseConfig(o.URL); err == nil {
		names["database "+c.Database+","] = "database parkwire,"
		names["used by "+c.User] = "used by parkwire"
		names["authorization "+c.User] = "authorization parkwire"
		names["of "+c.User+" are"] = "of parkwire are"
		names["alter role "+c.User] = "alter role parkwire"
	}
	return url
}

// instance is a notification instance with a key of its own.
func instance(t *testing.T) string {
	broker := logtest.Broker(t, "").Addr()
	listen, admin := stack.Address(stack.Port(t)), stack.Address(stack.Port(t))
	p := stack.Start(t, "notifications", []string{"PARKWIRE_JWT_KEY=" + strings.Repeat("l", 44)}, stack.Binary(t), "notifications", "--listen", listen, "--admin-listen", admin,
		"--kafka-brokers", broker, "--live-fanout", "kafka", "--data-dir", t.TempDir())
	// Topics are made by others than notification instances too; here by it.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if answer, err := http.Get("http://" + listen + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return "http://" + listen
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the instance is not ready: %s", p.Output())
		}
	}
}

// hello is what a Redis of a role answers to HELLO.
func hello(role string) string {
	var b strings.Builder
	fields := []string{"server", "redis", "version", "7.4.1", "mode", "standalone", "role", role}
	fmt.Fprintf(&b, "%%%d", len(fields)/2)
	for _, f := range fields {
		fmt.Fprintf(&b, "\r\n$%d\r\n%s", len(f), f)
	}
	return b.String()
}

// redisThat answers as a Redis does that is well, but for some commands.
func redisThat(t *testing.T, but map[string]string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	serve := func(conn net.Conn) {
		defer conn.Close()
		r := bufio.NewReader(conn)
		for {
			command, err := readCommand(r)
			if err != nil {
				return
			}
			name := strings.ToUpper(command[0])
			answer, special := but[name]
			switch {
			case special && answer == "+ahead":
				answer = seconds(time.Now().Add(5 * time.Minute))
			case special:
			case name == "HELLO":
				answer = hello("master")
			case name == "TIME":
				answer = seconds(time.Now())
			case name == "PUBLISH", name == "SPUBLISH":
				answer = ":0"
			case name == "GET":
				answer = "_"
			case name == "CONFIG":
				answer = "%0"
			case name == "SUBSCRIBE", name == "SSUBSCRIBE":
				answer = fmt.Sprintf(">3\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n:1", len(name), strings.ToLower(name), len(command[1]), command[1])
			default:
				answer = "+OK"
			}
			if _, err := io.WriteString(conn, answer+"\r\n"); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return l.Addr().String()
}

func seconds(at time.Time) string {
	text := strconv.FormatInt(at.Unix(), 10)
	return fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$1\r\n0", len(text), text)
}

func readCommand(r *bufio.Reader) (words []string, err error) {
	number := func() (int, error) {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := number()
	for range n {
		var size int
		if size, err = number(); err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		words = append(words, string(word[:size]))
	}
	if len(words) == 0 && err == nil {
		err = io.EOF
	}
	return words, err
}

// examine runs the doctor, and returns what it found and its exit code.
func examine(t *testing.T, shell, target string, settings []string) (doctor.Report, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args, env := []string{"doctor", target, "--json"}, stack.Environ()
	for _, s := range settings {
		if strings.HasPrefix(s, "PARKWIRE_") {
			env = append(env, s)
		} else {
			args = append(args, s)
		}
	}
	cmd := exec.CommandContext(ctx, stack.Binary(t), args...)
	if shell != "" {
		cmd = exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", shell + ` && exec "$@"`, "sh", stack.Binary(t)}, args...)...)
	}
	cmd.Env, cmd.Dir = env, t.TempDir()
	out, err := cmd.Output()
	var r doctor.Report
	if parsed := json.Unmarshal(out, &r); parsed != nil {
		t.Fatalf("the doctor printed no report: %v, %v\n%s", err, parsed, out)
	}
	return r, cmd.ProcessState.ExitCode()
}

func TestTheDoctorSaysWhatIsBrokenAndHowToMendIt(t *testing.T) {
	rows := map[string]string{}
	for _, d := range deployments() {
		t.Run(d.what, func(t *testing.T) {
			names := map[string]string{}
			settings := d.make(t, names)
			r, code := examine(t, d.shell, d.target, settings)
			want := d.state
			if want == "" {
				want = doctor.Broken
			}
			i := slices.IndexFunc(r.Findings, func(f doctor.Finding) bool {
				return f.Check == d.check && f.State == want && strings.Contains(f.Says, d.says)
			})
			if i < 0 {
				t.Fatalf("it does not say that %q, of %s: %+v", d.says, d.check, r.Findings)
			}
			f := r.Findings[i]
			if f.Mend == "" {
				t.Errorf("it does not say what to mend: %+v", f)
			}
			if wantCode := min(r.Broken, 1); code != wantCode || want == doctor.Broken && code != 1 {
				t.Errorf("the exit code is %d with %d broken: %+v", code, r.Broken, r.Findings)
			}
			rows[d.what] = fmt.Sprintf("| %s | `%s` | %s: %s | %s |\n", d.what, f.State, f.Check, told(f.Says, names), told(f.Mend, names))
		})
	}
	if t.Failed() {
		return
	}
	var table strings.Builder
	table.WriteString("| broken | | it says | to mend |\n|---|---|---|---|\n")
	document := read(t, "doctor.md")
	for _, d := range deployments() {
		row, ran := rows[d.what]
		if !ran { // without the server that it needs, the row is compared where there is one
			row = regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(d.what) + ` \|.*\n`).FindString(document)
		}
		table.WriteString(row)
	}
	generated(t, "doctor.md", table.String())
}

// told is a text with the names of an installation, and without what differs each time.
func told(text string, names map[string]string) string {
	keys := slices.SortedFunc(maps.Keys(names), func(a, b string) int { return len(b) - len(a) })
	for _, key := range keys {
		text = strings.ReplaceAll(text, key, names[key])
	}
	text = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`).ReplaceAllString(text, "2026-11-24T03:35:00Z")
	text = regexp.MustCompile(`[0-9m.]+s ahead`).ReplaceAllString(text, "5m0s ahead")
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text)
}

func TestTheDoctorFindsNothingBrokenInWhatRuns(t *testing.T) {
	s := stack.Embedded(t)
	code, out := s.CommandEnds(t, 2*time.Minute, "doctor", "all", "--listen", strings.TrimPrefix(s.URL, "http://"), "--admin-listen", s.One.Admin())
	for _, want := range []string{"it runs already", "topic parking-events: 6 partitions", "topic parking-access: 1 partitions", "parkwire.db is whole", "history.db is whole"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if code != 0 || t.Failed() {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
