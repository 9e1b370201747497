package logtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"parkwire/internal/certificate"
	"parkwire/internal/certificate/certificatetest"
	"parkwire/internal/kafkalog"
	"parkwire/internal/secret"
)

// Secured is a Kafka to which not everybody is let in, and one way that leads in.
type Secured struct {
	Brokers  []string
	Security kafkalog.Security
	// Open are the addresses of the same servers for everybody; nil: there are none.
	Open []string
}

// EachSecured runs test on every way into a Kafka that lets not everybody in: of brokers in this process, and of the servers in the environment.
func EachSecured(t *testing.T, test func(t *testing.T, s Secured)) {
	for _, mechanism := range []string{"", kafkalog.Plain, kafkalog.Scram256, kafkalog.Scram512} {
		t.Run("embedded, "+named(mechanism), func(t *testing.T) { test(t, InProcess(t, mechanism)) })
	}
	for _, mechanism := range []string{"", kafkalog.Plain, kafkalog.Scram256, kafkalog.Scram512, kafkalog.OAuthBearer} {
		t.Run("kafka, "+named(mechanism), func(t *testing.T) { test(t, Servers(t, mechanism)) })
	}
}

func named(mechanism string) string {
	if mechanism == "" {
		return "a certificate of the client"
	}
	return mechanism
}

const user, password = "parkwire", `pa/ss:w@rd%21#x$ y`

// InProcess is a broker in this process with TLS that knows one user, or, without a mechanism, one certificate.
func InProcess(t *testing.T, mechanism string) Secured {
	t.Helper()
	dir := t.TempDir()
	until := time.Now().Add(time.Hour)
	cert, key := certificatetest.Make(t, "kafka", until)
	certFile, _ := certificatetest.Write(t, dir, cert, key)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	server := &tls.Config{Certificates: []tls.Certificate{pair}}
	s := Secured{Security: kafkalog.Security{TLS: &certificate.Client{Setting: "kafka-tls", CAFile: certFile}}}
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.TLS(server), kfake.WithLogger(silent{})}
	if mechanism == "" {
		own := filepath.Join(dir, "client")
		if err := os.Mkdir(own, 0o700); err != nil {
			t.Fatal(err)
		}
		cert, key := certificatetest.Make(t, user, until)
		s.Security.TLS.CertFile, s.Security.TLS.KeyFile = certificatetest.Write(t, own, cert, key)
		server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		server.ClientCAs.AppendCertsFromPEM(cert)
	} else {
		options = append(options, kfake.EnableSASL(), kfake.Superuser(strings.ToUpper(mechanism), user, password))
		s.Security.Mechanism, s.Security.Username = mechanism, user
		s.Security.Password = secret.Text{File: write(t, dir, "password", password+"\n"), Setting: "kafka-password-file"}
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	s.Brokers = cluster.ListenAddrs()
	return s
}

// Servers are the real ones that test/kit starts. What the platform may do there is what docs/servers.md lists, and no more.
func Servers(t testing.TB, mechanism string) Secured {
	t.Helper()
	const brokers, folder = "PARKWIRE_TEST_KAFKA_SASL_BROKERS", "PARKWIRE_TEST_TLS_DIR"
	dir := os.Getenv(folder)
	if dir == "" || os.Getenv(brokers) == "" {
		if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
			t.Fatalf("%s or %s is not set", folder, brokers)
		}
		t.Skipf("%s names no Kafka: test/kit/servers.sh starts one", brokers)
	}
	s := Secured{
		Brokers: strings.Split(os.Getenv(brokers), ","), Open: strings.Split(os.Getenv("PARKWIRE_TEST_KAFKA_BROKERS"), ","),
		Security: kafkalog.Security{TLS: &certificate.Client{Setting: "kafka-tls", CAFile: filepath.Join(dir, "ca.crt")}, Mechanism: mechanism},
	}
	principal := "User:" + user
	switch mechanism {
	case "":
		s.Brokers = strings.Split(os.Getenv("PARKWIRE_TEST_KAFKA_MUTUAL_BROKERS"), ",")
		s.Security.TLS.CertFile, s.Security.TLS.KeyFile = filepath.Join(dir, "client.crt"), filepath.Join(dir, "client.key")
		principal = "User:CN=" + user
	case kafkalog.OAuthBearer:
		s.Security.Token = secret.Text{File: write(t, t.TempDir(), "token", Token(user, time.Now().Add(time.Hour))), Setting: "kafka-token-file"}
	default:
		s.Security.Username, s.Security.Password = user, secret.Text{File: filepath.Join(dir, "password"), Setting: "kafka-password-file"}
	}
	Grant(t, s.Open, principal, Prefix)
	return s
}

// Grant lets somebody do what the platform does with topics and groups whose names begin with a prefix.
func Grant(t testing.TB, open []string, principal, prefix string) {
	t.Helper()
	client := Client(t, open)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	Allow(t, open, principal, prefix, kadm.OpCreate, kadm.OpDescribe, kadm.OpRead, kadm.OpWrite)
	groups := kadm.NewACLs().Allow(principal).AllowHosts("*").ResourcePatternType(kadm.ACLPatternPrefixed).Groups(prefix).Operations(kadm.OpRead)
	if made, err := kadm.NewClient(client).CreateACLs(ctx, groups); err != nil || made[0].Err != nil {
		t.Fatalf("granting rights to groups: %v, %+v", err, made)
	}
}

// Allow lets somebody do something with topics whose names begin with a prefix.
func Allow(t testing.TB, open []string, principal, prefix string, operations ...kadm.ACLOperation) {
	t.Helper()
	client := Client(t, open)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	topics := kadm.NewACLs().Allow(principal).AllowHosts("*").ResourcePatternType(kadm.ACLPatternPrefixed).Topics(prefix).Operations(operations...)
	if made, err := kadm.NewClient(client).CreateACLs(ctx, topics); err != nil || made[0].Err != nil {
		t.Fatalf("granting rights to topics: %v, %+v", err, made)
	}
}

// Token is one as Kafka takes it where nothing is configured to check its signature.
func Token(subject string, until time.Time) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, time.Now().Add(-time.Minute).Unix(), until.Unix())) + "."
}

// Options are those of a log of its own there.
func (s Secured) Options(t *testing.T) kafkalog.Options {
	t.Helper()
	o := names(s.Brokers)
	if s.Open != nil {
		o = Options(t, s.Open)
		o.Brokers = s.Brokers
	}
	tls := *s.Security.TLS
	o.Security, o.Security.TLS = s.Security, &tls
	return o
}

func write(t testing.TB, dir, name, content string) (file string) {
	t.Helper()
	file = filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

type silent struct{}

func (silent) Logf(kfake.LogLevel, string, ...any) {}
