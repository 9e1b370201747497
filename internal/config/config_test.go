package config_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/internal/config"
)

type sources struct {
	args []string
	env  []string
	yaml string
}

func (s sources) load(t *testing.T) (*config.Loader, error) {
	t.Helper()
	if s.yaml != "" {
		path := filepath.Join(t.TempDir(), "parkwire.yaml")
		if err := os.WriteFile(path, []byte(s.yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		s.args = append([]string{"--config", path}, s.args...)
	}
	l := config.NewLoader()
	fs := flag.NewFlagSet("parkwire", flag.ContinueOnError)
	l.RegisterFlags(fs)
	if err := fs.Parse(s.args); err != nil {
		t.Fatal(err)
	}
	return l, l.Load(s.env)
}

func (s sources) resolve(t *testing.T, target config.Target) (*config.Loader, *config.Resolved) {
	t.Helper()
	l, err := s.load(t)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Resolve(target)
	if err != nil {
		t.Fatal(err)
	}
	return l, r
}

func setting(t *testing.T, l *config.Loader, name string) config.Setting {
	t.Helper()
	all := l.Settings()
	i := slices.IndexFunc(all, func(s config.Setting) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no setting %q", name)
	}
	return all[i]
}

func TestFlagsWinOverEnvironmentOverFileOverDefault(t *testing.T) {
	for _, c := range []struct {
		name          string
		s             sources
		value, source string
	}{
		{"nothing", sources{}, ":5000", "default"},
		{"file", sources{yaml: "# a comment\nlisten: :5001\n"}, ":5001", "parkwire.yaml:2"},
		{"environment", sources{yaml: "listen: :5001", env: []string{"PARKWIRE_LISTEN=:5002"}}, ":5002", "PARKWIRE_LISTEN"},
		{"flag", sources{yaml: "listen: :5001", env: []string{"PARKWIRE_LISTEN=:5002"}, args: []string{"--listen=:5003"}}, ":5003", "flag --listen"},
		{"empty variable", sources{yaml: "listen: :5001", env: []string{"PARKWIRE_LISTEN="}}, ":5001", "parkwire.yaml:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := c.s.load(t)
			if err != nil {
				t.Fatal(err)
			}
			if got := setting(t, l, "listen"); got.Value != c.value || got.Source != c.source {
				t.Errorf("got %q from %q, want %q from %q", got.Value, got.Source, c.value, c.source)
			}
		})
	}
}

func TestEveryKindOfValueIsReadFromEverySource(t *testing.T) {
	inFile := sources{yaml: `
read-public: false
kafka-partitions: 12
rate-limit: 2.5
kafka-retention: 36h
body-limit: 512KiB
kafka-brokers:
  - a:9092
  - "b:9092"
trusted-proxies: [10.0.0.0/8, 192.168.1.7]
log-format: "json"
redis-url:
`}
	var elsewhere sources
	for name, text := range map[string]string{
		"read-public": "false", "kafka-partitions": "12", "rate-limit": "2.5", "kafka-retention": "36h", "body-limit": "512KiB",
		"kafka-brokers": "a:9092, b:9092", "trusted-proxies": "10.0.0.0/8,192.168.1.7", "log-format": "json",
	} {
		elsewhere.env = append(elsewhere.env, config.EnvName(name)+"="+text)
		elsewhere.args = append(elsewhere.args, "--"+name+"="+text)
	}
	for name, s := range map[string]sources{"file": inFile, "environment": {env: elsewhere.env}, "flags": {args: elsewhere.args}} {
		_, r := s.resolve(t, config.All)
		if r.ReadPublic || r.KafkaPartitions != 12 || r.RateLimit != 2.5 || r.KafkaRetention != 36*time.Hour || r.BodyLimit != 512<<10 ||
			!slices.Equal(r.KafkaBrokers, []string{"a:9092", "b:9092"}) || len(r.TrustedProxies) != 2 ||
			r.TrustedProxies[1].String() != "192.168.1.7/32" || r.LogFormat != "json" {
			t.Errorf("%s: read as %+v", name, r.Config)
		}
	}
	if _, r := (sources{args: []string{"--read-public"}}).resolve(t, config.All); !r.ReadPublic {
		t.Error("--read-public without a value is not true")
	}
}

func TestWhatIsWrongIsNamedWithReasonAndExampleAllAtOnce(t *testing.T) {
	_, err := sources{
		args: []string{"--listen=5000", "--rate-limit=fast", "--database-url=mysql://u:secret@h/d"},
		env:  []string{"PARKWIRE_KAFKA_PARTITIONS=0", "PARKWIRE_JWT_KEY=short-secret"},
		yaml: "lissten: :5001\nlog-level: verbos\nbody-limit: [[1]]\nadmin-listen: {a: 1}\n",
	}.load(t)
	var errs config.Errors
	if !errors.As(err, &errs) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []struct{ field, source, reason string }{
		{"lissten", "parkwire.yaml:1", `did you mean "listen"?`},
		{"log-level", "parkwire.yaml:2", "debug, info, warn, error"},
		{"body-limit", "parkwire.yaml:3", "lists"},
		{"admin-listen", "parkwire.yaml:4", "must be"},
		{"listen", "flag --listen", "HOST:PORT"},
		{"rate-limit", "flag --rate-limit", `"fast" is no number`},
		{"database-url", "flag --database-url", "postgres"},
		{"kafka-partitions", "PARKWIRE_KAFKA_PARTITIONS", "less than 1"},
		{"jwt-key", "PARKWIRE_JWT_KEY", "at least 32"},
	} {
		i := slices.IndexFunc(errs, func(e config.FieldError) bool { return e.Field == want.field })
		if i < 0 {
			t.Errorf("%s: not reported", want.field)
			continue
		}
		if e := errs[i]; e.Source != want.source || !strings.Contains(e.Reason, want.reason) || e.Example == "" && want.field != "lissten" {
			t.Errorf("%s: got %+v", want.field, e)
		}
	}
	if len(errs) != 9 {
		t.Errorf("%d errors, want 9:\n%v", len(errs), err)
	}
	if strings.Contains(err.Error(), "secret@") || strings.Contains(err.Error(), "short-secret") {
		t.Errorf("a secret is shown:\n%v", err)
	}
}

func TestAFileThatCannotBeUsedIsNamed(t *testing.T) {
	for name, c := range map[string]struct{ s sources }{
		"absent":     {sources{args: []string{"--config", "/nowhere/parkwire.yaml"}}},
		"no mapping": {sources{yaml: "- listen\n"}},
		"no YAML":    {sources{yaml: "listen: [\n"}},
		"twice":      {sources{yaml: "listen: :1\nlisten: :2\n"}},
	} {
		_, err := c.s.load(t)
		if err == nil || !strings.Contains(err.Error(), "parkwire.yaml") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := (sources{yaml: "# nothing but a comment\n"}).load(t); err != nil {
		t.Errorf("a file of comments: %v", err)
	}
}

func TestVariablesThatSetNothingAreToldButDoNotStop(t *testing.T) {
	l, err := sources{env: []string{
		"PARKWIRE_LISTN=:1", "PARKWIRE_TOKEN=x", "PARKWIRE_URL=y", "PARKWIRE_TEST_REDIS_URL=z", "OTHER=1",
		"PARKWIRE_SERVICE_HOST=10.0.0.1", "PARKWIRE_GATEWAY_PORT_5000_TCP_ADDR=10.0.0.1", "PARKWIRE_PORT=tcp://10.0.0.1:5000",
	}}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], `PARKWIRE_LISTN sets nothing; did you mean "PARKWIRE_LISTEN"?`) {
		t.Errorf("got %q", l.Warnings)
	}
}

