package postgres_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parkwire/internal/parking"
	"parkwire/internal/parking/postgres"
	"parkwire/internal/parking/storetest"
)

// secured returns the address of the real server as it lets nobody in but by TLS with a password, and the folder with that and the certificates.
func secured(t testing.TB) (address, folder string) {
	t.Helper()
	const envSecured, envFolder = "PARKWIRE_TEST_DATABASE_TLS_URL", "PARKWIRE_TEST_TLS_DIR"
	address, folder = os.Getenv(envSecured), os.Getenv(envFolder)
	if address == "" || folder == "" {
		absent(t, envSecured+" or "+envFolder+" is not set; test/kit/servers.sh start starts a server")
	}
	return address, folder
}

// securedSchema is ownSchema for it: the address has no password.
func securedSchema(t testing.TB) (address, passwordFile string) {
	t.Helper()
	address, folder := secured(t)
	passwordFile = filepath.Join(folder, "password")
	password, err := os.ReadFile(passwordFile)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), strings.TrimSpace(string(password)))
	with, err := url.Parse(ownSchema(t, u.String()))
	if err != nil {
		t.Fatal(err)
	}
	with.User = url.User(u.User.Username())
	return with.String(), passwordFile
}

func TestConformanceOverTLSWithAPasswordFromAFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) parking.Store {
		address, password := securedSchema(t)
		return started(t, postgres.Options{URL: address, PasswordFile: password})
	})
}

func TestAStoreProvesItselfByACertificate(t *testing.T) {
	address, folder := secured(t)
	address = setting(t, address, "sslcert", filepath.Join(folder, "client.crt"))
	key := filepath.Join(t.TempDir(), "client.key") // as libpq wants it: nobody else's
	content, err := os.ReadFile(filepath.Join(folder, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, content, 0o600); err != nil {
		t.Fatal(err)
	}
	address = strings.Replace(setting(t, address, "sslkey", key), "secured@", "certified@", 1)
	started(t, postgres.Options{URL: ownSchema(t, address)})
}

func TestAServerThatLetsNobodyInSaysWhichSettingIsWrong(t *testing.T) {
	address, folder := secured(t)
	password := filepath.Join(folder, "password")
	wrong := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(wrong, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct{ address, password, want string }{
		"another password":  {address, wrong, "the password in database-password-file right?"},
		"another authority": {setting(t, address, "sslrootcert", filepath.Join(folder, "other.crt")), password, "sslrootcert in database-url"},
		"no TLS":            {setting(t, address, "sslmode", "disable"), password, "sslmode=verify-full in database-url"},
	} {
		s := open(t, postgres.Options{URL: c.address, PasswordFile: c.password})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = s.Start(ctx) }()
		var err error
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if err = s.Ready(); err != nil && strings.Contains(err.Error(), c.want) {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("%s: it says %v, want %q", what, err, c.want)
				break
			}
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: it shows the password: %v", what, err)
		}
		cancel()
		<-ended
	}
	_, err := postgres.Open(postgres.Options{URL: address, PasswordFile: filepath.Join(folder, "none")})
	if err == nil || !strings.Contains(err.Error(), "database-password-file: open") {
		t.Errorf("without the file: %v", err)
	}
}

// A password that is changed, at the server and in its file, needs no restart: not of the pool, and not of the connection that leads the relay.
func TestThePasswordIsReadForEachConnection(t *testing.T) {
	address, password := securedSchema(t)
	content, err := os.ReadFile(password)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s := started(t, postgres.Options{URL: address, PasswordFile: file})
	if err := os.WriteFile(file, []byte("another one"), 0o600); err != nil {
		t.Fatal(err)
	}
	leads := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		return s.Lead(ctx, func(context.Context) error { return nil })
	}
	if leads() == nil {
		t.Error("a connection was opened with the password of before")
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		err := leads()
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestThePoolHasAsManyConnectionsAsTheSettingsSay(t *testing.T) {
	for _, c := range []struct {
		url     string
		setting int
		most    int32
	}{
		{"postgres://localhost/x", 0, 16}, {"postgres://localhost/x", 5, 5}, {"postgres://localhost/x?pool_max_conns=7", 5, 7},
	} {
		s := open(t, postgres.Options{URL: c.url, MaxConns: c.setting})
		if got := postgres.MaxConns(s); got != c.most {
			t.Errorf("%s with %d: %d connections, want %d", c.url, c.setting, got, c.most)
		}
	}
}
