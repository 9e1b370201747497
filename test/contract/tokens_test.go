package contract

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"parkwire/internal/identity/oidc"
	"parkwire/test/e2e/stack"
)

// Keys and signatures of every algorithm as others write them, by the package jose.
func TestTokensThatOthersSignAreTaken(t *testing.T) {
	installed(t, "node")
	if _, err := os.Stat(filepath.Join(stack.Root(), "test", "contract", "node_modules", "jose")); err != nil {
		absent(t, "the npm packages are not installed: npm ci --prefix test/contract")
	}
	const audience = "https://parking.test/api"
	algorithms := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	program := start(t, "jose-provider.js", append([]string{audience}, algorithms...)...)
	program.ready(t)
	tokens := map[string]string{}
	for _, line := range program.lines() {
		tokens[*line.Key] = line.Message
	}
	provider := oidc.New(oidc.Options{Issuer: tokens["issuer"], Audience: audience, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); provider.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	for _, algorithm := range algorithms {
		who, err := provider.Verify(t.Context(), tokens[algorithm])
		if err != nil || who.Subject != "oidc:by "+algorithm || who.TokenID != algorithm || !who.Can("operate") || who.Can("admin") || !who.Reaches("central") || who.Reaches("north") {
			t.Errorf("%s: %+v, %v", algorithm, who, err)
		}
	}
}
