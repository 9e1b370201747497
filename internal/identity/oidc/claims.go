package oidc

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"parkwire/internal/identity"
)

// claim returns the claim of this name, or else what the path leads to: realm_access.roles is the field roles of the object realm_access.
// Names with dots, such as https://example.org/roles, are found first.
func claim(in map[string]any, path string) (any, bool) {
	if value, ok := in[path]; ok {
		return value, true
	}
	for at := 0; at < len(path); at++ {
		if path[at] != '.' {
			continue
		}
		if object, ok := in[path[:at]].(map[string]any); ok {
			if value, ok := claim(object, path[at+1:]); ok {
				return value, true
			}
		}
	}
	return nil, false
}

// scopes returns the scopes that the claims allow, each once.
func (p *Provider) scopes(c jwt.MapClaims) ([]string, error) {
	held := []string{}
	for _, name := range p.options.ScopesClaims {
		value, ok := claim(c, name)
		if !ok {
			continue
		}
		names, ok := texts(value)
		if !ok {
			return nil, identity.Refuse("its claim of scopes is neither a text nor a list of texts")
		}
		for _, name := range names {
			if p.options.Scopes != nil {
				name = p.options.Scopes[name]
			}
			if slices.Contains(identity.Scopes, name) && !slices.Contains(held, name) {
				held = append(held, name)
			}
		}
	}
	return held, nil
}

// texts reads a text with spaces, or a list of texts.
func texts(value any) ([]string, bool) {
	switch v := value.(type) {
	case string:
		return strings.Fields(v), true
	case []any:
		list := make([]string, len(v))
		for i, one := range v {
			text, ok := one.(string)
			if !ok {
				return nil, false
			}
			list[i] = text
		}
		return list, true
	}
	return nil, false
}

// lots returns the lots that the token is limited to; nil: it is not.
func (p *Provider) lots(c jwt.MapClaims) ([]string, error) {
	value, ok := claim(c, p.options.LotsClaim)
	if !ok {
		return nil, nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, identity.Refuse("its claim of lots cannot be read")
	}
	var lots identity.LotsClaim
	if err := lots.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	return lots.Lots(), nil
}
