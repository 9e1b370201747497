// The OpenID Connect provider for tests as a process: `go run ./test/oidc -redirect http://localhost:5000/signed-in -redirect http://localhost:5000/`
// prints one line, {"issuer":"http://127.0.0.1:PORT"}, when it can be asked, and serves until it is told to end. Who logs in says so by a button.
//
// POST /control/rotate signs with a new key from now on and forgets the others (algorithm=ES256 and so on), POST /control/away and
// /control/back make it fail and come back, and POST /control/token answers with an access token for user=NAME.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"parkwire/internal/identity/oidctest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("oidc", flag.ContinueOnError)
	var o oidctest.Options
	listen := flags.String("listen", "127.0.0.1:0", "address to serve at")
	flags.StringVar(&o.ClientID, "client", "dashboard", "the client that may log people in, without a secret")
	flags.StringVar(&o.Audience, "audience", "https://parking.test/api", "what the tokens are for")
	flags.StringVar(&o.Algorithm, "algorithm", "RS256", "by which they are signed")
	flags.DurationVar(&o.Lifetime, "ttl", 5*time.Minute, "how long access tokens are good")
	flags.Func("redirect", "an address to which people may be sent back, after login or logout; may be given several times", func(text string) error {
		o.Redirects = append(o.Redirects, text)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	o.Issuer = "http://" + listener.Addr().String()
	p := oidctest.New(o)
	server := &http.Server{Handler: handler(p), ReadHeaderTimeout: 10 * time.Second}
	ended := context.AfterFunc(ctx, func() { server.Close() })
	defer ended()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"issuer": o.Issuer}); err != nil {
		return err
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func handler(p *oidctest.Provider) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", p)
	mux.HandleFunc("POST /control/rotate", func(w http.ResponseWriter, r *http.Request) {
		algorithm := r.FormValue("algorithm")
		if algorithm == "" {
			algorithm = "RS256"
		}
		if !slices.Contains(oidctest.Algorithms, algorithm) {
			http.Error(w, "there is no such algorithm", http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, p.Rotate(algorithm))
	})
	mux.HandleFunc("POST /control/away", func(http.ResponseWriter, *http.Request) { p.Away(true) })
	mux.HandleFunc("POST /control/back", func(http.ResponseWriter, *http.Request) { p.Away(false) })
	mux.HandleFunc("POST /control/token", func(w http.ResponseWriter, r *http.Request) {
		token, ok := p.Token(r.FormValue("user"))
		if !ok {
			http.Error(w, "there is no such user", http.StatusNotFound)
			return
		}
		fmt.Fprintln(w, token)
	})
	return mux
}