func TestAllIsCompleteWithoutAnySetting(t *testing.T) {
	l, r := sources{args: []string{"--data-dir=/d", "--kafka-listen=:9092"}}.resolve(t, config.All)
	for name, want := range map[string][2]string{
		"kafka-brokers":   {"localhost:9092", "embedded, at kafka-listen"},
		"kafka-advertise": {"localhost:9092", "from kafka-listen"},
		"redis-url":       {"memory:", "embedded"},
		"database-url":    {"sqlite:/d/parkwire.db", "embedded, in data-dir"},

		"history-database-url": {"sqlite:/d/history.db", "embedded, in data-dir"},
		"audit-database-url":   {"sqlite:/d/audit.db", "embedded, in data-dir"},
		"alerts-database-url":  {"sqlite:/d/alerts.db", "embedded, in data-dir"},
		"history-urls":         {"inproc:", "this process"},
		"audit-urls":           {"inproc:", "this process"},
		"alerts-urls":          {"inproc:", "this process"},

		"parking-urls": {"inproc:", "this process"},
		"live-urls":    {"inproc:", "this process"},
		"jwt-key-file": {"/d/jwt.key", "in data-dir"},
	} {
		if got := setting(t, l, name); got.Value != want[0] || got.Source != want[1] {
			t.Errorf("%s: %q from %q, want %q", name, got.Value, got.Source, want)
		}
	}
	if !slices.Equal(r.Modules, []string{"all", "broker", "bridge"}) || !r.UsesDataDir || !r.MakeKey {
		t.Errorf("got modules %v, data folder %v, key made %v", r.Modules, r.UsesDataDir, r.MakeKey)
	}
}

