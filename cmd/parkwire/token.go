package main

import (
	"context"
	"fmt"
	"os/user"
	"strings"
	"time"

	"parkwire/internal/app"
	"parkwire/internal/config"
	"parkwire/internal/identity"
)

// token prints a token and nothing else on standard output, so that it can be put into a variable.
func token(_ context.Context, s streams, args []string) error {
	flags := newFlags(s, "token [--scope SCOPE] [--lots LOTS] [--subject NAME] [--ttl DURATION] [--data-dir DIR | --jwt-key-file FILE]")
	loader := config.NewLoader()
	loader.RegisterFlags(flags, "data-dir", "jwt-key", "jwt-key-file", "jwt-audience")
	scopes := flags.String("scope", identity.ScopeRead, "what it allows: "+strings.Join(identity.Scopes, ", ")+", or several with commas")
	lots := flags.String("lots", "", "the ids of the lots to which it is limited, with commas (default all)")
	subject := flags.String("subject", currentUser(), "whom it speaks for, as logs and histories name them")
	ttl := flags.Duration("ttl", 24*time.Hour, "how long it is valid")
	if err := parse(flags, args); err != nil {
		return err
	}
	if err := loader.Load(s.environ); err != nil {
		return err
	}
	c := loader.ResolveKey()
	verifier, err := app.Verifier(c)
	if err != nil {
		return err
	}
	p := identity.Principal{Subject: *subject, Scopes: strings.FieldsFunc(*scopes, func(r rune) bool { return r == ',' || r == ' ' })}
	if *lots != "" {
		p.Lots = strings.Split(*lots, ",")
	}
	text, err := verifier.Issue(p, *ttl)
	if err != nil {
		return usageError(err.Error())
	}
	fmt.Fprintln(s.out, text)
	return nil
}

func currentUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "operator"
}
