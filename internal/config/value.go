package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// field is one setting of a Config.
type field struct {
	name, fallback, example, help, secret string

	value reflect.Value // addressable
}

// fields returns the settings of c, in order.
func fields(c *Config) []field {
	v := reflect.ValueOf(c).Elem()
	out := make([]field, 0, v.NumField())
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		out = append(out, field{
			name: tag.Get("name"), fallback: tag.Get("default"), example: tag.Get("example"),
			help: tag.Get("help"), secret: tag.Get("secret"), value: v.Field(i),
		})
	}
	return out
}

// Names lists the settings.
func Names() []string {
	var names []string
	for _, f := range fields(&Config{}) {
		names = append(names, f.name)
	}
	return names
}

// kind names the type in the help and in errors.
func (f field) kind() string {
	switch f.value.Interface().(type) {
	case bool:
		return "true or false"
	case int:
		return "whole number"
	case float64:
		return "number"
	case time.Duration:
		return "duration such as 90s, 15m or 168h"
	case Bytes:
		return "size such as 512KiB or 8MiB"
	case []netip.Prefix:
		return "list of networks such as 10.0.0.0/8, separated by commas"
	case []string:
		return "list, separated by commas"
	}
	return "text"
}

// set parses text into the field. It keeps the old value when it fails.
func (f field) set(text string) error {
	text = strings.TrimSpace(text)
	var parsed any
	var err error
	switch f.value.Interface().(type) {
	case string:
		parsed = text
	case bool:
		parsed, err = strconv.ParseBool(text)
	case int:
		parsed, err = strconv.Atoi(text)
	case float64:
		parsed, err = strconv.ParseFloat(text, 64)
	case time.Duration:
		parsed, err = time.ParseDuration(text)
	case Bytes:
		parsed, err = ParseBytes(text)
	case []string:
		parsed = split(text)
	case []netip.Prefix:
		parsed, err = parsePrefixes(split(text))
	default:
		panic("config: no parser for the type of " + f.name)
	}
	if err != nil {
		shown := strconv.Quote(text)
		if f.secret != "" {
			shown = "the value"
		}
		return fmt.Errorf("%s is no %s", shown, f.kind())
	}
	f.value.Set(reflect.ValueOf(parsed))
	return nil
}

// String returns the value as it could be written in a flag, with secrets masked.
func (f field) String() string {
	switch v := f.value.Interface().(type) {
	case []string:
		return strings.Join(v, ",")
	case []netip.Prefix:
		texts := make([]string, len(v))
		for i, p := range v {
			texts[i] = p.String()
		}
		return strings.Join(texts, ",")
	case string:
		switch {
		case v == "" || f.secret == "":
			return v
		case f.secret == "url":
			return maskURL(v)
		}
		return "********"
	default:
		return fmt.Sprint(v)
	}
}

// maskURL takes the password out of a URL, and shows nothing of one that cannot be read
// or is written as key=value pairs, as PostgreSQL allows.
func maskURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return "********"
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}

func split(text string) []string {
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func parsePrefixes(texts []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, addrErr := netip.ParseAddr(text)
			if addrErr != nil {
				return nil, err
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}

var units = []struct {
	suffix string
	size   float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1},
}

// ParseBytes reads a size.
func ParseBytes(text string) (Bytes, error) {
	for _, unit := range units {
		number, ok := strings.CutSuffix(text, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(n >= 0 && n*unit.size < 1<<60) {
			return 0, errors.New("no size")
		}
		return Bytes(n * unit.size), nil
	}
	return 0, errors.New("no size")
}

func (b Bytes) String() string {
	for _, unit := range []struct {
		suffix string
		size   Bytes
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if b >= unit.size && b%unit.size == 0 {
			return strconv.FormatInt(int64(b/unit.size), 10) + unit.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}