func TestAddressesReplaceWhatIsEmbedded(t *testing.T) {
	_, r := sources{args: []string{
		"--kafka-brokers=k:9092", "--redis-url=redis://r:6379", "--database-url=postgres://p/d", "--jwt-key=" + strings.Repeat("k", 32),
	}}.resolve(t, config.All)
	if !slices.Equal(r.Modules, []string{"all", "bridge"}) || r.UsesDataDir || r.MakeKey || r.JWTKeyFile != "" || r.RedisURL != "redis://r:6379" {
		t.Errorf("got %+v", r)
	}
}

func TestReadingsComeFromAnMQTTBrokerWhereParkingRuns(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--mqtt-url=mqtts://u:hunter2@broker", "--listen=:5021", "--database-url=postgres://p/d", "--kafka-brokers=k:9092"}
	l, r := sources{args: args}.resolve(t, config.Parking)
	if !slices.Equal(r.Modules, []string{"parking", "mqtt"}) || r.MQTTClientID != "parkwire-"+host+"-5021" {
		t.Errorf("got modules %v, client %q", r.Modules, r.MQTTClientID)
	}
	if got := setting(t, l, "mqtt-url"); strings.Contains(got.Value, "hunter2") {
		t.Errorf("the password is shown: %v", got)
	}
	_, r = sources{args: append(args, "--mqtt-client-id=parking-1")}.resolve(t, config.Parking)
	if r.MQTTClientID != "parking-1" {
		t.Errorf("the client is %q", r.MQTTClientID)
	}
	_, r = sources{args: append(args, "--parking-urls=http://p:5000", "--live-urls=http://l:5000", "--jwt-key="+strings.Repeat("k", 32))}.resolve(t, config.Gateway)
	if slices.Contains(r.Modules, "mqtt") {
		t.Errorf("a gateway has modules %v", r.Modules)
	}
}

func TestWhatIsNoBrokerOrNoTopicIsRefused(t *testing.T) {
	for field, args := range map[string][]string{
		"mqtt-url":    {"--mqtt-url=http://broker"},
		"mqtt-topics": {"--mqtt-url=mqtt://broker", "--mqtt-topics=a/#/b"},
		"mqtt-share":  {"--mqtt-share=a/b"},
	} {
		_, err := sources{args: args}.load(t)
		var errs config.Errors
		if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Field != field {
			t.Errorf("%v: got %v", args, err)
		}
	}
	for topics, taken := range map[string]bool{"#": true, "+/a/#": true, "a/+/b": true, "a+": false, "a/b#": false, "#/a": false, "": false} {
		if _, err := (sources{args: []string{"--mqtt-url=mqtt://broker", "--mqtt-topics=" + topics}}.load(t)); (err == nil) != taken {
			t.Errorf("%q: %v", topics, err)
		}
	}
}

func TestWhoFollowsKafkaNeedsNoRedisAndNoBridge(t *testing.T) {
	for _, target := range []config.Target{config.Notifications, config.All} {
		args := []string{"--live-fanout=kafka", "--kafka-brokers=k:9092"}
		l, r := sources{args: args}.resolve(t, target)
		if !slices.Equal(r.Modules, []string{string(target)}) || r.RedisURL != "" || len(l.Warnings) != 0 {
			t.Errorf("%s: got modules %v, redis-url %q, warnings %q", target, r.Modules, r.RedisURL, l.Warnings)
		}
		l, _ = sources{args: append(args, "--redis-url=redis://:hunter2@r")}.resolve(t, target)
		want := []string{"redis-url is not used, because live-fanout is kafka"}
		if target == config.All { // whose gateway counts requests there
			want = nil
		}
		if !slices.Equal(l.Warnings, want) {
			t.Errorf("%s: with a redis-url it warns of %q", target, l.Warnings)
		}
	}
	_, err := sources{args: []string{"--live-fanout=kafak"}}.load(t)
	if err == nil || !strings.Contains(err.Error(), `"kafak" is none of bus, kafka; did you mean "kafka"?`) {
		t.Errorf("a value that is none: %v", err)
	}
}

func TestAPartAloneAsksForItsAddresses(t *testing.T) {
	for target, want := range map[config.Target][]string{
		config.Gateway:       {"parking-urls", "live-urls", "jwt-key-file"},
		config.Parking:       {"kafka-brokers", "database-url"},
		config.Notifications: {"kafka-brokers", "redis-url"},
		config.History:       {"kafka-brokers", "history-database-url"},
		config.Audit:         {"kafka-brokers", "audit-database-url"},
		config.Alerts:        {"kafka-brokers", "alerts-database-url"},
	} {
		l, err := sources{}.load(t)
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.Resolve(target)
		var errs config.Errors
		errors.As(err, &errs)
		var got []string
		for _, e := range errs {
			got = append(got, e.Field)
			if !strings.Contains(e.Reason, "parkwire "+string(target)) || e.Example == "" {
				t.Errorf("%s: %+v does not say who needs it, with an example", target, e)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s asks for %v, want %v", target, got, want)
		}
	}
}

func TestACertificateAndItsKeyGoTogether(t *testing.T) {
	for _, c := range []struct{ args, field string }{
		{"--tls-cert-file=c", "tls-key-file"}, {"--tls-key-file=k", "tls-cert-file"}, {"--tls-cert-file=c --tls-key-file=k", ""},
	} {
		_, err := sources{args: strings.Fields(c.args)}.load(t)
		var errs config.Errors
		if errors.As(err, &errs); c.field == "" && err != nil || c.field != "" && (len(errs) != 1 || errs[0].Field != c.field) {
			t.Errorf("%s: %v", c.args, err)
		}
	}
}

func TestHostsAreNamesAndAddressesWithoutPorts(t *testing.T) {
	for text, good := range map[string]bool{
		"parking.example.org": true, "localhost": true, "10.0.0.5": true, "2001:db8::1": true, "::1": true,
		"a:80": false, "https://a": false, "a/b": false, "[::1]:80": false, "a b": false, "u@a": false,
	} {
		if _, err := (sources{args: []string{"--hosts=" + text}}).load(t); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	l, _ := sources{args: []string{
		"--database-url=postgres://u:hunter2@h/d?sslpassword=hunter2", "--redis-url=redis://:hunter2@h:1",
		"--jwt-key=hunter2-hunter2-hunter2-hunter2-hunter2",
	}}.resolve(t, config.All)
	for _, asJSON := range []bool{false, true} {
		var b bytes.Buffer
		if err := l.Print(&b, asJSON); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "hunter2") {
			t.Errorf("a secret is shown:\n%s", &b)
		}
		if !strings.Contains(b.String(), "postgres://u:xxxxx@h/d") {
			t.Errorf("the harmless part of the database's address is missing:\n%s", &b)
		}
	}
}

func TestSizesAreReadAndWrittenAlike(t *testing.T) {
	for text, want := range map[string]config.Bytes{"8MiB": 8 << 20, "1.5KiB": 1536, "1000": 1000, "2 MB": 2e6, "7B": 7, "3GiB": 3 << 30} {
		b, err := config.ParseBytes(text)
		if err != nil || b != want {
			t.Errorf("%q is %d, %v; want %d", text, b, err, want)
		}
		if again, err := config.ParseBytes(b.String()); err != nil || again != b {
			t.Errorf("%d is written %q and read %d, %v", b, b, again, err)
		}
	}
	for _, text := range []string{"", "-1", "MiB", "1TiB", "NaN", "1e40GB"} {
		if b, err := config.ParseBytes(text); err == nil {
			t.Errorf("%q was read as %d", text, b)
		}
	}
}

func TestTyposAreGuessedAndNothingElse(t *testing.T) {
	for name, want := range map[string]string{
		"kafka-broker": "kafka-brokers", "kakfa-brokers": "kafka-brokers", "database_url": "database-url", "colour": "", "x": "",
	} {
		if want != "" {
			want = "; did you mean \"" + want + "\"?"
		}
		if got := config.DidYouMean(name, config.Names()); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestASecretThatIsWrittenWronglyIsNotShownEither(t *testing.T) {
	for name, s := range map[string]sources{
		"a URL without its slashes":        {args: []string{"--redis-url=redis:hunter2@h:6379"}},
		"a URL of PostgreSQL without them": {args: []string{"--database-url=postgres:parkwire:hunter2@h/d"}},
		"a port that is none":              {args: []string{"--database-url=postgres://parkwire:hunter2@h:port/d"}},
		"a comma in a list":                {yaml: "redis-url: [\"redis://:hunter2@h,x\"]\n"},
		"a password for all of a name":     {args: []string{"--live-urls=dns+http://gateway:hunter2@h:5000"}},
		"a password for a service":         {args: []string{"--parking-urls=http://gateway:hunter2@h:5000"}},
	} {
		_, err := s.load(t)
		if err == nil {
			t.Errorf("%s is taken", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s is shown:\n%v", name, err)
		}
	}
}

func TestTopicsMustDifferAndNumbersMustFitKafka(t *testing.T) {
	for field, args := range map[string][]string{
		"kafka-rejected-topic": {"--kafka-rejected-topic=parking-events"}, // what is rejected would come round for ever
		"kafka-spots-topic":    {"--kafka-topic=a", "--kafka-spots-topic=a"},
		"kafka-audit-topic":    {"--kafka-audit-topic=parking-events"},
		"kafka-access-topic":   {"--kafka-audit-topic=a", "--kafka-access-topic=a"},
		"kafka-partitions":     {"--kafka-partitions=3000000000"},
		"kafka-replication":    {"--kafka-replication=70000"},
	} {
		_, err := sources{args: args}.load(t)
		var errs config.Errors
		if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Field != field {
			t.Errorf("%v: got %v", args, err)
		}
	}
}

func TestBoundsOfNotificationInstancesMustMakeSense(t *testing.T) {
	for _, c := range []struct{ field, value, says string }{
		{"live-max-clients", "0", "0 is less than 1"},
		{"live-clients-per-address", "-1", "-1 is less than 0"},
		{"live-ping-interval", "10ms", "10ms is less than 1s"},
		{"live-ping-interval", "2h", "2h0m0s is more than 1h0m0s"},
		{"live-engine", "steam", `"steam" is none of auto, io_uring, epoll, goroutines`},
		{"live-loops", "-1", "-1 is less than 0"},
		{"live-compression", "gzip", `"gzip" is no true or false`},
	} {
		_, err := sources{yaml: c.field + ": " + c.value + "\n"}.load(t)
		var errs config.Errors
		if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Field != c.field || errs[0].Reason != c.says || errs[0].Example == "" {
			t.Errorf("%s %s: got %v", c.field, c.value, err)
		}
	}
}

func TestTilesOfTheMapComeFromOneHost(t *testing.T) {
	for tiles, taken := range map[string]bool{
		"https://tiles.example.org/{z}/{x}/{y}.png": true, "http://localhost:8080/{z}/{x}/{y}{ratio}.png?key=a": true, "/tiles/{z}/{y}/{x}": true,
		"https://[2001:db8::1]/{z}/{x}/{y}":     true,
		"https://tiles.example.org/{x}/{y}.png": false, "https://{z}.example.org/{z}/{x}/{y}": false, "https://{s}.example.org/{z}/{x}/{y}": false,
		"//tiles.example.org/{z}/{x}/{y}": false, "tiles/{z}/{x}/{y}": false, "ftp://tiles.example.org/{z}/{x}/{y}": false,
		"https://u:hunter2@tiles.example.org/{z}/{x}/{y}": false, "https://a;script-src/{z}/{x}/{y}": false, "https://*/{z}/{x}/{y}": false,
	} {
		_, err := sources{args: []string{"--dashboard-tiles=" + tiles}}.load(t)
		var errs config.Errors
		if taken != (err == nil) || !taken && (!errors.As(err, &errs) || errs[0].Field != "dashboard-tiles") || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", tiles, err)
		}
	}
}

func TestAProviderOfTokensIsNamedToTheLetterAndReachedSafely(t *testing.T) {
	for issuer, taken := range map[string]bool{
		"https://login.example.org": true, "https://login.example.org/": true, "https://login.example.org/realms/parking": true,
		"http://localhost:8080": true, "http://127.0.0.1:8080/a": true, "http://[::1]:8080": true,
		"http://login.example.org": false, "http://10.0.0.5": false, "http://localhost.example.org": false, "login.example.org": false,
		"https://": false, "https://u:hunter2@login.example.org": false, "https://login.example.org?": false, "https://login.example.org#a": false, "ftp://localhost": false,
	} {
		_, err := sources{args: []string{"--oidc-issuer=" + issuer}}.load(t)
		var errs config.Errors
		if taken != (err == nil) || !taken && (!errors.As(err, &errs) || errs[0].Field != "oidc-issuer") || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", issuer, err)
		}
	}
	for scopes, says := range map[string]string{
		"staff=operate,a=b=admin": "", "staff": `"staff" is not of the form NAME=SCOPE`, "=admin": "is not of the form", "staff=operat": `did you mean "operate"?`,
	} {
		_, err := sources{args: []string{"--oidc-scopes=" + scopes}}.load(t)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", scopes, err)
		}
	}
}

func TestAProviderReplacesTheKeyAndNeedsAnAudience(t *testing.T) {
	args := []string{"--oidc-issuer=https://login.example.org", "--parking-urls=http://p:5000", "--live-urls=http://l:5000"}
	l, err := sources{args: args}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Resolve(config.Gateway)
	var errs config.Errors
	if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Field != "oidc-audience" {
		t.Errorf("without an audience: %v", err)
	}
	_, r := sources{args: append(args, "--oidc-audience=https://parking.example.org/api", "--oidc-scopes=a=b=admin,staff=operate")}.resolve(t, config.Gateway)
	if got := r.ScopesOf(); len(got) != 2 || got["a=b"] != "admin" || got["staff"] != "operate" {
		t.Errorf("scopes %v", got)
	}
	l, r = sources{args: []string{"--oidc-client-id=dashboard"}}.resolve(t, config.All)
	if r.ScopesOf() != nil || !slices.Equal(l.Warnings, []string{"oidc-client-id is not used, because oidc-issuer is empty"}) {
		t.Errorf("without a provider: scopes %v, warnings %q", r.ScopesOf(), l.Warnings)
	}
}

func TestInstancesMayShareAName(t *testing.T) {
	for address, taken := range map[string]bool{
		"dns+http://parking:5000": true, "dns+https://parking.example.org": true, "http://parking-1:5000": true,
		"dns+parking:5000": false, "dns+ftp://parking": false, "dns+dns+http://parking:5000": false, "dns+http://": false,
	} {
		if _, err := (sources{args: []string{"--parking-urls=" + address}}).load(t); (err == nil) != taken {
			t.Errorf("%s: %v", address, err)
		}
	}
}
